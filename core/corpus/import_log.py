"""What each import brought in and left out, as the corpus remembers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone

from core.corpus.skips import has_column, places_of
from core.corpus.store import Corpus
from core.sources.source import BrokenLine

_ROWS = """
WITH newest AS (
    SELECT imported_at, file FROM imports GROUP BY ALL ORDER BY imported_at DESC, file LIMIT $most
)
SELECT epoch_us(imported_at), file, format, handle, read, new, updated, duplicates,
    map_keys(skipped), map_values(skipped), notes_joined, {undated}
FROM imports JOIN newest USING (imported_at, file)
ORDER BY imported_at DESC, file, handle
"""


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
        undated = "undated" if has_column(connection, "imports", "undated") else "NULL"
        rows = connection.execute(_ROWS.format(undated=undated), {"most": most}).fetchall()
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
        return places_of(connection, record.at_us)
