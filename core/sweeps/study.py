"""The trials of a sweep on the disk: Optuna draws their settings and keeps how they went.

``<home>/sweeps/NAME/`` holds sweep.json (what was asked), study.log (Optuna's journal) and a lock,
which is held while somebody works on the sweep. So the journal has one writer, and needs neither
Optuna's own lock nor a database.
"""

from __future__ import annotations

import json
import os
import secrets
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from core.errors import InputRefused
from core.files import write_text_whole
from core.json_lines import parse_json
from core.sweeps.space import Choice, Dimension, grid_point, is_whole
from core.sweeps.spec import SweepSpec

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.storages.journal import JournalFileOpenLock
    from optuna.trial import FrozenTrial

    from core.runs.summary import RunSummary

# Before it has so many trials to learn from, TPE draws at random. Optuna's 10 is for long studies.
TPE_STARTUP: Final = 5
# No trial is pruned before so many have been measured to their end.
PRUNING_STARTUP: Final = 2
# What may be another each time that a sweep is worked on: its trials compare all the same.
_FREE: Final = ("trials", "pruning", "file", "beside")
# What Optuna raises for lines of a journal that it has not written so.
_DAMAGED: Final = (AssertionError, AttributeError, LookupError, TypeError, ValueError)
_STATES: Final = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}


class TrialRow(msgspec.Struct, frozen=True):
    """A trial in a list, counted from 1.

    ``state`` is running, finished, pruned (ended early) or failed. ``valid_loss`` is in nats a
    token; of a pruned trial it is the last that was measured.
    """

    trial: int
    run: str | None
    params: dict[str, Any]
    valid_loss: float | None
    state: str
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields of `mynah sweep --json`."""
        return msgspec.structs.asdict(self)


def as_it_stands(row: TrialRow, run: RunSummary | None) -> TrialRow:
    """A trial that is not over has the state and the loss of its run; stopped without a run."""
    if row.state != "running":
        return row
    return msgspec.structs.replace(
        row,
        run=run.run if run else row.run,
        state=run.state if run else "stopped",
        valid_loss=run.valid_loss if run else None,
    )


class Study:
    """The trials of one sweep; only for whoever holds its lock.

    Everything is one appended line, so that what is there after a kill is whole. Trial n is drawn
    with a seed made of the sweep's and n: one that goes on draws what it would have drawn.
    """

    def __init__(self, folder: Path, spec: SweepSpec) -> None:
        """Opens the study, or begins it. Raises InputRefused where its journal is damaged."""
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalStorage

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._spec = spec
        self._folder = folder
        self._log = folder / "study.log"
        _mend(self._log)
        try:
            self._storage = JournalStorage(
                JournalFileBackend(str(self._log), lock_obj=_held_already(self._log))
            )
            self._study = optuna.create_study(
                storage=self._storage,
                study_name=spec.name,
                direction="minimize",
                pruner=optuna.pruners.MedianPruner(n_startup_trials=PRUNING_STARTUP),
                load_if_exists=True,
            )
            self._id = self._storage.get_study_id_from_name(spec.name)
            self.trials()
        except _DAMAGED as error:
            raise InputRefused(
                f"The trials of the sweep {spec.name} cannot be read.",
                f"{self._log} is damaged.",
                _begin_another("the sweep", spec, folder),
            ) from error

    def trials(self) -> list[TrialRow]:
        """All trials, in the order in which they were begun."""
        return [_row(trial) for trial in self._study.get_trials(deepcopy=False)]

    def trial(self, trial: int) -> TrialRow:
        return self.trials()[trial - 1]

    def draw(self) -> int:
        """Begins a trial, with settings that the sampler draws, and returns it."""
        import optuna

        number = len(self._study.get_trials(deepcopy=False))
        distributions = {
            name: _distribution(name, dimension) for name, dimension in self._spec.space.items()
        }
        if self._spec.sampler == "grid":
            params = grid_point(self._spec.space, number)
        else:
            # drawn in memory: there, Optuna needs a line for each setting
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a step that does not divide the range
                drawing = optuna.create_study(sampler=self._sampler(number))
                drawing.add_trials(self._study.get_trials(deepcopy=False))
                params = drawing.ask(distributions).params
        params = {name: params[name] for name in self._spec.space}
        self._study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.RUNNING, params=params, distributions=distributions
            )
        )
        return number + 1

    def report(self, trial: int, measurement: int, loss: float) -> bool:
        """Keeps a trial's held-out loss; returns whether it is worse than the median's.

        Trials are compared at the same ``measurement``, counted from 1. Measurements come at equal
        intervals of time, so that is after the same time of training. One that is known already
        is judged already.
        """
        found = self._study.get_trials(deepcopy=False)[trial - 1]
        if measurement in found.intermediate_values:
            return False
        self._storage.set_trial_intermediate_value(self._id_of(trial), measurement, loss)
        found = self._study.get_trials(deepcopy=False)[trial - 1]
        return self._spec.pruning and self._study.pruner.prune(self._study, found)

    def name_run(self, trial: int, run: str, dataset: str) -> None:
        """Notes which run a trial is, for the list: what counts is the record of the run.

        ``dataset`` is the hash of its tweets, which is known when the run has been deleted, too.
        """
        if self.trial(trial).run != run:
            self._storage.set_trial_user_attr(self._id_of(trial), "dataset", dataset)
            self._storage.set_trial_user_attr(self._id_of(trial), "run", run)

    @property
    def dataset(self) -> str | None:
        """The hash of the tweets that its trials learned from; None where none is known."""
        trials = self._study.get_trials(deepcopy=False)
        return next((found for one in trials if (found := one.user_attrs.get("dataset"))), None)

    def end(self, trial: int, state: str, *, loss: float | None = None, reason: str = "") -> None:
        """Says how a trial went: finished (with its loss), pruned or failed (with a reason)."""
        from optuna.trial import TrialState

        if reason:
            self._storage.set_trial_user_attr(self._id_of(trial), "reason", reason)
        kind = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED,
                "failed": TrialState.FAIL}[state]  # fmt: skip
        self._study.tell(trial - 1, loss if state == "finished" else None, state=kind)

    def _id_of(self, trial: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, trial - 1)

    def _sampler(self, number: int) -> BaseSampler:
        import numpy as np
        from optuna.samplers import RandomSampler, TPESampler

        seed = int(np.random.SeedSequence((self._spec.seed, number)).generate_state(1)[0])
        if self._spec.sampler == "tpe":
            return TPESampler(seed=seed, n_startup_trials=TPE_STARTUP)
        return RandomSampler(seed=seed)


def begin(folder: Path, spec: SweepSpec, *, begun: Callable[[str], bool]) -> str:
    """Keeps what is asked, the first time; returns the id of the sweep, which its runs carry.

    What was asked may not change, but for what is _FREE: raises InputRefused, as it does where that
    cannot be read any more.
    ``begun`` says whether there is a run of the sweep with that id; if not, it begins anew.
    """
    asked = json.loads(msgspec.json.encode(spec))
    free = {name: asked.pop(name) for name in _FREE}
    path = folder / "sweep.json"
    try:
        before = parse_json(path.read_bytes())
        identity = str(before.pop("id"))
        free_before = {name: before.pop(name, None) for name in _FREE}
    except FileNotFoundError:
        before, identity, free_before = None, "", {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # to begin anew would lose the trials that are there
        raise InputRefused(
            f"What was asked of the sweep {spec.name} cannot be read.",
            f"{path} is damaged.",
            _begin_another("this one", spec, folder),
        ) from error
    if before == asked:
        if free_before != free:
            _write_asked(path, identity, asked | free)
        return identity
    if before is not None and begun(identity):
        differing = [name for name in asked if asked[name] != before.get(name)]
        raise InputRefused(
            f"There is a sweep {spec.name} that was begun with another {' and '.join(differing)}.",
            "Its trials would not compare with new ones.",
            _begin_another("this one", spec, folder),
        )
    identity = secrets.token_hex(4)
    (folder / "study.log").unlink(missing_ok=True)
    _write_asked(path, identity, asked | free)
    return identity


def _begin_another(which: str, spec: SweepSpec, folder: Path) -> str:
    """What to do where a sweep cannot go on."""
    return f'Give {which} a name of its own (name = "{spec.name}-2"), or delete {folder}.'


def _write_asked(path: Path, identity: str, asked: dict[str, Any]) -> None:
    write_text_whole(path, json.dumps({"id": identity, **asked}, indent=1) + "\n")


def read_trials(log: Path, name: str) -> list[TrialRow]:
    """The trials in a study.log that somebody else may be writing; none when it names no study.

    Nothing is written, not even by Optuna. Raises OSError, and ValueError for a damaged one.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    log.stat()  # Optuna would make one
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        storage = JournalStorage(JournalFileBackend(str(log), lock_obj=_held_already(log)))
        try:
            study = storage.get_study_id_from_name(name)
        except KeyError:
            return []
        return [_row(trial) for trial in storage.get_all_trials(study, deepcopy=False)]
    except _DAMAGED as error:
        raise ValueError(f"{log} is damaged") from error


