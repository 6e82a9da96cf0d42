"""The training loop: measure, then step after step until the course is run."""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Iterator
from typing import Final

import torch

from core.runs.settings import NOTHING_HELD_OUT
from core.training import memory
from core.training.checkpoint import pause_after
from core.training.data import Batch
from core.training.schedule import LAST_MEASURE, learning_rate
from core.training.setup import Training
from core.training.step import BatchStep

LOG_SECONDS: Final = 0.1
# Between two measurements so many times as long passes as the last one took, samples included.
MEASURING: Final = 5
# Writing the model: so many bytes a second.
_DISK_RATE: Final = 4e8


@memory.explained("training")
def fit(training: Training) -> None:
    """Steps until the course is run, somebody asks to stop, or going on makes it only worse.

    Raises Diverged when a loss or a gradient is not a number any more, and TooLittleMemory.
    """
    t, at, settings = training, training.at, training.settings
    every = settings.eval_seconds or _eval_seconds(settings.minutes)
    _begin(t, every)
    take_step = BatchStep(
        t.score,
        t.optimizer,
        t.weights,
        clip=settings.clip,
        device=t.device,
        dtype=t.dtype,
        batch_tokens=t.decisions.batch_tokens,
        ranks=t.ranks,
        recompute=t.recompute,
    )
    steps = _Steps(t)
    eval_due = _Every(every)
    save_due = _Every(settings.checkpoint_seconds)
    log_due = _Every(LOG_SECONDS)
    saving = 0.0  # seconds that went into checkpoints

    for batch in _endless(t):
        done = t.course.done(at.step)
        if done >= 1 or at.step >= t.decisions.steps or t.stop.asked:
            break
        if t.by_heart is not None or (settings.keep_best and t.best and t.best.hopeless):
            break
        stepping = time.monotonic()
        rate = learning_rate(
            done, peak=settings.lr, warmup=settings.warmup, schedule=settings.schedule
        )
        for group in t.optimizer.param_groups:
            group["lr"] = rate
        t.ranks.step(batch.rows, rate)
        with _dropout(t):
            loss, norm = take_step(batch.rows)
        if log_due.now():
            float(loss)  # waits for the device, so that its time is counted too
        steps.add(batch, loss, norm, rate, time.monotonic() - stepping)
        if log_due.now():
            steps.log()
            log_due.again()
        # not shortly before the end, which measures anyway
        if eval_due.now() and t.course.done(at.step) < LAST_MEASURE:
            steps.log()
            measuring = time.monotonic()
            found = t.measure("during")
            measured = time.monotonic()
            t.measure_memorisation()
            if t.best is not None and found is not None and t.by_heart is None:
                t.best.look(found, at.step)
            sampling = time.monotonic()
            t.show_samples()
            steps.ending = _ending(t, measured - measuring, time.monotonic() - sampling)
            took = time.monotonic() - measuring
            # a machine that is busy with other work takes many times the usual time for it
            eval_due.again(every if settings.eval_seconds else max(every, MEASURING * took))
            t.course.pace.pause(took)
        # after a measurement, or one that a killed run was at would not be made again
        if save_due.now():
            steps.log()  # what is not a number ends the run before it reaches the disk
            writing = time.monotonic()
            t.checkpoint()
            took = time.monotonic() - writing
            t.course.pace.pause(took)
            saving += took
            wanted = settings.checkpoint_seconds
            save_due.again(pause_after(took, saving, t.course.seconds, wanted))
    steps.log()


@contextlib.contextmanager
def _dropout(t: Training) -> Iterator[None]:
    """Dropout for a step, where the settings want it.

    What it drops depends on seed and step alone, so that a resumed run drops the same.
    """
    if not t.settings.base_dropout:
        yield
        return
    torch.manual_seed(step_seed(t.settings.seed, t.at.step))
    t.model.train()
    try:
        yield
    finally:
        t.model.eval()


def step_seed(seed: int, step: int) -> int:
    """Of what is drawn in step number ``step`` (from 0) of a run."""
    return seed * 1_000_003 + step


def _begin(t: Training, every: float) -> None:
    """Writes down what the run is made of, measures the base, and starts the course.

    ``every``: seconds between two measurements.
    """
    data, decisions = t.data, t.decisions
    t.journal.write(
        "start",
        steps=decisions.steps,
        steps_an_epoch=max(1, round(decisions.steps_a_round / data.epochs_a_round)),
        epoch_tokens=data.epoch_tokens,
        expected_shares={share.handle: share.share for share in data.shares},
        train_tweets=len(data.train.rows),
        valid_tweets=len(data.valid.rows),
        valid_tokens=t.held_out.tokens,
        batch_tokens=decisions.batch_tokens,
        parameters=t.parameters,
        trained_parameters=sum(weight.numel() for weight in t.weights),
        device=t.ranks.named(t.device),
        arithmetic=decisions.arithmetic,
        four_bit=t.settings.four_bit,
        seconds=t.course.seconds,
        resumed_from=t.at.step if t.resumed else None,
    )
    if not data.valid.rows and not t.resumed:
        t.journal.note(NOTHING_HELD_OUT)
    measuring = time.monotonic()
    if t.at.step == 0:
        first = t.measure("before")
        t.at.valid_before = first.loss if first else None
    measuring = time.monotonic() - measuring
    if t.at.step == 0 and not t.stop.asked:
        t.measure_memorisation()
    # a few samples take about as long as the measure of memorisation, which decodes as well
    pause = measuring + t.allowance.cost
    reserve = pause + _saving(t)
    if t.memorisation is not None and t.allowance.enough(t.course.budget, last=True):
        reserve += t.allowance.cost
    t.course.start(reserve=reserve, done=t.at.done)
    t.course.pace.expect(pause, every if t.settings.eval_seconds else max(every, MEASURING * pause))


