"""Bringing files into the corpus, one import at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from core.recent import Recent
from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.corpus.importing import ImportProgress, ImportResult
    from core.errors import MynahError
    from core.home import Home


@dataclass
class ImportStarted(Report):
    pass


@dataclass
class ImportMoved(Report):
    """Floods while a file is read, so a newer one replaces it."""

    progress: ImportProgress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ImportMoved)


@dataclass
class ImportEnded(Report):
    """``samples`` when the sample authors were asked for."""

    results: list[ImportResult]
    error: MynahError | None
    samples: bool


class ImportJob(Job):
    """Reports ImportStarted, ImportMoved and ImportEnded."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "importing")

    def run(
        self,
        paths: list[Path],
        *,
        handle: str | None = None,
        encoding: str | None = None,
        date_format: str | None = None,
        columns_of: Mapping[Path, Mapping[str, str]] | None = None,
        samples: bool = False,
    ) -> None:
        home = self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.workflow.data import import_paths

            results = import_paths(
                home,
                paths,
                handle=handle,
                encoding=encoding,
                date_format=date_format,
                columns_of=columns_of,
                progress=lambda moved: attempt.report(ImportMoved(moved)),
                cancelled=attempt.cancelled,
            )
            if not samples:
                _recent(home).remember(str(paths[0]))
            return ImportEnded(results, None, samples)

        if self.start(work, lambda error: ImportEnded([], error, samples)):
            self._host.post_message(ImportStarted())
        else:
            self._host.notify("An import is running.", title="One at a time", severity="warning")


def recent_paths(home: Home) -> list[str]:
    """What was brought in from this app before, each path once, the newest first."""
    return list(dict.fromkeys(reversed(_recent(home).texts())))


def _recent(home: Home) -> Recent:
    return Recent(home.root / "recent_paths.jsonl", "path")


def what_came_in(results: Sequence[ImportResult]) -> str:
    """One sentence on an import that is done, for `with_keys`."""
    new, read = sum(result.new for result in results), sum(result.read for result in results)
    names = ", ".join(f"@{result.handle}" for result in results if result.handle)
    whose = f", by {names}" if names else ""
    left_out = sum(sum(result.skipped.values()) for result in results)
    were = "was" if left_out == 1 else "were"
    rest = f" {left_out:,} {were} left out; {{data.imports}} in Data shows why." if left_out else ""
    return f"{new:,} new of {read:,} read{whose}.{rest}"
