"""A run's history collected from its journal: loss curves, figures, samples, warnings."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, MutableSequence
from dataclasses import dataclass, field
from typing import Any

from core.runs.positions import Positions, WorkClock, number, sound
from core.runs.record import Result, read_fields


@dataclass(frozen=True)
class TrainingSample:
    """A text that the model wrote at ``step``; generated, not a person's."""

    step: int
    text: str


@dataclass
class RunHistory:
    """Losses are nats a token; None stands for one that was not a number.

    ``train_at`` are the positions of ``train_losses``, and of the learning ``rates``, ``gradients``
    (their norms) and ``speeds`` (tokens a second since the point before; NaN: unknown).
    ``valid_at``, ``memorised_at`` and ``system_at`` are those of the other curves. ``system`` holds
    what SystemProbe says, by name, NaN where a line lacks it.
    ``valid_before`` is the first held-out loss, measured before the first step. ``seconds`` is how
    long the process has been at work, ``seconds_left`` what it expects to need still (None:
    unknown). ``doing`` is the phase that it announced last, ``waits_for`` the run that goes before
    it on the same device, while it waits for that. ``expected_shares`` are those of an epoch's
    tokens by handle, ``tokens_by_author`` what it has learned from at its last measurement.
    ``memorised_train`` and ``memorised_held_out`` are what the model gave back word for word of
    training and of held-out tweets, as shares.
    ``valid_tweets`` is how many are held out; 0: nothing is measured on such tweets.
    ``taken_back`` counts how often points were removed again; else the lists only grow.
    """

    train_at: Positions = field(default_factory=Positions)
    train_losses: list[float | None] = field(default_factory=list)
    rates: array[float] = field(default_factory=lambda: array("d"))
    gradients: array[float] = field(default_factory=lambda: array("d"))
    speeds: array[float] = field(default_factory=lambda: array("d"))
    valid_at: Positions = field(default_factory=Positions)
    valid_losses: list[float | None] = field(default_factory=list)
    memorised_at: Positions = field(default_factory=Positions)
    memorised_train: list[float | None] = field(default_factory=list)
    memorised_held_out: list[float | None] = field(default_factory=list)
    system_at: Positions = field(default_factory=Positions)
    system: dict[str, array[float]] = field(default_factory=dict)
    samples: list[TrainingSample] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    valid_tweets: int | None = None
    valid_before: float | None = None
    step: int = 0
    steps: int | None = None
    tokens: int = 0
    tokens_per_second: float | None = None
    done: float = 0.0
    seconds: float | None = None
    seconds_left: float | None = None
    device: str = ""
    doing: str = ""
    waits_for: str = ""
    result: Result | None = None
    expected_shares: dict[str, float] = field(default_factory=dict)
    tokens_by_author: dict[str, int] = field(default_factory=dict)
    taken_back: int = 0
    _clock: WorkClock = field(default_factory=WorkClock)
    _sampled: set[TrainingSample] = field(default_factory=set)
    # tokens and the seconds that their steps took, of the last train line
    _learned: tuple[float, float] | None = None

    @property
    def train_steps(self) -> list[int]:
        return self.train_at.steps

    @property
    def valid_steps(self) -> list[int]:
        return self.valid_at.steps

    @property
    def memorised_steps(self) -> list[int]:
        return self.memorised_at.steps

    def take(self, records: Iterable[dict[str, Any]]) -> None:
        """Adds lines of metrics.jsonl, oldest first; unknown kinds and fields are passed over."""
        for line in records:
            record = sound(line)
            kind = record.get("kind")
            self._authors(record)
            if kind in ("queued", "phase", "start", "end"):
                self.waits_for = str(record.get("waits_for") or "")
            if kind == "train":
                self._train(record)
            elif kind == "eval":
                self._eval(record)
            elif kind == "memorisation":
                self._add(self.memorised_at, record)
                self.memorised_train.append(record.get("train"))
                self.memorised_held_out.append(record.get("held_out"))
            elif kind == "system":
                self._system(record)
            elif kind == "start":
                self._start(record)
            elif kind == "warning":
                self.warnings.append(str(record.get("text", "")))
            elif kind == "note":
                self.notes.append(str(record.get("text", "")))
            elif kind == "phase":
                self.doing = str(record.get("doing", ""))
            elif kind == "queued":
                self.doing = ""
            elif kind == "end":
                self.result = read_fields(Result, record)
                self.doing = ""
                self.seconds_left = None
                self.seconds = record.get("seconds", self.seconds)
                self.tokens_per_second = record.get("tokens_per_second") or self.tokens_per_second
            if kind in ("queued", "start", "train", "eval", "checkpoint", "phase"):
                self.result = None

    def take_samples(self, records: Iterable[dict[str, Any]]) -> None:
        """Adds lines of samples.jsonl."""
        for line in records:
            record = sound(line)
            text = record.get("text")
            if not isinstance(text, str):
                continue
            sample = TrainingSample(int(record.get("step") or 0), text)
            # a run that is resumed writes those after its last checkpoint again
            if sample not in self._sampled:
                self._sampled.add(sample)
                self.samples.append(sample)

    def _start(self, record: dict[str, Any]) -> None:
        self.steps = record.get("steps")
        self.device = str(record.get("device", ""))
        self.valid_tweets = record.get("valid_tweets", self.valid_tweets)
        self._clock.of(record)
        resumed = record.get("resumed_from")
        if resumed is None:
            return
        # What came after the checkpoint is done again: the old points would run back in time.
        self.taken_back += 1
        curves: tuple[tuple[Positions, tuple[MutableSequence[Any], ...]], ...] = (
            (self.train_at, (self.train_losses, self.rates, self.gradients, self.speeds)),
            (self.valid_at, (self.valid_losses,)),
            (self.memorised_at, (self.memorised_train, self.memorised_held_out)),
            (self.system_at, tuple(self.system.values())),
        )
        for at, values in curves:
            at.take_back(int(resumed))
            for curve in values:
                del curve[len(at) :]
        self.step = int(resumed)
        self.tokens = int(self.train_at.tokens[-1]) if self.train_at else 0
        self._learned = None

    def _authors(self, record: dict[str, Any]) -> None:
        for name in ("expected_shares", "tokens_by_author"):
            found = record.get(name)
            if isinstance(found, dict):
                setattr(self, name, found)

    def _train(self, record: dict[str, Any]) -> None:
        self.doing = ""
        self.step = int(record.get("step") or 0)
        self.steps = record.get("steps", self.steps)
        self.tokens = int(record.get("tokens") or 0)
        self.tokens_per_second = record.get("tokens_per_second")
        self.done = float(record.get("done") or 0.0)
        self.seconds = record.get("seconds")
        self.seconds_left = record.get("seconds_left")
        self._add(self.train_at, record)
        self.train_losses.append(record.get("loss"))
        self.rates.append(number(record.get("lr")))
        self.gradients.append(number(record.get("grad_norm")))
        self.speeds.append(self._speed())

    def _speed(self) -> float:
        """Of the steps since the train line before: the journal holds the mean of all steps."""
        mean, before = number(self.tokens_per_second), self._learned
        if not mean > 0:
            return math.nan
        self._learned = tokens, seconds = self.tokens, self.tokens / mean
        if before is None or seconds <= before[1] or tokens <= before[0]:
            return mean
        return (tokens - before[0]) / (seconds - before[1])

    def _system(self, record: dict[str, Any]) -> None:
        self._add(self.system_at, {"step": self.step, **record})
        for name, value in record.items():
            if name not in ("kind", "time", "step") and isinstance(value, (int, float)):
                missing = len(self.system_at) - 1 - len(self.system.setdefault(name, array("d")))
                self.system[name].extend([math.nan] * missing)
                self.system[name].append(number(value))

    def _add(self, at: Positions, record: dict[str, Any]) -> None:
        at.add(int(record.get("step") or 0), self.tokens, self._clock.of(record) or 0.0)

    def _eval(self, record: dict[str, Any]) -> None:
        loss = record.get("valid_loss")
        if record.get("phase") == "before":
            self.valid_before = loss
        if record.get("phase") == "all":
            return  # more rows than the curve's: not a point of it
        self._add(self.valid_at, record)
        self.valid_losses.append(loss)
