"""What a training process holds, made from a run's folder: device, tweets, model, course."""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
import torch

import core
from core.errors import InputRefused, MynahError
from core.models.load import quiet
from core.models.prepare import prepare as prepare_base
from core.models.shape import shape_of
from core.runs.events import Journal
from core.runs.folder import Run, base_of, checkpoint_folders
from core.runs.memory import EVAL_BATCH
from core.runs.queue import Turn
from core.runs.record import Decisions, RunRecord
from core.runs.settings import TrainSettings
from core.training import device as devices
from core.training import memory
from core.training.adapter import base_model, learner_of, recompute_layers
from core.training.best import Best
from core.training.checkpoint import Position, all_finite, load_checkpoint, save_checkpoint
from core.training.data import EpochPlan
from core.training.decide import Room, arithmetic_of, decide, device_of, threads_of
from core.training.decode import GLIMPSE_TOKENS, glimpse
from core.training.distributed.begin import Begin
from core.training.distributed.group import frozen_sum, same_sum
from core.training.distributed.ranks import Ranks
from core.training.evaluate import HeldOut, Measure
from core.training.loss import Scorer
from core.training.memorise import Allowance, Memorisation, Memorised
from core.training.schedule import Course
from core.training.signals import StopRequest
from core.training.tweets import RunTweets

# The training loss that a run ends with is the mean over so many steps.
RECENT_STEPS: Final = 32

_RECOMPUTES: Final = (
    "Memory is short: a step keeps only the input of each layer, and computes the rest again on "
    "its way back. It learns the same, in about a third more time."
)


class Diverged(MynahError):
    """The training has gone out of bounds: a loss or a gradient is not a number any more."""


