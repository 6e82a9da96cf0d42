"""The loss on tweets that the run never learns from."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.training import memory
from core.training.data import Row, TweetRows, batches, predicted, tensors
from core.training.device import static_shapes
from core.training.loss import Scorer

_PROBE_TOKENS: Final = 128


@dataclass(frozen=True)
class Measure:
    """loss: nats a token, over ``tokens`` tokens; bits_per_byte does not depend on the tokenizer.

    ``bits_per_byte`` = loss * tokens / (ln 2 * bytes), bytes of UTF-8 plus one for each end mark.
    ``sums`` and ``sizes``: nats and tokens of each row, of which the loss is the ratio.
    """

    loss: float
    tokens: int
    bits_per_byte: float
    sums: list[float]
    sizes: list[int]

    @property
    def error(self) -> float | None:
        """The standard error of ``loss``: tweets, not tokens, are what was drawn. None: unknown."""
        return _error_of_ratio(self.sums, self.sizes)

    def errors_above(self, other: Measure) -> float | None:
        """How far ``loss`` lies above that of ``other``, in standard errors of their difference;
        None where that error is not known.

        The rows are the same, so that those are subtracted one by one: some tweets are hard for
        every model, which is most of the error of each measure, and none of this one.
        """
        differences = [mine - its for mine, its in zip(self.sums, other.sums, strict=True)]
        error = _error_of_ratio(differences, self.sizes)
        if error is None:
            return None
        difference = self.loss - other.loss
        if not difference:
            return 0.0
        return difference / error if error else math.copysign(math.inf, difference)


def _error_of_ratio(sums: Sequence[float], sizes: Sequence[int]) -> float | None:
    """Of sum(sums) / sum(sizes) over n drawn pairs; None for fewer than two of them.

    Source: Cochran 1977, Sampling Techniques, 6.4, without the correction for a finite population.
    """
    n, total = len(sums), sum(sizes)
    if n < 2:
        return None
    ratio = sum(sums) / total
    squares = sum((one - ratio * size) ** 2 for one, size in zip(sums, sizes, strict=True))
    return math.sqrt(n / (n - 1) * squares) / total


class HeldOut:
    """A fixed set of held-out rows: the same ones each time, so that two measures compare."""

    def __init__(
        self, tweets: TweetRows, *, at_most: int, batch_tokens: int, seed: int, device: Any
    ) -> None:
        """Takes whole tweets in a seeded order until ``at_most`` tokens are reached."""
        order = list(range(len(tweets.rows)))
        rng = random.Random(f"{seed}/held out")  # noqa: S311 - repeatable on purpose
        rng.shuffle(order)
        rows: list[Row] = []
        self.tokens = self.bytes = 0
        for tweet in order:
            if self.tokens >= at_most:
                break
            rows += tweets.rows[tweet]
            self.tokens += tweets.tokens[tweet]
            self.bytes += tweets.bytes[tweet]
        self._batches = batches(rows, batch_tokens, rng)
        self._device = device
        self._batch_tokens = batch_tokens if static_shapes(device) else 0
        self.parts = 1

    def measure(
        self, score: Scorer, *, give_up: Callable[[], bool] = lambda: False
    ) -> Measure | None:
        """The token-weighted mean loss; None when there is nothing to measure, or it gave up.

        When the device runs out of memory the batches are taken in more parts from then on. Raises
        TooLittleMemory when not even a single row fits.
        """
        import torch

        if not self._batches:
            return None
        found: list[torch.Tensor] = []
        with torch.no_grad():
            for batch in self._batches:
                if give_up():
                    return None
                found += self._sums(score, batch)
        sums: list[float] = torch.cat(found).tolist()  # waits for the device once
        sizes = [predicted(row) for batch in self._batches for row in batch]
        total = sum(sums)
        bits_per_byte = total / (math.log(2) * max(self.bytes, 1))
        return Measure(total / self.tokens, self.tokens, bits_per_byte, sums, sizes)

    def _sums(self, score: Scorer, batch: Sequence[Row]) -> list[Any]:
        """The sums of the rows of each part of ``batch``, not waited for."""
        while True:
            size = max(1, -(-len(batch) // self.parts))
            parts = [batch[start : start + size] for start in range(0, len(batch), size)]
            try:
                return [
                    score.of_rows(*tensors(part, self._device, batch_tokens=self._batch_tokens))[
                        : len(part)
                    ]
                    for part in parts
                ]
            except Exception as error:
                self.parts = memory.more_parts(error, self.parts, batch, self._device)
            memory.release(self._device)


def affordable_tokens(parameters: int, device_type: str) -> int:
    """Held-out tokens that take about two seconds, at 2 * parameters operations each, but not so
    few that their loss says little: that of 4,000 has a standard error of some hundredths.

    It depends on the kind of device and not on a measurement, so that a run can be repeated.
    """
    operations = {"cpu": 5e11, "cuda": 4e13}.get(device_type, 4e12)
    return int(min(max(operations / (2 * parameters), 4000), 100_000))


def tokens_within(minutes: float, score: Scorer, rows: Sequence[Row], device: Any) -> int:
    """Held-out tokens that take a thirtieth of a run of ``minutes``, but at least 1,000.

    This is measured, on the first of ``rows``: a run that is ended by the clock cannot be repeated
    to the bit anyway, and slow machines are ten times slower than fast ones.
    """
    probe: list[Row] = []
    for row in rows:
        probe.append(row)
        if sum(predicted(one) for one in probe) >= _PROBE_TOKENS:
            break
    if not probe:
        return 0
    score.of_rows(*tensors(probe[:1], device)).tolist()  # the first pass sets things up
    began = time.perf_counter()
    score.of_rows(*tensors(probe, device)).tolist()
    speed = sum(predicted(row) for row in probe) / max(time.perf_counter() - began, 1e-9)
    return max(1000, int(speed * minutes * 60 / 30))
