"""The first tweets of a file as they would be stored, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class PreviewRow:
    """One tweet to come; ``text`` is as the source gives it."""

    handle: str
    created_at: datetime | None
    kind: str
    text: str


def first_rows(path: Path, *, handle: str | None = None, most: int = 5) -> list[PreviewRow]:
    """Up to ``most`` tweets of ``path`` in its order; reads no further than their batch.

    ``handle``: whose they are where the file does not say. Raises InputRefused as imports do.
    """
    from core.sources import open_source

    for batch in open_source(path, handle=handle).batches():
        if batch.height:
            columns = batch.head(most).select("handle", "created_at", "kind", "text")
            return [PreviewRow(*row) for row in columns.iter_rows()]
    return []
