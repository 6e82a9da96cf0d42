"""Many points of a line as one bin for each column of a plot.

Python without numpy: what it costs depends on the number of columns, not on that of the points, and
nothing has to be imported to draw a plot.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

NAN = math.nan


class Bin(NamedTuple):
    """What one column of dots has to show of the points that fall into it."""

    first: float
    low: float
    high: float
    last: float
    joins: bool
    """Whether a line leads here from the bin before (no gap between them)."""
    leaves: bool
    """Whether a line may lead on from here."""


class MinMaxPyramid:
    """Values of which the least and the greatest in any stretch are found in O(log n).

    Over the values lie the extremes of each block of 16, over those the extremes of each block of
    16 blocks, and so on; a value is added in O(1) amortised. NaN is a gap: a stretch of NaN only
    has the extremes (inf, -inf).
    """

    BLOCK = 16

    def __init__(self, values: Iterable[float] = ()) -> None:
        self.values: array[float] = array("d")
        self._levels: list[tuple[array[float], array[float]]] = []  # lows, highs of full blocks
        self.extend(values)

    def __len__(self) -> int:
        return len(self.values)

    def extend(self, values: Iterable[float]) -> None:
        self.values.extend(values)
        lows = highs = self.values
        depth = 0
        while full := len(lows) // self.BLOCK:
            if depth == len(self._levels):
                self._levels.append((array("d"), array("d")))
            block_lows, block_highs = self._levels[depth]
            for start in range(len(block_lows) * self.BLOCK, full * self.BLOCK, self.BLOCK):
                block = slice(start, start + self.BLOCK)
                low, high = _extremes(lows, highs, block)
                block_lows.append(low)
                block_highs.append(high)
            lows, highs = block_lows, block_highs
            depth += 1

    def extremes(self, start: int, stop: int) -> tuple[float, float]:
        """The least and the greatest of ``values[start:stop]``."""
        size = self.BLOCK
        found: list[tuple[float, float]] = []
        lows = highs = self.values
        for level in self._levels:
            if stop - start <= 2 * size:
                break
            inner_start, inner_stop = -(-start // size), stop // size
            for edge in (slice(start, inner_start * size), slice(inner_stop * size, stop)):
                found.append(_extremes(lows, highs, edge))
            start, stop = inner_start, inner_stop
            lows, highs = level
        found.append(_extremes(lows, highs, slice(start, stop)))
        return min(low for low, _ in found), max(high for _, high in found)

    def first(self, start: int, stop: int) -> float:
        """The first value of ``values[start:stop]`` that is no gap; NaN when all are."""
        while start < stop:
            if (value := self.values[start]) == value:
                return value
            start += self._gap(start, 0)
        return NAN

    def last(self, stop: int) -> float:
        """The last value of ``values[:stop]`` that is no gap; NaN when all are."""
        while stop > 0:
            if (value := self.values[stop - 1]) == value:
                return value
            stop -= self._gap(stop, -1)
        return NAN

    def _gap(self, index: int, side: int) -> int:
        """How many values from ``index`` on (side 0) or before it (-1) surely are gaps."""
        gap = size = 1
        for lows, _ in self._levels:
            size *= self.BLOCK
            block = index // size + side
            if index % size or not 0 <= block < len(lows) or lows[block] != math.inf:
                break
            gap = size
        return gap


def _extremes(lows: Sequence[float], highs: Sequence[float], part: slice) -> tuple[float, float]:
    """``highs`` is ``lows`` where these are the values themselves."""
    same = highs is lows
    lows = lows[part]
    highs = lows if same else highs[part]
    if sum(lows) != sum(lows):  # NaN among them
        lows = highs = [value for value in lows if value == value]
    return min(lows, default=math.inf), max(highs, default=-math.inf)


# So many values are looked at as fast as their extremes are found in the pyramid.
_FEW = 64


def min_max_bins(
    xs: Sequence[float], ys: MinMaxPyramid, left: float, right: float, count: int
) -> list[Bin | None]:
    """Points with ascending ``xs`` in [left, right] summed up in ``count`` bins of equal width.

    None for a bin without points. A bin of NaN only is None as well and breaks the line: the next
    one does not join. Every finite value lies between the ``low`` and ``high`` of its bin, so that
    no peak is lost however many points there are.
    """
    bins: list[Bin | None] = [None] * count
    if not count or not len(xs) or right < left:
        return bins
    scale = (right - left) / count
    start = bisect_left(xs, left)
    stop = bisect_right(xs, right)
    unbroken = False
    index = 0
    while start < stop:
        if scale > 0:
            index = max(index, min(count - 1, int((xs[start] - left) / scale)))
            end = stop if index == count - 1 else bisect_left(xs, left + (index + 1) * scale, start)
            end = max(min(end, stop), start + 1)
        else:
            end = stop
        few = ys.values[start:end] if end - start <= _FEW else None
        if few and (total := sum(few)) == total:  # no gap among them
            bins[index] = Bin(few[0], min(few), max(few), few[-1], unbroken, True)
            unbroken, start = True, end
            continue
        low, high = ys.extremes(start, end)
        if low > high:  # nothing but gaps
            unbroken = False
        else:
            joins = unbroken and ys.values[start] == ys.values[start]
            unbroken = ys.values[end - 1] == ys.values[end - 1]
            bins[index] = Bin(ys.first(start, end), low, high, ys.last(end), joins, unbroken)
        start = end
    return bins
