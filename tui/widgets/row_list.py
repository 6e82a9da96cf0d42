"""A list of rows that never looks at more rows than the window shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from core.safe_text import printable
from tui.widgets.cells import ELLIPSIS, fit, pattern_of
from tui.widgets.cursor_list import CursorList
from tui.widgets.rows import CELL_STYLES, Column, ListRows, RowCells, Rows, column_widths

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Column", "ListRows", "RowCells", "RowList", "Rows"]

_CACHED_ROWS = 512


class RowList(CursorList):
    """Rows in columns, with a cursor, at the same cost for ten rows and for ten million.

    A row is asked for when it is about to be drawn, and kept in a small cache. The cursor row wears
    a ``▸`` besides its colour; marked rows wear a ``✓``.

    Example::

        class Tweets:
            def __len__(self): return frame.height
            def row(self, index): return [("2 h", "muted"), ("●", "success"), (text[index], "")]

        rows = RowList([Column(width=6, align="right"), Column(width=1), Column(flex=1)],
                       empty="No tweets yet. Press a to add an archive.")
        rows.set_rows(Tweets(), keep_cursor=True)
        rows.highlight(["tea"])   # wherever a row holds these words, in any case of letters

    Messages: ``Highlighted``, ``Chosen``, and ``Marked(indices)`` when the set of marks changed.
    """

    CELL_STYLES: ClassVar[frozenset[str]] = CELL_STYLES

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "edge(-1)", "First row", show=False, id="rows.top"),
        Binding("space", "toggle_mark", "Mark", show=False, id="rows.mark"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row-list--header",
        "row-list--cursor",
        "row-list--hover",
        "row-list--sign",
        "row-list--found",
        *(f"row-list--{name}" for name in CELL_STYLES),
    }

    DEFAULT_CSS = """
    RowList {
        & > .row-list--header { color: $text-muted; text-style: bold; }
        & > .row-list--hover { background: $foreground 6%; }
        & > .row-list--sign { color: $primary; text-style: bold; }
        & > .row-list--cursor { background: $foreground 10%; }
        &:focus > .row-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
        & > .row-list--found { color: $text-warning; text-style: bold underline; }
        & > .row-list--muted { color: $text-muted; }
        & > .row-list--strong { text-style: bold; }
        & > .row-list--primary { color: $text-primary; }
        & > .row-list--secondary { color: $text-secondary; }
        & > .row-list--success { color: $text-success; }
        & > .row-list--warning { color: $text-warning; }
        & > .row-list--error { color: $text-error; }
        & > .row-list--generated { color: $text-secondary; text-style: italic; }
        & > .row-list--struck { color: $text-muted; text-style: strike; }
        &:ansi > .row-list--header { text-style: bold dim; }
        &:ansi > .row-list--muted { text-style: dim; }
        &:ansi > .row-list--struck { text-style: strike dim; }
        &:ansi > .row-list--cursor { background: ansi_default; text-style: bold; }
        &:ansi > .row-list--hover { background: ansi_default; text-style: underline; }
        &:ansi:focus > .row-list--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: none;
        }
    }
    """

    @dataclass
    class Marked(Message):
        """The marks changed; ``indices`` holds all of them."""

        row_list: RowList
        indices: frozenset[int]

        @property
        def control(self) -> RowList:
            return self.row_list

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Rows | None = None,
        *,
        header: bool = False,
        markable: bool = False,
        empty: str = "Nothing here.",
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(empty=empty, name=name, id=id, classes=classes, disabled=disabled)
        self.columns = tuple(columns)
        self.header = header
        self.markable = markable
        self._rows: Rows = rows if rows is not None else ListRows()
        self._marks: set[int] = set()
        self._hover: int | None = None
        self._found: re.Pattern[str] | None = None
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(_CACHED_ROWS)
        self.virtual_size = Size(0, len(self._rows) + header)

    # --- what the owner sets -------------------------------------------------------------------

    def set_rows(self, rows: Rows, *, keep_cursor: bool = False, marks: Sequence[int] = ()) -> Self:
        """Show other rows. ``keep_cursor`` keeps the cursor's index (bounded by the new length).

        Of rows from plain lists, as many as before, only those that differ are drawn again.
        """
        changed = self._changed(rows)
        marked = {mark for mark in marks if 0 <= mark < len(rows)}
        self._rows = rows
        if changed is None:
            self._hover = None
            self._marks = marked
            self.refresh_rows()
        elif changed := changed | (marked ^ self._marks):
            self._marks = marked
            self._strips.clear()
            for index in changed:
                self._refresh_row(index)
        cursor = self._bounded(self.cursor) if keep_cursor else 0
        moved = cursor != self.cursor
        self.cursor = cursor
        if not moved and len(rows) and (changed is None or cursor in changed):
            self.post_message(self.Highlighted(self, cursor))
        self._show_cursor()
        return self

    def _changed(self, rows: Rows) -> set[int] | None:
        """Where ``rows`` differ from what is shown; None where that takes too long to find out."""
        before = self._rows
        if not (isinstance(before, ListRows) and isinstance(rows, ListRows)):
            return None
        if len(before) != len(rows) or not len(rows):
            return None
        return {at for at in range(len(rows)) if before.row(at) != rows.row(at)}

    def refresh_rows(self) -> None:
        """The provider answers differently now (or has more rows): draw again, stay in place."""
        self._strips.clear()
        self.virtual_size = Size(0, len(self._rows) + self.header)
        self.refresh()

    def highlight(self, words: Sequence[str]) -> None:
        """Mark these words wherever the stretching columns show them; none ends it."""
        found = pattern_of(words)
        if found != self._found:
            self._found = found
            self.refresh_rows()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Change the layout of the columns."""
        self.columns = tuple(columns)
        self.refresh_rows()

    @property
    def rows(self) -> Rows:
        return self._rows

    @property
    def marks(self) -> frozenset[int]:
        """Indices of the marked rows."""
        return frozenset(self._marks)

    # --- cursor and marks ----------------------------------------------------------------------

    def _count(self) -> int:
        return len(self._rows)

    def watch_cursor(self, old: int, new: int) -> None:
        if not len(self._rows):
            return
        self._refresh_row(old)
        self._refresh_row(new)
        self._show_cursor()
        self.post_message(self.Highlighted(self, new))

    def _refresh_row(self, index: int) -> None:
        self.refresh_line(index + self.header)

    @property
    def _page(self) -> int:
        return max(1, self.size.height - self.header)

    def _show_cursor(self) -> None:
        top = round(self.scroll_target_y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + self._page:
            self.scroll_to(y=self.cursor - self._page + 1, animate=False, force=True)

    def on_resize(self, event: events.Resize) -> None:
        self._strips.clear()
        self.call_after_refresh(self._show_cursor)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "toggle_mark":
            return self.markable  # else the key is free for the screen
        return True

    def action_page(self, direction: int) -> None:
        self.cursor += direction * max(1, self._page - 1)

    def action_toggle_mark(self) -> None:
        if not len(self._rows):
            return
        self._marks ^= {self.cursor}
        self._refresh_row(self.cursor)
        self.post_message(self.Marked(self, frozenset(self._marks)))

    # --- mouse ---------------------------------------------------------------------------------

    def _item_at(self, x: int, y: int) -> int | None:
        line = y - self.header
        index = line + self.scroll_offset.y
        return index if line >= 0 and 0 <= index < len(self._rows) else None

    def _clicked(self, index: int, x: int) -> None:
        if self.markable and x == 1:
            self.cursor = index
            self.action_toggle_mark()
        else:
            super()._clicked(index, x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._set_hover(self._item_at(0, event.y - self.gutter.top))

    def on_leave(self, event: events.Leave) -> None:
        self._set_hover(None)

    def _set_hover(self, index: int | None) -> None:
        if index == self._hover:
            return
        old, self._hover = self._hover, index
        for row in (old, index):
            if row is not None:
                self._refresh_row(row)

    # --- drawing -------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not len(self._rows):
            return self._empty_line(y, width)
        if self.header and y == 0:
            return self._header_line(width)
        index = self._item_at(0, y)
        if index is None:
            return Strip.blank(width, self.rich_style)
        is_cursor, is_hover = index == self.cursor, index == self._hover
        key = (
            index,
            width,
            is_cursor and (1 + self.has_focus),
            is_hover,
            index in self._marks,
            self.app.theme,
        )
        strip = self._strips.get(key)
        if strip is None:
            strip = self._row_line(index, width, is_cursor, is_hover)
            self._strips[key] = strip
        return strip

    def _gutter(self) -> int:
        return 3 if self.markable else 2

    def _row_line(self, index: int, width: int, is_cursor: bool, is_hover: bool) -> Strip:
        base = ("row-list--cursor",) if is_cursor else ("row-list--hover",) if is_hover else ()
        style = self.get_visual_style(*base).rich_style
        sign_style = self._style("sign", base)
        segments = [Segment("▸" if is_cursor else " ", sign_style)]
        if self.markable:
            segments.append(Segment("✓" if index in self._marks else " ", sign_style))
        segments.append(Segment(" ", style))
        cells = self._rows.row(index)
        widths = column_widths(self.columns, width - self._gutter())
        first = True
        for column, cells_wide, (text, name) in zip(self.columns, widths, cells, strict=False):
            if not cells_wide:
                continue
            if not first:
                segments.append(Segment(" ", style))
            first = False
            cell_style = self._style(name, base)
            if column.flex and self._found is not None:
                text = self._from_the_find(text, cells_wide)
            # Far more text than the column holds is never looked at: tweets may be long.
            shown = fit(printable(text[: 4 * cells_wide + 64]), cells_wide, column.align)
            if column.flex and self._found is not None:
                segments += self._marked(shown, cell_style, self._style("found", base))
            else:
                segments.append(Segment(shown, cell_style))
        return Strip(segments).adjust_cell_length(width, style)

    def _from_the_find(self, text: str, width: int) -> str:
        """``text`` from a little before the first word found, where that would be out of sight."""
        first = self._found.search(text) if self._found else None
        if first is None or first.end() < width:
            return text
        # so far that it is in sight, and no further than to fill the column
        start = max(0, min(first.start() - width // 3, len(text) - width + 1))
        return ELLIPSIS + text[start:]

    def _marked(self, shown: str, style: Style, found: Style) -> list[Segment]:
        segments, at = [], 0
        for match in self._found.finditer(shown) if self._found else ():
            segments.append(Segment(shown[at : match.start()], style))
            segments.append(Segment(match[0], found))
            at = match.end()
        return [*segments, Segment(shown[at:], style)]

    def _style(self, name: str, base: tuple[str, ...]) -> Style:
        if name in self.CELL_STYLES or name in ("sign", "found"):
            # The cursor comes last: where it has a colour of its own, text must stay readable.
            style = self.get_visual_style(f"row-list--{name}", *base).rich_style
            on_cursor = self.has_focus and "row-list--cursor" in base
            return style + Style(dim=False) if on_cursor else style
        return self.get_visual_style(*base).rich_style

    def _header_line(self, width: int) -> Strip:
        style = self.get_visual_style("row-list--header").rich_style
        widths = column_widths(self.columns, width - self._gutter())
        texts = [
            fit(column.title, cells, column.align)
            for column, cells in zip(self.columns, widths, strict=True)
            if cells
        ]
        line = " " * self._gutter() + " ".join(texts)
        return Strip([Segment(line, style)]).adjust_cell_length(width, style)
