"""Working on a sweep: trial after trial as ordinary runs, followed, pruned, taken up again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused, Interrupted, MynahError, WrongUsage
from core.home import Home
from core.locks import Locked, held_lock
from core.runs.folder import ENDED, GOING, Run, all_runs
from core.runs.launch import stop_run
from core.runs.record import RunRecord
from core.runs.settings import RunRequest, SweepTrial, TrainSettings, settings_for
from core.runs.summary import RunsFollower, run_summary
from core.sweeps.spec import SweepSpec
from core.sweeps.study import Study, TrialRow, as_it_stands, begin

if TYPE_CHECKING:
    from core.curation.recipe import Recipe
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary

# Seconds between two looks at the run of a trial.
LOOK_SECONDS: Final = 0.25
# A run whose process dies is taken up again so many times.
RESUMES: Final = 2
# So many trials that fail one after the other are no bad luck: the next would fail, too.
FAILURES: Final = 3
# A run that has come so far is not pruned any more: it is about to measure and save.
NEARLY_DONE: Final = 0.9


@dataclass(frozen=True)
class TrialBegun:
    """A trial is at work; ``resumed``: it was begun before."""

    row: TrialRow
    resumed: bool


@dataclass(frozen=True)
class TrialMoved:
    """What is known of the trial at work, several times a second; ``history`` grows in place."""

    trial: int
    summary: RunSummary
    history: RunHistory


@dataclass(frozen=True)
class TrialEnded:
    """``best``: whether no other trial has a lower held-out loss so far."""

    row: TrialRow
    best: bool


class SweepStopped(Interrupted):
    """The person asked to stop; ``rows`` are the trials as they stand."""

    def __init__(self, error: Interrupted, rows: list[TrialRow]) -> None:
        super().__init__(error.what, error.why, error.next_step)
        self.rows = rows


SweepEvent = TrialBegun | TrialMoved | TrialEnded


def run_sweep(
    home: Home,
    spec: SweepSpec,
    recipe: Recipe,
    start: Callable[[RunRequest], Run],
    resume: Callable[[Run], Run],
    *,
    report: Callable[[SweepEvent], None],
    cancelled: Callable[[], bool],
    stop: Callable[[Run], None] = stop_run,
    at_once: int = 1,
) -> list[TrialRow]:
    """Works on the trials of ``spec`` that are not done yet; returns all of them.

    Killed at any moment it can be called again: a trial that was at work is taken up by resuming
    its run, which is found by its own record. ``start`` starts a run, ``resume`` takes one up
    again, ``stop`` ends one; ``at_once`` is how many trials are at work together. Raises what these
    raise, InputRefused when somebody else is at work on the sweep or it was begun with another
    space, and SweepStopped when ``cancelled`` says so, after the trials at work have saved what
    they have.
    """
    folder = home.sweeps / spec.name
    try:
        with held_lock(folder / "lock", seconds=0):
            identity = begin(folder, spec, begun=lambda identity: bool(_runs_of(home, identity)))
            study = Study(folder, spec)
            calls = _Calls(start, resume, stop, report, cancelled)
            work = _Work(home, spec, identity, recipe, study, calls)
            work.stop_leftovers()
            try:
                work.on_all(at_once)
            except Interrupted as error:
                raise SweepStopped(error, work.rows()) from None
            return work.rows()
    except Locked:
        raise InputRefused(
            f"Another process is at work on the sweep {spec.name}.", "", "`mynah runs` shows it."
        ) from None


def best_first(rows: list[TrialRow]) -> list[TrialRow]:
    """Finished trials by their held-out loss, then pruned ones, then the others."""
    order = ("finished", "pruned")

    def key(row: TrialRow) -> tuple[int, bool, float, int]:
        kind = order.index(row.state) if row.state in order else len(order)
        return kind, row.valid_loss is None, row.valid_loss or 0.0, row.trial

    return sorted(rows, key=key)


def _runs_of(home: Home, identity: str) -> dict[int, tuple[Run, RunRecord]]:
    """The runs of a sweep by trial; ``identity`` is the id in its sweep.json."""
    found: dict[int, tuple[Run, RunRecord]] = {}
    for run in all_runs(home):
        try:
            record = run.record()
        except InputRefused:
            continue  # it went away, or is damaged
        if record.sweep is not None and record.sweep.id == identity:
            found[record.sweep.trial] = run, record
    return found


@dataclass(frozen=True)
class _Calls:
    """What `run_sweep` was given to call."""

    start: Callable[[RunRequest], Run]
    resume: Callable[[Run], Run]
    stop: Callable[[Run], None]
    report: Callable[[SweepEvent], None]
    cancelled: Callable[[], bool]


@dataclass
class _Followed:
    """A trial at work. ``resumes`` counts how often its process died, ``measured`` the losses that
    are known.
    """

    trial: int
    run: Run
    follower: RunsFollower
    resumes: int = 0
    measured: int = 0


class _Work:
    """One process at work on a sweep, whose lock it holds."""

    def __init__(
        self,
        home: Home,
        spec: SweepSpec,
        identity: str,
        recipe: Recipe,
        study: Study,
        calls: _Calls,
    ) -> None:
        self._home = home
        self._spec = spec
        self._identity = identity
        self._recipe = recipe
        self._study = study
        self._calls = calls
        self._failures = 0

    def rows(self) -> list[TrialRow]:
        """All trials; of those that are not done what their runs say."""
        runs = self._runs()

        def stands(row: TrialRow) -> TrialRow:
            run = runs.get(row.trial) if row.state == "running" else None
            return as_it_stands(row, run_summary(run) if run else None)

        return [stands(row) for row in self._study.trials()]

    def _runs(self) -> dict[int, Run]:
        found = _runs_of(self._home, self._identity)
        return {trial: run for trial, (run, _) in found.items()}

    def stop_leftovers(self) -> None:
        """A trial is pruned first and stopped then: who was killed in between left its run."""
        runs = self._runs()
        for row in self._study.trials():
            run = runs.get(row.trial)
            if row.state != "running" and run and run_summary(run).state in GOING:
                self._calls.stop(run)

    def on_all(self, at_once: int) -> None:
        """Works on every trial that is not done, ``at_once`` together."""
        going: list[_Followed] = []
        try:
            while True:
                while len(going) < at_once:
                    trial = self._next_trial([one.trial for one in going])
                    if trial is None:
                        break
                    if (begun := self._begin(trial, going)) is not None:
                        going.append(begun)
                if not going:
                    return
                looks = [(one, *self._look(one)) for one in going]
                going = [one for one, done, _ in looks if not done]
                if self._calls.cancelled() and going:
                    raise self._interrupted(going)
                if not any(done or moved for _, done, moved in looks):
                    time.sleep(LOOK_SECONDS)
        except MynahError:
            self._stop_all(going)
            raise

    def _stop_all(self, going: Sequence[_Followed]) -> None:
        """Together: each may take a minute to save what it has."""
        if going:
            with ThreadPoolExecutor(len(going)) as pool:
                list(pool.map(lambda one: self._calls.stop(one.run), going))

    def _next_trial(self, going: Sequence[int]) -> int | None:
        """One that is not done, else a new one; None when there are as many as asked for."""
        rows = self._study.trials()
        begun = [row.trial for row in rows if row.state == "running" and row.trial not in going]
        if begun:
            return begun[0]
        return self._study.draw() if len(rows) < self._spec.trials else None

    def _begin(self, trial: int, going: Sequence[_Followed]) -> _Followed | None:
        """Starts the run of a trial, or takes it up again; None where its settings do not go
        together, with which it has failed.
        """
        if self._calls.cancelled():
            raise self._interrupted(going)
        run = self._runs().get(trial)
        resumed = run is not None
        if run is None:
            try:
                settings = self._settings_of(trial)
            except WrongUsage as error:
                self._end(trial, "failed", reason=str(error))
                return None
            run = self._new_run(trial, settings)
        else:
            run = self._taken_up(run)
        self._study.name_run(trial, run.id, run.record().dataset)
        self._calls.report(TrialBegun(self._study.trial(trial), resumed))
        return _Followed(trial, run, RunsFollower(self._home, only=run.id))

    def _settings_of(self, trial: int) -> TrainSettings:
        """Raises WrongUsage: each value of a space was checked, but not with every other."""
        spec = self._spec
        return settings_for(
            spec.preset,
            spec.base,
            seed=spec.seed,
            **spec.settings,
            **self._study.trial(trial).params,
        )

    def _new_run(self, trial: int, settings: TrainSettings) -> Run:
        spec = self._spec
        others = _runs_of(self._home, self._identity).values()
        return self._calls.start(
            RunRequest(
                spec.accounts,
                self._recipe,
                settings,
                sweep=SweepTrial(spec.name, trial, self._identity),
                dataset=next((record.dataset for _, record in others), self._study.dataset),
            )
        )

    def _look(self, one: _Followed) -> tuple[bool, bool]:
        """Reads what the run of a trial has written; whether it is done, and anything was new."""
        summaries, histories, changed = one.follower.poll()
        summary, history = summaries[0], histories[one.run.id]
        self._calls.report(TrialMoved(one.trial, summary, history))
        if self._calls.cancelled():
            return False, changed
        # what came after the checkpoint that a run went on at is measured again
        losses = history.valid_losses
        prune = self._measured(one.trial, losses, min(one.measured, len(losses)))
        one.measured = len(losses)
        if summary.state in ENDED:
            if not changed:
                self._ended(one.trial, summary, history)
                return True, changed
        elif summary.state == "dead":
            one.resumes += 1
            if one.resumes > RESUMES:
                self._end(one.trial, "failed", reason="Its process died again and again.")
                return True, changed
            self._calls.resume(one.run)
        elif prune and summary.state == "running" and history.done < NEARLY_DONE:
            self._end(one.trial, "pruned")
            self._calls.stop(one.run)
            return True, changed
        return False, changed

    def _measured(self, trial: int, losses: list[float | None], known: int) -> bool:
        """Keeps the held-out losses after the ``known`` ones; whether to prune by any of them.

        The first is the base's.
        """
        prune = False
        for measurement in range(max(known, 1), len(losses)):
            loss = losses[measurement]
            if loss is not None:
                prune |= self._study.report(trial, measurement, loss)
        return prune

    def _ended(self, trial: int, summary: RunSummary, history: RunHistory) -> None:
        if summary.state == "stopped" and len(history.valid_losses) > 1:
            self._end(trial, "pruned", reason="Somebody stopped it.")
        elif summary.state == "stopped":
            self._end(trial, "failed", reason="Somebody stopped it before it was measured.")
        elif summary.state == "finished" and summary.valid_loss is not None:
            self._end(trial, "finished", loss=summary.valid_loss)
        else:
            self._end(trial, "failed", reason=summary.reason or "It has no held-out loss.")

    def _end(self, trial: int, state: str, *, loss: float | None = None, reason: str = "") -> None:
        self._study.end(trial, state, loss=loss, reason=reason)
        rows = self._study.trials()
        best = best_first(rows)[0]
        self._calls.report(TrialEnded(rows[trial - 1], best.trial == trial and state == "finished"))
        self._failures = self._failures + 1 if state == "failed" else 0
        if self._failures >= FAILURES:
            raise MynahError(
                f"{FAILURES} trials failed one after the other.",
                rows[trial - 1].reason,
                "The same command goes on with the next.",
            )

    def _interrupted(self, going: Sequence[_Followed]) -> Interrupted:
        rows = self._study.trials()
        done = sum(row.state != "running" for row in rows)
        names = " and ".join(one.run.id for one in going)
        keep = "keeps what it has learned" if len(going) == 1 else "keep what they have learned"
        return Interrupted(
            f"The sweep {self._spec.name} has {done} of {self._spec.trials} trials done.",
            f"{names} {keep}." if going else "",
            "The same command goes on where it was.",
        )

    def _taken_up(self, run: Run) -> Run:
        """The run of a trial begun before: left as it is when it goes on, or is done."""
        state = run_summary(run).state
        if state == "stopping":
            self._calls.stop(run)
            state = run_summary(run).state
        return self._calls.resume(run) if state in ("stopped", "dead") else run
