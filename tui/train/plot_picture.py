"""A loss plot as lines of styled text: where the legend, the axes and the dots go.

Nothing here knows Textual: a picture is a list of lines, a line a list of (text, style name).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from core.safe_text import printable
from tui.text.numbers import clock, short_count
from tui.train.plot_bins import Bin
from tui.train.plot_legend import (
    SPARK_UNDER,
    Line,
    Stroke,
    View,
    legend,
    lettered,
    names_of,
    number,
    strokes,
)
from tui.train.plot_maths import (
    Raster,
    Scale,
    draw_bins,
    linear_ticks,
    log_ticks,
    tick_labels,
    time_ticks,
    y_limits,
)
from tui.train.plot_series import Series
from tui.widgets.cells import cell_len, fit

_LEAST_MARGIN = 5  # labels of four cells and the axis: most losses fit, and the plot stays still


def x_limits(series: Sequence[Series], view: View) -> tuple[float, float]:
    """Ends of the x axis: from zero when the points begin near it."""
    if view.x_span is not None:
        return view.x_span
    low = min(item.xs[0] for item in series if len(item))
    high = max(item.xs[-1] for item in series if len(item))
    if view.x_end is not None:
        high = max(high, view.x_end)
    if 0 <= low <= 0.15 * high:
        low = 0.0
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _order(series: Sequence[Series]) -> list[int]:
    """Drawn from back to front: other runs, train, held out."""
    rank = {"other": 0, "train": 1, "valid": 2}
    return sorted(range(len(series)), key=lambda index: rank[series[index].role])


class Grid:
    """The plot's own cells, each with a character and the name of its style."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.texts = [[" "] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str, style: str) -> None:
        if 0 <= x < self.width and 0 <= y < self.height:
            self.texts[y][x] = text
            self.styles[y][x] = style

    def lay(self, raster: Raster, style: str) -> None:
        """Lay dots over what is there; a cell has one colour, so the upper line takes it."""
        for x, y, char in raster.characters():
            self.texts[y][x] = char
            self.styles[y][x] = style

    def line(self, y: int) -> Line:
        line: Line = []
        start = 0
        styles, texts = self.styles[y], self.texts[y]
        for x in range(1, self.width + 1):
            if x == self.width or styles[x] != styles[start]:
                line.append(("".join(texts[start:x]), styles[start]))
                start = x
        return line


_Bins = list[list["Bin | None"]]


def _bins(
    series: Sequence[Series], view: View, width: int, span: tuple[float, float]
) -> tuple[_Bins, _Bins]:
    """What each series shows in ``width`` cells, and the unsmoothed lines that go behind."""
    smooth = [item.bins(*span, 2 * width, item.weight(view.smoothing)) for item in series]
    raw = [
        item.bins(*span, 2 * width, 0.0)
        for item in series
        if view.show_raw and item.role == "train" and item.weight(view.smoothing) > 0
    ]
    return smooth, raw


def _scale(bins: tuple[_Bins, _Bins], view: View, height: int) -> Scale:
    low, high = y_limits([*bins[0], *bins[1]], view.log_y) or (1.0, 10.0)
    return Scale(low, high, 4 * height, view.log_y)


def _plot(
    series: Sequence[Series],
    view: View,
    bins: tuple[_Bins, _Bins],
    grid: Grid,
    scale: Scale,
    span: tuple[float, float],
) -> None:
    """Draw every series into the grid, unsmoothed lines at the back."""
    smooth, raw = bins
    for line in raw:
        raster = Raster(grid.width, grid.height)
        draw_bins(raster, line, scale)
        grid.lay(raster, "raw")
    found = strokes(series, view)
    for index in _order(series):
        raster = Raster(grid.width, grid.height)
        draw_bins(raster, smooth[index], scale)
        dash = found[index].dash
        if dash is not None:
            raster.mask_columns(*dash)
        grid.lay(raster, found[index].style)
        if series[index].role == "valid":
            _points(series[index], grid, span, scale)
    if lettered(series, view):
        others = [index for index, item in enumerate(series) if item.role == "other"]
        for number, index in enumerate(others):
            share = (number + 0.5) / len(others)
            _put_letter(grid, smooth[index], scale, share, found[index])


