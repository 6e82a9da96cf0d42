"""Where a command of Vim's leads: open this for finds, searches and what an operator takes."""

from __future__ import annotations

from typing import Final

from tui.query.vim.changes import lines_of
from tui.query.vim.commands import WHOLE_LINES, Command
from tui.query.vim.motions import (
    FAR,
    MOTIONS,
    Kind,
    Step,
    blank,
    end_of_word,
    in_indent,
    line_end,
    line_start,
    row_of,
    search,
    start_of_row,
)
from tui.query.vim.objects import Span, object_at

_BACKWARDS: Final = {"f": "F", "F": "f", "t": "T", "T": "t", "/": "?", "?": "/"}


class Mover:
    """Motions that lead on from one another: ; and , after f, n and N after /, j and k in a column.

    ``past_end``: the cursor may stand on the end of a line, as in the visual modes.
    """

    def __init__(self) -> None:
        self._found: tuple[str, str] | None = None
        self._searched = ("/", "")
        self._column = (0, 0)  # the one that j and k keep to, while the cursor is there

    def move(self, command: Command, text: str, at: int, *, past_end: bool) -> int | None:
        """Where the cursor comes to; None where the motion cannot be made."""
        column = self._column_at(text, at)
        target = self._target(command, text, at, past_end=past_end)
        if target is None:
            return None
        if command.name in ("j", "k"):
            self._column = (target[0], column)
        elif command.name == "$":
            self._column = (target[0], FAR)
        return target[0]

    def _column_at(self, text: str, cursor: int) -> int:
        at, column = self._column
        here = cursor - line_start(text, cursor)
        return column if at == cursor and column >= here else here

    def _target(
        self, command: Command, text: str, at: int, *, past_end: bool = False
    ) -> tuple[int, Kind] | None:
        """Where a motion leads, and which characters an operator takes with it."""
        name, argument, again = command.name, command.argument, False
        if name in ("/", "?"):
            self._searched = (name, argument or self._searched[1])
        if name in ("/", "?", "n", "N"):
            way, words = self._searched
            by = 1 if (_BACKWARDS[way] if name == "N" else way) == "/" else -1
            place = search(text, at, words, by=by, count=command.count)
            return None if place is None else (place, "exclusive")
        if name in (";", ","):
            if self._found is None:
                return None
            (name, argument), again = self._found, True
            name = _BACKWARDS[name] if command.name == "," else name
        elif name in ("f", "F", "t", "T"):
            self._found = (name, argument)
        step = Step(
            text, at, command.count, command.given, argument,
            self._column_at(text, at), command.operator, past_end, again,
        )  # fmt: skip
        motion, kind = MOTIONS[name]
        if command.operator == "c" and name in ("w", "W") and not blank(text, at):
            return end_of_word(step, big=name == "W", stays=True), "inclusive"
        place = motion(step)
        if name == "%" and command.given:
            kind = "linewise"
        return None if place is None else (place, kind)

    def span(self, command: Command, text: str, at: int) -> tuple[Span, int] | None:
        """What an operator works on, and where that begins (for y: where the cursor goes)."""
        if command.name == WHOLE_LINES:
            row = row_of(text, at)
            if command.count > 1 and row == text.count("\n"):
                return None
            return lines_of(text, at, start_of_row(text, row + command.count - 1)), at
        if command.name[0] in "ia":
            name, around = command.name[1], command.name[0] == "a"
            span = object_at(text, at, name, around=around, count=command.count)
            if span is None:
                return None
            (start, end, linewise), kind = span, "exclusive"
        else:
            target = self._target(command, text, at)
            if target is None:
                return None
            (start, end), kind = sorted((at, target[0])), target[1]
            linewise = kind == "linewise"
        if linewise:
            return lines_of(text, start, end), start
        if kind == "inclusive":
            end = min(end + 1, line_end(text, end))
        elif end == line_start(text, end) and start < end and command.name != "backspace":
            end -= 1  # the newline before it stays
            if in_indent(text, start):
                return lines_of(text, start, end), start
        several = "\n" in text[start:end]
        alone = in_indent(text, start) and not text[end : line_end(text, end)].strip(" \t")
        if command.operator == "d" and several and alone:
            return lines_of(text, start, end), start
        return Span(start, end), start
