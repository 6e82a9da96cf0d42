"""A text editor that colours SQL and offers names while one types."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.widgets.text_area import Edit, EditResult

from tui.query.completion import CompletionMenu, Offer, ink
from tui.query.vim.editor import VimTextArea
from tui.widgets.cells import cell_len

LONGEST: Final = 50_000  # characters; every key has all of them drawn and coloured anew
_COLOURED = ("keyword", "function", "string", "number", "comment")


class Piece(Protocol):
    """A part of a text: from ``start`` to ``end``, of a ``kind`` that may have a colour."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def kind(self) -> str: ...


Pieces = Callable[[str], Iterable[Piece]]
Completer = Callable[[str, int], tuple[int, Sequence[Offer]]]
"""Text and cursor in; out come where the typed word begins, and what could be meant."""


FIRST_QUERY = """-- tab goes into the editor, esc leaves it; f5 runs the query
SELECT kind, count(*) AS tweets, round(avg(length(text))) AS characters
FROM tweets GROUP BY kind ORDER BY tweets DESC
"""


def pieces(text: str) -> Sequence[Piece]:
    from core.query.tokens import tokens

    return tokens(text)


class SqlEditor(VimTextArea):
    """SQL with colours from the app's theme, and a menu of names.

    The menu opens while one types; tab and enter take the name under its cursor, up and down move
    it, esc closes it. While it is closed those keys mean what they always mean. With Vim's keys it
    opens in insert mode only, and esc leaves that mode, too.

    Example::

        editor = SqlEditor("FROM tweets", pieces=tokens)
        editor.completer = lambda text, cursor: (start, [Offer("tweets", "table")])
        editor.mark(line=1, column=6, length=6)   # underlines a mistake until the text changes

    Messages: ``Older`` and ``Newer`` when a query before or after this one is wanted.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"sql-editor--{name}" for name in _COLOURED),
        "sql-editor--mark",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+a", "select_all", "Select all", show=False, id="editor.select_all"),
        Binding("ctrl+up,alt+up", "older", "Older query", show=False, id="editor.older"),
        Binding("ctrl+down,alt+down", "newer", "Newer query", show=False, id="editor.newer"),
    ]
    DEFAULT_CSS = """
    SqlEditor {
        & > .sql-editor--keyword { color: $text-primary; text-style: bold; }
        & > .sql-editor--function { color: $text-primary; }
        & > .sql-editor--string { color: $text-success; }
        & > .sql-editor--number { color: $text-warning; }
        & > .sql-editor--comment { color: $text-muted; text-style: italic; }
        & > .sql-editor--mark { color: $text-error; text-style: bold underline; }
        &:ansi > .sql-editor--comment { color: ansi_default; text-style: dim italic; }
    }
    """

    @dataclass
    class Older(Message):
        editor: SqlEditor

    @dataclass
    class Newer(Message):
        editor: SqlEditor

    def __init__(self, text: str = "", *, pieces: Pieces, id: str | None = None) -> None:  # noqa: A002
        super().__init__(text, language=None, theme="css", tab_behavior="focus", id=id,
                         soft_wrap=False, show_line_numbers=False,
                         highlight_cursor_line=False)  # fmt: skip
        self._pieces = pieces
        self._by_line: dict[int, list[tuple[int, int, str]]] | None = None
        self._mark: tuple[int, int, int] | None = None
        self.completer: Completer | None = None

    # ── colours ──────────────────────────────────────────────────────────────────────────

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        if self._by_line is None:
            self._by_line = _lines(self.text, self._pieces(self.text))
        # of a long line only what is in sight: a character takes two cells at most
        left, right = self.scroll_offset.x // 2, self.scroll_offset.x + self.size.width
        seen = [s for s in self._by_line.get(line_index, ()) if s[0] < right and s[1] > left]
        inks = {kind: self._ink(kind) for kind in {kind for _, _, kind in seen}}
        for start, end, kind in seen:
            line.stylize(inks[kind], start, end)
        if self._mark is not None and self._mark[0] == line_index:
            line.stylize(self._ink("mark"), self._mark[1], self._mark[1] + self._mark[2])
        return line

    def _ink(self, name: str) -> Style:
        """A style without its background, which the cursor line or the selection has."""
        return ink(self.get_visual_style(f"sql-editor--{name}").rich_style)

    def edit(self, edit: Edit) -> EditResult:
        """However text comes in, it comes through here; what is too much is refused and told."""
        going = self.document.get_text_range(edit.top, edit.bottom)
        if edit.text and len(self.text) - len(going) + len(edit.text) > LONGEST:
            self.app.notify(
                f"The editor holds {LONGEST:,} characters. mynah sql -f FILE runs a longer query.",
                title="Not taken",
                severity="warning",
            )
            return EditResult(self.cursor_location, "")
        self._by_line = self._mark = None
        return super().edit(edit)

    def undo(self) -> None:
        self._by_line = self._mark = None
        super().undo()

    def redo(self) -> None:
        self._by_line = self._mark = None
        super().redo()

    def load_text(self, text: str) -> None:
        self._by_line = self._mark = None
        self.close_menu()
        self.forget_typing()
        super().load_text(text)

    def put_text(self, text: str) -> bool:
        """Another text in place of this one, which ctrl+z brings back; False when it is refused."""
        self.close_menu()
        self.forget_typing()
        self.history.checkpoint()
        start, end = self.document.start, self.document.end
        self.replace(text, start, end, maintain_selection_offset=False)
        self.history.checkpoint()
        self.move_cursor((0, 0))
        return len(text) <= LONGEST

    def mark(self, line: int, column: int, length: int) -> None:
        """Underline ``length`` characters from ``line`` and ``column``, both counted from 1, and
        put the cursor there."""
        self._mark = (line - 1, column - 1, length)
        self.move_cursor(self.clamp_visitable((line - 1, column - 1)))
        self.notify_style_update()  # drawn lines are kept until then
        self.refresh()

    # ── names ────────────────────────────────────────────────────────────────────────────

    @property
    def menu(self) -> CompletionMenu | None:
        found = self.screen.query(CompletionMenu)
        return found.first() if found else None

    def close_menu(self) -> None:
        if self.is_mounted and (menu := self.menu) is not None:
            menu.close()

    @property
    def cursor_index(self) -> int:
        """The cursor's place in the whole text, in characters."""
        row, column = self.cursor_location
        lines = self.document.lines
        return sum(len(line) + len(self.document.newline) for line in lines[:row]) + column

    async def _on_key(self, event: events.Key) -> None:
        if self.press_vim(event):
            self.close_menu()
            event.stop()
            event.prevent_default()
            return
        if self.commands:
            return  # for the bindings: nothing is typed
        menu = self.menu
        if menu is not None and menu.is_open:
            taken = event.key in ("tab", "enter")
            if taken:
                self.take(menu.chosen)
            elif event.key in ("up", "down"):
                menu.move(1 if event.key == "down" else -1)
            elif event.key == "escape":
                menu.close()
            if taken or event.key in ("up", "down", "escape"):
                event.stop()
                event.prevent_default()
                return
            if not event.is_printable and event.key != "backspace":
                menu.close()
        elif event.key == "tab" and self._after_a_name():
            # meant for the names that were about to be offered; only without any it leaves
            self._offer()
            if self.completer is None or (menu is not None and menu.is_open):
                event.stop()
                event.prevent_default()
                return
        await super()._on_key(event)
        if event.is_printable:
            self._offer()

    def _after_a_name(self) -> bool:
        row, column = self.cursor_location
        before = self.document.get_line(row)[max(0, column - 1) : column]
        return before.isalnum() or before in ("_", ".")

    def action_delete_left(self) -> None:
        super().action_delete_left()
        if (menu := self.menu) is not None and menu.is_open:
            self._offer()

    def _offer(self) -> None:
        menu = self.menu
        if menu is None or self.completer is None or not self.selection.is_empty:
            return
        cursor = self.cursor_index
        start, offers = self.completer(self.text, cursor)
        # the cursor has moved, but is drawn there only with the next frame
        row, column = self.cursor_location
        at = self.content_region.offset + Offset(
            cell_len(self.document.get_line(row)[: column - (cursor - start)]) + self.gutter_width,
            self.wrapped_document.location_to_offset((row, column)).y,
        )
        menu.offer(offers, at - self.scroll_offset)

    def take(self, text: str) -> None:
        """Put ``text`` in the place of the word before the cursor."""
        if self.completer is not None:
            cursor = self.cursor_index
            start, _ = self.completer(self.text, cursor)
            row, column = self.cursor_location
            self.replace(text, (row, column - (cursor - start)), (row, column))
        self.close_menu()

    def insert_name(self, name: str) -> None:
        """Put ``name`` at the cursor, apart from a word that ends there."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        glued = before[-1:].isalnum() or before[-1:] in ("_", '"')
        self.insert(f"{' ' * glued}{name} ")

    @on(events.Blur)
    def _left(self) -> None:
        self.close_menu()

    def action_older(self) -> None:
        self.post_message(self.Older(self))

    def action_newer(self) -> None:
        self.post_message(self.Newer(self))


def _lines(text: str, pieces: Iterable[Piece]) -> dict[int, list[tuple[int, int, str]]]:
    """For each line the columns and kinds of what has a colour in it."""
    found: dict[int, list[tuple[int, int, str]]] = defaultdict(list)
    begins = [0, *(match.end() for match in re.finditer("\n", text))]
    ends = [*(begin - 1 for begin in begins[1:]), len(text)]
    row = 0
    for piece in pieces:
        if piece.kind not in _COLOURED:
            continue
        while ends[row] < piece.start:
            row += 1
        line = row
        while line < len(begins) and begins[line] < piece.end:
            start, end = max(piece.start, begins[line]), min(piece.end, ends[line])
            found[line].append((start - begins[line], end - begins[line], piece.kind))
            line += 1
    return found
