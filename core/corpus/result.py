"""What a query gave, ready for a table on a screen or a file."""

from __future__ import annotations

import io
import json
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import InputRefused, WrongUsage
from core.plain import plain

if TYPE_CHECKING:
    import polars as pl

_WIDEST: Final = 60
_LOOKED_AT: Final = 200  # rows that decide how wide a column is
FORMATS: Final = ("csv", "json", "jsonl", "parquet")


class QueryResult:
    """Rows of a query. ``seconds`` it took; ``truncated`` when there were more rows than asked."""

    def __init__(
        self, frame: pl.DataFrame, names: list[str], seconds: float, truncated: bool
    ) -> None:
        self.frame = _named(frame, names)
        self.seconds = seconds
        self.truncated = truncated

    def __len__(self) -> int:
        return self.frame.height

    def cells(self, index: int) -> list[str]:
        """The row at ``index`` as text that is safe to show; a NULL is an empty text."""
        return [_shown(value) for value in self.frame.row(index)]

    def layout(self) -> list[tuple[str, int, bool]]:
        """For each column its name, its width in terminal cells, and whether it is numeric."""
        first = self.frame.head(_LOOKED_AT)
        rows = [[_shown(value) for value in row] for row in first.iter_rows()]
        columns = list(zip(*rows, strict=True)) or [()] * first.width
        return [
            (
                plain(name),
                min(_WIDEST, max([_cells(plain(name)), *map(_cells, texts)])),
                self.frame.schema[name].is_numeric(),
            )
            for name, texts in zip(first.columns, columns, strict=True)
        ]

    def records(self) -> list[dict[str, Any]]:
        """Rows as values that JSON has: times as ISO 8601, numbers too large for it as text."""
        return [
            {name: _json(value) for name, value in row.items()}
            for row in self.frame.iter_rows(named=True)
        ]


def write_result(result: QueryResult, kind: str, output: Path | None) -> str | None:
    """Write as csv, json, jsonl or parquet to ``output``, or return the text without one.

    A file is replaced as a whole or not at all. Raises InputRefused when it cannot be written,
    WrongUsage for an unknown kind and for Parquet without a file.
    """
    if kind not in FORMATS:
        raise WrongUsage(f"There is no format {kind!r}.", f"There are: {', '.join(FORMATS)}.")
    if kind == "parquet":
        if output is None:
            raise WrongUsage("Parquet is not text.", "", "Name a file with -o.")
        buffer = io.BytesIO()
        result.frame.write_parquet(buffer)
        _replace(output, buffer.getvalue())
        return None
    if kind == "csv":
        text = _flat(result.frame).write_csv()
    elif kind == "json":
        text = json.dumps(result.records(), ensure_ascii=False, indent=1) + "\n"
    else:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in result.records())
    if output is None:
        return text
    _replace(output, text.encode())
    return None


def _replace(output: Path, data: bytes) -> None:
    draft = output.with_name(output.name + ".part")
    try:
        draft.write_bytes(data)
        draft.replace(output)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise InputRefused(f"{output} cannot be written.", f"{error.strerror or error}.") from error


def _named(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Give columns their names, a repeated one with a number; whole sums become whole numbers."""
    import polars as pl

    unique: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in unique:
            number += 1
            candidate = f"{name}_{number}"
        unique.append(candidate)
    frame.columns = unique
    # DuckDB sums whole numbers into 128 bits, which would be shown as decimals
    wide = [n for n, t in frame.schema.items() if isinstance(t, pl.Decimal) and t.scale == 0]
    for name in wide:
        narrow = frame[name].cast(pl.Int64, strict=False)
        if narrow.null_count() == frame[name].null_count():
            frame = frame.with_columns(narrow.alias(name))
    return frame


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """CSV has no lists: they are written as JSON."""
    import polars as pl

    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    return frame.with_columns(
        pl.Series(name, [None if v is None else json.dumps(_json(v)) for v in frame[name]])
        for name in nested
    )


def _json(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if hasattr(value, "to_list"):
        return [_json(item) for item in value.to_list()]
    return str(value)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        written = value.replace(tzinfo=None).isoformat(" ", "microseconds")
        return written.removesuffix(".000000")
    if isinstance(value, float):
        return f"{value:.6g}"
    return plain(str(_json(value)))


def _cells(text: str) -> int:
    """Terminal cells, closely enough for a column's width."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide
