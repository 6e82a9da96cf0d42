"""The read-only door for SQL: any query, no statement that changes or reaches anything else."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from core.corpus.reading import frame
from core.corpus.result import QueryResult
from core.corpus.run_frames import run_frames
from core.corpus.store import Corpus, make_schema
from core.errors import InputRefused, Interrupted

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from core.home import Home

# Types that cross to Polars as they are. Any other column arrives as text.
_PLAIN_TYPES: Final = (
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT "
    "FLOAT DOUBLE VARCHAR UUID JSON DATE TIME TIMESTAMP"
).split()
_IN_LISTS: Final = frozenset(_PLAIN_TYPES) - {"UUID", "JSON", "DATE", "TIME", "TIMESTAMP"}
_BOUNDED: Final = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_LOCK: Final = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def run_query(
    corpus: Corpus,
    home: Home,
    sql: str,
    *,
    limit: int | None = None,
    cancelled: Callable[[], bool] | None = None,
    memory: str = "2GB",
) -> QueryResult:
    """Run one query over the corpus and, as ``runs``, ``metrics``, ``samples``, the run folders.

    At most ``limit`` rows are fetched; ``truncated`` tells whether there were more. Without a
    corpus file the tables are there and empty. Raises InputRefused for anything that is not a
    query or that DuckDB cannot make sense of, Interrupted when ``cancelled`` says so, CorpusBusy.
    """
    import duckdb

    _only_queries(sql)
    start = time.monotonic()
    with _connection(corpus) as connection:
        connection.execute("SET memory_limit = $1", [memory])
        _bring_runs(connection, home, sql)
        for setting in _LOCK:
            connection.execute(setting)
        with _interruptible(connection, cancelled):
            try:
                found, names = _fetch(connection, sql, limit)
            except duckdb.InterruptException:
                raise Interrupted("The query was stopped.") from None
            except duckdb.Error as error:
                raise refused(error) from None
    cut = found if limit is None else found.head(limit)
    return QueryResult(cut, names, time.monotonic() - start, cut.height < found.height)


def refused(error: Exception) -> InputRefused:
    """DuckDB's own words, without the kind of error in front and the help links behind."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    what = re.sub(r"^[A-Z][\w ]*Error: ", "", lines[0]).rstrip(".!")
    rest = " ".join(line.strip() for line in lines[1:] if line.strip() and "^" not in line)
    return InputRefused(f"The query was refused: {what}.", rest[:500])


def _only_queries(sql: str) -> None:
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise refused(error) from None
    except (UnicodeError, TypeError):  # half of a surrogate pair
        raise InputRefused("The query holds characters that are not text.") from None
    if not statements:
        raise InputRefused("There is no query.", "", "Try: FROM accounts")
    # PIVOT is more than one statement inside: DuckDB 2 says MULTI, DuckDB 1 gives parts of no text
    pivot = statements[-1].type.name in ("MULTI", "SELECT") and not any(
        part.query.strip() for part in statements if len(statements) > 1
    )
    if len(statements) > 1 and not pivot:
        raise InputRefused(
            f"There are {len(statements)} statements.", "One query at a time.", "Run them singly."
        )
    kind = statements[-1].type.name
    if kind not in ("SELECT", "EXPLAIN", "MULTI"):
        raise InputRefused(
            f"This is not a query but {kind.replace('_', ' ')}.",
            "The corpus can only be read here.",
            "SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE, PIVOT and EXPLAIN work.",
        )
    if statements[0].named_parameters:
        raise InputRefused("The query has parameters ($1 or ?), and there is nothing to fill in.")


@contextmanager
def _connection(corpus: Corpus) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    if corpus.exists:
        with corpus.reading() as connection:
            yield connection
        return
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET TimeZone = 'UTC'")
        make_schema(connection)
        yield connection
    finally:
        connection.close()


def _bring_runs(connection: duckdb.DuckDBPyConnection, home: Home, sql: str) -> None:
    """Put the run folders' records into temporary tables, while files may still be read."""
    frames = run_frames(home, lambda name: re.search(rf"\b{name}\b", sql, re.I) is not None)
    with TemporaryDirectory(prefix="mynah-query-") as folder:
        for name, records in frames.items():
            file = Path(folder) / f"{name}.parquet"
            records.write_parquet(file)
            connection.execute(
                f"CREATE TEMP TABLE {name} AS FROM read_parquet($1)",
                [str(file)],
            ).fetchall()


def _fetch(
    connection: duckdb.DuckDBPyConnection, sql: str, limit: int | None
) -> tuple[pl.DataFrame, list[str]]:
    relation = connection.sql(sql)
    names = list(relation.columns)
    if limit is not None:
        relation = relation.limit(limit + 1)
    # positions, not names: a query may give two columns the same name
    columns = [
        f'{_crossing(f"#{place}", str(kind))} AS "{place}"'
        for place, kind in enumerate(relation.types, 1)
    ]
    return frame(relation.project(", ".join(columns))), names


def _crossing(column: str, kind: str) -> str:
    """An SQL expression for a column that Polars can take."""
    if kind in _BOUNDED:
        # infinity, and years that Python has no date for, are shown as no date
        return (
            f"CASE WHEN {column} BETWEEN '0001-01-01'::{kind} AND '9999-12-31'::{kind} "
            f"THEN {column} END"
        )
    inner = re.sub(r"\[\d*\]$", "", kind)
    if kind in _PLAIN_TYPES or kind.startswith("DECIMAL(") or inner in _IN_LISTS:
        return column
    if re.fullmatch(r"MAP\(VARCHAR, (BIGINT|INTEGER|DOUBLE|VARCHAR)\)", kind):
        return f"to_json({column})::VARCHAR"
    return f"{column}::VARCHAR"


@contextmanager
def _interruptible(
    connection: duckdb.DuckDBPyConnection, cancelled: Callable[[], bool] | None
) -> Iterator[None]:
    """Ask ``cancelled`` ten times a second, and stop the running query when it says so."""
    if cancelled is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            if cancelled():
                connection.interrupt()

    watcher = threading.Thread(target=watch, name="query-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