@dataclass
class Training:
    """What `fit` and `finish` work on.

    model        in eval mode, but for the steps of settings with dropout: that is all that it turns
                 off; it would keep attention off its fast kernel, and few epochs do not need it
    adapted      the handle of the adapters; None when every weight learns
    weights      those that learn
    dtype        to multiply in; ``resting``: of the frozen weights; ``stored``: of the model's file
    at           how far the run has come; changed in place
    held_out     the rows of each measurement; ``every_row``: all that were held out
    best         None when the settings do not want to go back to the best weights
    recent       (sum of losses, tokens) of the last steps
    resumed      whether the run was begun by another process
    memorisation    None where there are too few tweets to measure it with
    allowance       what of the run's time may go into that
    by_heart        the last measure, once it has passed the settings' limit
    ranks           the processes that share each step; this one is the first of them
    """

    run: Run
    journal: Journal
    stop: StopRequest
    settings: TrainSettings
    decisions: Decisions
    device: torch.device
    dtype: torch.dtype
    resting: torch.dtype
    stored: torch.dtype
    data: RunTweets
    model: Any
    adapted: Any
    weights: list[torch.Tensor]
    optimizer: torch.optim.Optimizer
    score: Scorer
    plan: EpochPlan
    held_out: HeldOut
    every_row: HeldOut
    at: Position
    best: Best | None
    course: Course
    parameters: int
    resumed: bool
    memorisation: Memorisation | None
    allowance: Allowance
    ranks: Ranks
    by_heart: Memorised | None = None
    recent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=RECENT_STEPS))
    _sampled_at: int = -1

    def measure(self, phase: str, rows: HeldOut | None = None) -> Measure | None:
        """The held-out loss, written down as ``phase``; None when there is nothing to measure.

        Whoever asks to stop does not wait for what a stopped run has no use for.
        Raises Diverged when it is not a number.
        """
        with devices.in_arithmetic(self.device, self.dtype):
            found = (rows or self.held_out).measure(
                self.score, give_up=lambda: phase in ("before", "all") and self.stop.asked
            )
        if found is None:
            return None
        self.journal.write(
            "eval",
            step=self.at.step,
            phase=phase,
            valid_loss=found.loss,
            tokens=found.tokens,
            error=found.error,
            bits_per_byte=found.bits_per_byte,
            tokens_by_author=self.at.tokens_by_author,
        )
        if not math.isfinite(found.loss):
            raise self.diverged("held-out loss")
        return found

    def measure_memorisation(self, model: Any = None, *, last: bool = False) -> Memorised | None:
        """How much of the training tweets the model gives back, written down; None when there is
        nothing to measure, or no time for it.
        """
        if self.memorisation is None:
            return None
        at = self.at
        if not self.allowance.enough(self.course.run_seconds(at.step), last=last):
            return None
        began, found = time.monotonic(), None
        with self._dispensable("the memorisation curve"):
            found = self.memorisation.measure(self.model if model is None else model)
        self.allowance.add(time.monotonic() - began)
        limit = self.settings.max_memorised
        if found is None:
            self.memorisation = None
            if limit is not None:
                raise memory.too_little(
                    self.device.type, "What it learns by heart, which has a limit, needs more."
                )
            return None
        self.journal.write(
            "memorisation",
            step=at.step,
            train=found.train,
            held_out=found.held_out,
            tweets=found.tweets,
        )
        if limit is not None and found.excess > limit:
            self.by_heart = found
        return found

    def recompute(self) -> bool:
        """Steps take less memory and more time from now on; False where they do so already."""
        if self.decisions.recompute or not recompute_layers(self.model):
            return False
        self.decisions = msgspec.structs.replace(self.decisions, recompute=True)
        self.run.update_record(decisions=self.decisions)
        self.journal.note(_RECOMPUTES)
        return True

    def diverged(self, what: str) -> Diverged:
        """The error that says that ``what`` is not a number."""
        return Diverged(
            f"The {what} is not a number after step {self.at.step}.",
            f"The learning rate {self.settings.lr:g} is probably too high for this base.",
            f"Try --lr {self.settings.lr / 4:.1g}.",
        )

    def show_samples(self) -> None:
        """Writes down what the model writes, unless nothing has been learned since."""
        if self._sampled_at == self.at.step:
            return
        self._sampled_at, texts = self.at.step, []
        with self._dispensable("samples"):
            texts = glimpse(
                self.model,
                self.data.tokenizer,
                separator=self.data.separator,
                seed=self.settings.seed + self.at.step,
                max_tokens=min(GLIMPSE_TOKENS, self.data.context - 1),
                unescape=not self.data.has_entities,
            )
        for text in texts:
            if text:
                self.journal.sample(self.at.step, text)

    @contextlib.contextmanager
    def _dispensable(self, what: str) -> Iterator[None]:
        """In the run's arithmetic, and without ``what`` where there is no memory for it."""
        with (
            memory.dispensable(self.journal, what),
            devices.in_arithmetic(self.device, self.dtype),
        ):
            yield

    def checkpoint(self) -> None:
        """Writes a checkpoint; where that fails, the run goes on without it.

        Raises Diverged for weights that are not finite, which are not worth taking up.
        """
        if not all_finite(self.weights):
            raise self.diverged("model")
        began = time.monotonic()
        self.at.seconds, self.at.done = self.course.seconds, self.course.done(self.at.step)
        try:
            path = save_checkpoint(
                self.run.checkpoints, self.model, self.optimizer, self.at, self.best
            )
        except OSError as error:
            self.journal.warning(
                f"The checkpoint of step {self.at.step} could not be written: {error}. "
                "The run goes on without it."
            )
            return
        self.journal.write(
            "checkpoint",
            step=self.at.step,
            name=path.name,
            took=time.monotonic() - began,
            tokens_by_author=self.at.tokens_by_author,
        )


