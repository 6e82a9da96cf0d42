"""The points of one line of a plot, with what is worked out from them kept for the next frame."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from tui.train.plot_maths import NAN, Bin, Smoother, min_max_bins

Role = Literal["train", "valid", "other"]


class Series:
    """Points in ascending x. A value that is not finite is a gap in the line.

    Smoothed values grow with the points, and the bins of the last frame are kept, so that an
    appended point costs one step of the average and one pass of ``min`` and ``max``.
    """

    def __init__(self, name: str, role: Role = "other") -> None:
        self.name = name
        self.role = role
        self.xs: array[float] = array("d")
        self.ys: array[float] = array("d")
        self._smooth: array[float] = array("d")
        self._smoother = Smoother(0.0)
        self._bins: dict[tuple[object, ...], list[Bin | None]] = {}
        self._revision = 0

    def __len__(self) -> int:
        return len(self.xs)

    def set(self, xs: Iterable[float], ys: Iterable[float | None]) -> None:
        """Replace all points; they are sorted by x, and points without a finite x are left out."""
        pairs = [(float(x), _value(y)) for x, y in zip(xs, ys, strict=True)]
        pairs = [pair for pair in pairs if math.isfinite(pair[0])]
        if any(a[0] > b[0] for a, b in pairwise(pairs)):
            pairs.sort(key=lambda pair: pair[0])
        self.xs = array("d", [pair[0] for pair in pairs])
        self.ys = array("d", [pair[1] for pair in pairs])
        self._forget()

    def append(self, x: float, y: float | None) -> None:
        """Add one point. One that lies before the last (a run resumed) is put in its place."""
        if not math.isfinite(x):
            return
        value = _value(y)
        if self.xs and x < self.xs[-1]:
            place = bisect_right(self.xs, x)
            self.xs.insert(place, x)
            self.ys.insert(place, value)
            self._forget()
            return
        self.xs.append(x)
        self.ys.append(value)
        self._revision += 1

    def _forget(self) -> None:
        self._smooth = array("d")
        self._smoother = Smoother(self._smoother.weight)
        self._revision += 1
        self._bins.clear()

    def values(self, smoothing: float) -> Sequence[float]:
        """The ys as they are drawn."""
        if smoothing <= 0:
            return self.ys
        if smoothing != self._smoother.weight:
            self._smoother = Smoother(smoothing)
            self._smooth = array("d")
        push = self._smoother.push
        if len(self._smooth) < len(self.ys):
            self._smooth.extend([push(value) for value in self.ys[len(self._smooth) :]])
        return self._smooth

    def bins(self, left: float, right: float, count: int, smoothing: float) -> list[Bin | None]:
        """``min_max_bins`` of the values as drawn; the last few answers are kept."""
        key = (left, right, count, smoothing, self._revision)
        if key not in self._bins:
            if len(self._bins) > 3:
                self._bins.clear()
            self._bins[key] = min_max_bins(self.xs, self.values(smoothing), left, right, count)
        return self._bins[key]

    def at(self, x: float, smoothing: float) -> float:
        """The value of the last point at or before ``x`` that has one; NaN when there is none."""
        values = self.values(smoothing)
        for index in range(bisect_right(self.xs, x) - 1, -1, -1):
            if values[index] == values[index]:
                return values[index]
        return NAN

    def last(self, smoothing: float) -> float:
        return self.at(math.inf, smoothing)


def _value(y: float | None) -> float:
    return NAN if y is None or not math.isfinite(y) else float(y)
