"""Running read-only SQL: any query, and no statement that changes or reaches anything else."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.corpus.migrations import make_schema
from core.corpus.store import Corpus
from core.errors import WrongUsage
from core.files import temporary_folder
from core.query.batches import RESULTS, batches
from core.query.result import QueryResult, named
from core.query.result_files import write_frames
from core.query.run_tables import RUN_TWEETS, run_frames, run_tweets
from core.query.statements import query_kind
from core.query.watching import Watch

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from core.home import Home

MEMORY: Final = "2GB"
LOCK: Final = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",
    "SET errors_as_json = true",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


@dataclass(frozen=True)
class QueryOptions:
    """How a query runs.

    memory      what DuckDB may use, as it writes it; what does not fit goes to a file beside the
                corpus, and a query that needs more all the same is refused
    threads     None: as many as there are cores
    seconds     None: until it is done
    cancelled   asked ten times a second; the query stops when it says so
    fetched     told the number of rows that have arrived so far
    """

    memory: str = MEMORY
    threads: int | None = None
    seconds: float | None = None
    cancelled: Callable[[], bool] | None = None
    fetched: Callable[[int], None] | None = None


def run_query(
    corpus: Corpus,
    home: Home,
    sql: str,
    *,
    limit: int | None = None,
    most_bytes: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    memory: str = MEMORY,
    options: QueryOptions | None = None,
) -> QueryResult:
    """Run one query over the corpus and the run folders (see ``run_tables``).

    At most ``limit`` rows are fetched, and none after the first ``most_bytes`` bytes of them;
    ``truncated`` tells whether there were more. Without a corpus file the tables are there and
    empty. Raises QueryRefused for anything that is not a query or that DuckDB cannot make sense of,
    Interrupted when ``cancelled`` says so, CorpusBusy.
    """
    import polars as pl

    options = options or QueryOptions(memory=memory, cancelled=cancelled)
    start = time.monotonic()
    more = None if limit is None else limit + 1
    got: list[pl.DataFrame] = []
    rows = held = 0
    full = False
    with open_query(corpus, home, sql, options, more) as (names, frames):
        for found in frames:
            if got and most_bytes is not None and held >= most_bytes:
                full = True
                break
            got.append(found)
            rows += found.height
            held += int(found.estimated_size())
            if options.fetched is not None:
                options.fetched(rows)
    table = pl.concat(got, rechunk=False)
    cut = table if limit is None else table.head(limit)
    return QueryResult(cut, names, time.monotonic() - start, full or cut.height < table.height)


def save_query(
    corpus: Corpus,
    home: Home,
    sql: str,
    kind: str,
    output: Path,
    *,
    spreadsheet_safe: bool = True,
    options: QueryOptions | None = None,
) -> int:
    """Run one query and write all its rows to ``output``; returns how many there were.

    The rows pass through memory in slices. ``kind`` and errors are those of `write_result`, and
    those of `run_query`.
    """
    options = options or QueryOptions()
    rows = 0
    with open_query(corpus, home, sql, options, None) as (names, frames):

        def counted() -> Iterator[pl.DataFrame]:
            nonlocal rows
            for found in frames:
                rows += found.height
                if options.fetched is not None:
                    options.fetched(rows)
                yield named(found, names)

        write_frames(counted(), kind, output, spreadsheet_safe=spreadsheet_safe)
    return rows


@contextmanager
def open_query(
    corpus: Corpus, home: Home, sql: str, options: QueryOptions, limit: int | None
) -> Iterator[tuple[list[str], Iterator[pl.DataFrame]]]:
    """A query that has run: the names of its columns, and its rows in slices (see `batches`)."""
    kind = query_kind(sql)
    watch = Watch(options.cancelled, options.seconds)
    with locked_connection(corpus, home, sql, options) as connection:
        yield batches(connection, sql, kind, limit, watch)


@contextmanager
def locked_connection(
    corpus: Corpus, home: Home, sql: str, options: QueryOptions
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection that reaches no file but the corpus, and cannot be told otherwise."""
    with _connection(corpus) as connection:
        set_limits(connection, options)
        connection.execute(RESULTS)
        load_run_tables(connection, home, sql)
        for setting in LOCK:
            connection.execute(setting)
        yield connection


def set_limits(connection: duckdb.DuckDBPyConnection, options: QueryOptions) -> None:
    """Memory and threads, before the settings are locked; raises WrongUsage for neither's words."""
    import duckdb

    if options.memory.lstrip().startswith("-"):  # DuckDB takes it for no limit
        raise WrongUsage(
            f"{options.memory!r} is no limit.",
            "It is less than nothing.",
            "For example: 500MB, 2GB.",
        )
    for setting, limit in (("memory_limit", options.memory), ("threads", options.threads)):
        try:
            if limit is not None:
                connection.execute(f"SET {setting} = $1", [limit])
        except duckdb.Error as error:
            raise WrongUsage(
                f"{limit!r} is no limit that DuckDB knows.",
                str(error).splitlines()[0],
                "For example: 500MB, 2GB; 4 threads.",
            ) from None


@contextmanager
def _connection(corpus: Corpus) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    if corpus.exists:
        with corpus.reading() as connection:
            yield connection
        return
    # a folder of its own: DuckDB lets a query read whatever lies in its temp_directory
    with temporary_folder("query") as folder:
        connection = duckdb.connect(":memory:")
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = false")
            connection.execute("SET temp_directory = $1", [str(folder)])
            make_schema(connection)
            yield connection
        finally:
            connection.close()


def load_run_tables(connection: duckdb.DuckDBPyConnection, home: Home, sql: str) -> None:
    """Put the run folders' records into temporary tables, while files may still be read.

    The datasets of the runs stay files, and may be read later on, too.
    """

    def wanted(name: str) -> bool:
        return re.search(rf"\b{name}\b", sql, re.I) is not None

    frames = run_frames(home, wanted)
    with temporary_folder("query") as folder:
        for name, records in frames.items():
            file = folder / f"{name}.parquet"
            records.write_parquet(file)
            connection.execute(
                f"CREATE TEMP TABLE {name} AS FROM read_parquet($1)",
                [str(file)],
            ).fetchall()
    select, files = run_tweets(home, wanted=wanted(RUN_TWEETS))
    connection.execute(f"CREATE TEMP VIEW {RUN_TWEETS} AS {select}").fetchall()
    connection.execute("SET allowed_paths = $1", [files])