def _put_letter(
    grid: Grid, bins: list[Bin | None], scale: Scale, share: float, stroke: Stroke
) -> None:
    """Writes a line's letter on it after so much of its way: each on another column."""
    drawn = [at for at, one in enumerate(bins) if one is not None]
    if not drawn:
        return
    wanted = drawn[0] + share * (drawn[-1] - drawn[0])
    after = bisect_left(drawn, wanted)
    right, left = drawn[after], drawn[max(0, after - 1)]
    one, other = bins[left], bins[right]
    assert one is not None and other is not None  # noqa: PT018, S101 - they are drawn
    way = (wanted - left) / (right - left) if right > left else 0.0
    y = scale(one.last) + way * (scale(other.first) - scale(one.last))
    grid.put(int(wanted) // 2, grid.height - 1 - int(y) // 4, stroke.mark, stroke.style)


def _points(item: Series, grid: Grid, span: tuple[float, float], scale: Scale) -> None:
    """A ``●`` on each point while they stand apart, else on the last alone."""
    left, right = span
    first, stop = bisect_left(item.xs, left), bisect_right(item.xs, right)
    newest = range(max(first, stop - grid.width), stop)
    real = [(item.xs[at], item.ys[at]) for at in newest if item.ys[at] == item.ys[at]]
    if len(real) * 3 > grid.width or stop - first > grid.width:
        real = real[-1:]
    for x, y in real:
        column = min(grid.width - 1, int((x - left) / (right - left) * grid.width))
        grid.put(column, grid.height - 1 - scale(y) // 4, "●", "valid")


def _x_axis(view: View, span: tuple[float, float], width: int) -> tuple[str, str]:
    """The rule with its ticks and the numbers under it, both ``width`` cells."""
    left, right = span
    count = max(1, width // 14)
    if view.x_log:
        values = log_ticks(10**left, 10**right, count)
        ticks = [math.log10(value) for value in values]
        labels = [clock(value) for value in values] if view.x_is_time else tick_labels(values)
    elif view.x_is_time:
        ticks = time_ticks(left, right, count)
        labels = [clock(tick) for tick in ticks]
    else:
        ticks = linear_ticks(left, right, count)
        if view.x_label == "step":
            ticks = [tick for tick in ticks if abs(tick - round(tick)) < 1e-9]
        labels = tick_labels(ticks)
    rule, under = ["─"] * width, [" "] * width
    for tick, label in zip(ticks, labels, strict=True):
        tick_column = min(width - 1, int((tick - left) / (right - left) * width))
        rule[tick_column] = "┬"
        start = max(0, min(width - len(label), tick_column - len(label) // 2))
        if all(char == " " for char in under[max(0, start - 1) : start + len(label) + 1]):
            under[start : start + len(label)] = label
    return "".join(rule), "".join(under)[:width]


def _y_axis(scale: Scale, height: int) -> tuple[list[str], int]:
    """A label or nothing for each line of the plot, and the width of the widest."""
    count = max(3, 2 * height // 5)
    make = log_ticks if scale.log else linear_ticks
    ticks = make(scale.low, scale.high, count)
    labels = [""] * height
    for tick, label in zip(ticks, short_labels(ticks), strict=True):
        row = height - 1 - scale(tick) // 4
        if not labels[row]:
            labels[row] = label
    return labels, max((len(label) for label in labels), default=0)


def short_labels(ticks: Sequence[float]) -> list[str]:
    """Labels that leave the margin as it is, for figures that are large or small too."""
    top = max(map(abs, ticks), default=0.0)
    if 1e4 <= top < 1e6:
        thousands = tick_labels([tick / 1e3 for tick in ticks])
        return [label if label == "0" else f"{label}k" for label in thousands]
    if 0 < top < 1e-2:
        powers = [f"{tick:.1e}".replace("e-0", "e-").replace(".0e", "e") for tick in ticks]
        return ["0" if tick == 0 else power for tick, power in zip(ticks, powers, strict=True)]
    return tick_labels(ticks)


def picture(series: Sequence[Series], view: View) -> list[Line]:
    """The whole plot, ``view.height`` lines of ``view.width`` cells; at least one point needed."""
    shown = [item for item in series if len(item)]
    if view.height < SPARK_UNDER:
        return _spark(shown, view)
    span = x_limits(shown, view)
    names = names_of(shown, view)
    height = view.height - 3 - len(names)
    margin = _LEAST_MARGIN
    bins = _bins(shown, view, max(1, view.width - margin), span)
    scale = _scale(bins, view, height)
    labels, widest = _y_axis(scale, height)
    if widest + 1 > margin:  # the limits do not depend on the width, only the bins do
        margin = widest + 1
        bins = _bins(shown, view, max(1, view.width - margin), span)
    grid = Grid(max(1, view.width - margin), height)
    _plot(shown, view, bins, grid, scale, span)
    if view.cursor is not None:
        _cursor(grid, view.cursor, span)
    lines = [legend(shown, view, view.width), *names]
    for y, label in enumerate(labels):
        axis = f"{label:>{margin - 1}}" + ("┤" if label else "│")
        lines.append([(axis, "axis"), *grid.line(y)])
    rule, under = _x_axis(view, span, grid.width)
    lines.append([(" " * (margin - 1) + "└" + rule, "axis")])
    # The name of the axis stands before its numbers, under those of the other axis.
    lines.append([(fit(view.x_label, margin - 1, "right") + " " + under, "axis")])
    return lines


def _cursor(grid: Grid, x: float, span: tuple[float, float]) -> None:
    left, right = span
    if not left <= x <= right:
        return
    column = min(grid.width - 1, max(0, int((x - left) / (right - left) * grid.width)))
    for y in range(grid.height):
        if grid.texts[y][column] == " " or grid.styles[y][column] == "raw":
            grid.put(column, y, "│", "cursor")


def _spark(series: Sequence[Series], view: View) -> list[Line]:
    """One line: the last values and the curve. Two to five lines: the legend over the curve."""
    span = x_limits(series, view)
    if view.height == 1:
        parts: Line = []
        for item, stroke in list(zip(series, strokes(series, view), strict=True))[:2]:
            value = number(item.last(item.weight(view.smoothing)))
            if view.cursor is not None:
                value = number(item.at(view.cursor, item.weight(view.smoothing)))
            parts += [(stroke.mark[-1], stroke.style), (f" {printable(item.label)} ", "label")]
            parts += [(value, "strong"), ("  ", "")]
        used = sum(cell_len(text) for text, _ in parts)
        if view.width - used < 8:
            parts, used = [], 0
        return [parts + _curve(series, view, max(1, view.width - used), 1, span)[0]]
    width = max(1, view.width - view.margin)
    lines = _curve(series, view, width, view.height - 1, span)
    if view.width > view.margin > 0:
        low, high = y_limits(_bins(series, view, width, span)[0], view.log_y) or (
            math.nan,
            math.nan,
        )
        ends = [""] * len(lines)
        ends[-1], ends[0] = (_in_cells(value, view.margin - 1) for value in (low, high))
        lines = [
            [(fit(end, view.margin - 1, "right") + " ", "axis"), *line]
            for end, line in zip(ends, lines, strict=True)
        ]
    return [legend(series, view, view.width), *lines]


def _in_cells(value: float, cells: int) -> str:
    """``number``, or with as many digits as there is room for: ``12.3``, ``1.2k``, ``2e-3``."""
    size = abs(value)
    shorter = [number(value)]
    if 1 <= size < 999.5:
        shorter += [f"{value:.1f}", f"{value:.0f}"]
    elif size >= 1:
        counted = short_count(value)
        shorter += [counted, counted.partition(".")[0] + counted[-1]]
    elif size > 0:
        shorter += [f"{value:.1g}", f"{value:.0e}".replace("e-0", "e-")]
    return next((text for text in shorter if len(text) <= cells), shorter[-1])


def _curve(
    series: Sequence[Series], view: View, width: int, height: int, span: tuple[float, float]
) -> list[Line]:
    """The lines alone, without axes."""
    bins = _bins(series, view, width, span)
    grid = Grid(width, height)
    _plot(series, view, bins, grid, _scale(bins, view, height), span)
    if view.cursor is not None:
        _cursor(grid, view.cursor, span)
    return [grid.line(y) for y in range(height)]
