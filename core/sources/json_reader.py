"""JSON text as a stream of objects: lines, values, lists in one document, scripts of an archive.

What is broken is reported and passed over, and what comes after it is read. Memory is bounded by
one block and one element, however large the file is.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from msgspec import MsgspecError
from msgspec.json import Decoder

from core.errors import InputRefused
from core.sources.json_window import TOO_EARLY, Flaw, OnFlaw, Window

# What a decoder of msgspec raises; ValueError includes bytes that are not UTF-8.
DECODE_ERRORS: Final = (MsgspecError, RecursionError, ValueError)

# An element of a list and its first key, which is the same in all of them: in well-formed JSON it
# cannot stand inside a text, where quotation marks are escaped.
_FIRST_KEY: Final = re.compile(rb'\{\s*("[^"\\\n]{1,80}")')
_WRAPPED: Final = re.compile(rb'\{\s*("(?:tweet|noteTweet)")\s*:')
_ANY_ELEMENT: Final = re.compile(rb"\n[ \t]*(?=[{\[])")
# The line break is the last one: from each of many, blank lines would be read to their end.
_ANY_VALUE: Final = re.compile(rb"\n[^\S\n]*(?=[{\[])")
_BETWEEN: Final = re.compile(rb"\}\s*(,)\s*\{\s*\Z")
_LIST_END: Final = re.compile(rb"\]\s*;?\s*\Z")
# Bytes of a script that are decoded in one go, about: what fits into a processor's cache.
_WINDOW: Final = 1 << 20
# Bytes that may be read more than once behind broken places.
_REREAD: Final = 64 << 20
# What an element that is no object counts for among them.
_NO_OBJECT: Final = 1 << 9
# Bytes behind a broken place that are kept when the beginning of the next element is not in sight.
_OVERLAP: Final = 512
# Elements read one by one that are given at once.
_RUN: Final = 500
# How often the last element of a block is looked for, from its end.
_TRIES: Final = 20


# line, reason, what is wrong
OnBad = Callable[[int, str, str], None]


def values(blocks: Iterable[bytes], on_bad: OnBad) -> Iterator[tuple[int, Any]]:
    """Line and value of JSON values that stand one after another, over as many lines as needed."""
    for line, _, value in _Reader(blocks, _only_losses(on_bad)).values():
        yield line, value


def elements(blocks: Iterable[bytes], on_bad: OnBad) -> Iterator[tuple[int, str, Any]]:
    """Line, key and value: the elements of a list, or of each list in one object by its key.

    A list at the top has the key ``""``. What stands in the object and is no list comes whole.
    """
    yield from _Reader(blocks, _only_losses(on_bad)).elements()


def script_lists(
    blocks: Iterable[bytes], where: str, decoder: Decoder[list[Any]], on_flaw: OnFlaw
) -> Iterator[list[Any]]:
    """The elements of ``window.YTD.tweets.part0 = [ … ]``, many at a time.

    A run of sound elements comes as ``decoder`` makes it, one of which something is odd as plain
    JSON. The list may begin on the line of the assignment, and a ``;`` may follow it. Raises
    InputRefused (file, line, column) when there is no list at all.
    """
    yield from _Reader(blocks, on_flaw).script(where, decoder)


def script_value(data: bytes, where: str) -> Any:
    """The one value behind the ``=`` of a small script; raises InputRefused with its place."""
    reader = _Reader([data], lambda _: None)
    reader.find_value(where)
    return reader.value_or_refusal(where)


def top_keys(head: bytes) -> dict[str, str]:
    """The keys of the object at the beginning of ``head`` with the first sign of their values.

    As far as the bytes go; a large value ends the look.
    """
    return _Reader([head], lambda _: None).keys()


def _only_losses(on_bad: OnBad) -> OnFlaw:
    def report(flaw: Flaw) -> None:
        if flaw.reason:
            on_bad(flaw.line, flaw.reason, flaw.problem)

    return report


class _Reader(Window):
    """Lists and values in a window on the bytes."""

    # whether a missing comma was reported, which is enough
    _lenient = False
    # what stands before this place in the file is read one by one
    _doubtful = 0

    def elements(self) -> Iterator[tuple[int, str, Any]]:
        """The elements of lists, as the function of this name gives them."""
        while (sign := self._sign()) and not self._given_up():
            if sign == b"[":
                self._at += 1
                yield from self._list("")
            elif sign == b"{":
                self._at += 1
                yield from self._object()
            else:
                line, value, sound = self.value()
                if sound is False:
                    return
                if sound:
                    yield line, "", value

    def values(self) -> Iterator[tuple[int, str, Any]]:
        """Whole values, one behind the other."""
        while self._sign():
            line, value, sound = self.value()
            if sound:
                yield line, "", value
            elif sound is False and not self._resume(_ANY_VALUE):
                return

    def keys(self) -> dict[str, str]:
        """What ``top_keys`` gives."""
        found: dict[str, str] = {}
        before = b"{"
        while self._sign() == before:
            self._at += 1
            _, key, sound = self.value() if self._sign() == b'"' else (0, "", False)
            if not sound or self._sign() != b":":
                break
            self._at += 1
            found[str(key)] = self._sign().decode("latin-1")
            if not self.value()[2]:
                break
            before = b","
        return found

    def script(self, where: str, decoder: Decoder[list[Any]]) -> Iterator[list[Any]]:
        """Runs of elements, as ``script_lists`` gives them."""
        self.find_value(where)
        if self._sign() != b"[":
            value = self.value_or_refusal(where)
            raise InputRefused(f"{where} does not hold a list but {type(value).__name__}.")
        self._at += 1
        self._sign()
        start, key = self._element(wrapped=True)
        separated = True
        some: list[Any] = []
        while sign := self._sign():
            if self._given_up():
                yield some
                return
            if len(some) >= _RUN:
                yield some
                some = []
            if sign == b",":
                self._at, separated = self._at + 1, True
            elif sign == b"]":
                if not self._goes_on(start):
                    yield some
                    return
                separated = True
            elif key and (many := self._many(decoder, key)) is not None:
                yield some + many if some else many
                some, separated = [], False
            else:
                position = None if separated or self._lenient else self._position(self._at)
                _, value, sound = self.value()
                if sound is False:
                    if not self._resume(start):
                        yield some
                        return
                    separated = True
                    continue
                if position:
                    self._lenient = True  # once is enough
                    self._on_flaw(Flaw(*position, "", "a comma is missing"))
                if sound:
                    some.append(value)
                    # nothing but objects belongs there; of numbers there may be millions
                    self._spent += 0 if isinstance(value, dict) else _NO_OBJECT
                separated = False
        yield some
        self._tell(self._at, "bad_json", TOO_EARLY)

    def find_value(self, where: str) -> None:
        """Go behind the first ``=`` when the file begins with an assignment."""
        self._more()
        self._at = len(codecs.BOM_UTF8) if self._data.startswith(codecs.BOM_UTF8) else 0
        if self._sign() in (b"[", b"{"):
            return
        equals = self._data.find(b"=", self._at)
        if equals < 0:
            raise InputRefused(
                f"{where} is not a file of an X archive.",
                "It should begin with an assignment (window.YTD… =)."
                if self._sign()
                else "The file is empty.",
                "Download the archive again.",
            )
        self._at = equals + 1
        self._sign()

    def _object(self) -> Iterator[tuple[int, str, Any]]:
        while self._sign() == b'"':
            _, key, sound = self.value()
            if not sound or self._sign() != b":":
                self._tell(self._at, "bad_json", "a key without a value")
                return
            self._at += 1
            if self._sign() == b"[":
                self._at += 1
                yield from self._list(str(key))
            else:
                line, value, sound = self.value()
                if sound is False:
                    return
                if sound:
                    yield line, str(key), value
            if self._sign() == b",":
                self._at += 1
        if self._sign() == b"}":
            self._at += 1
        else:
            self._tell(self._at, "bad_json", TOO_EARLY if self._ended else "no key")
            self._at = len(self._data)

    def _list(self, key: str) -> Iterator[tuple[int, str, Any]]:
        self._sign()
        start, _ = self._element(wrapped=False)
        while sign := self._sign():
            if sign == b"]":
                self._at += 1
                return
            if sign == b",":
                self._at += 1
                continue
            line, value, sound = self.value()
            if sound:
                yield line, key, value
            elif sound is False and not self._resume(start):
                return
        self._tell(self._at, "bad_json", TOO_EARLY)

    def _element(self, *, wrapped: bool) -> tuple[re.Pattern[bytes], bytes]:
        """What the elements of the list that begins here begin with, and their first key."""
        first = _WRAPPED.search(self._data, self._at) if wrapped else None
        first = first or _FIRST_KEY.match(self._data, self._at)
        if first is None:
            return _ANY_ELEMENT, b""
        return re.compile(rb"(?=\{\s*" + re.escape(first[1]) + rb")"), first[1]

    def _many(self, decoder: Decoder[list[Any]], key: bytes) -> list[Any] | None:
        """The elements up to the last one in sight, where nothing is odd; else None.

        A run that does not end where an element ends has brackets that do not fit, and is odd.
        """
        if self._first + self._at < self._doubtful:
            return None
        while len(self._data) - self._at < _WINDOW and self._more():
            pass
        data, end = self._data, -1
        if self._ended and (closing := _LIST_END.search(data, max(self._at, len(data) - _OVERLAP))):
            end = closing.start()
        at = len(data)
        for _ in range(_TRIES if end < 0 else 0):
            at = data.rfind(key, self._at, at)
            if at < 0:
                break
            if between := _BETWEEN.search(data, max(self._at, at - _OVERLAP), at):
                end = between.start(1)
                break
        if end <= self._at:
            self._doubtful = self._first + len(data)
            return None
        try:
            found = decoder.decode(b"[%b]" % data[self._at : end])
        except DECODE_ERRORS:
            self._doubtful = self._first + end
            return None
        self._at = end
        return found

    def _goes_on(self, start: re.Pattern[bytes]) -> bool:
        """Whether elements come behind the end of their list, on which ``_at`` is."""
        position = self._position(self._at)
        self._at += 1
        if self._sign() == b";":
            self._at += 1
        if not self._sign():
            return False
        self._at -= 1
        if not self._resume(start, report=False):
            return False
        self._on_flaw(Flaw(*position, "", "the list goes on behind its end"))
        return True

    def _given_up(self, *, report: bool = True) -> bool:
        """Whether so much was read in vain that the rest is passed over."""
        if self._spent <= _REREAD:
            return False
        if report:
            self._tell(self._at, "bad_json", "too much is broken to go on")
        self._at, self._ended = len(self._data), True
        return True

    def _resume(self, start: re.Pattern[bytes], *, report: bool = True) -> bool:
        """Go to the next place that looks like the beginning of an element."""
        if self._given_up(report=report):
            return False
        self._at += 1
        while True:
            if found := start.search(self._data, self._at):
                self._at = found.end()
                return True
            self._at = max(self._at, len(self._data) - _OVERLAP)
            if not self._more():
                self._at = len(self._data)
                return False
