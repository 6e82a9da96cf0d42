"""The rows of a query, for a table on the screen or a file."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from core.safe_text import printable

if TYPE_CHECKING:
    import polars as pl

# What stands for no value in a table on the screen.
NULL: Final = "NULL"
_WIDEST: Final = 60
_LOOKED_AT: Final = 100  # rows from a place that decide how wide a column is


class QueryResult:
    """Rows of a query. ``seconds`` it took; ``truncated`` when there were more rows than asked."""

    def __init__(
        self, frame: pl.DataFrame, names: list[str], seconds: float, truncated: bool
    ) -> None:
        self.frame = named(frame, names)
        self.seconds = seconds
        self.truncated = truncated

    def __len__(self) -> int:
        return self.frame.height

    def cells(self, index: int) -> list[str]:
        """The row at ``index`` as text that is safe to show; a NULL is an empty text."""
        return [_shown(value) for value in self.frame.row(index)]

    def nulls(self, index: int) -> list[bool]:
        """Of each cell of the row at ``index`` whether it has no value."""
        return [value is None for value in self.frame.row(index)]

    def layout(self) -> list[tuple[str, int, bool]]:
        """For each column its name, its width in terminal cells, and whether it is numeric."""
        # some from everywhere: numbers grow, and the last page should be as readable as the first
        step = max(1, self.frame.height // _LOOKED_AT)
        some = [
            self.frame.head(_LOOKED_AT),
            self.frame.gather_every(step),
            self.frame.tail(_LOOKED_AT),
        ]
        rows = [
            [NULL if value is None else _shown(value) for value in row]
            for part in some
            for row in part.iter_rows()
        ]
        columns = list(zip(*rows, strict=True)) or [()] * self.frame.width
        return [
            (
                printable(name),
                min(_WIDEST, max([_cells(printable(name)), *map(_cells, texts)])),
                self.frame.schema[name].is_numeric(),
            )
            for name, texts in zip(self.frame.columns, columns, strict=True)
        ]

    def records(self) -> list[dict[str, Any]]:
        """Rows as values that JSON has: times as ISO 8601, numbers too large for it as text."""
        return list(records(self.frame))

    def value(self, row: int, column: int) -> str:
        """One cell as it is, not as it is shown: for the clipboard, and to be read as a whole."""
        return _whole(self.frame.item(row, column))

    def row_text(self, row: int) -> str:
        """A row with tabs between its cells, as spreadsheets take it."""
        line = io.StringIO()
        writer = csv.writer(line, delimiter="\t", lineterminator="")
        writer.writerow([_whole(value) for value in self.frame.row(row)])
        return line.getvalue()

    def column_text(self, column: int, most: int) -> str:
        """The first ``most`` cells of a column, one a line; line breaks in them become spaces."""
        values = self.frame.to_series(column).head(most).to_list()
        return "\n".join(" ".join(_whole(value).splitlines()) for value in values)


def records(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as values that JSON has."""
    for row in frame.iter_rows(named=True):
        yield {name: as_json(value) for name, value in row.items()}


def named(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Give columns their names, a repeated one with a number."""
    unique: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in unique:
            number += 1
            candidate = f"{name}_{number}"
        unique.append(candidate)
    frame.columns = unique
    return frame


def as_json(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Decimal):
        is_integer = value.as_tuple().exponent == 0
        return int(value) if is_integer else float(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if hasattr(value, "to_list"):
        return [as_json(item) for item in value.to_list()]
    return str(value)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        written = value.replace(tzinfo=None).isoformat(" ", "microseconds")
        return written.removesuffix(".000000")
    if isinstance(value, float):
        return f"{value:.6g}"
    return printable(_whole(value))


def _whole(value: Any) -> str:
    """A cell as text, nothing rounded, nothing replaced."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return _shown(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    found = as_json(value)
    return json.dumps(found, ensure_ascii=False) if isinstance(found, (list, dict)) else str(found)


def _cells(text: str) -> int:
    """Terminal cells, closely enough for a column's width."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide
