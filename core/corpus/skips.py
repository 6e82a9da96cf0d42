"""Where imports found something broken: kept with the import, read when somebody asks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from core.sources.source import BrokenLine

if TYPE_CHECKING:
    import duckdb

    from core.sources.source import SourceSummary


def note_places(
    connection: duckdb.DuckDBPyConnection, summary: SourceSummary, handle: str, at: datetime
) -> None:
    """Keep the places that ``summary`` lists, for the import at ``at``; ``handle`` is its first."""
    places = [*summary.broken, *summary.passed]
    if not places:
        return
    connection.execute(
        "INSERT INTO import_skips SELECT $at::TIMESTAMPTZ, $handle, unnest($parts::VARCHAR[]), "
        "unnest($lines::BIGINT[]), unnest($reasons::VARCHAR[]), unnest($details::VARCHAR[])",
        {
            "at": at,
            "handle": handle,
            "parts": [place.file for place in places],
            "lines": [place.line for place in places],
            "reasons": [place.reason for place in places],
            "details": [place.detail for place in places],
        },
    ).fetchall()


def places_of(connection: duckdb.DuckDBPyConnection, at_us: int) -> list[BrokenLine]:
    """The places of the import at ``at_us`` (microseconds), in the order they were found."""
    if not has_table(connection, "import_skips"):
        return []
    found = connection.execute(
        "SELECT line, reason, detail, part FROM import_skips WHERE epoch_us(imported_at) = ? "
        "ORDER BY rowid",
        [at_us],
    ).fetchall()
    return [BrokenLine(*row) for row in found]


def has_table(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a corpus, which may be of an older version, has the table."""
    return bool(
        connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE table_name = ? AND NOT temporary", [name]
        ).fetchall()
    )


def has_column(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> bool:
    """The same for a column of a table."""
    return bool(
        connection.execute(
            "SELECT 1 FROM duckdb_columns() WHERE table_name = ? AND column_name = ?", [table, name]
        ).fetchall()
    )