@memory.explained("making ready")
def set_up(
    run: Run,
    journal: Journal,
    stop: StopRequest,
    *,
    resume: bool,
    began: float | None = None,
    turn: Turn | None = None,
    ranks: Ranks | None = None,
) -> Training:
    """Loads everything, decides what the settings leave open, and takes up the last checkpoint.

    What was decided at the first start is in run.json, and is used again. ``began``: when the
    run's time began to count (time.monotonic); None: now. ``turn``: the run's place in the queue
    of its device, which it waits for without loading a model; that is not its time. ``ranks``: the
    processes that train; None: this one. Raises MynahError, and TakenOut when a stop is asked for
    while it waits.
    """
    ranks = ranks or Ranks()
    record = run.record()
    settings = record.train_settings
    if settings is None:
        raise InputRefused("The settings of this run cannot be read.", "", "Start a new run.")
    quiet()
    began = time.monotonic() if began is None else began
    before = record.decisions if resume else None
    device = device_of(settings, before, journal)
    if turn is not None:
        began += turn.wait(devices.queue_name(device))
    dtype = arithmetic_of(device, before, settings)
    threads = threads_of(device, before, journal, ranks)
    devices.set_up(device, threads, exact=settings.arithmetic == "float32")
    torch.manual_seed(settings.seed)

    preparing = time.monotonic()
    base = base_of(run, record)
    folder = prepare_base(base, journal.phase)
    began += time.monotonic() - preparing  # done once for all runs, so not this run's time
    room = Room(settings, shape_of(replace(base, folder=folder)), device, dtype, ranks.local_size)
    if not record.now:
        room.check()
    ranks.start(run, device)
    journal.phase("loading the model")
    data = RunTweets(run, settings, folder)
    model, stored = (
        base_model(folder, settings, device=device, dtype=dtype)
        if folder
        else (data.new_model(), torch.float32)
    )
    learner = learner_of(model, stored, settings, device=device, dtype=dtype)
    weights, optimizer, parameters = learner.weights, learner.optimizer, learner.parameters

    decisions = decide(
        before, settings, data, device, dtype, threads, parameters, learner.score, room, ranks.size,
    )  # fmt: skip
    frozen = frozen_sum(model)
    if before is not None and before.frozen_sum is not None:
        _check_same_base(run, record, before.frozen_sum, frozen)
    decisions = msgspec.structs.replace(decisions, frozen_sum=frozen)
    run.update_record(decisions=decisions)
    if decisions.recompute and recompute_layers(model):
        journal.note(_RECOMPUTES)
    held_out, every_row = (
        HeldOut(
            data.valid,
            at_most=at_most,
            batch_tokens=max(decisions.batch_tokens, EVAL_BATCH),
            seed=settings.seed,
            device=device,
        )
        for at_most in (decisions.eval_tokens, data.valid.total_tokens)
    )
    best = Best(weights) if settings.keep_best or settings.max_memorised is not None else None
    memorisation = Memorisation(
        data.train_texts, data.valid_texts, data.tokenizer,
        answered=(data.answered, data.answered_valid), separator=data.separator,
        seed=settings.seed, context=data.context, device=device,
    )  # fmt: skip
    at = Position()
    if resume:
        at = _take_up(run, model, optimizer, best, journal)
    if ranks.size > 1:
        ranks.begin(
            Begin(
                version=core.__version__,
                decisions=decisions,
                vocabulary=len(data.tokenizer),
                separator=data.separator,
                checkpoint=at.name if at.step else "",
                parameters=parameters,
                frozen_sum=frozen,
            ),
            weights,
        )
    budget = None if settings.minutes is None else settings.minutes * 60
    journal.watch_system(gpus=device.type == "cuda")
    return Training(
        run=run,
        journal=journal,
        stop=stop,
        settings=settings,
        decisions=decisions,
        device=device,
        dtype=dtype,
        resting=learner.resting,
        stored=stored,
        data=data,
        model=model,
        adapted=learner.adapted,
        weights=weights,
        optimizer=optimizer,
        score=learner.score,
        plan=data.plan(decisions.batch_tokens),
        held_out=held_out,
        every_row=every_row,
        at=at,
        best=best,
        course=Course(decisions.steps, budget, began=began - at.seconds),
        parameters=parameters,
        resumed=resume,
        memorisation=memorisation if memorisation.possible else None,
        allowance=Allowance(parameters, device.type),
        ranks=ranks,
    )


def _check_same_base(run: Run, record: RunRecord, then: float, now: float) -> None:
    """Raises InputRefused where adapters were learned on other weights than those that are there.

    ``then`` and ``now``: what `frozen_sum` gives of them.
    """
    if checkpoint_folders(run.checkpoints) and not same_sum(then, now):
        raise InputRefused(
            f"{run.id} cannot go on.",
            f"The weights of {record.began_with}, which it began with, are others now.",
            "Start a new run.",
        )


def _take_up(
    run: Run, model: Any, optimizer: torch.optim.Optimizer, best: Best | None, journal: Journal
) -> Position:
    """The newest checkpoint that can be read; the beginning when there is none."""
    for path in reversed(checkpoint_folders(run.checkpoints)):
        try:
            return load_checkpoint(path, model, optimizer, best)
        except InputRefused as error:
            journal.warning(f"{error.what} {error.why}")
    return Position()


def newest_weights(training: Training) -> int | None:
    """Puts the weights of the newest readable checkpoint back; its step, or None without one."""
    t = training
    for path in reversed(checkpoint_folders(t.run.checkpoints)):
        try:
            return load_checkpoint(path, t.model, t.optimizer, None).step
        except InputRefused:
            continue
    return None
