"""JSON as a stream: lines of objects, objects one after another, or one large document.

What is broken is told and passed over, and what comes after it is read; memory is bounded by one
element, however large the file is.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec import MsgspecError
from msgspec.json import Decoder

from core.sources.content import LONGEST_LINE, Content

_DECODER: Final = json.JSONDecoder()
_QUICK: Final[Decoder[Any]] = Decoder()
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_ELEMENT_START: Final = re.compile(r'\{\s*"[^"\n]{1,80}"')
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
# Characters behind an error after which more text would not help; only a long string can be cut
# off further away from the end.
_FAR: Final = 1 << 20
_REREAD: Final = 64 << 20
_STEP: Final = 1 << 20

# line, reason, what is wrong
OnBad = Callable[[int, str, str], None]


def lines(content: Content, on_bad: OnBad) -> Iterator[tuple[int, Any]]:
    """Line number and value of each line that is JSON; blank lines are passed over."""
    number = 0
    for block in content.text_blocks(_STEP):
        yield from block_lines(block, number, on_bad)
        number += block.count(b"\n")


def block_lines(block: bytes, before: int, on_bad: OnBad) -> Iterator[tuple[int, Any]]:
    """The same for one block of whole lines, of which ``before`` lines stand in front."""
    for number, row in enumerate(block.split(b"\n"), before + 1):
        if not row.strip():
            continue
        try:
            value = _loads(row)
        except UnicodeDecodeError:
            on_bad(number, "bad_encoding", "bytes that are not UTF-8")
        except (ValueError, RecursionError) as error:
            on_bad(number, "bad_json", _said(error))
        else:
            yield number, value


def _loads(row: bytes) -> Any:
    """``json.loads``, twice as fast: what msgspec takes, both take alike."""
    try:
        return _QUICK.decode(row)
    except (MsgspecError, ValueError, RecursionError):
        return json.loads(row)  # NaN, half surrogate pairs, or an error with its place


def values(content: Content, on_bad: OnBad) -> Iterator[tuple[int, Any]]:
    """Values that stand one after another, over as many lines as they like."""
    for line, _, value in _Document(content, on_bad).values():
        yield line, value


def elements(content: Content, on_bad: OnBad) -> Iterator[tuple[int, str, Any]]:
    """Line, key and value: the elements of a list, or of each list in one object by its key.

    A list at the top has the key ``""``. What stands in the object and is no list comes whole.
    """
    yield from _Document(content, on_bad).elements()


def top_keys(text: str) -> dict[str, str]:
    """The keys of the object at the beginning of ``text`` with the first sign of their values.

    As far as the text goes; a large value ends the look.
    """
    found: dict[str, str] = {}
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        return found
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"':
        try:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
            found[str(key)] = text[at : at + 1]
            _, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        at = _skip(text, at)
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
    return found


class _Document:
    """A window on the text that moves forward; ``at`` is where reading goes on."""

    def __init__(self, content: Content, on_bad: OnBad) -> None:
        self._blocks = content.blocks(_STEP)
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._on_bad = on_bad
        self._text = ""
        self._at = 0
        self._line = 1
        self._counted = 0
        self._ended = False
        self._reread = 0

    def values(self) -> Iterator[tuple[int, str, Any]]:
        while self._sign():
            line, value, sound = self._value()
            if sound:
                yield line, "", value
            elif sound is False and not self._resume(""):
                return

    def elements(self) -> Iterator[tuple[int, str, Any]]:
        while sign := self._sign():
            if sign == "[":
                self._at += 1
                yield from self._list("")
            elif sign == "{":
                self._at += 1
                yield from self._object()
            else:
                line, value, sound = self._value()
                if sound is False:
                    return
                if sound:
                    yield line, "", value

    def _object(self) -> Iterator[tuple[int, str, Any]]:
        while self._sign() == '"':
            _, key, sound = self._value()
            if not sound or self._sign() != ":":
                self._tell("bad_json", "a key without a value")
                return
            self._at += 1
            if self._sign() == "[":
                self._at += 1
                yield from self._list(str(key))
            else:
                line, value, sound = self._value()
                if sound is False:
                    return
                if sound:
                    yield line, str(key), value
            if self._sign() == ",":
                self._at += 1
        if self._sign() == "}":
            self._at += 1
        else:
            self._tell("bad_json", "the file ends too early" if self._ended else "no key")
            self._at = len(self._text)

    def _list(self, key: str) -> Iterator[tuple[int, str, Any]]:
        start = ""
        while sign := self._sign():
            if sign == "]":
                self._at += 1
                return
            if sign == ",":
                self._at += 1
                continue
            if not start and sign == "{":
                match = _ELEMENT_START.match(self._text, self._at)
                start = match[0] if match else ""
            line, value, sound = self._value()
            if sound:
                yield line, key, value
            elif sound is False and not self._resume(start):
                return
        self._tell("bad_json", "the file ends too early")

    def _value(self) -> tuple[int, Any, bool | None]:
        """Line, value, and whether it is sound (None: passed over); what is not is told."""
        line = self._here()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                if end < len(self._text) or not self._more():
                    break
            except RecursionError:
                self._tell("bad_json", "nested too deeply")
                return line, None, False
            except json.JSONDecodeError as error:
                rest = len(self._text) - error.pos
                if rest < _FAR and len(self._text) - self._at < LONGEST_LINE and self._more():
                    continue
                self._reread += error.pos - self._at
                early = not self._text[error.pos :].strip() or "Unterminated" in error.msg
                self._tell("bad_json", "the file ends too early" if early else _said(error))
                return line, None, False
            except ValueError as error:  # a number of thousands of digits
                self._tell("bad_json", _said(error))
                return line, None, False
        if _UNDECODED.search(self._text, self._at, end):
            self._at = end
            self._on_bad(line, "bad_encoding", "bytes that are not UTF-8")
            return line, None, None
        self._at = end
        return line, value, True

    def _resume(self, start: str) -> bool:
        """Go to the next place that looks like the beginning of an element."""
        if self._reread > _REREAD:
            return self._stop()
        self._at += 1
        while True:
            if start:
                found = self._text.find(start, self._at)
            else:
                match = re.compile(r"\n\s*(?=[{\[])").search(self._text, self._at)
                found = match.end() if match else -1
            if found >= 0:
                self._at = found
                return True
            self._at = max(self._at, len(self._text) - len(start))
            if not self._more():
                return self._stop()

    def _stop(self) -> bool:
        """Nothing more can be made of the rest."""
        self._ended = True
        self._at = len(self._text)
        return False

    def _sign(self) -> str:
        """The next character that is not space; empty at the end."""
        while True:
            self._at = _skip(self._text, self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        if self._ended:
            return False
        block = next(self._blocks, None)
        self._ended = block is None
        self._here()
        self._text = self._text[self._at :] + self._decoder.decode(block or b"", block is None)
        self._at = self._counted = 0
        return True

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = max(self._counted, self._at)
        return self._line

    def _tell(self, reason: str, detail: str) -> None:
        self._on_bad(self._here(), reason, detail)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, column {error.colno:,}" if error.lineno == 1 else error.msg
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
