"""The corpus's schema: making it, bringing an older file up to date, reading one as it lies.

``datasets/sql/schema.sql`` is version 1; each file in ``datasets/sql/migrations`` makes one more.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused
from core.home import bundled
from core.tweet import OPTIONAL

if TYPE_CHECKING:
    import duckdb

# Columns of tables that are read, with their types, which migrations added.
_LATER: Final = {"tweets": dict.fromkeys(OPTIONAL, "VARCHAR"), "imports": {"undated": "BIGINT"}}

# How many tables there are, and the mark of the script that made the views.
_THERE: Final = (
    "SELECT (SELECT count(*) FROM duckdb_tables() WHERE NOT internal AND NOT temporary), "
    "(SELECT first(comment) FROM duckdb_views() WHERE view_name = 'curated' AND NOT internal)"
)


@cache
def migrations() -> tuple[tuple[int, str], ...]:
    """Number and SQL of each file in datasets/sql/migrations, in order."""
    found = sorted(bundled("sql", "migrations").glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return tuple((int(path.name[:4]), path.read_text(encoding="utf-8")) for path in found)


def newest_version() -> int:
    return max([1, *(number for number, _ in migrations())])


def schema_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The version of an open corpus; None when the file is not a corpus."""
    import duckdb

    try:
        row = connection.execute("SELECT max(version) FROM schema_version").fetchall()
    except duckdb.CatalogException:
        return None
    return int(row[0][0]) if row and row[0][0] is not None else None


def show_missing_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """For this connection, columns that an older version lacks are there, and NULL.

    So it can be read without being changed, which may not be possible.
    """
    for table, columns in _LATER.items():
        found = connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = ? "
            "AND database_name = 'corpus' AND schema_name = 'main'",
            [table],
        ).fetchall()
        added = [
            f"NULL::{kind} AS {name}" for name, kind in columns.items() if (name,) not in found
        ]
        if added:
            connection.execute(
                f"CREATE TEMP VIEW {table} AS "  # noqa: S608 - our own names
                f"SELECT *, {', '.join(added)} FROM corpus.main.{table}"
            ).fetchall()


def bring_up_to_date(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the schema in an empty file, or apply the migrations that it lacks.

    Raises InputRefused for a DuckDB file of somebody else's, or one from a newer mynah.
    """
    tables, mark = connection.execute(_THERE).fetchall()[0]
    version = schema_version(connection) if tables else 0
    if version is None:
        raise InputRefused(
            f"{path} is a DuckDB file, but not one of mynah's.",
            "",
            "Name another folder with --home.",
        )
    if version > newest_version():
        raise InputRefused(
            f"{path} was made by a newer mynah.", "", "Update mynah to use this corpus."
        )
    views = bundled("sql", "views.sql").read_text(encoding="utf-8")
    if version == newest_version() and mark == _mark(views):  # the script may change on its own
        return
    make_schema(connection, version)


def make_schema(connection: duckdb.DuckDBPyConnection, version: int = 0) -> None:
    """Bring the schema from ``version`` (0: nothing there) to the newest."""
    views = bundled("sql", "views.sql").read_text(encoding="utf-8")
    steps = [(1, bundled("sql", "schema.sql").read_text(encoding="utf-8")), *migrations()]
    lacking = [(number, script) for number, script in steps if number > version]
    for _, script in lacking:
        run_script(connection, script)
    connection.execute(
        "INSERT INTO schema_version SELECT unnest($numbers::INTEGER[]), now()",
        {"numbers": [number for number, _ in lacking]},
    ).fetchall()
    run_script(connection, views)
    connection.execute(f"COMMENT ON VIEW curated IS '{_mark(views)}'").fetchall()


def _mark(script: str) -> str:
    return f"datasets/sql/views.sql {zlib.crc32(script.encode()):08x}"


def has_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a corpus, which may be of an older version, has the table."""
    return bool(
        connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE table_name = ? AND schema_name = 'main' "
            "AND NOT temporary",
            [name],
        ).fetchall()
    )


def run_script(connection: duckdb.DuckDBPyConnection, script: str) -> None:
    """Execute the statements of a bundled SQL file."""
    for statement in connection.extract_statements(script):
        connection.execute(statement).fetchall()
