"""A query's result: rows of any number, columns that scroll, and a cursor on one cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from core.numbers import plural
from core.query.result import NULL
from tui.actions import key_of
from tui.widgets.row_list import Column, ListRows, RowCells, RowList
from tui.widgets.rows import CELL_STYLES, column_widths

if TYPE_CHECKING:
    from core.query.result import QueryResult

_NARROWEST = 12  # a last column that is cut is shown only when so much of it fits
COPIED_VALUES = 10_000  # of a column: more than that no clipboard is for
_LONG = 40  # a last column of so many cells takes all the room there is


class Table(Protocol):
    """What a result must be able to say about itself."""

    def __len__(self) -> int: ...
    def cells(self, index: int) -> Sequence[str]: ...
    def nulls(self, index: int) -> Sequence[bool]: ...
    def layout(self) -> list[tuple[str, int, bool]]: ...


class _Lines:
    """The rows in view; values become text only when they are drawn, and none a dim NULL."""

    def __init__(self, table: Table, owner: ResultTable) -> None:
        self._table = table
        self._owner = owner

    def __len__(self) -> int:
        return len(self._table)

    def row(self, index: int) -> RowCells:
        first, here = self._owner.first, self._owner.column
        current = index == self._owner.cursor
        both = zip(self._table.cells(index), self._table.nulls(index), strict=True)
        return [
            (NULL if null else cell, "current" if current and at == here else "muted" * null)
            for at, (cell, null) in enumerate(both)
        ][first:]


class ResultTable(RowList):
    """A row list with a cursor on one cell; left and right move it from column to column.

    Example::

        table.show(result)            # anything with len(), cells(index) and layout()
        table.column, table.cursor    # where the cursor is

    Messages: those of RowList, and ``ColumnMoved`` when other columns are in view
    or another one has the cursor.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"row-list--current"}
    CELL_STYLES: ClassVar[frozenset[str]] = CELL_STYLES | {"current"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "column(-1)", "Left", show=False, id="result.left"),
        Binding("right", "column(1)", "Right", show=False, id="result.right"),
        Binding("shift+left", "column_edge(-1)", "First column", show=False, id="result.first"),
        Binding("shift+right", "column_edge(1)", "Last column", show=False, id="result.last"),
    ]
    DEFAULT_CSS = """
    ResultTable {
        & > .row-list--current { text-style: underline; }
        &:focus > .row-list--current {
            background: $foreground;
            color: $background;
            text-style: bold;
        }
        &:ansi:focus > .row-list--current {
            background: ansi_default;
            color: ansi_default;
            text-style: bold reverse;
        }
    }
    """

    @dataclass
    class ColumnMoved(Message):
        table: ResultTable

        @property
        def control(self) -> ResultTable:
            return self.table

    def __init__(self, *, empty: str, id: str | None = None) -> None:  # noqa: A002
        super().__init__((Column(flex=1),), header=True, empty=empty, id=id)
        self.first = self.column = 0
        self._layout_of: list[tuple[str, int, bool]] = []
        self._table: Table | None = None

    @property
    def in_view(self) -> int:
        """How many columns are shown, from ``first`` on."""
        return len(self.columns) if self._layout_of else 0

    @property
    def all_columns(self) -> int:
        return len(self._layout_of)

    def show(self, table: Table) -> None:
        """Show another result, from its first cell on."""
        self._table, self._layout_of = table, table.layout()
        self.first = self.column = 0
        self._lay_out(keep=False)

    def show_again(self) -> None:
        """The table has changed in place, its layout too; cursor and column stay."""
        if self._table is not None:
            self._layout_of = self._table.layout()
            self.set_rows(self._rows, keep_cursor=True)
            self._go(self.column)

    def column_at(self, x: int) -> int | None:
        """The column that ``x``, a cell of the content, lies in; counted from 0 of all."""
        at = self._gutter()
        widths = column_widths(self.columns, self.scrollable_content_region.width - at)
        for position, width in enumerate(widths):
            if x < at + width + 1:
                return self.first + position
            at += width + 1
        return None

    def clear(self, sentence: str) -> None:
        """No result; ``sentence`` says why."""
        self._table, self._layout_of = None, []
        self.first = self.column = 0
        self.set_empty(sentence)
        self.set_columns((Column(flex=1),))
        self.set_rows(ListRows())

    def _style(self, name: str, base: tuple[str, ...]) -> Style:
        if name == "current":  # over the cursor row's own colours, not under them
            return self.get_visual_style(*base, "row-list--current").rich_style
        return super()._style(name, base)

    def action_column(self, step: int) -> None:
        self._go(self.column + step)

    def action_column_edge(self, direction: int) -> None:
        self._go(0 if direction < 0 else len(self._layout_of) - 1)

    def _go(self, column: int) -> None:
        if not self._layout_of:
            return
        self.column = max(0, min(column, len(self._layout_of) - 1))
        self.first = min(self.first, self.column)
        while self.first < self.column and self.column >= self.first + len(self._fitting()):
            self.first += 1
        self._lay_out(keep=True)

    def _fitting(self) -> list[Column]:
        """Columns from the first one on, as many as there is room for."""
        room = max(20, self.size.width - 4)
        shown: list[Column] = []
        for name, width, right in self._layout_of[self.first :]:
            if shown and room < width:
                if room >= _NARROWEST:
                    shown.append(Column(name, flex=1))  # cut, with a sign
                break
            room -= width + 1
            shown.append(Column(name, width=width, align="right" if right else "left"))
        if shown and shown[-1].width >= _LONG:
            shown[-1] = Column(shown[-1].title, flex=1)  # it may be cut, and there is room
        return shown

    def _lay_out(self, *, keep: bool) -> None:
        if self._table is None:
            return
        self.set_columns(self._fitting())
        if keep:
            self.refresh_rows()
        else:
            self.set_empty("No rows.")
            self.set_rows(_Lines(self._table, self))
        self.post_message(self.ColumnMoved(self))

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        if self._layout_of:
            self._go(self.column)

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()  # Textual would call that of the base class once more
        offset = event.get_content_offset(self)
        if offset is not None and self._layout_of:
            column, row = self.column_at(offset.x), self._item_at(offset.x, offset.y)
            if column is not None and column != self.column:
                self.cursor = self.cursor if row is None else row
                self._go(column)
                return
        super().on_click(event)


def copied(result: QueryResult, what: str, row: int, column: int) -> tuple[str, str]:
    """The text of a cell, a row or a column, and a sentence that says which."""
    name = result.frame.columns[column]
    if what == "cell":
        return result.value(row, column), f"{name}, row {row + 1:,}."
    if what == "row":
        return result.row_text(row), f"Row {row + 1:,}, with tabs between its cells."
    words = "all values."
    if len(result) > COPIED_VALUES:
        words = f"the first {COPIED_VALUES:,} of {len(result):,} values."
    return result.column_text(column, COPIED_VALUES), f"{name}: {words}"


def facts_of(result: QueryResult, table: ResultTable, keymap: Mapping[str, str]) -> str:
    """How many rows, how long it took, and what is not shown."""
    facts = [plural(len(result), "row")]
    if result.truncated:
        export = key_of("query.export", keymap)
        facts = [f"first {plural(len(result), 'row')}, there are more: {export} writes all"]
    facts.append(f"{result.seconds:.2f} s")
    if table.in_view < table.all_columns:
        last = table.first + table.in_view
        facts.append(f"columns {table.first + 1}–{last} of {table.all_columns}, ← → move")
    return " · ".join(facts)
