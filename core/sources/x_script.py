"""The .js files of an X archive: ``window.YTD.tweets.part0 = [ … ]``, JSON behind an assignment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from core.errors import InputRefused

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
# An element of a list and its first key, which is the same in all of them: in well-formed JSON it
# cannot stand inside a text, where quotation marks are escaped.
_KEY = re.compile(r'\{\s*"([^"\\\n]{1,80})"')
_WRAPPED = re.compile(r'\{\s*"(tweet|noteTweet)"\s*:')
_UNDECODED = re.compile("[\udc80-\udcff]")
_TOO_EARLY: Final = "the file ends too early"
_REREAD: Final = 64 << 20  # characters that may be read more than once behind broken places
_PIECE: Final = 1 << 13
_MARGIN: Final = 16  # a word or an escape that the end of a piece cuts is shorter
_DEEP: Final = 1 << 16  # what a nesting that is too deep counts for


def read_object(text: str, where: str) -> Any:
    """The one value behind the ``=``; raises InputRefused naming file, line and column."""
    start = _value_start(text, where)
    return _decode(text, start, where)[0]


def read_list(
    text: str, where: str, tell: Callable[[Flaw], None], *, undecoded: bool = False
) -> Iterator[Any]:
    """The sound elements of the list behind the ``=``, decoded one at a time to keep memory small.

    ``tell`` hears of each place that is broken; reading goes on at the next element. The list may
    begin on the line of the assignment, and a ``;`` may follow it. ``undecoded``: bytes that are
    not UTF-8 stand in ``text`` as lone surrogates; elements with such are broken. Raises
    InputRefused (file, line, column) when there is no list at all.
    """
    at = _value_start(text, where)
    if text[at : at + 1] != "[":
        value = _decode(text, at, where)[0]
        raise InputRefused(f"{where} does not hold a list but {type(value).__name__}.")
    at = _skip(text, at + 1)
    element = _element(text, at)
    lines = _Lines(text)
    spent, separated = 0, True

    def resume() -> int | None:
        found = element.search(text, at + 1) if spent <= _REREAD else None
        return _skip(text, found.start()) if found else None

    while sign := text[at : at + 1]:
        if sign == ",":
            at, separated = _skip(text, at + 1), True
            continue
        if sign == "]":
            behind = _skip(text, at + 1)
            behind = _skip(text, behind + 1) if text[behind : behind + 1] == ";" else behind
            beyond = resume() if behind < len(text) else None
            if beyond is None:
                return
            tell(lines.flaw(at, "", "the list goes on behind its end"))
            at, separated = beyond, True
            continue
        try:
            # an error counts the lines of all that is handed over: too dear once there are many
            value, end = _decode_piece(text, at) if spent else _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            said, reached = _problem(error, at)
            spent += max(reached - at, 1) if reached else _DEEP
            tell(lines.flaw(reached or at, "bad_json", said))
            if spent > _REREAD:
                tell(lines.flaw(at, "bad_json", "too much is broken to go on"))
            beyond = resume()
            if beyond is None:
                return
            at, separated = beyond, True
            continue
        if not separated:
            tell(lines.flaw(at, "", "a comma is missing"))
        if undecoded and (wrong := _UNDECODED.search(text, at, end)):
            tell(lines.flaw(wrong.start(), "bad_encoding", "bytes that are not UTF-8"))
        else:
            yield value
        at, separated = _skip(text, end), False
    tell(lines.flaw(len(text), "bad_json", _TOO_EARLY))


def _decode_piece(text: str, at: int) -> tuple[Any, int]:
    """As ``raw_decode``, from a piece of ``text`` that grows as long as its end is in the way."""
    size = _PIECE
    while True:
        piece = text[at : at + size]
        last = at + size >= len(text)
        try:
            value, end = _DECODER.raw_decode(piece)
            if last or end < len(piece):
                return value, at + end
        except json.JSONDecodeError as error:
            cut = error.pos > len(piece) - _MARGIN or error.msg.startswith("Unterminated")
            if last or not cut:
                error.pos += at
                raise
        size *= 8


def _element(text: str, at: int) -> re.Pattern[str]:
    """What the elements of the list that begins at ``at`` begin with."""
    first = _WRAPPED.search(text, at, at + _REREAD // 64) or _KEY.match(text, at)
    if first is None:
        return re.compile(r"\n[ \t]*[{\[]")
    return re.compile(r'\{\s*"' + re.escape(first[1]) + '"')


@dataclass(frozen=True)
class Flaw:
    """Where a script is broken; without a ``reason`` nothing is lost by it. All count from 1."""

    line: int
    column: int
    character: int
    reason: str
    problem: str

    @property
    def detail(self) -> str:
        return f"{self.problem}, column {self.column:,}"

    def refusal(self, where: str) -> InputRefused:
        return InputRefused(
            f"{where} is broken at line {self.line:,}, column {self.column:,} "
            f"(character {self.character - 1:,}).",
            f"{self.problem[:1].upper()}{self.problem[1:]}.",
            "Download or export it again.",
        )


class _Lines:
    """Places in a text as lines and columns; asked in rising order, it counts every line once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = len(text.rstrip())
        self._line, self._start, self._at = 1, 0, 0

    def flaw(self, at: int, reason: str, problem: str) -> Flaw:
        at = min(at, len(self._text))
        low, high = sorted((self._at, at))
        breaks = self._text.count("\n", low, high)
        self._line += breaks if at > self._at else -breaks
        if breaks:  # a file may be one line: the way back to its start is long
            self._start = self._text.rfind("\n", 0 if at < self._at else low, at) + 1
        self._at = at
        if at >= self._end and reason:
            problem = _TOO_EARLY
        return Flaw(self._line, at - self._start + 1, at + 1, reason, problem)


def _value_start(text: str, where: str) -> int:
    """Where the JSON begins: behind the first ``=`` when the file begins with an assignment."""
    at = _skip(text, 0)
    if text[at : at + 1] not in ("[", "{"):
        equals = text.find("=", at)
        if equals < 0:
            raise InputRefused(
                f"{where} is not a file of an X archive.",
                "It should begin with an assignment (window.YTD… =)."
                if text.strip()
                else "The file is empty.",
                "Download the archive again.",
            )
        at = _skip(text, equals + 1)
    return at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _decode(text: str, at: int, where: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        said, reached = _problem(error, at)
        raise _Lines(text).flaw(reached or at, "bad_json", said).refusal(where) from None


def _problem(error: Exception, at: int) -> tuple[str, int]:
    """What is wrong, and where the decoder stopped (0: it does not say)."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg[:1].lower() + error.msg[1:], max(error.pos, at)
    if isinstance(error, RecursionError):
        return "nested too deeply", 0
    return str(error).split(";")[0], 0  # a number of thousands of digits
