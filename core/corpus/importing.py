"""Bringing a file or folder into the corpus: read it whole first, then merge in one transaction.

A file that breaks in the middle, or an import that is stopped, therefore changes nothing, and the
corpus is locked only while rows are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.corpus.forgotten import REASON, Forgetful, take_in_again
from core.corpus.import_log import Merged
from core.corpus.merge import merge
from core.corpus.store import Corpus
from core.errors import Interrupted
from core.files import temporary_folder
from core.progress import Cancelled, Progress, Reporter
from core.sources.batches import read_ahead
from core.sources.detect import open_source
from core.sources.source import BrokenLine, Source

if TYPE_CHECKING:
    import polars as pl

Phase = Literal["reading", "writing", "curating"]


@dataclass(frozen=True)
class ImportProgress:
    """``read`` rows of ``total`` (None: unknown), at ``rate`` rows per second."""

    path: Path
    phase: Phase
    read: int
    total: int | None
    rate: float


@dataclass(frozen=True)
class ImportResult:
    """One handle of one file; read = new + updated + duplicates + everything in ``skipped``.

    ``broken`` lists the places that could not be read and ``passed`` those of sound rows that were
    left out (a thousand of each at most); they belong to the file, and stand with its first handle,
    as does ``unlisted``: how many more were left out. ``undated`` tweets have no time.
    """

    handle: str
    path: str
    format: str
    read: int
    new: int
    updated: int
    duplicates: int
    skipped: dict[str, int]
    notes_joined: int
    undated: int = 0
    warnings: list[str] = field(default_factory=list)
    broken: list[BrokenLine] = field(default_factory=list)
    passed: list[BrokenLine] = field(default_factory=list)
    unlisted: int = 0

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah import --json``."""
        fields = asdict(self)
        fields["skipped_lines"] = fields.pop("broken") + fields.pop("passed")
        fields["skipped_lines_more"] = fields.pop("unlisted")
        return fields


def import_path(
    corpus: Corpus,
    path: Path | str,
    *,
    format: str | None = None,  # noqa: A002
    handle: str | None = None,
    include: frozenset[str] = frozenset(),
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    date_format: str | None = None,
    progress: Callable[[ImportProgress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> list[ImportResult]:
    """Import one archive or file; all of it or nothing.

    What is broken in a file is left out and listed; a file with nothing sound in it is refused.
    ``columns``, ``encoding`` and ``date_format`` are ``open_source``'s; so is ``include``, which
    may also hold "forgotten": tweets that were forgotten one by one are passed over otherwise.
    Raises InputRefused for what cannot be read, CorpusBusy when the corpus stays locked, and
    Interrupted when ``cancelled`` says so. ``progress`` is called at most ten times a second.
    """
    path = Path(path)
    report = _reporter(path, progress, cancelled)
    source = open_source(
        path,
        format=format,
        handle=handle,
        include=include - {REASON},
        columns=columns or {},
        encoding=encoding,
        date_format=date_format,
    )
    forgetful = None if REASON in include else Forgetful.of(corpus)
    with temporary_folder("import") as folder:
        staged: list[str] = []
        report.show("reading", 0, None)
        for batch in read_ahead(source.batches(partial(report.show, "reading"))):
            report.check()
            if forgetful:
                batch = forgetful.without(batch, source.summary)
            staged.append(str(folder / f"{len(staged):06}.parquet"))
            _stage(batch, staged[-1])
        report.show("writing", source.summary.read, source.summary.read)
        with corpus.writing() as connection:
            if forgetful and forgetful.look(connection):  # somebody forgot one meanwhile
                _without_forgotten(staged, forgetful, source)
            merged = merge(connection, source, staged)
            if forgetful is None:
                take_in_again(connection)
            report.check()
    return _results(source, path, merged)


def _stage(batch: pl.DataFrame, file: str) -> None:
    batch.write_parquet(file, compression="lz4", statistics=False)


def _without_forgotten(staged: list[str], forgetful: Forgetful, source: Source) -> None:
    import polars as pl

    for file in staged:
        batch = pl.read_parquet(file, glob=False, hive_partitioning=False, memory_map=False)
        _stage(forgetful.without(batch, source.summary), file)


def _results(source: Source, path: Path, merged: dict[str, Merged]) -> list[ImportResult]:
    summary = source.summary
    nobody = summary.per_handle.pop("", None)
    if nobody and (handles := list(merged) or sorted(summary.per_handle)):
        # rows of unknown authors belong to the file: the first handle tells
        first = summary.of(handles[0])
        first.read += nobody.read
        first.skipped.update(nobody.skipped)
    unlisted = sum(summary.skipped.values()) - len(summary.broken) - len(summary.passed)
    results: list[ImportResult] = []
    for handle, count in sorted(summary.per_handle.items()):
        done = merged.get(handle, Merged())
        results.append(
            ImportResult(
                handle=handle,
                path=str(path),
                format=summary.format,
                read=count.read,
                new=done.new,
                updated=done.updated,
                duplicates=count.read - count.skipped.total() - done.new - done.updated,
                skipped=dict(count.skipped),
                notes_joined=count.notes_joined,
                undated=count.undated,
                warnings=list(summary.warnings),
                broken=[] if results else list(summary.broken),
                passed=[] if results else list(summary.passed),
                unlisted=0 if results else unlisted,
            )
        )
    return results


def _reporter(
    path: Path, progress: Callable[[ImportProgress], None] | None, cancelled: Cancelled | None
) -> Reporter:
    def show(now: Progress) -> None:
        if progress:
            phase: Phase = "writing" if now.phase == "writing" else "reading"
            progress(ImportProgress(path, phase, now.done, now.total, now.rate))

    def stopped() -> Interrupted:
        return Interrupted(f"The import of {path} was stopped.", "The corpus is as it was before.")

    return Reporter(show if progress else None, cancelled, stopped)
