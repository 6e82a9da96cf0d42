"""How a frame becomes a file, format by format. The same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl

from core.dataset.blend import SEPARATOR
from core.dataset.freeze import write_parquet

# What Excel, LibreOffice and Sheets may run as a formula (OWASP, "CSV Injection").
_FORMULA: Final = r"^'*[=+\-@\t\r]"


def write_txt(rows: pl.DataFrame, path: Path) -> None:
    """The texts with ``<|endoftext|>`` between them and one at each end, as huggingtweets had it.

    A tweet that spells the mark itself gets a space into it, or it would count as two tweets.
    """
    texts = rows["text"].str.replace_all(SEPARATOR, "<| endoftext |>", literal=True).to_list()
    path.write_bytes((SEPARATOR + SEPARATOR.join(texts) + SEPARATOR).encode("utf-8"))


def write_jsonl(rows: pl.DataFrame, path: Path) -> None:
    """One JSON object a line, times as ISO 8601 in UTC."""
    _with_iso_times(rows).write_ndjson(path)


def write_csv(rows: pl.DataFrame, path: Path) -> None:
    """RFC 4180 with a header, UTF-8 without a byte-order mark, times as ISO 8601 in UTC."""
    _with_iso_times(rows).write_csv(path)


def safe_for_spreadsheets(rows: pl.DataFrame) -> pl.DataFrame:
    """An apostrophe before every cell that a spreadsheet would take for a formula."""
    texts = pl.col(pl.String)
    return rows.with_columns(
        pl.when(texts.str.contains(_FORMULA)).then(pl.lit("'") + texts).otherwise(texts).name.keep()
    )


def _with_iso_times(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("created_at").dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ"))


WRITERS: Final[dict[str, Callable[[pl.DataFrame, Path], None]]] = {
    "txt": write_txt,
    "jsonl": write_jsonl,
    "csv": write_csv,
    "parquet": write_parquet,
    "hf": write_parquet,
}
