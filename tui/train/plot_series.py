"""The points of one line of a plot, with what is worked out from them kept for the next frame."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from tui.train.plot_bins import NAN, Bin, MinMaxPyramid, min_max_bins
from tui.train.plot_maths import Smoother

Role = Literal["train", "valid", "other"]


class Series:
    """Points in ascending x. A value that is not finite is a gap in the line.

    Smoothed values grow with the points, so that an appended point costs one step of the average;
    a picture looks at a few points for each of its columns, however many there are.
    """

    def __init__(self, name: str, role: Role = "other", label: str = "") -> None:
        """``label`` is what a person reads; the name where there is none."""
        self.name = name
        self.label = label or name
        self.role = role
        self.noisy = role != "valid"
        """Whether it is smoothed: held-out losses are few, and each is a mean already."""
        self.number: int | None = None
        """Which of the other runs it is, from 0, where that is not its turn among the lines."""
        self.xs: array[float] = array("d")
        self._raw = MinMaxPyramid()
        self._smooth = MinMaxPyramid()
        self._smoother = Smoother(0.0)

    def __len__(self) -> int:
        return len(self.xs)

    @property
    def ys(self) -> Sequence[float]:
        return self._raw.values

    def set(self, xs: Iterable[float], ys: Iterable[float | None]) -> None:
        """Replace all points; they are sorted by x, and points without a finite x are left out."""
        pairs = [(float(x), _value(y)) for x, y in zip(xs, ys, strict=True)]
        pairs = [pair for pair in pairs if math.isfinite(pair[0])]
        if any(a[0] > b[0] for a, b in pairwise(pairs)):
            pairs.sort(key=lambda pair: pair[0])
        self.xs = array("d", [pair[0] for pair in pairs])
        self._set_values([pair[1] for pair in pairs])

    def extend(self, points: Iterable[tuple[float, float | None]]) -> None:
        """Add points. One that lies before the last (a run resumed) is put in its place."""
        values: list[float] = []
        for x, y in points:
            if not math.isfinite(x):
                continue
            if self.xs and x < self.xs[-1]:
                self._raw.extend(values)
                values.clear()
                index = bisect_right(self.xs, x)
                self.xs.insert(index, x)
                self._set_values([*self.ys[:index], _value(y), *self.ys[index:]])
            else:
                self.xs.append(x)
                values.append(_value(y))
        self._raw.extend(values)

    def weight(self, smoothing: float) -> float:
        """As much of ``smoothing`` as this line takes."""
        return smoothing if self.noisy else 0.0

    def _set_values(self, values: Iterable[float]) -> None:
        self._raw = MinMaxPyramid(values)
        self._smooth = MinMaxPyramid()
        self._smoother = Smoother(self._smoother.weight)

    def _drawn(self, smoothing: float) -> MinMaxPyramid:
        """The values as they are drawn."""
        if smoothing <= 0:
            return self._raw
        if smoothing != self._smoother.weight:
            self._smoother = Smoother(smoothing)
            self._smooth = MinMaxPyramid()
        if len(self._smooth) < len(self._raw):
            push = self._smoother.push
            self._smooth.extend([push(value) for value in self.ys[len(self._smooth) :]])
        return self._smooth

    def bins(self, left: float, right: float, count: int, smoothing: float) -> list[Bin | None]:
        """``min_max_bins`` of the values as drawn, with the line led on to both edges."""
        ys = self._drawn(smoothing)
        bins = min_max_bins(self.xs, ys, left, right, count)
        if count and len(self.xs) and right > left:
            self._lead_on(bins, ys.values, left, right)
        return bins

    def _lead_on(
        self, bins: list[Bin | None], ys: Sequence[float], left: float, right: float
    ) -> None:
        """Where an edge lies between two points, it gets the value of the line between them."""
        enters, leaves = self._between(ys, left), self._between(ys, right)
        inside = [at for at, one in enumerate(bins) if one is not None]
        if enters is not None and bins[0] is None:
            bins[0] = Bin(enters, enters, enters, enters, joins=False, leaves=True)
            first = bins[inside[0]] if inside else None
            if first is not None and ys[bisect_right(self.xs, left)] == first.first:
                bins[inside[0]] = first._replace(joins=True)
        if leaves is not None and bins[-1] is None:
            bins[-1] = Bin(leaves, leaves, leaves, leaves, joins=True, leaves=True)

    def _between(self, ys: Sequence[float], x: float) -> float | None:
        """The line's value at ``x``; None on a point, at a gap and outside."""
        at = bisect_right(self.xs, x)
        if not 0 < at < len(self.xs) or self.xs[at - 1] == x:
            return None
        before, after = ys[at - 1], ys[at]
        share = (x - self.xs[at - 1]) / (self.xs[at] - self.xs[at - 1])
        found = before + share * (after - before)
        return found if math.isfinite(found) else None

    def at(self, x: float, smoothing: float) -> float:
        """The value of the last point at or before ``x`` that has one; NaN when there is none."""
        return self._drawn(smoothing).last(bisect_right(self.xs, x))

    def last(self, smoothing: float) -> float:
        return self.at(math.inf, smoothing)


def _value(y: float | None) -> float:
    return NAN if y is None or not math.isfinite(y) else float(y)
