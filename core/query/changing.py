"""Running one statement that changes tables of the corpus, where writing was allowed.

Files, other databases, settings and extensions stay out of reach. What mynah itself relies on
cannot be broken: its tables and views keep their columns, the schema's version stays, and no tweet
may be there twice. Everything else is the person's own business, and there is no way back but a
copy of the file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from core.corpus.migrations import make_schema
from core.corpus.store import Corpus
from core.errors import InputRefused
from core.numbers import plural
from core.query.refusal import QueryRefused
from core.query.run import LOCK, QueryOptions, load_run_tables, set_limits
from core.query.run_tables import RUN_TABLES, RUN_TWEETS
from core.query.statements import change_kind
from core.query.tokens import statement, words
from core.query.watching import Watch, watched

if TYPE_CHECKING:
    import duckdb

    from core.home import Home

_MEMORY: Final = "512MB"
_COLUMNS: Final = """
SELECT table_name, list(column_name || ' ' || data_type || ' ' || is_nullable ORDER BY column_index)
FROM duckdb_columns()
WHERE NOT internal AND database_name = current_database() AND schema_name = 'main'
GROUP BY table_name
"""
_ELSEWHERE: Final = """
SELECT table_name FROM duckdb_columns()
WHERE NOT internal AND database_name <> current_database()
"""
_VIEWS: Final = """
SELECT view_name, sql FROM duckdb_views()
WHERE NOT internal AND database_name = current_database()
"""
# As DuckDB writes a view's tables: behind a comma in a list of them stands a space on both sides.
_OF_RUNS: Final = re.compile(
    rf"""(?:FROM|JOIN| ,) \(*(?:"temp"\.)?(?:main\.)?({"|".join((*RUN_TABLES, RUN_TWEETS))})\b""",
    re.I,
)
_TWICE: Final = """
SELECT handle, tweet_id FROM tweets GROUP BY handle, tweet_id HAVING count(*) > 1 LIMIT 1
"""


@dataclass(frozen=True)
class Changed:
    """What a statement did. ``rows`` is None where DuckDB does not count, as with CREATE TABLE."""

    kind: str
    rows: int | None
    seconds: float

    def __str__(self) -> str:
        done = {"MERGE_INTO": "MERGE"}.get(self.kind, self.kind)
        if self.rows is None:
            return f"{done} is done"
        return f"{done}: {plural(self.rows, 'row')} changed"


def change(
    corpus: Corpus, home: Home, sql: str, *, options: QueryOptions | None = None
) -> Changed | None:
    """Run one INSERT, UPDATE, DELETE, MERGE, CREATE, DROP or ALTER: all of it happens or none.

    None when ``sql`` is a query, which is not run. Raises QueryRefused for any other statement, for
    one that would break what mynah relies on and for what DuckDB refuses; Interrupted, CorpusBusy.
    """
    kind = change_kind(sql)
    if kind is None:
        return None
    if not corpus.exists:
        raise InputRefused(
            f"There is no corpus at {corpus.path} yet.", "", "Bring tweets in with `mynah import`."
        )
    options = options or QueryOptions(memory=_MEMORY)
    watch = Watch(options.cancelled, options.seconds)
    start = time.monotonic()
    with corpus.writing() as connection:
        set_limits(connection, options)
        load_run_tables(connection, home, sql)
        for name in RUN_TABLES:  # views cannot be changed, and it would not reach the run folders
            connection.execute(f"ALTER TABLE temp.{name} RENAME TO mynah_{name}")
            connection.execute(f"CREATE TEMP VIEW {name} AS FROM temp.mynah_{name}").fetchall()
        for setting in LOCK:
            connection.execute(setting)
        before = _relied_on(connection)
        views = set(connection.execute(_VIEWS).fetchall())
        with watched(connection, watch, sql):
            found: list[tuple[Any, ...]] = connection.execute(statement(sql)).fetchall()
            _check(connection, before)
            _check_it_stays(connection)
            _check_views(connection, views)
    counts = kind in ("INSERT", "UPDATE", "DELETE", "MERGE_INTO")
    return Changed(kind, _rows(found, sql) if counts else None, time.monotonic() - start)


def _rows(found: list[tuple[Any, ...]], sql: str) -> int:
    """DuckDB gives the count of changed rows, or with RETURNING the rows themselves."""
    if any(word.kind == "keyword" and word.upper == "RETURNING" for word in words(sql)):
        return len(found)
    return int(found[0][0])


def _relied_on(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, Any], list[Any]]:
    """The shape of mynah's own tables and views as they stand, and the schema's version."""
    return _shapes(connection, _ours()), _versions(connection)


@cache
def _ours() -> frozenset[str]:
    """The names of mynah's own tables and views."""
    import duckdb

    fresh = duckdb.connect(":memory:")
    try:
        make_schema(fresh)
        return frozenset(row[0] for row in fresh.execute(_COLUMNS).fetchall())
    finally:
        fresh.close()


def _shapes(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, Any]:
    found = dict(connection.execute(_COLUMNS).fetchall())
    return {name: found.get(name) for name in names}


def _versions(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    asked = "SELECT version FROM schema_version ORDER BY ALL"
    return connection.execute(asked).fetchall()


def _check(connection: duckdb.DuckDBPyConnection, before: tuple[dict[str, Any], list[Any]]) -> None:
    """Raises QueryRefused, which rolls everything back."""
    shapes, versions = before
    now = _shapes(connection, set(shapes))
    for name in sorted(shapes):
        if now[name] != shapes[name]:
            raise QueryRefused(
                f"{name} is a table or view that mynah relies on.",
                "Its columns must stay as they are; nothing was changed.",
                "Make a table of your own: CREATE TABLE mine AS FROM " + name,
            )
    if _versions(connection) != versions:
        raise QueryRefused(
            "The schema's version is what tells mynah how to read the file.", "Nothing was changed."
        )
    twice = connection.execute(_TWICE).fetchall()
    if twice:
        raise QueryRefused(
            f"Tweet {twice[0][1]} of @{twice[0][0]} would be there twice.",
            "A handle and a tweet_id name one tweet; nothing was changed.",
        )


def _check_it_stays(connection: duckdb.DuckDBPyConnection) -> None:
    """What is made outside the corpus would be gone with the connection."""
    ours = {*RUN_TABLES, RUN_TWEETS, *(f"mynah_{name}" for name in RUN_TABLES)}
    made = {row[0] for row in connection.execute(_ELSEWHERE).fetchall()} - ours
    if made:
        raise QueryRefused(
            f"{', '.join(sorted(made))} would not stay.",
            "A temporary table is gone when its statement is over.",
            "Make it in the corpus: CREATE TABLE, without TEMP or another database's name.",
        )


def _check_views(connection: duckdb.DuckDBPyConnection, before: set[tuple[Any, ...]]) -> None:
    """The run tables have no rows but for a query that names them: a view of them never would."""
    for name, sql in sorted(set(connection.execute(_VIEWS).fetchall()) - before):
        if found := _OF_RUNS.search(sql):
            raise QueryRefused(
                f"The view {name} would be empty.",
                f"{found[1]} is made anew for each query that names it; nothing was changed.",
                "Save the query, or keep its rows as they are now: CREATE TABLE mine AS …",
            )
