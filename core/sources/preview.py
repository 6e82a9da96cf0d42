"""What a file would bring in, before anything is written: who, how many, from when to when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import Interrupted

if TYPE_CHECKING:
    import polars as pl

    from core.sources.source import Source

# notes on a file at first sight that stay worth reading once it is counted
_STAYS: Final = ("Reads ", "Posts in communities")
_EVERY: Final = 0.25  # seconds between two counts that are shown


@dataclass(frozen=True)
class PreviewRow:
    """One tweet to come; ``text`` is as it was published, without HTML entities."""

    handle: str
    created_at: datetime | None
    kind: str
    text: str


@dataclass(frozen=True)
class Preview:
    """What is known of a file so far; ``counted`` when it is read to its end.

    ``title`` is its format. ``handles`` are the accounts found, ``tweets`` those that would be
    stored, ``span`` their first and last time, ``undated`` how many have none, ``skipped`` the
    others by reason. ``encoding`` is empty where the format fixes it; ``guessed`` when it might be
    another one. ``dates_unread`` dates are in a form that is not known. ``notes`` are sentences
    worth reading.
    """

    path: Path
    title: str
    needs_handle: bool = False
    number: bool = False
    encoding: str = ""
    guessed: bool = False
    handles: tuple[str, ...] = ()
    tweets: int = 0
    counted: bool = False
    span: tuple[datetime, datetime] | None = None
    skipped: dict[str, int] = field(default_factory=dict)
    undated: int = 0
    dates_unread: int = 0
    notes: tuple[str, ...] = ()
    rows: tuple[PreviewRow, ...] = ()


def preview(
    path: Path,
    *,
    encoding: str | None = None,
    date_format: str | None = None,
    most: int = 5,
    show: Callable[[Preview], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Preview:
    """Read ``path`` through, storing nothing; ``show`` gets what is known as it becomes known.

    The first ``most`` tweets are in its order. Raises InputRefused and WrongUsage as imports do,
    Interrupted when ``cancelled`` says so.
    """
    from core.sources.detect import detect, open_source

    found = detect(path, encoding=encoding, date_format=date_format)
    seen = Preview(
        path,
        found.lines()[0].split(", first")[0],
        needs_handle=found.needs_handle,
        number=found.number,
        encoding=found.encoding,
        guessed=found.encoding_guessed,
        handles=(found.handle,) if found.handle else (),
        notes=tuple(line for line in found.lines() if line.startswith(_STAYS)),
    )
    if show:
        show(seen)
    # whose it is where the file does not say: nobody sees the name
    owner = "you" if found.needs_handle else None
    source = open_source(path, handle=owner, encoding=encoding, date_format=date_format)
    last = time.monotonic()

    def check(read: int, total: int | None) -> None:
        if cancelled and cancelled():
            raise Interrupted(f"The look at {path} was stopped.")

    for batch in source.batches(check):
        check(0, None)
        rows = seen.rows or tuple(_rows(batch, most))
        seen = _with_counts(replace(seen, rows=rows, tweets=seen.tweets + batch.height), source)
        if show and (time.monotonic() - last > _EVERY or seen.tweets == batch.height):
            last = time.monotonic()
            show(seen)
    seen = _with_counts(seen, source)
    seen = replace(seen, counted=True, notes=(*seen.notes, *source.summary.warnings))
    if show:
        show(seen)
    return seen


def _with_counts(seen: Preview, source: Source) -> Preview:
    summary = source.summary
    handles = () if seen.needs_handle else tuple(h for h in sorted(summary.per_handle) if h)
    return replace(
        seen,
        handles=handles or seen.handles,
        span=summary.span,
        skipped=dict(sorted(summary.skipped.items())),
        undated=summary.undated,
        dates_unread=summary.dates_unread,
    )


def _rows(batch: pl.DataFrame, most: int) -> list[PreviewRow]:
    columns = ["handle", "created_at", "kind", "text", "text_escaped"]
    return [
        PreviewRow(handle, at, kind, _published(text) if escaped else text)
        for handle, at, kind, text, escaped in batch.head(most).select(columns).iter_rows()
    ]


def _published(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
