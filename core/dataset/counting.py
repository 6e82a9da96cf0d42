"""How many rows a file holds, counted from the file itself without holding it in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core.dataset.blend import SEPARATOR

_CHUNK: Final = 1 << 20


def rows_in(path: Path, format_: str) -> int | None:
    """Tweets in an exported file; None when it is not of that format. Raises OSError."""
    if format_ in ("jsonl", "chat", "instruct"):
        return _lines(path)
    if format_ == "csv":
        return _csv_rows(path)
    if format_ == "txt":
        return _between_marks(path)
    return _parquet_rows(path) if format_ in ("parquet", "hf") else None


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _lines(path: Path) -> int:
    return sum(chunk.count(b"\n") for chunk in _chunks(path))


def _csv_rows(path: Path) -> int | None:
    """Line ends outside quotes, less that of the header; a doubled quote opens and closes."""
    ends, quoted = 0, False
    for chunk in _chunks(path):
        for number, piece in enumerate(chunk.split(b'"')):
            quoted = quoted != (number > 0)
            if not quoted:
                ends += piece.count(b"\n")
    return None if quoted or not ends else ends - 1


def _between_marks(path: Path) -> int | None:
    mark = SEPARATOR.encode()
    marks, rest = 0, b""
    for chunk in _chunks(path):
        *before, rest = (rest + chunk).split(mark)
        marks += len(before)
        rest = rest[-len(mark) + 1 :]
    return marks - 1 if marks and not rest else None


def _parquet_rows(path: Path) -> int | None:
    import polars as pl

    try:
        found = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        return int(found.select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
