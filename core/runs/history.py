"""A run's history collected from its journal: loss curves, figures, samples, warnings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.runs.record import Result, read_fields


@dataclass(frozen=True)
class TrainingSample:
    """A text that the model wrote at ``step``; generated, not a person's."""

    step: int
    text: str


@dataclass
class RunHistory:
    """Losses are nats a token; None stands for one that was not a number.

    ``valid_before`` is the first held-out loss, measured before the first step. ``seconds`` is how
    long the process has been at work, ``seconds_left`` what it expects to need still (None:
    unknown). ``doing`` is the phase that it announced last, ``waits_for`` the run that goes before
    it on the same device, while it waits for that. ``expected_shares`` are those of an epoch's
    tokens by handle, ``tokens_by_author`` what it has learned from at its last measurement.
    ``memorised_train`` and ``memorised_held_out`` are what the model gave back word for word of
    training and of held-out tweets, as shares, measured at ``memorised_steps``.
    ``valid_tweets`` is how many are held out; 0: nothing is measured on such tweets.
    ``taken_back`` counts how often points were removed again; else the lists only grow.
    """

    train_steps: list[int] = field(default_factory=list)
    train_losses: list[float | None] = field(default_factory=list)
    valid_steps: list[int] = field(default_factory=list)
    valid_losses: list[float | None] = field(default_factory=list)
    memorised_steps: list[int] = field(default_factory=list)
    memorised_train: list[float | None] = field(default_factory=list)
    memorised_held_out: list[float | None] = field(default_factory=list)
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

    def take(self, records: Iterable[dict[str, Any]]) -> None:
        """Adds lines of metrics.jsonl, oldest first; unknown kinds and fields are passed over."""
        for record in records:
            kind = record.get("kind")
            self._authors(record)
            if kind in ("queued", "phase", "start", "end"):
                self.waits_for = str(record.get("waits_for") or "")
            if kind == "train":
                self._train(record)
            elif kind == "eval":
                self._eval(record)
            elif kind == "memorisation":
                self.memorised_steps.append(int(record.get("step") or 0))
                self.memorised_train.append(record.get("train"))
                self.memorised_held_out.append(record.get("held_out"))
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
        for record in records:
            text = record.get("text")
            if isinstance(text, str):
                self.samples.append(TrainingSample(int(record.get("step") or 0), text))

    def _start(self, record: dict[str, Any]) -> None:
        self.steps = record.get("steps")
        self.device = str(record.get("device", ""))
        self.valid_tweets = record.get("valid_tweets", self.valid_tweets)
        resumed = record.get("resumed_from")
        if resumed is None:
            return
        # What came after the checkpoint is done again: the old points would run back in time.
        self.taken_back += 1
        for steps, *curves in (
            (self.train_steps, self.train_losses),
            (self.valid_steps, self.valid_losses),
            (self.memorised_steps, self.memorised_train, self.memorised_held_out),
        ):
            # one that starts again at its beginning measures the base once more, too
            while steps and (steps[-1] > resumed or resumed == 0):
                steps.pop()
                for curve in curves:
                    curve.pop()

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
        self.train_steps.append(self.step)
        self.train_losses.append(record.get("loss"))

    def _eval(self, record: dict[str, Any]) -> None:
        loss = record.get("valid_loss")
        if record.get("phase") == "before":
            self.valid_before = loss
        if record.get("phase") == "all":
            return  # more rows than the curve's: not a point of it
        self.valid_steps.append(int(record.get("step") or 0))
        self.valid_losses.append(loss)
