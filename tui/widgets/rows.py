"""Rows and columns of a row list: where the rows come from, and how wide their cells are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.widgets.cells import Align

RowCells = Sequence[tuple[str, str]]
"""One row: for each column a text and the name of a style (see ``RowList.CELL_STYLES``)."""


CELL_STYLES = frozenset(
    {
        "muted",
        "strong",
        "primary",
        "secondary",
        "success",
        "warning",
        "error",
        "generated",
        "struck",
    }
)
"""The styles a cell may name; any other name is plain text."""


class Rows(Protocol):
    """Where the rows come from. ``row`` is asked only for rows on the screen."""

    def __len__(self) -> int: ...

    def row(self, index: int) -> RowCells: ...


class ListRows:
    """Rows from a plain list, for short lists: ``ListRows([[("3,245", "muted")], ...])``."""

    def __init__(self, rows: Sequence[RowCells] = ()) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> RowCells:
        return self._rows[index]


@dataclass(frozen=True)
class Column:
    """How one column is laid out.

    title        shown in the header line
    width        cells, for a fixed column
    flex         share of what the fixed columns leave (``flex=1`` for the one that stretches)
    align        left, right or center
    hide_under   the column is left out when the list is narrower than this many cells
    """

    title: str = ""
    width: int = 0
    flex: int = 0
    align: Align = "left"
    hide_under: int = 0


def column_widths(columns: Sequence[Column], width: int) -> list[int]:
    """Cells for each column of a list ``width`` cells wide; 0 where a column is left out.

    One cell between columns. Flexible columns share what fixed ones leave, at least 4 cells each.
    """
    shown = [width >= column.hide_under for column in columns]
    gaps = max(0, sum(shown) - 1)
    fixed = sum(c.width for c, s in zip(columns, shown, strict=True) if s and not c.flex)
    shares = sum(c.flex for c, s in zip(columns, shown, strict=True) if s)
    left = max(0, width - gaps - fixed)
    widths: list[int] = []
    for column, is_shown in zip(columns, shown, strict=True):
        if not is_shown:
            widths.append(0)
        elif column.flex:
            take = max(4, left * column.flex // shares)
            left, shares = max(0, left - take), shares - column.flex
            widths.append(take)
        else:
            widths.append(column.width)
    return widths
