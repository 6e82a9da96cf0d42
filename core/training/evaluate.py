"""The loss on tweets that the run never learns from."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.training.data import Row, TweetRows, batches, tensors
from core.training.device import static_shapes
from core.training.loss import Scorer


@dataclass(frozen=True)
class Measure:
    """loss: nats a token, over ``tokens`` tokens; bits_per_byte does not depend on the tokenizer.

    ``bits_per_byte`` = loss * tokens / (ln 2 * bytes), bytes of UTF-8 plus one for each end mark.
    """

    loss: float
    tokens: int
    bits_per_byte: float


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

    def measure(
        self, score: Scorer, *, give_up: Callable[[], bool] = lambda: False
    ) -> Measure | None:
        """The token-weighted mean loss; None when there is nothing to measure, or it gave up."""
        import torch

        if not self._batches:
            return None
        losses = []
        with torch.no_grad():
            for batch in self._batches:
                if give_up():
                    return None
                losses.append(score(*tensors(batch, self._device, batch_tokens=self._batch_tokens)))
        total = 0.0
        for loss in torch.stack(losses).tolist():
            total += loss
        return Measure(total / self.tokens, self.tokens, total / (math.log(2) * max(self.bytes, 1)))


def affordable_tokens(parameters: int, device_type: str) -> int:
    """Held-out tokens that take about two seconds: 2 * parameters operations each.

    It depends on the kind of device and not on a measurement, so that a run can be repeated.
    """
    operations = {"cpu": 5e11, "cuda": 4e13}.get(device_type, 4e12)
    return int(min(max(operations / (2 * parameters), 1000), 100_000))
