"""A text area with Vim's keys while they are switched on: open this for how keys reach `Vim`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.style import Style
from rich.text import Text
from textual import events
from textual.document._document import Location, Selection
from textual.document._edit import Edit
from textual.document._history import EditHistory
from textual.geometry import Offset, Region
from textual.message import Message
from textual.widgets import TextArea

if TYPE_CHECKING:
    from tui.query.vim.modes import Outcome, Vim

# As a text area has them.
_MOST_STEPS: Final = 50
_STEP_SECONDS: Final = 2.0
_STEP_CHARACTERS: Final = 100

_UNDER_CURSOR: Final = Style(reverse=True)


class StepHistory(EditHistory):
    """Undo by whole commands: between `begin` and `end` all edits are one step."""

    _joins = _begun = False

    def begin(self) -> None:
        self.checkpoint()
        self._joins, self._begun = True, False

    def end(self) -> None:
        if self._joins:
            self._joins = False
            self.checkpoint()

    def record(self, edit: Edit) -> None:
        steps = len(self._undo_stack)
        if self._joins and self._begun and steps:
            self._undo_stack[-1].append(edit)
            self._redo_stack.clear()
            return
        last = self._undo_stack[-1] if steps else None
        super().record(edit)
        self._begun = bool(self._undo_stack) and self._undo_stack[-1] is not last

    def _pop_undo(self) -> list[Edit] | None:
        if self._joins:
            self.begin()  # what is typed next belongs to no step before
        return super()._pop_undo()


class VimTextArea(TextArea):
    """``vim`` is None while the keys are those of any other editor.

    Messages: ``ModeChanged``, whose ``label`` is empty without Vim.
    """

    @dataclass
    class ModeChanged(Message):
        label: str

    vim: Vim | None = None

    def __init__(self, text: str, **options: Any) -> None:
        super().__init__(text, **options)
        self.history: StepHistory = StepHistory(_MOST_STEPS, _STEP_SECONDS, _STEP_CHARACTERS)
        self._label = ""
        self._by_vim = False  # the selection is being set for a key of Vim's

    def use_vim(self, on: bool) -> None:
        """Take Vim's keys from now on, in normal mode, or no longer."""
        if on == (self.vim is not None):
            return
        self.history.end()
        self.vim = None
        if on:
            from tui.query.vim.modes import Vim  # who does without need not wait for it

            self.vim = Vim()
            self.watch_selection(self.selection)
        self._show_mode()

    @property
    def commands(self) -> bool:
        """Whether letters are commands now, and not typed."""
        return self.vim is not None and self.vim.mode != "insert"

    def forget_typing(self) -> None:
        """Another text is put in the place of this one: back to normal mode."""
        self.history.end()
        if self.vim is not None:
            self.vim.reset()
            self._show_mode()

    # ── keys ─────────────────────────────────────────────────────────────────────────────

    def press_vim(self, event: events.Key) -> bool:
        """Whether Vim took the key; else it means what it means in any text area."""
        if self.vim is None:
            return False
        key = event.character if event.is_printable and event.character else event.key
        letter = key.removeprefix("alt+")
        if event.key.startswith("alt+") and len(letter) == 1:
            # esc and a letter typed quickly: a terminal sends the same for alt and the letter
            if self.vim.mode != "normal" or self.vim.unfinished:
                self._press("escape")
            return self._press(letter)
        if not self.commands:
            return key == "escape" and self._press(key)
        half = max(1, self.content_size.height // 2)
        pages = {"ctrl+d": (half, "j"), "ctrl+u": (half, "k"),
                 "ctrl+f": (2 * half, "j"), "ctrl+b": (2 * half, "k")}  # fmt: skip
        if key not in pages:
            return self._press(key)
        rows, way = pages[key]
        for part in (*str(rows), way):
            self._press(part)
        return True

    def _press(self, key: str) -> bool:
        vim = self.vim
        if vim is None:
            return False
        vim.clipboard = self.app.clipboard
        typing = vim.mode == "insert"
        outcome = vim.press(key, "\n".join(self.document.lines), self._index(self.selection.end))
        if outcome.handled:
            self._by_vim = True
            try:
                self._carry_out(outcome, typing=typing)
            finally:
                self._by_vim = False
            if not outcome.undo:
                self._show_mode()
        return outcome.handled

    def _carry_out(self, outcome: Outcome, *, typing: bool) -> None:
        if outcome.copied is not None:
            self.app.copy_to_clipboard(outcome.copied)
        for _ in range(abs(outcome.undo)):
            (self.undo if outcome.undo > 0 else self.redo)()
        if outcome.undo:
            row, column = min(self.selection)
            last = max(0, len(self.document.get_line(row)) - 1)
            self.selection = Selection.cursor((row, min(column, last)))
            return
        if not typing:
            self.history.begin()
        if outcome.edits:  # undo brings the cursor back, and no selection
            self.selection = Selection.cursor(min(self.selection))
        for start, end, text in outcome.edits:
            self.replace(
                text, self._location(start), self._location(end), maintain_selection_offset=False
            )
        if outcome.selection is None:
            self.selection = Selection.cursor(self._location(outcome.cursor))
        else:
            begin, end = outcome.selection
            self.selection = Selection(self._location(begin), self._location(end))
        if not self.vim or self.vim.mode != "insert":
            self.history.end()

    def _index(self, location: Location) -> int:
        row, column = location
        return sum(len(line) + 1 for line in self.document.lines[:row]) + column

    def _location(self, index: int) -> Location:
        row = 0
        lines = self.document.lines
        while row < len(lines) - 1 and index > len(lines[row]):
            index -= len(lines[row]) + 1
            row += 1
        return row, index

    def watch_selection(self, selection: Selection) -> None:
        """What is selected with the mouse, or all with ctrl+a, is so in visual mode, too."""
        if self.vim is not None and self.commands and not self._by_vim:
            self.vim.adopt(self._index(selection.start), self._index(selection.end))
            self._show_mode()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that delete in any other editor do nothing where letters are commands."""
        if self.commands and (action == "cut" or action.startswith("delete")):
            return False
        return super().check_action(action, parameters)

    def _undo_batch(self, edits: Sequence[Edit]) -> None:
        """One by one: a batch of several lines is more than the text area expects."""
        for edit in reversed(edits):
            super()._undo_batch([edit])

    def _redo_batch(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            super()._redo_batch([edit])

    # ── what shows the mode ──────────────────────────────────────────────────────────────

    def _show_mode(self) -> None:
        label = self.vim.label if self.vim is not None else ""
        self.cursor_blink = not self.commands
        if self.vim is not None and self.vim.visual:
            self.notify_style_update()  # drawn lines are kept until then
            self.refresh()
        if label != self._label:
            self._label = label
            self.post_message(self.ModeChanged(label))

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """To Vim's cursor; a selection of whole lines ends where their last one does."""
        if self.vim is None or not self.vim.visual:
            return super().scroll_cursor_visible(center, animate)
        to_offset = self.wrapped_document.location_to_offset
        self._cursor_offset = to_offset(self.cursor_location)
        x, y = to_offset(self._location(self.vim.cursor))
        return self.scroll_to_region(Region(x, y, 3, 1), animate=animate, force=True, center=center)

    @property
    def _draw_cursor(self) -> bool:
        """In the visual modes the cursor is in what is selected, not behind it: see `get_line`."""
        return super()._draw_cursor and not (self.vim is not None and self.vim.visual)

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if self.vim is not None and self.vim.visual and self.has_focus:
            row, column = self._location(self.vim.cursor)
            if row == line_index:
                line.append(" " * (column == len(line)))  # on the end of the line
                line.stylize(_UNDER_CURSOR, column, column + 1)
        return line
