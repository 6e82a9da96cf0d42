"""Parquet files of canonical tweets: which they are, whether they fit, and how they are cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from core.errors import InputRefused
from core.tweet import tweet_schema

PIECE_ROWS: Final = 100_000  # the most that is judged at once: what a worker holds in memory

# Without these a verdict would be a guess; the other columns may be missing, and are null then.
REQUIRED: Final = (
    "tweet_id handle created_at text text_escaped kind lang reply_to sensitive".split()
)

# Written as text or as whole numbers.
_IDS: Final = ("tweet_id", "reply_to_id", "quoted_id", "conversation_id")

Slice = tuple[str, int, int]
"""A file, the number of the first row, and how many rows."""


@dataclass(frozen=True)
class SourceFile:
    """A Parquet file and its number of rows."""

    path: Path
    rows: int


def source_files(sources: Sequence[Path]) -> list[SourceFile]:
    """The Parquet files among ``sources``, and in those that are folders, each once.

    Raises InputRefused for what is not there, is damaged, or has not the columns of a tweet.
    """
    paths: dict[Path, None] = {}
    for source in sources:
        found = _parquet_in(source) if source.is_dir() else [source]
        if not found:
            raise InputRefused(f"There is no Parquet file in {source}.", "", "Name another folder.")
        paths.update(dict.fromkeys(path.resolve() for path in found))
    files = [SourceFile(path, _checked_rows(path)) for path in paths]
    if not any(file.rows for file in files):
        raise InputRefused(f"There are no tweets in {', '.join(str(one) for one in sources)}.")
    return files


def cut(files: Iterable[SourceFile], size: int) -> Iterator[list[Slice]]:
    """Pieces of ``size`` rows each, but for the last, over the borders of files."""
    piece: list[Slice] = []
    room = size
    for file in files:
        start = 0
        while start < file.rows:
            rows = min(room, file.rows - start)
            piece.append((str(file.path), start, rows))
            start, room = start + rows, room - rows
            if not room:
                yield piece
                piece, room = [], size
    if piece:
        yield piece


def read(part: Slice) -> pl.DataFrame:
    """The rows of a slice with canonical columns; raises InputRefused for what is no tweet."""
    path, start, rows = part
    schema = tweet_schema()
    with sound(Path(path)):
        found = _scan(Path(path))
        there = found.collect_schema().names()
        columns = [pl.col(name) if name in there else pl.lit(None).alias(name) for name in schema]
        tweets = found.slice(start, rows).select(columns).cast(schema).collect()  # type: ignore[arg-type]
    handle = pl.col("handle")
    wrong = tweets.filter(
        pl.col("tweet_id").is_null()
        | handle.is_null()
        | (handle == "")
        | handle.str.starts_with("@")
        | (handle != handle.str.to_lowercase())
    )
    if wrong.height:
        tweet_id, name = wrong.select("tweet_id", "handle").row(0)
        raise InputRefused(
            f"{path} has a tweet with the id {tweet_id!r} and the handle {name!r}.",
            "Each tweet needs an id, and a handle in lower case without @.",
            "`mynah import` makes such rows from most files; `mynah curate @HANDLE` reads them.",
        )
    return tweets


@contextmanager
def sound(path: Path) -> Iterator[None]:
    """Polars' complaints about a file (a panic is no Exception) as a sentence."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputRefused(
            f"{path} cannot be read as Parquet.", f"{said[:200]}.", "Write it again."
        ) from None


def _parquet_in(folder: Path) -> list[Path]:
    """All below the folder, but for what is hidden or another tool's bookkeeping."""
    found = []
    for path in sorted(folder.rglob("*.parquet")):
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith((".", "_")) for part in inside):
            found.append(path)
    return found


def _scan(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path, glob=False, hive_partitioning=False)


def _checked_rows(path: Path) -> int:
    if not path.is_file():
        raise InputRefused(f"There is no file or folder {path}.")
    with sound(path):
        schema = _scan(path).collect_schema()
    missing = [name for name in REQUIRED if name not in schema]
    if missing:
        exported = "raw_text" in schema or {"text", "kind"} <= schema.keys()
        raise InputRefused(
            f"{path} has not the columns of a tweet: {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing.",
            "It is an export, whose text is cleaned already." if exported else "",
            "`mynah curate @HANDLE` takes tweets from the corpus; its output can be curated again.",
        )
    for name, wanted in tweet_schema().items():
        if name in schema and not _fits(name, wanted, schema[name]):
            raise InputRefused(
                f"The column {name} of {path} has the type {schema[name]}.",
                f"It should be {wanted}.",
            )
    with sound(path):
        return int(_scan(path).select(pl.len()).collect().item())


def _fits(name: str, wanted: pl.DataType, found: pl.DataType) -> bool:
    """Whether every value of the one type has its like in the other."""
    if found in (wanted, pl.Null()):
        return True
    if isinstance(wanted, pl.String):
        as_text = isinstance(found, (pl.Categorical, pl.Enum))
        return as_text or (name in _IDS and found.is_integer())
    if isinstance(wanted, pl.Datetime):
        return isinstance(found, pl.Datetime)
    return isinstance(wanted, pl.Int64) and found.is_integer()
