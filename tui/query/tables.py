"""Tables with their columns, folded and unfolded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from textual.binding import Binding, BindingType
from textual.message import Message

from tui.widgets.row_list import Column, ListRows, RowCells, RowList


class TableLike(Protocol):
    """A table or view with its columns as (name, type)."""

    @property
    def name(self) -> str: ...
    @property
    def is_view(self) -> bool: ...
    @property
    def columns(self) -> Sequence[tuple[str, str]]: ...


class SchemaList(RowList):
    """Tables; right or space unfolds one, left folds it, enter takes the name under the cursor.

    Messages: ``Taken(name)``, as a query can hold it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "fold(False)", "Unfold", show=False, id="schema.unfold"),
        Binding("left", "fold(True)", "Fold", show=False, id="schema.fold"),
        Binding("space", "turn", "Fold or unfold", show=False, id="schema.turn"),
    ]

    @dataclass
    class Taken(Message):
        schema: SchemaList
        name: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__((Column(flex=1), Column(width=9, align="right")), empty="", id=id)
        self._tables: Sequence[TableLike] = ()
        self._open: set[str] = set()
        self._lines: list[tuple[TableLike, str, str]] = []

    def show(self, tables: Sequence[TableLike]) -> None:
        self._tables = tables
        self._draw()

    def _draw(self) -> None:
        self._lines = []
        for table in self._tables:
            self._lines.append((table, "", "view" if table.is_view else "table"))
            if table.name in self._open:
                self._lines += [(table, name, kind) for name, kind in table.columns]
        self.set_rows(ListRows([self._cells(*line) for line in self._lines]), keep_cursor=True)

    def _cells(self, table: TableLike, column: str, kind: str) -> RowCells:
        if column:
            return [(f" {column}", ""), (kind.lower().removesuffix("tz"), "muted")]
        sign = "▾" if table.name in self._open else "▹"
        return [(f"{sign} {table.name}", "strong"), (kind, "muted")]

    def action_choose(self) -> None:
        from core.query.completion import in_sql

        if self._lines:
            table, column, _ = self._lines[self.cursor]
            self.post_message(self.Taken(self, in_sql(column or table.name)))

    def action_turn(self) -> None:
        if self._lines:
            self.action_fold(self._lines[self.cursor][0].name in self._open)

    def action_fold(self, fold: bool) -> None:
        if not self._lines:
            return
        name = self._lines[self.cursor][0].name
        (self._open.discard if fold else self._open.add)(name)
        self._draw()
        # a folded table has the cursor that one of its columns had
        self.cursor = next(
            (i for i, (t, c, _) in enumerate(self._lines) if t.name == name and (fold and not c)),
            self.cursor,
        )
