"""Working on a sweep: trial after trial as ordinary runs, followed, pruned, taken up again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused, Interrupted, MynahError
from core.home import Home
from core.locks import Locked, held_lock
from core.runs.folder import ENDED, GOING, Run, all_runs
from core.runs.launch import stop_run
from core.runs.record import RunRecord
from core.runs.settings import RunRequest, SweepTrial, settings_for
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
) -> list[TrialRow]:
    """Works on the trials of ``spec`` that are not done yet; returns all of them.

    Killed at any moment it can be called again: a trial that was at work is taken up by resuming
    its run, which is found by its own record. ``start`` starts a run, ``resume`` takes one up
    again. Raises what these raise, InputRefused when somebody else is at work on the sweep or it
    was begun with another space, and SweepStopped when ``cancelled`` says so, after the trial at
    work has saved what it has.
    """
    folder = home.sweeps / spec.name
    try:
        with held_lock(folder / "lock", seconds=0):
            identity = begin(folder, spec, begun=lambda identity: bool(_runs_of(home, identity)))
            study = Study(folder, spec)
            work = _Work(home, spec, identity, recipe, start, resume, study, report, cancelled)
            work.stop_leftovers()
            try:
                while (trial := work.next_trial()) is not None:
                    work.on(trial)
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


class _Work:
    """One process at work on a sweep, whose lock it holds."""

    def __init__(
        self,
        home: Home,
        spec: SweepSpec,
        identity: str,
        recipe: Recipe,
        start: Callable[[RunRequest], Run],
        resume: Callable[[Run], Run],
        study: Study,
        report: Callable[[SweepEvent], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._home = home
        self._spec = spec
        self._identity = identity
        self._recipe = recipe
        self._start = start
        self._resume = resume
        self._study = study
        self._report = report
        self._cancelled = cancelled
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
                stop_run(run)

    def next_trial(self) -> int | None:
        """The trial that is not done, else a new one; None when there are as many as asked for."""
        rows = self._study.trials()
        begun = [row.trial for row in rows if row.state == "running"]
        if begun:
            return begun[0]
        return self._study.draw() if len(rows) < self._spec.trials else None

    def on(self, trial: int) -> None:
        """Starts the run of a trial, or takes it up again, and follows it until it is done."""
        if self._cancelled():
            raise self._interrupted()
        run = self._runs().get(trial)
        resumed = run is not None
        run = self._new_run(trial) if run is None else self._taken_up(run)
        self._study.name_run(trial, run.id)
        self._report(TrialBegun(self._study.trial(trial), resumed))
        self._follow(trial, run)

    def _new_run(self, trial: int) -> Run:
        spec = self._spec
        settings = settings_for(
            spec.preset,
            spec.base,
            seed=spec.seed,
            **spec.settings,
            **self._study.trial(trial).params,
        )
        others = _runs_of(self._home, self._identity).values()
        return self._start(
            RunRequest(
                spec.accounts,
                self._recipe,
                settings,
                sweep=SweepTrial(spec.name, trial, self._identity),
                dataset=next((record.dataset for _, record in others), None),
            )
        )

    def _follow(self, trial: int, run: Run) -> None:
        follower = RunsFollower(self._home, only=run.id)
        resumes = measured = 0
        while True:
            summaries, histories, changed = follower.poll()
            summary, history = summaries[0], histories[run.id]
            self._report(TrialMoved(trial, summary, history))
            if self._cancelled():
                stop_run(run)
                raise self._interrupted(run)
            # what came after the checkpoint that a run went on at is measured again
            losses = history.valid_losses
            prune = self._measured(trial, losses, min(measured, len(losses)))
            measured = len(losses)
            if summary.state in ENDED:
                if not changed:
                    self._ended(trial, summary, history)
                    return
            elif summary.state == "dead":
                resumes += 1
                if resumes > RESUMES:
                    self._end(trial, "failed", reason="Its process died again and again.")
                    return
                self._resume(run)
            elif prune and summary.state == "running" and history.done < NEARLY_DONE:
                self._end(trial, "pruned")
                stop_run(run)
                return
            if not changed:
                time.sleep(LOOK_SECONDS)

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
        self._report(TrialEnded(rows[trial - 1], best.trial == trial and state == "finished"))
        self._failures = self._failures + 1 if state == "failed" else 0
        if self._failures >= FAILURES:
            raise MynahError(
                f"{FAILURES} trials failed one after the other.",
                rows[trial - 1].reason,
                "The same command goes on with the next.",
            )

    def _interrupted(self, run: Run | None = None) -> Interrupted:
        rows = self._study.trials()
        done = sum(row.state != "running" for row in rows)
        return Interrupted(
            f"The sweep {self._spec.name} has {done} of {self._spec.trials} trials done.",
            f"{run.id} keeps what it has learned." if run else "",
            "The same command goes on where it was.",
        )

    def _taken_up(self, run: Run) -> Run:
        """The run of a trial begun before: left as it is when it goes on, or is done."""
        state = run_summary(run).state
        if state == "stopping":
            stop_run(run)
            state = run_summary(run).state
        return self._resume(run) if state in ("stopped", "dead") else run
