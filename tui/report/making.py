"""Reading the last report of a run, making one, and a run without what it found to leak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import MynahError
from tui.job import Attempt, Host, Job, Report
from tui.train.starting import RunStarted

if TYPE_CHECKING:
    from pathlib import Path

    from textual.message import Message

    from core.progress import Progress
    from core.report.last import LastReport

# Texts of each point, as `mynah report` has it.
TEXTS = 200


@dataclass
class ReportRead(Report):
    """``last`` None: there is none. ``current``: whether it is of the model that the run has now;
    None while that is not known yet.
    """

    run: str
    last: LastReport | None
    current: bool | None


@dataclass
class ReportBegun(Report):
    run: str


@dataclass
class ReportMoved(Report):
    run: str
    progress: Progress

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, ReportMoved) and message.run == self.run


@dataclass
class ReportEnded(Report):
    """``error`` None: it is made, and kept in the run's folder."""

    run: str
    error: MynahError | None = None


class ReadReportJob(Job):
    """Reports ReportRead twice: the weights take a moment to be compared."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "reading a report", newest_wins=True)

    def read(self, folder: Path) -> None:
        def work(attempt: Attempt) -> Report:
            from core.report.last import last_report
            from core.runs.folder import Run

            run = Run(folder)
            last = last_report(run)
            if last is None:
                return ReportRead(run.id, None, None)
            attempt.report(ReportRead(run.id, last, None))
            return ReportRead(run.id, last, last.is_of(run))

        self.start(work)


class MakeReportJob(Job):
    """One report at a time. Reports ReportBegun, ReportMoved, and ReportEnded in any case."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "making a report")
        self.texts = TEXTS
        self.run = ""
        self.newest: Progress | None = None

    def make(self, folder: Path, *, leaks: bool) -> bool:
        """False when one is being made already."""
        from core.runs.folder import Run

        run = Run(folder)

        def work(attempt: Attempt) -> Report:
            from core.report.report import make_report

            def moved(progress: Progress) -> None:
                self.newest = progress
                attempt.report(ReportMoved(run.id, progress))

            make_report(
                self._host.state.home,
                run,
                n=self.texts,
                leaks=leaks,
                progress=moved,
                cancelled=attempt.cancelled,
            )
            return ReportEnded(run.id)

        if self.busy:
            return False
        self.run, self.newest = run.id, None
        self._host.post_message(ReportBegun(run.id))
        return self.start(work, lambda error: ReportEnded(run.id, error))


class DropLeaksJob(Job):
    """Reports RunStarted: a run like this one, but for the tweets that came back whole."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "starting the run")

    def drop(self, folder: Path) -> bool:
        """False when one is being started already."""
        home = self._host.state.home

        def work(attempt: Attempt) -> Report:
            from core.runs.folder import Run
            from core.workflow.training import train_without_leaks

            run = train_without_leaks(home, Run(folder), cancelled=attempt.cancelled)
            return RunStarted(run.id)

        return self.start(work)
