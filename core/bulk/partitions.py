"""Parquet files of canonical tweets: which they are, whether they fit, sorted, and cut into tasks.

DuckDB sorts, on the disk beyond a bound of memory; the sorted file is cut only between accounts,
so that every rule that compares tweets of an account sees all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.curation.stream import MEMORY, ROW_GROUP, interruptible, stopped
from core.errors import InputRefused, first_line
from core.progress import Cancelled
from core.tweet import EXCLUDED_COLUMN, SQL_ORDER, tweet_schema

# Without these a verdict would be a guess; the other columns may be missing, and are null then.
REQUIRED: Final = (
    "tweet_id handle created_at text text_escaped kind lang reply_to sensitive".split()
)

# Written as text or as numbers without a fraction.
_IDS: Final = ("tweet_id", "reply_to_id", "quoted_id", "conversation_id")

_SQL_TYPES: Final = {
    pl.String(): "VARCHAR",
    pl.Boolean(): "BOOLEAN",
    pl.Int64(): "BIGINT",
    pl.Datetime("us", "UTC"): "TIMESTAMPTZ",
}
# Among rows with the same handle, time and id, their content decides, not where they came from.
_SORTED: Final = (
    f"SELECT {', '.join(tweet_schema())}{{more}} FROM tweets "  # noqa: S608 - our own names
    f"ORDER BY {SQL_ORDER}, hash({', '.join(tweet_schema())})"
)
_ACCOUNTS: Final = """
SELECT handle, count(*) FROM read_parquet($files, hive_partitioning = false)
GROUP BY handle ORDER BY handle
"""
_NO_TWEET: Final = """
SELECT filename, tweet_id, handle FROM tweets
WHERE tweet_id IS NULL OR handle IS NULL OR handle = '' OR starts_with(handle, '@')
    OR handle <> lower(handle)
LIMIT 1
"""


@dataclass(frozen=True)
class SourceFile:
    """A Parquet file, its number of rows, and the names of its columns."""

    path: Path
    rows: int
    columns: frozenset[str]


@dataclass(frozen=True)
class Partition:
    """Accounts that follow each other in the sorted file: the first row, and how many rows."""

    first: int
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
    files = [_checked(path) for path in paths]
    if not any(file.rows for file in files):
        raise InputRefused(f"There are no tweets in {', '.join(str(one) for one in sources)}.")
    return files


def write_sorted(
    files: Sequence[SourceFile], sorted_file: Path, cancelled: Cancelled | None
) -> list[tuple[str, int]]:
    """Writes all rows with canonical columns to ``sorted_file`` in the order of SQL_ORDER.

    Returns the handles in order, each with its number of rows. Raises InputRefused for a row that
    is no tweet or a file that cannot be read, Interrupted when ``cancelled`` says so.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET memory_limit = $1", [MEMORY])
        connection.execute("SET temp_directory = $1", [str(sorted_file.with_name("sort"))])
        try:
            with interruptible(connection, cancelled):
                tweets = _tweets_of(files)
                given = {"files": [str(file.path) for file in files]}
                _refuse_no_tweet(connection.execute(tweets + _NO_TWEET, given).fetchone())
                query = _SORTED.format(more=f", {EXCLUDED_COLUMN}" if _marked(files) else "")
                connection.sql(tweets + query, params=given).write_parquet(
                    str(sorted_file), compression="lz4", row_group_size=ROW_GROUP
                )
                counted = connection.execute(_ACCOUNTS, {"files": [str(sorted_file)]}).fetchall()
                return [(str(handle), int(rows)) for handle, rows in counted]
        except duckdb.InterruptException:
            raise stopped() from None
        except duckdb.Error as error:
            raise InputRefused(
                "The tweets cannot be read as Parquet.",
                f"{first_line(error)[:300]}.",
                "Write them again.",
            ) from None
    finally:
        connection.close()


def cut(accounts: Sequence[tuple[str, int]], least: int) -> list[Partition]:
    """Partitions of ``least`` rows or more each, but for the last; an account is never divided."""
    partitions: list[Partition] = []
    first = rows = 0
    for _, count in accounts:
        rows += count
        if rows >= least:
            partitions.append(Partition(first, rows))
            first, rows = first + rows, 0
    if rows:
        partitions.append(Partition(first, rows))
    return partitions


def _marked(files: Sequence[SourceFile]) -> bool:
    """Whether tweets that the person leaves out are among them: those of a corpus, copied."""
    return any(EXCLUDED_COLUMN in file.columns for file in files)


def _tweets_of(files: Sequence[SourceFile]) -> str:
    """SQL: ``tweets``, all rows of ``$files`` with canonical columns and ``filename``."""
    there = frozenset[str]().union(*(file.columns for file in files))
    columns = ", ".join(
        f"CAST({name if name in there else 'NULL'} AS {_SQL_TYPES[kind]}) AS {name}"
        for name, kind in tweet_schema().items()
    )
    if _marked(files):
        columns += f", coalesce({EXCLUDED_COLUMN}, false) AS {EXCLUDED_COLUMN}"
    return (
        f"WITH tweets AS (SELECT {columns}, filename "  # noqa: S608 - our own names
        # a folder called lang=en says nothing: the rows do
        "FROM read_parquet($files, filename = true, union_by_name = true, "
        "hive_partitioning = false)) "
    )


def _refuse_no_tweet(wrong: tuple[Any, ...] | None) -> None:
    if wrong is not None:
        path, tweet_id, handle = wrong
        raise InputRefused(
            f"{path} has a tweet with the id {tweet_id!r} and the handle {handle!r}.",
            "Each tweet needs an id, and a handle in lower case without @.",
            "`mynah import` makes such rows from most files; `mynah curate @HANDLE` reads them.",
        )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Polars' complaints about a file (a panic is no Exception) as a sentence."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise InputRefused(
            f"{path} cannot be read as Parquet.", f"{first_line(error)[:200]}.", "Write it again."
        ) from None


def _parquet_in(folder: Path) -> list[Path]:
    """All below the folder, but for what is hidden or another tool's bookkeeping."""
    found = []
    for path in sorted(folder.rglob("*.parquet")):
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith((".", "_")) for part in inside):
            found.append(path)
    return found


def _checked(path: Path) -> SourceFile:
    if not path.is_file():
        raise InputRefused(f"There is no file or folder {path}.")
    scanned = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    with _readable(path):
        schema = scanned.collect_schema()
        rows = int(scanned.select(pl.len()).collect().item())
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
    return SourceFile(path, rows, frozenset(schema.names()))


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
