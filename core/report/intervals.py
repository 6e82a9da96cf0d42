"""Estimates with 95 % intervals: Wilson's for shares, the bootstrap for everything else.

The bootstrap draws texts with replacement, all at once as numbers of times that each was drawn:
whatever is a function of sums over texts follows from one matrix product. Its seed is fixed, so
that the same texts give the same interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]

REPLICATES: Final = 1000
_SEED: Final = 0x6D796E61
# Two-sided 95 % of the standard normal distribution.
_Z: Final = 1.959964
_TAILS: Final = (0.025, 0.975)


@dataclass(frozen=True)
class Estimate:
    """``value`` from ``n`` texts, and the interval (low, high) around it (None: none is known).

    ``value`` None: too few texts to say, and ``n`` is how many there are.
    """

    value: float | None
    n: int
    interval: tuple[float, float] | None = None

    @classmethod
    def within(cls, value: float, n: int, low: float, high: float) -> Estimate:
        """An interval is never so narrow that the value is outside of it."""
        return cls(value, n, (min(low, value), max(high, value)))

    def to_json(self) -> dict[str, Any]:
        """``value``, ``n`` and ``interval``; four digits after the point."""
        value = None if self.value is None else round(self.value, 4)
        interval = None if self.interval is None else [round(end, 4) for end in self.interval]
        return {"value": value, "n": self.n, "interval": interval}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Estimate:
        """What `to_json` gave."""
        ends = fields["interval"]
        return cls(fields["value"], fields["n"], None if ends is None else (ends[0], ends[1]))


def share(hits: Sequence[bool]) -> Estimate:
    """How many of ``hits`` are true. Wilson's interval, because 0 of 200 is not surely none.

    Source: Wilson 1927; Brown, Cai and DasGupta 2001, Interval estimation for a binomial
    proportion.
    """
    n = len(hits)
    if not n:
        return Estimate(None, 0)
    p = sum(hits) / n
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    return Estimate.within(p, n, max(middle - half, 0.0), min(middle + half, 1.0))


def mean(values: Sequence[float]) -> Estimate:
    """The mean over texts."""
    return ratio(values, [1.0] * len(values))


def ratio(above: Sequence[float], below: Sequence[float]) -> Estimate:
    """sum(above) / sum(below) over texts; ``n`` counts those whose ``below`` is not 0."""
    pairs = [(a, b) for a, b in zip(above, below, strict=True) if b]
    if not pairs:
        return Estimate(None, 0)
    sums = np.array(pairs, dtype=np.float64)
    drawn = draws(len(pairs)) @ sums
    return _percentile(float(sums[:, 0].sum() / sums[:, 1].sum()), drawn[:, 0] / drawn[:, 1], sums)


def distance(rows: Floats, of: Callable[[Floats], Floats], *, most: float = math.inf) -> Estimate:
    """A distance, never below 0 and at most ``most``, between what ``rows`` add up to and a target.

    ``rows`` (texts, k); ``of`` takes sums (replicates, k) and gives (replicates,). Few texts lie
    further from anything than many do, by chance alone, and a sample of them again further by as
    much: so the mean of the replicates less the value is taken off, and the interval is the basic
    one. Source: Efron and Tibshirani 1993, An introduction to the bootstrap, chapters 10 and 13.
    """
    n = len(rows)
    if not n:
        return Estimate(None, 0)
    plain = float(of(rows.sum(axis=0, keepdims=True))[0])
    found = of(draws(n) @ rows)
    found = found[np.isfinite(found)]
    if not len(found):
        return Estimate(None, n)
    value = float(np.clip(2 * plain - found.mean(), 0.0, most))
    low, high = (float(np.clip(2 * plain - q, 0.0, most)) for q in np.quantile(found, _TAILS)[::-1])
    return Estimate.within(value, n, low, high)


def auc(members: Sequence[float], others: Sequence[float]) -> Estimate:
    """The chance that a member's score is above another's, ties counting half; 0.5 says nothing.

    It is the rank statistic U / (n m) of Mann and Whitney (1947); members and others are drawn
    apart. ``n`` counts both.
    """
    n = len(members) + len(others)
    if not members or not others:
        return Estimate(None, n)
    ordered = np.sort(np.asarray(others, dtype=np.float64))
    scores = np.asarray(members, dtype=np.float64)
    # of each member: how many of the others are below it, and how many are equal
    below = np.searchsorted(ordered, scores, side="left")
    upto = np.searchsorted(ordered, scores, side="right")
    value = float((below + upto).mean() / (2 * len(others)))
    rng = np.random.default_rng(_SEED)
    found = np.empty(REPLICATES)
    for number in range(REPLICATES):
        # ranks among the others that were drawn: how many stand before each place
        times = rng.multinomial(len(ordered), np.full(len(ordered), 1 / len(ordered)))
        before = np.concatenate([[0], np.cumsum(times)])
        drawn = rng.integers(len(scores), size=len(scores))
        found[number] = (before[below[drawn]] + before[upto[drawn]]).mean() / (2 * len(others))
    low, high = np.quantile(found, _TAILS)
    return Estimate.within(value, n, float(low), float(high))


@lru_cache(maxsize=4)
def draws(n: int) -> Floats:
    """(REPLICATES, n): how often each of ``n`` texts is in each sample of ``n`` of them."""
    rng = np.random.default_rng(_SEED)
    return rng.multinomial(n, np.full(n, 1 / n), size=REPLICATES).astype(np.float64)


def _percentile(value: float, found: Floats, rows: Floats) -> Estimate:
    if len(rows) < 2:
        return Estimate(value, len(rows))
    low, high = np.quantile(found, _TAILS)
    return Estimate.within(value, len(rows), float(low), float(high))
