"""Housekeeping of runs in the background: names, notes, tags, deleting, the disk they take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.home import Home
    from core.runs.folder import Run
    from core.runs.summary import RunSummary


@dataclass
class RunMeasured(Report):
    """What a run takes on the disk."""

    run: str
    size: int


@dataclass
class RunKept(Report):
    """A run was renamed, noted, tagged or deleted."""

    run: str


class KeepingJobs:
    """Reports RunMeasured and RunKept."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._change = Job(host, "changing a run")
        self._delete = Job(host, "deleting a run")
        self._size = Job(host, "measuring a run", newest_wins=True)

    def measure(self, summary: RunSummary) -> None:
        """How much disk a run takes; the newest question wins."""

        def work(_: Attempt) -> Report:
            from core.runs.folder import Run

            return RunMeasured(summary.run, Run(summary.folder).disk_bytes())

        self._size.start(work)

    def rename(self, summary: RunSummary, name: str) -> None:
        def change(home: Home, run: Run) -> None:
            from core.runs.housekeeping import rename_run

            rename_run(home, run, name)

        self._keep(self._change, summary, change)

    def note(self, summary: RunSummary, text: str) -> None:
        def change(_: Home, run: Run) -> None:
            from core.runs.housekeeping import note_run

            note_run(run, text)

        self._keep(self._change, summary, change)

    def tag(self, summary: RunSummary, tags: list[str]) -> None:
        """These tags in place of those that it has."""

        def change(_: Home, run: Run) -> None:
            from core.runs.housekeeping import set_tags

            set_tags(run, tags)

        self._keep(self._change, summary, change)

    def delete(self, summary: RunSummary) -> None:
        """Move a run into the trash."""

        def change(home: Home, run: Run) -> None:
            from core.runs.housekeeping import delete_run

            delete_run(home, run)

        self._keep(self._delete, summary, change)

    def _keep(self, job: Job, summary: RunSummary, change: Callable[[Home, Run], None]) -> None:
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.runs.folder import find_run

            change(home, find_run(home, summary.run))
            return RunKept(summary.run)

        if not job.start(work):
            self._host.notify("Try again in a moment.", title="Another run is being changed")