def _row(trial: FrozenTrial) -> TrialRow:
    values = trial.intermediate_values
    loss = trial.value if trial.value is not None else values[max(values)] if values else None
    return TrialRow(
        trial=trial.number + 1,
        run=trial.user_attrs.get("run"),
        params=dict(trial.params),
        valid_loss=None if loss is None else float(loss),
        state=_STATES.get(trial.state.name, "running"),
        reason=trial.user_attrs.get("reason", ""),
    )


def _distribution(name: str, dimension: Dimension) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    low, high, log, step = dimension.low, dimension.high, dimension.log, dimension.step
    if is_whole(name):
        return IntDistribution(int(low), int(high), log=log, step=int(step or 1))
    return FloatDistribution(low, high, log=log, step=step)


def _mend(log: Path) -> None:
    """Takes away the line that a killed process did not finish, or the next would be lost too."""
    try:
        with log.open("r+b") as file:
            content = file.read()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                file.truncate(whole)
                os.fsync(file.fileno())
    except FileNotFoundError:
        pass


def _held_already(log: Path) -> JournalFileOpenLock:
    """A lock for Optuna, of which nothing is asked: the sweep's own lock is held."""
    from optuna.storages.journal import JournalFileOpenLock

    class HeldAlready(JournalFileOpenLock):
        def acquire(self) -> bool:
            return True

        def release(self) -> None:
            return None

    return HeldAlready(str(log))
