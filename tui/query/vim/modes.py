"""Vim's modes over a text: open this for what a key does in the SQL editor with ``query.vim`` on.

It knows nothing of widgets: a key, a text and a cursor go in, and edits and a cursor come out. The
editor owns the text, types in insert mode, and undoes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple

from tui.query.vim.changes import (
    Buffer,
    Edit,
    Register,
    begin_typing,
    delete,
    in_case,
    join,
    lines_of,
    make_all,
    put,
    put_over,
    shift,
    typed,
)
from tui.query.vim.commands import WHOLE_LINES, Command, Unfinished, parse
from tui.query.vim.motions import (
    in_column,
    last_of_line,
    line_end,
    line_start,
    row_of,
    start_of_row,
)
from tui.query.vim.moves import Mover
from tui.query.vim.objects import Span, grown

Mode = Literal["normal", "insert", "visual", "visual line"]
_CLIPBOARDS: Final = ("+", "*")
_INSERTS: Final = ("i", "a", "I", "A", "o", "O")


@dataclass
class Outcome:
    """What a key led to.

    handled    else the key means what it means without Vim
    selection  in the visual modes: where it begins, and the end that moves
    undo       steps to take back, or below 0 to do again
    copied     for the clipboard
    """

    handled: bool = True
    edits: list[Edit] = field(default_factory=list)
    cursor: int = 0
    selection: tuple[int, int] | None = None
    undo: int = 0
    copied: str | None = None


class _Extent(NamedTuple):
    """How much a visual command changed, for the dot: lines, and characters in the last."""

    rows: int
    columns: int
    linewise: bool


@dataclass
class _Change:
    """What the dot repeats."""

    command: Command
    inserted: str = ""
    extent: _Extent | None = None


@dataclass
class _Insertion:
    """Insert mode began at ``at`` of ``text``."""

    text: str
    at: int
    command: Command


class Vim:
    """Example::

    vim = Vim()
    vim.press("d", "SELECT 1", 0)
    vim.press("w", "SELECT 1", 0).edits  # [Edit(start=0, end=7, text="")]
    """

    def __init__(self) -> None:
        self.mode: Mode = "normal"
        self.clipboard = ""
        self.cursor = self.anchor = 0  # of the visual modes
        self._keys: list[str] = []
        self._registers: dict[str, Register] = {}
        self._mover = Mover()
        self._change: _Change | None = None
        self._insertion: _Insertion | None = None
        self._out = Outcome()

    @property
    def label(self) -> str:
        """The mode, and the keys of a command that is not whole."""
        return " ".join([self.mode.upper(), "".join(self._keys)]).rstrip()

    @property
    def unfinished(self) -> bool:
        """Whether keys wait for the rest of their command."""
        return bool(self._keys)

    @property
    def visual(self) -> bool:
        return self.mode in ("visual", "visual line")

    def reset(self) -> None:
        """Another text: back to normal mode."""
        self.mode, self._insertion = "normal", None
        self._keys.clear()

    def adopt(self, begin: int, end: int) -> None:
        """A selection that was not made by keys of Vim's, or none any more."""
        self.mode = "normal" if begin == end else "visual"
        self.anchor, self.cursor = (begin, end - 1) if begin < end else (begin - 1, end)

    def press(self, key: str, text: str, cursor: int) -> Outcome:
        """``key``: what it types, or else its name; ``cursor`` counts outside the visual modes."""
        buffer = Buffer(text, min(self.cursor, len(text)) if self.visual else cursor)
        self._out = Outcome(edits=buffer.edits)
        self.anchor = min(self.anchor, len(text))
        if self.mode == "insert":
            self._out.handled = key == "escape"
            if self._out.handled:
                self._end_insertion(buffer)
        else:
            if self.mode == "normal":
                buffer.cursor = in_column(text, cursor, cursor - line_start(text, cursor))
            self._command_key(key, buffer)
        self._out.cursor = self.cursor = buffer.cursor
        if self.visual:
            span = self._selected(buffer)
            forward = self.anchor <= buffer.cursor
            self._out.selection = (span[0], span[1]) if forward else (span[1], span[0])
        return self._out

    def _command_key(self, key: str, buffer: Buffer) -> None:
        searching = any(one in ("/", "?") for one in self._keys)
        if key == "backspace" and searching:
            self._keys.pop()
            return
        if key == "escape" and self._keys:
            self._keys.clear()
            return
        if key == "escape" and not self.visual:
            self._out.handled = False
            return
        self._keys.append(key)
        try:
            command = parse(self._keys, visual=self.visual)
        except Unfinished:
            return
        self._keys.clear()
        if command is not None:
            self._run(command, buffer)
        else:  # letters never get through to be typed or to mean something else
            self._out.handled = len(key) == 1
        if self.mode == "normal":
            buffer.cursor = min(buffer.cursor, last_of_line(buffer.text, buffer.cursor))

    def _run(self, command: Command, buffer: Buffer) -> None:
        if self.visual:
            self._run_visual(command, buffer)
        elif command.operator:
            found = self._mover.span(command, buffer.text, buffer.cursor)
            if found is not None:
                self._note(command)
                if command.operator == "y":
                    buffer.cursor = found[1]
                self._operate(command, found[0], buffer)
        elif command.name in ("u", "ctrl+r"):
            self._out.undo = command.count if command.name == "u" else -command.count
        elif command.name == ".":
            self._repeat(command, buffer)
        elif command.name in ("v", "V"):
            self.mode = "visual" if command.name == "v" else "visual line"
            self.anchor = buffer.cursor
        elif command.name in _INSERTS:
            self._note(command)
            begin_typing(buffer, command.name)
            self._insert(command, buffer)
        elif command.name in ("r", "~", "J", "p", "P"):
            self._small_change(command, buffer)
            if buffer.edits or command.name not in ("r", "J"):
                self._note(command)
        else:
            self._move(command, buffer)

    def _move(self, command: Command, buffer: Buffer) -> None:
        at = self._mover.move(command, buffer.text, buffer.cursor, past_end=self.visual)
        if at is not None:
            buffer.cursor = at

    def _note(self, command: Command, extent: _Extent | None = None) -> None:
        """For the dot."""
        if command.operator != "y":
            self._change = _Change(command, extent=extent)

    # ── changes ──────────────────────────────────────────────────────────────────────────

    def _operate(self, command: Command, span: Span, buffer: Buffer) -> None:
        if command.operator in (">", "<"):
            span = lines_of(buffer.text, span.start, max(span.start, span.end - 1))
            times = command.count if not command.name else 1
            shift(buffer, span, times if command.operator == ">" else -times)
            return
        self._keep(command, buffer.held(span))
        if command.operator == "c":
            buffer.replace(span.start, span.end, "")
            buffer.cursor = span.start
            self._insert(command, buffer)
        elif command.operator == "d":
            delete(buffer, span)

    def _keep(self, command: Command, held: Register) -> None:
        if command.register == "_" or not (held.text or held.linewise):
            return
        self._registers[""] = held
        if command.register in _CLIPBOARDS:
            self._out.copied = held.text + "\n" * held.linewise
        elif command.register:
            self._registers[command.register] = held
        elif command.operator == "y":
            self._registers["0"] = held

    def _register(self, name: str) -> Register | None:
        if name in _CLIPBOARDS:
            text = self.clipboard.replace("\r\n", "\n")
            linewise = text.endswith("\n")
            return Register(text.removesuffix("\n"), linewise) if text else None
        return self._registers.get("" if name == '"' else name)

    def _small_change(self, command: Command, buffer: Buffer) -> None:
        text, at, count = buffer.text, buffer.cursor, command.count
        end = line_end(text, at)
        if command.name == "J":
            join(buffer, at, max(2, count))
        elif command.name == "r":
            if at + count > end:
                return
            if command.argument == "\n":
                buffer.replace(at, at + count, "\n")
                buffer.cursor = at + 1
            else:
                buffer.replace(at, at + count, command.argument * count)
                buffer.cursor = at + count - 1
        elif command.name == "~":
            in_case(buffer, Span(at, min(end, at + count)), "~")
            buffer.cursor = min(end, at + count)
        elif (register := self._register(command.register)) is not None:
            put(buffer, register, count, before=command.name == "P")

    def _repeat(self, command: Command, buffer: Buffer) -> None:
        change = self._change
        if change is None:
            return
        done = change.command
        if command.given and change.extent is None:
            done = replace(done, count=command.count, given=True)
        if change.extent is not None:
            span = self._as_much(change.extent, buffer)
            if done.operator:
                self._operate(done, span, buffer)
            else:
                self._change_selected(done, span, buffer)
        else:
            self._run(done, buffer)
        if self.mode == "insert":
            buffer.replace(buffer.cursor, buffer.cursor, change.inserted)
            buffer.cursor += len(change.inserted)
            self._repeat_insertion(done, change.inserted, buffer)
        self._change = _Change(done, change.inserted, change.extent)

    @staticmethod
    def _as_much(extent: _Extent, buffer: Buffer) -> Span:
        text, at = buffer.text, buffer.cursor
        last = start_of_row(text, row_of(text, at) + extent.rows)
        if extent.linewise:
            return lines_of(text, at, last)
        begin = at if extent.rows == 0 else last
        return Span(at, max(at, min(begin + extent.columns, line_end(text, last))))

    # ── insert mode ──────────────────────────────────────────────────────────────────────

    def _insert(self, command: Command, buffer: Buffer) -> None:
        self.mode = "insert"
        self._insertion = _Insertion(buffer.text, buffer.cursor, command)

    def _end_insertion(self, buffer: Buffer) -> None:
        begun = self._insertion
        if begun is None:
            self.mode = "normal"
            return
        inserted = typed(begun.text, begun.at, buffer.text)
        if self._change is not None:
            self._change.inserted = inserted
        self._repeat_insertion(begun.command, inserted, buffer)

    def _repeat_insertion(self, command: Command, inserted: str, buffer: Buffer) -> None:
        self.mode, self._insertion = "normal", None
        if command.name in _INSERTS and not command.operator and command.count > 1:
            more = "\n" + inserted if command.name in ("o", "O") else inserted
            more *= command.count - 1
            buffer.replace(buffer.cursor, buffer.cursor, more)
            buffer.cursor += len(more)
        if buffer.cursor > line_start(buffer.text, buffer.cursor):
            buffer.cursor -= 1

    # ── visual modes ─────────────────────────────────────────────────────────────────────

    def _selected(self, buffer: Buffer) -> Span:
        begin, end = sorted((self.anchor, buffer.cursor))
        if self.mode == "visual line":
            return lines_of(buffer.text, begin, end)
        return Span(begin, min(end + 1, len(buffer.text)))

    def _run_visual(self, command: Command, buffer: Buffer) -> None:
        name = command.name
        other: Mode = "visual" if name == "v" else "visual line"
        if name == "escape" or (name in ("v", "V") and self.mode == other):
            self.mode = "normal"
        elif name in ("v", "V"):
            self.mode = other
        elif name in ("o", "O"):
            self.anchor, buffer.cursor = buffer.cursor, self.anchor
        elif command.operator or name in ("~", "u", "U", "J", "r", "p", "P"):
            span = self._selected(buffer)
            if name == WHOLE_LINES:
                span = lines_of(buffer.text, *sorted((self.anchor, buffer.cursor)))
                command = replace(command, name="")
            rows = buffer.text.count("\n", span.start, span.end)
            columns = span.end - max(span.start, line_start(buffer.text, span.end))
            self._note(command, _Extent(rows, columns, span.linewise))
            self.mode = "normal"
            if span.linewise and (rows == 0 or self.anchor < buffer.cursor):
                buffer.cursor = span.start
            else:
                buffer.cursor = min(self.anchor, buffer.cursor)
            if command.operator:
                self._operate(command, span, buffer)
            else:
                self._change_selected(command, span, buffer)
        elif name[0] in "ia" and len(name) == 2:
            self._select_object(command, buffer)
        else:
            self._move(command, buffer)

    def _change_selected(self, command: Command, span: Span, buffer: Buffer) -> None:
        if command.name in ("~", "u", "U"):
            in_case(buffer, span, command.name)
        elif command.name == "r":
            make_all(buffer, span, command.argument)
        elif command.name == "J":
            last = span.end - (not span.linewise)
            join(buffer, span.start, max(2, buffer.text.count("\n", span.start, last) + 1))
        elif (register := self._register(command.register)) is not None:
            if command.name == "p":
                self._registers[""] = buffer.held(span)
            put_over(buffer, span, register, command.count)

    def _select_object(self, command: Command, buffer: Buffer) -> None:
        name, around = command.name[1], command.name[0] == "a"
        found = grown(
            buffer.text, self.anchor, buffer.cursor, name, around=around, count=command.count
        )
        if found is not None:
            self.anchor, buffer.cursor, linewise = found
            self.mode = "visual line" if linewise else "visual"