def _saving(t: Training) -> float:
    """Seconds for writing the model, about."""
    return 0.5 + 2 * t.parameters * 4 / _DISK_RATE


def _ending(t: Training, measuring: float, sampling: float) -> float:
    """Seconds that everything after the last step will take, by what a measurement and samples
    took; a run without a limit measures all that is held out, besides.
    """
    times = 1.0
    if t.settings.minutes is None and t.data.valid.total_tokens > t.held_out.tokens:
        times += t.data.valid.total_tokens / t.held_out.tokens
    memorises = t.memorisation is not None and t.allowance.enough(
        t.course.run_seconds(t.at.step), last=True
    )
    memorising = t.allowance.cost if memorises else 0.0
    return times * measuring + sampling + memorising + _saving(t)


class _Steps:
    """Moves the position on with each step, and writes a line for several of them together."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._pending: list[tuple[torch.Tensor, torch.Tensor, int]] = []
        self._rate = 0.0
        self.ending = 0.0
        """Seconds that what comes after the last step will take, once that is known."""

    def add(
        self, batch: Batch, loss: torch.Tensor, norm: torch.Tensor, rate: float, seconds: float
    ) -> None:
        """One step: the sum of its losses and the norm of its gradient, not waited for yet."""
        at, handles = self._training.at, self._training.data.handles
        tokens = sum(batch.tokens.values())
        at.step += 1
        at.batch += 1
        at.tokens += tokens
        at.train_seconds += seconds
        self._training.course.pace.step(seconds)
        for author, count in batch.tokens.items():
            handle = handles[author]
            at.tokens_by_author[handle] = at.tokens_by_author.get(handle, 0) + count
        self._pending.append((loss, norm, tokens))
        self._rate = rate

    def log(self) -> None:
        """A line for the steps since the last one; raises Diverged when they went wrong."""
        t, at = self._training, self._training.at
        if not self._pending:
            return
        losses, norms, tokens = zip(*self._pending, strict=True)
        self._pending.clear()
        # all at once: each question to a device waits for it
        asked = torch.stack([torch.stack(losses), torch.stack(norms)]).tolist()
        found = list(zip(*asked, tokens, strict=True))
        if not all(math.isfinite(loss) for loss, _, _ in found):
            raise t.diverged("loss")
        if not all(math.isfinite(norm) for _, norm, _ in found):
            raise t.diverged("gradient")
        of_steps = [(loss, tokens) for loss, _, tokens in found]
        t.recent.extend(of_steps)
        batches = at.epoch * t.decisions.steps_a_round + at.batch
        t.journal.write(
            "train",
            step=at.step,
            steps=t.decisions.steps,
            loss=mean_loss(of_steps),
            lr=self._rate,
            grad_norm=found[-1][1],
            tokens=at.tokens,
            tokens_per_second=at.tokens / max(at.train_seconds, 1e-9),
            epoch=batches * t.data.epochs_a_round / t.decisions.steps_a_round,
            done=t.course.done(at.step),
            seconds=t.course.seconds,
            seconds_left=t.course.seconds_left(at.step, end=self.ending),
        )


class _Every:
    """Whether so many seconds have gone by since the last time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due = time.monotonic() + seconds

    def now(self) -> bool:
        return time.monotonic() >= self._due

    def again(self, seconds: float | None = None) -> None:
        self._seconds = self._seconds if seconds is None else seconds
        self._due = time.monotonic() + self._seconds


def _endless(t: Training) -> Iterator[Batch]:
    """The batch that the position points at, again and again; moves it from round to round."""
    for epoch in itertools.count(t.at.epoch):
        batches = t.plan.batches(epoch, t.data.order(epoch))
        while t.at.batch < len(batches):
            yield batches[t.at.batch]
        t.at.epoch, t.at.batch = epoch + 1, 0


def _eval_seconds(minutes: float | None) -> float:
    return 60.0 if minutes is None else min(max(minutes * 60 / 4, 20.0), 120.0)


def mean_loss(losses: list[tuple[float, int]]) -> float | None:
    """Nats a token over steps given as (sum of losses, tokens)."""
    tokens = sum(count for _, count in losses)
    return sum(loss for loss, _ in losses) / tokens if tokens else None
