"""The arithmetic of a line plot: ticks, smoothing and the braille raster."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tui.train.plot_bins import NAN, Bin

# --- ticks -------------------------------------------------------------------------------------


def nice_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that needs at most ``count`` steps."""
    if not (span > 0 and math.isfinite(span)) or count < 1:
        return 1.0
    raw = span / count
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1.0, 2.0, 2.5, 5.0):
        if factor * power >= raw * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def linear_ticks(low: float, high: float, count: int) -> list[float]:
    """At most ``count + 1`` round numbers inside ``[low, high]``, ascending and evenly spaced."""
    if not (math.isfinite(low) and math.isfinite(high)) or high < low or count < 1:
        return []
    if high - low <= max(1e-12 * max(abs(low), abs(high)), 1e-300):  # no floats for ticks between
        return [low]
    step = nice_step(high - low, count)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers inside ``[low, high]`` for a logarithmic axis: decades, then 1-2-5, else even.

    ``low`` must be positive.
    """
    if not (0 < low <= high and math.isfinite(high)) or count < 1:
        return []
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1.0, 2.0, 5.0), (1.0,)):
        ticks = [f * 10.0**p for p in powers for f in factors]
        ticks = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if 3 <= len(ticks) <= count + 1:
            return ticks
    if len(ticks) > count + 1:  # very many decades: every n-th of them
        return ticks[:: math.ceil(len(ticks) / (count + 1))]
    return linear_ticks(low, high, count)


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """One label for each tick, with as many decimals as it takes to tell them apart."""
    if not ticks:
        return []
    top = max(abs(tick) for tick in ticks)
    if top >= 1e9:
        return [f"{tick:.3g}" for tick in ticks]
    if top >= 1e6:
        labels = _labels([tick / 1e6 for tick in ticks])
        return [label if label == "0" else f"{label}M" for label in labels]
    return _labels(ticks)


def _labels(ticks: Sequence[float]) -> list[str]:
    for decimals in range(7):
        labels = [_number(tick, decimals) for tick in ticks]
        exact = all(abs(float(f"{t:.{decimals}f}") - t) <= abs(t) * 1e-6 for t in ticks)
        if exact and len(set(labels)) == len(labels):
            return labels
    return [f"{tick:.3g}" for tick in ticks]


def _number(value: float, decimals: int) -> str:
    if abs(value) >= 1e4:
        return f"{value:,.{decimals}f}"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def time_ticks(low: float, high: float, count: int) -> list[float]:
    """Ticks in seconds at steps a clock knows: 1, 5, 15, 30 s, then minutes, then hours."""
    span = high - low
    if not (span > 0 and math.isfinite(span)) or count < 1:
        return [low] if span == 0 else []
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    step = next((s for s in steps if span / s <= count), None)
    if step is None:
        step = 86400 * math.ceil(span / 86400 / count)
    first = math.ceil(low / step - 1e-9)
    return [float(i * step) for i in range(first, math.floor(high / step + 1e-9) + 1)]


# --- smoothing ---------------------------------------------------------------------------------


class Smoother:
    """An exponential moving average without the pull towards zero at the start.

    ``m = a*m + (1-a)*y``, shown divided by ``1 - a**n`` after n values: the bias correction of
    Adam (Kingma & Ba 2015, section 3), which TensorBoard's smoothing uses as well. ``weight`` is
    ``a`` in [0, 1); NaN gives NaN and leaves the average as it is.
    """

    def __init__(self, weight: float) -> None:
        if not 0 <= weight < 1:
            raise ValueError(f"smoothing weight must be in [0, 1), not {weight}")
        self.weight = weight
        self._mean = 0.0
        self._share = 0.0

    def push(self, value: float) -> float:
        if value != value:  # NaN
            return NAN
        a = self.weight
        self._mean = a * self._mean + (1 - a) * value
        self._share = a * self._share + (1 - a)
        return self._mean / self._share


# --- the raster --------------------------------------------------------------------------------

_BRAILLE = 0x2800
# Bits of the dots of one character by column, from the bottom up, Unicode chapter 21.1.
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
# The character of four dots at the left and four at the right, each a number of four bits, the
# lowest dot first.
_CHARACTERS = tuple(
    tuple(
        chr(
            _BRAILLE
            + sum(
                dot
                for bits, dots in zip((left, right), _DOTS, strict=True)
                for at, dot in enumerate(dots)
                if bits >> at & 1
            )
        )
        for right in range(16)
    )
    for left in range(16)
)


class Raster:
    """Dots on a grid of braille characters, two wide and four high in each cell.

    ``width`` and ``height`` are cells; dots are addressed from the bottom left. Dots outside are
    left out.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.dots_wide, self.dots_high = 2 * width, 4 * height
        self._columns = [0] * self.dots_wide  # a bit for each dot, the lowest first

    def dot(self, x: int, y: int) -> None:
        self.column(x, y, y)

    def column(self, x: int, y0: int, y1: int) -> None:
        """All dots of column ``x`` from ``y0`` to ``y1``, in either order."""
        if y0 > y1:
            y0, y1 = y1, y0
        if y0 < 0:
            y0 = 0
        if y1 >= self.dots_high:
            y1 = self.dots_high - 1
        if y0 <= y1 and 0 <= x < self.dots_wide:
            self._columns[x] |= (2 << y1) - (1 << y0)

    def line(self, x0: int, y0: int, x1: int, y1: int) -> None:
        """A line between two dots: a run of vertical pieces, without holes."""
        if x0 == x1:
            self.column(x0, y0, y1)
            return
        if x0 > x1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        previous = y0
        for x in range(x0, x1 + 1):
            y = round(y0 + (y1 - y0) * (x - x0) / (x1 - x0))
            # Start one above or below the last piece, so that slopes stay one dot thin.
            near = previous + (y > previous) - (y < previous)
            self.column(x, near, y)
            previous = y

    def mask_columns(self, on: int, off: int) -> None:
        """Turn the line into dashes: of every ``on + off`` columns keep the first ``on``."""
        for x in range(self.dots_wide):
            if x % (on + off) >= on:
                self._columns[x] = 0

    def characters(self) -> Iterator[tuple[int, int, str]]:
        """Column, row from the top, and character of each cell that has dots."""
        columns = self._columns
        for x in range(self.width):
            left, right = columns[2 * x], columns[2 * x + 1]
            if both := left | right:
                lowest = ((both & -both).bit_length() - 1) // 4
                for row in range(lowest, (both.bit_length() + 3) // 4):
                    lefts, rights = left >> 4 * row & 15, right >> 4 * row & 15
                    if lefts | rights:
                        yield x, self.height - 1 - row, _CHARACTERS[lefts][rights]

    def row(self, index: int) -> str:
        """Row ``index`` from the top as text; an empty cell is a space."""
        cells = {x: character for x, y, character in self.characters() if y == index}
        return "".join(cells.get(x, " ") for x in range(self.width))


@dataclass(frozen=True)
class Scale:
    """From values to dots, linear or logarithmic."""

    low: float
    high: float
    dots: int
    log: bool = False

    def __call__(self, value: float) -> int:
        """The dot of ``value``, bounded to the grid."""
        low, high = self.low, self.high
        if self.log:
            if value <= 0:
                return 0
            low, high, value = math.log(low), math.log(high), math.log(value)
        if high <= low:
            return self.dots // 2
        top = self.dots - 1
        dot = round((value - low) / (high - low) * top)
        return 0 if dot < 0 else top if dot > top else dot


def y_limits(bins: Sequence[Sequence[Bin | None]], log: bool) -> tuple[float, float] | None:
    """The lowest and the highest value in sight with a little air; None when there are none."""
    lows = [b.low for series in bins for b in series if b is not None and (b.low > 0 or not log)]
    highs = [b.high for series in bins for b in series if b is not None and (b.high > 0 or not log)]
    if not lows or not highs:
        return None
    low, high = min(lows), max(highs)
    if low == high:
        air = abs(low) * 0.1 or 1.0
        if log:
            return low / 1.1, high * 1.1
        return (max(0.0, low - air) if low >= 0 else low - air), high + air
    if log:
        air = (high / low) ** 0.03
        return low / air, high * air
    air = (high - low) * 0.04
    # A loss that never goes under zero has an axis that does not either.
    return (max(0.0, low - air) if low >= 0 else low - air), high + air


def draw_bins(raster: Raster, bins: Sequence[Bin | None], scale: Scale) -> None:
    """Draw one series: in each column its whole range, and lines from column to column."""
    before: tuple[int, int] | None = None
    for x, item in enumerate(bins):
        if item is None:
            continue
        if not scale.log or item.low > 0:
            low = scale(item.low)
            high = low if item.high == item.low else scale(item.high)
            raster.column(x, low, high)
            if before is not None and item.joins:
                raster.line(*before, x, low if item.first == item.low else scale(item.first))
            last = low if item.last == item.low else scale(item.last)
            before = (x, last) if item.leaves else None
        else:
            before = None
