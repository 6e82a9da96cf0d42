"""Reading what the runs have written since the last look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.runs.history import RunHistory
    from core.runs.summary import RunsFollower, RunSummary


@dataclass
class RunsRead(Report):
    summaries: list[RunSummary]
    histories: dict[str, RunHistory]


class FollowJob(Job):
    """Reads run folders only; it shares nothing else with a trainer. Reports RunsRead."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "reading the runs")
        self._follower: RunsFollower | None = None

    def poll(self) -> None:
        """One reading at a time; a report only when something is new."""

        def work(_: Attempt) -> Report | None:
            from core.runs.summary import RunsFollower

            if self._follower is None:
                self._follower = RunsFollower(self._host.state.home)
            summaries, histories, changed = self._follower.poll()
            if changed or self._host.state.runs is None:
                return RunsRead(summaries, histories)
            return None

        self.start(work)


class Ending(NamedTuple):
    """How a run ended, in words."""

    title: str
    sentence: str
    severity: Literal["information", "error"] = "information"


def how_it_ended(run: RunSummary) -> Ending | None:
    """None for a run that goes on."""
    if run.state == "finished":
        loss = f"Held-out loss {run.valid_loss:.2f}. " if run.valid_loss is not None else ""
        return Ending(f"{run.run} has finished", f"{loss}Press 5 to talk to it.")
    if run.state == "stopped":
        kept = "Its model and curve are kept." if run.has_model else run.reason
        return Ending(f"{run.run} has stopped", kept)
    if run.state in ("failed", "dead"):
        how = "failed" if run.state == "failed" else "presumed dead"
        rest = "Its curve is kept. r takes it up at its last checkpoint."
        return Ending(f"▲ {run.run}: {how}", f"{run.reason} {rest}".strip(), "error")
    return None
