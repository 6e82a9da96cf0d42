"""Reading what the runs have written since the last look: how often, and when the app is told."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tui.job import Attempt, Failed, Host, Job, Report

if TYPE_CHECKING:
    from core.runs.history import RunHistory
    from core.runs.summary import RunsFollower, RunSummary

LOOK_SECONDS: Final = 0.5
# In looks, since what a frame costs is taken from the training: between two frames while new points
# come all the time; between two looks while no run goes on, or the terminal has not the focus; and
# after a look that failed.
FRAME: Final = 2
SELDOM: Final = 4
AFTER_FAILURE: Final = 20


@dataclass
class RunsRead(Report):
    summaries: list[RunSummary]
    histories: dict[str, RunHistory]


class FollowJob(Job):
    """Reads run folders only, from `begin` to `stop`; it shares nothing else with a trainer.

    Reports RunsRead when something is new: a run or a state at the next look, a point of a curve
    that has been still as well, and points that keep coming together with others.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(host, "reading the runs")
        self.watched = True
        """Whether somebody may see what is told: the terminal has the focus."""
        self._wanted = threading.Event()

    def begin(self, seconds: float) -> None:
        """``seconds``: between two looks while a run goes on."""
        self.start(lambda attempt: self._follow(attempt, seconds))

    def poll(self) -> None:
        """Look at every run now."""
        self._wanted.set()

    def watch(self, watched: bool) -> None:
        """Somebody looks, or nobody does any more."""
        self.watched = watched
        if watched:
            self.poll()

    def stop(self) -> bool:
        stopped = super().stop()
        self._wanted.set()
        return stopped

    def _follow(self, attempt: Attempt, seconds: float) -> None:
        from core.runs.folder import GOING
        from core.runs.summary import RunsFollower

        follower = RunsFollower(self._host.state.home)
        states: list[tuple[str, str]] | None = None
        news, reported = False, 0.0
        while not attempt.cancelled():
            asked = self._wanted.is_set()
            self._wanted.clear()
            found = self._look(attempt, follower, every=asked)
            if found is None:
                self._wanted.wait(AFTER_FAILURE * seconds)
                continue
            summaries, histories, changed = found
            news |= changed
            before, states = states, [(run.run, run.state) for run in summaries]
            frame = seconds * (FRAME if self.watched else SELDOM)
            due = asked or states != before or time.monotonic() - reported >= frame - seconds / 2
            if before is None or (news and due):
                news, reported = False, time.monotonic()
                attempt.report(RunsRead(summaries, histories))
            goes_on = any(state in GOING for _, state in states)
            self._wanted.wait(seconds if goes_on and self.watched else SELDOM * seconds)

    def _look(
        self, attempt: Attempt, follower: RunsFollower, *, every: bool
    ) -> tuple[list[RunSummary], dict[str, RunHistory], bool] | None:
        """None where it failed, which is told; the next look may find the folder in order."""
        try:
            return follower.poll(every=every)
        except Exception as error:
            attempt.report(Failed(self.doing, error))
            return None


class Ending(NamedTuple):
    """How a run ended, in words."""

    title: str
    sentence: str
    severity: Literal["information", "error"] = "information"


def how_it_ended(run: RunSummary) -> Ending | None:
    """None for a run that goes on; the sentence is for `with_keys`."""
    if run.state == "finished":
        loss = f"Held-out loss {run.valid_loss:.2f}. " if run.valid_loss is not None else ""
        return Ending(f"{run.run} has finished", f"{loss}Press {{app.sample}} to talk to it.")
    if run.state == "stopped":
        kept = "Its model and curve are kept." if run.has_model else run.reason
        return Ending(f"{run.run} has stopped", kept)
    if run.state in ("failed", "dead"):
        how = "failed" if run.state == "failed" else "presumed dead"
        rest = "Its curve is kept. {train.resume} takes it up at its last checkpoint."
        return Ending(f"▲ {run.run}: {how}", f"{run.reason} {rest}".strip(), "error")
    return None
