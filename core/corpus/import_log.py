"""What each import brought in and left out: written with the import, read when somebody asks.

A file may hold the tweets of a hundred thousand people: what is written is one statement for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from core.corpus.migrations import has_table
from core.sources.source import BrokenLine

if TYPE_CHECKING:
    import duckdb

    from core.corpus.store import Corpus
    from core.sources.source import SourceSummary

_ROWS = """
WITH newest AS (
    SELECT imported_at, file FROM imports GROUP BY ALL ORDER BY imported_at DESC, file LIMIT $most
)
SELECT epoch_us(imported_at), file, format, handle, read, new, updated, duplicates,
    map_keys(skipped), map_values(skipped), notes_joined, undated
FROM imports JOIN newest USING (imported_at, file)
ORDER BY imported_at DESC, file, handle
"""


@dataclass
class Merged:
    """What became of one handle's rows."""

    new: int = 0
    updated: int = 0


@dataclass
class ImportRecord:
    """One file that came in; its counts are those of all its ``handles`` together.

    ``read`` = ``new`` + ``updated`` + ``known`` + everything in ``skipped``;
    ``undated`` tweets have no time.
    """

    at_us: int
    file: str
    format: str
    handles: list[str] = field(default_factory=list)
    read: int = 0
    new: int = 0
    updated: int = 0
    known: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    notes_joined: int = 0
    undated: int = 0

    @property
    def at(self) -> datetime:
        """When, in UTC."""
        return datetime.fromtimestamp(self.at_us / 1e6, timezone.utc)

    @property
    def left_out(self) -> int:
        return sum(self.skipped.values())


def import_log(corpus: Corpus, most: int = 200) -> list[ImportRecord]:
    """The newest ``most`` imports, newest first; empty without a corpus. Raises CorpusBusy."""
    if not corpus.exists:
        return []
    with corpus.reading() as connection:
        rows = connection.execute(_ROWS, {"most": most}).fetchall()
    records: list[ImportRecord] = []
    for at, file, kind, handle, read, new, updated, known, reasons, counts, notes, undated in rows:
        if not records or (records[-1].at_us, records[-1].file) != (at, file):
            records.append(ImportRecord(at, file, kind))
        record = records[-1]
        record.handles.append(handle)
        record.read += read
        record.new += new
        record.updated += updated
        record.known += known
        record.notes_joined += notes
        record.undated += undated or 0
        for reason, count in zip(reasons, counts, strict=True):
            record.skipped[reason] = record.skipped.get(reason, 0) + count
    return records


def import_places(corpus: Corpus, record: ImportRecord) -> list[BrokenLine]:
    """Where ``record``'s file was broken, the first thousand places. Raises CorpusBusy."""
    with corpus.reading() as connection:
        if not has_table(connection, "import_skips"):
            return []
        found = connection.execute(
            "SELECT line, reason, detail, part FROM import_skips WHERE epoch_us(imported_at) = ? "
            "ORDER BY rowid",
            [record.at_us],
        ).fetchall()
    return [BrokenLine(*row) for row in found]


def log_import(
    connection: duckdb.DuckDBPyConnection,
    summary: SourceSummary,
    counts: Mapping[str, Merged],
    at: datetime,
) -> None:
    """One row for each handle of the file, and the places that ``summary`` lists."""
    found = sorted(summary.per_handle.items())
    merged = [counts.get(handle, Merged()) for handle, _ in found]
    skipped = [dict(sorted(count.skipped.items())) for _, count in found]
    connection.execute(
        "INSERT INTO imports SELECT $at::TIMESTAMPTZ, handle, $file, $format, read, new, updated, "
        "read - skipped - new - updated, map(reasons, amounts), notes, undated FROM (SELECT "
        "unnest($handles::VARCHAR[]) AS handle, unnest($read::BIGINT[]) AS read, "
        "unnest($new::BIGINT[]) AS new, unnest($updated::BIGINT[]) AS updated, "
        "unnest($skipped::BIGINT[]) AS skipped, unnest($reasons::VARCHAR[][]) AS reasons, "
        "unnest($amounts::BIGINT[][]) AS amounts, unnest($notes::BIGINT[]) AS notes, "
        "unnest($undated::BIGINT[]) AS undated)",
        {
            "at": at,
            "file": summary.path.name,
            "format": summary.format,
            "handles": [handle for handle, _ in found],
            "read": [count.read for _, count in found],
            "new": [done.new for done in merged],
            "updated": [done.updated for done in merged],
            "skipped": [sum(reasons.values()) for reasons in skipped],
            "reasons": [list(reasons) for reasons in skipped],
            "amounts": [list(reasons.values()) for reasons in skipped],
            "notes": [count.notes_joined for _, count in found],
            "undated": [count.undated for _, count in found],
        },
    ).fetchall()
    _log_places(connection, summary, next(iter(counts), ""), at)


def _log_places(
    connection: duckdb.DuckDBPyConnection, summary: SourceSummary, handle: str, at: datetime
) -> None:
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
