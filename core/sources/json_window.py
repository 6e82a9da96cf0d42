"""A window on the bytes of a JSON text that moves forward, value by value.

What is broken is reported with its place; memory is bounded by one block and one value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.errors import InputRefused

# What is reported of a place; TOO_EARLY of whatever is broken at the very end.
NOT_UTF8: Final = "bytes that are not UTF-8"
TOO_EARLY: Final = "the file ends too early"
TOO_DEEP: Final = "nested too deeply"
TOO_LONG: Final = "a number of thousands of digits"
# The longest value that is looked for the end of.
LONGEST_VALUE: Final = 16 << 20

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
# Bytes that are decoded at first, to find out where a value ends.
_PIECE: Final = 1 << 13
# A word or an escape that the end of a piece cuts is shorter.
_MARGIN: Final = 16
# What any broken place counts for in ``_spent``, and a nesting that is too deep.
_BROKEN: Final = 1 << 9
_DEEP: Final = 1 << 18


@dataclass(frozen=True)
class Flaw:
    """A broken place; without a ``reason`` nothing is lost by it. All count from 1."""

    line: int
    column: int
    character: int
    byte: int
    reason: str
    problem: str

    @property
    def detail(self) -> str:
        return f"{self.problem}, column {self.column:,}"

    def refusal(self, where: str) -> InputRefused:
        """Why nothing of ``where`` can be read, when this is all that there is to say."""
        if self.reason == "bad_encoding":
            return InputRefused(
                f"{where} is not UTF-8: byte {self.byte - 1:,}, in line {self.line:,}.",
                "It was probably saved in another encoding.",
                "Save it as UTF-8 and try again.",
            )
        return InputRefused(
            f"{where} is broken at line {self.line:,}, column {self.column:,} "
            f"(character {self.character - 1:,}).",
            f"{self.problem[:1].upper()}{self.problem[1:]}.",
            "Download or export it again.",
        )


OnFlaw = Callable[[Flaw], None]


class Window:
    """``_at`` is where reading goes on; ``_spent`` is how much was read in vain."""

    def __init__(self, blocks: Iterable[bytes], on_flaw: OnFlaw) -> None:
        self._blocks = iter(blocks)
        self._on_flaw = on_flaw
        self._data = b""
        self._at = 0
        self._ended = False
        self._spent = 0
        self._first = 0  # the place of _data[0] in the file
        # what of _data is counted in the three others, which all begin with 1
        self._counted = 0
        self._line = self._column = self._character = 1

    def value_or_refusal(self, where: str) -> Any:
        """The next value; raises InputRefused with its place when it is broken."""
        flaws: list[Flaw] = []
        self._on_flaw, on_flaw = flaws.append, self._on_flaw
        _, value, sound = self.value()
        self._on_flaw = on_flaw
        if not sound:
            raise flaws[0].refusal(where)
        return value

    def value(self) -> tuple[int, Any, bool | None]:
        """Line, value, and whether it is sound (None: passed over); what is not is reported."""
        self._count()
        line, size = self._line, _PIECE
        while True:
            while len(self._data) - self._at < size and self._more():
                pass
            text = self._data[self._at : self._at + size].decode("utf-8", "surrogateescape")
            last = self._ended and self._at + size >= len(self._data)
            try:
                value, end = _DECODER.raw_decode(text)
            except json.JSONDecodeError as error:
                unfinished = error.msg.startswith("Unterminated")
                cut = unfinished or error.pos > len(text) - _MARGIN
                if cut and not last and size < LONGEST_VALUE:
                    size *= 8
                    continue
                reached = _width(text[: error.pos])
                self._spent += reached + _BROKEN
                reason, problem = "bad_json", error.msg[:1].lower() + error.msg[1:]
                if _UNDECODED.match(text, error.pos):
                    reason, problem = "bad_encoding", NOT_UTF8
                elif unfinished and last:
                    problem = TOO_EARLY
                self._tell(self._at + reached, reason, problem)
                return line, None, False
            except (ValueError, RecursionError) as error:
                self._spent += _DEEP
                problem = TOO_DEEP if isinstance(error, RecursionError) else TOO_LONG
                self._tell(self._at, "bad_json", problem)
                return line, None, False
            if last or end < len(text):
                break
            size *= 8
        wrong = None if text.isascii() else _UNDECODED.search(text, 0, end)
        if wrong:
            at = self._at + _width(text[: wrong.start()])
            self._tell(at, "bad_encoding", NOT_UTF8)
        self._at += _width(text[:end])
        return line, value, None if wrong else True

    def _sign(self) -> bytes:
        """The next byte that is not space; empty at the end."""
        while True:
            match = _SPACE.match(self._data, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._data):
                return self._data[self._at : self._at + 1]
            if not self._more():
                return b""

    def _more(self) -> bool:
        """Whether there was another block; what stands before ``_at`` is dropped."""
        if self._ended:
            return False
        block = next(self._blocks, None)
        if block is None:
            self._ended = True
            return False
        self._count()
        self._data = self._data[self._at :] + block
        self._first += self._at
        self._at = self._counted = 0
        return True

    def _count(self) -> None:
        """Count lines and characters up to ``_at``."""
        if self._counted < self._at:
            self._line, self._column, self._character, _ = self._position(self._at)
            self._counted = self._at

    def _position(self, at: int) -> tuple[int, int, int, int]:
        """Line, column, character and byte of a place in the window, not before ``_counted``."""
        behind = self._data[self._counted : at]
        line = self._line + behind.count(b"\n")
        characters = _characters(behind)
        if line > self._line:
            column = 1 + _characters(behind[behind.rfind(b"\n") + 1 :])
        else:
            column = self._column + characters
        return line, column, self._character + characters, self._first + at + 1

    def _tell(self, at: int, reason: str, problem: str) -> None:
        self._count()
        match = _SPACE.match(self._data, at)
        if reason == "bad_json" and self._ended and match and match.end() == len(self._data):
            problem = TOO_EARLY
        self._on_flaw(Flaw(*self._position(at), reason, problem))


def _width(text: str) -> int:
    """Bytes of a text that was decoded with surrogates for what is not UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def _characters(data: bytes) -> int:
    if data.isascii():
        return len(data)
    signs = np.frombuffer(data, dtype=np.uint8)
    return len(data) - int(np.count_nonzero((signs & 0xC0) == 0x80))
