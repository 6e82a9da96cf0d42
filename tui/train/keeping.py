"""Housekeeping of runs in the background: names, notes, tags, the trash, their disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from core.errors import InputRefused, MynahError
from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.home import Home
    from core.runs.folder import Run
    from core.runs.housekeeping import DeletedRun
    from core.runs.summary import RunSummary


@dataclass
class RunMeasured(Report):
    """What a run takes on the disk."""

    run: str
    size: int


@dataclass
class DeleteMeasured(Report):
    """What a delete of a run would take away, in words and in bytes; nothing has gone yet."""

    run: RunSummary
    parts: list[str]
    size: int


@dataclass
class RunKept(Report):
    """A run was renamed, noted or tagged."""

    run: str


@dataclass
class RunNotKept(Report):
    """What was typed will not do; ``again`` asks for it once more, as it was typed."""

    error: MynahError
    again: Callable[[], None]


@dataclass
class RunDeleted(Report):
    """It lies in the trash."""

    run: str


@dataclass
class RunRestored(Report):
    """It lay in the trash, and is back."""

    run: str


class TrashLine(NamedTuple):
    """A deleted run, the name that a person gave it, and its bytes on the disk."""

    deleted: DeletedRun
    name: str
    size: int


@dataclass
class TrashRead(Report):
    """The last deleted first."""

    lines: list[TrashLine]


@dataclass
class TrashRemoved(Report):
    """So many runs are gone for good, which had so many bytes."""

    runs: int
    size: int


class KeepingJobs:
    """Reports RunMeasured, DeleteMeasured, RunKept, RunNotKept, RunDeleted; and of the trash
    TrashRead, RunRestored and TrashRemoved.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._change = Job(host, "changing a run")
        self._delete = Job(host, "deleting a run")
        self._size = Job(host, "measuring a run", newest_wins=True)
        self._goes = Job(host, "looking at what a delete takes away", newest_wins=True)
        self._trash = Job(host, "reading the trash", newest_wins=True)

    def measure(self, summary: RunSummary) -> None:
        """How much disk a run takes; the newest question wins."""

        def work(_: Attempt) -> Report:
            from core.runs.folder import Run

            return RunMeasured(summary.run, Run(summary.folder).disk_bytes())

        self._size.start(work)

    def measure_delete(self, summary: RunSummary) -> None:
        """What a delete would take away, measured now: a report or samples may have come since the
        run was measured for its figures. A run that cannot be deleted now is said to be so.
        """
        home = self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.runs.folder import Run
            from core.runs.housekeeping import parts_of, refuse_delete

            run = Run(summary.folder)
            refuse_delete(home, run)
            size = run.disk_bytes()
            attempt.report(RunMeasured(summary.run, size))
            return DeleteMeasured(summary, parts_of(run), size)

        self._goes.start(work)

    def rename(self, summary: RunSummary, name: str, again: Callable[[], None]) -> None:
        def change(home: Home, run: Run) -> None:
            from core.runs.housekeeping import rename_run

            rename_run(home, run, name)

        self._keep(self._change, summary, change, again=again)

    def note(self, summary: RunSummary, text: str, again: Callable[[], None]) -> None:
        def change(_: Home, run: Run) -> None:
            from core.runs.housekeeping import note_run

            note_run(run, text)

        self._keep(self._change, summary, change, again=again)

    def tag(self, summary: RunSummary, text: str, again: Callable[[], None]) -> None:
        """The words of ``text`` in place of the tags that it has."""

        def change(_: Home, run: Run) -> None:
            from core.runs.housekeeping import set_tags

            set_tags(run, text.split())

        self._keep(self._change, summary, change, again=again)

    def delete(self, summary: RunSummary) -> None:
        """Move a run into the trash."""

        def change(home: Home, run: Run) -> None:
            from core.runs.housekeeping import delete_run

            delete_run(home, run)

        self._keep(self._delete, summary, change, RunDeleted(summary.run))

    def read_trash(self) -> None:
        """What lies there; what has lain there for too long goes."""
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.runs.housekeeping import AT_ONCE, deleted_runs, empty_trash

            empty_trash(home, most=AT_ONCE)
            return TrashRead([_line(one) for one in deleted_runs(home)])

        self._trash.start(work)

    def restore(self, deleted: DeletedRun) -> None:
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.runs.housekeeping import restore_run

            return RunRestored(restore_run(home, deleted).id)

        self._begin(self._delete, work)

    def remove(self, lines: Sequence[TrashLine]) -> None:
        """Removes these from the trash for good."""

        def work(_: Attempt) -> Report:
            from core.runs.housekeeping import remove_deleted

            remove_deleted(line.deleted for line in lines)
            return TrashRemoved(len(lines), sum(line.size for line in lines))

        self._begin(self._delete, work)

    def _keep(
        self,
        job: Job,
        summary: RunSummary,
        change: Callable[[Home, Run], None],
        report: Report | None = None,
        again: Callable[[], None] | None = None,
    ) -> None:
        home = self._host.state.home

        def work(_: Attempt) -> Report:
            from core.runs.folder import find_run

            change(home, find_run(home, summary.run))
            return report or RunKept(summary.run)

        self._begin(job, work, (lambda error: RunNotKept(error, again)) if again else None)

    def _begin(
        self,
        job: Job,
        work: Callable[[Attempt], Report],
        failed: Callable[[MynahError], Report] | None = None,
    ) -> None:
        if not job.start(work, failed):
            self._host.notify("Try again in a moment.", title="Another run is being changed")


def _line(deleted: DeletedRun) -> TrashLine:
    try:
        name = deleted.run.record().name
    except InputRefused:  # it is still what it was: what is left of it can be had back
        name = ""
    return TrashLine(deleted, name, deleted.run.disk_bytes())
