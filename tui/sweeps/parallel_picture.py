"""A parallel plot as lines of styled text: one vertical axis a parameter, and a line a trial.

Nothing here knows Textual: a picture is a list of lines, a line a list of (text, style name).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise, takewhile

from core.safe_text import printable
from tui.train.plot_legend import Line
from tui.train.plot_maths import Raster, Scale, linear_ticks, log_ticks
from tui.train.plot_picture import Grid, short_labels
from tui.widgets.cells import cell_len, cut

# Cells from one axis to the next: a label of five, the axis, and some room to see a line in.
NARROWEST = 10
_LONGEST_LABEL = 8
# Lines of an axis for each of its ticks.
_LINES_A_TICK = 3


@dataclass(frozen=True)
class Axis:
    """``low`` and ``high`` are its ends; ``names`` are those of categories, whose values are then
    their indices. ``cut``: values beyond ``high`` are drawn at it.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    names: tuple[str, ...] = ()
    cut: bool = False

    def dot(self, value: float, dots: int) -> int:
        """Counted from the bottom."""
        if self.names:
            return int((value + 0.5) / len(self.names) * dots)
        return Scale(self.low, self.high, dots, self.log)(value)

    def labels(self, height: int) -> dict[int, str]:
        """Labels by the line that they stand in, counted from the top; the nearest to an end of the
        axis are there in any case.
        """
        if self.names:
            values: list[float] = [float(index) for index in range(len(self.names))]
            texts = [cut(printable(name), _LONGEST_LABEL) for name in self.names]
        else:
            make = log_ticks if self.log else linear_ticks
            values = make(self.low, self.high, max(2, height // _LINES_A_TICK))
            texts = short_labels(values)
            if self.cut:
                values.append(self.high)
                texts.append("more")
        found: dict[int, str] = {}
        order = [*range(len(values))]
        order = [*order[-1:], *order[:-1]]  # what is cut, and the other end, before those between
        for index in order:
            found.setdefault(height - 1 - self.dot(values[index], 4 * height) // 4, texts[index])
        return found


@dataclass(frozen=True)
class Trace:
    """A trial: a value for each axis, None from where nothing is known yet.

    ``label`` names it at the right; ``thick`` ones are drawn whole over what is behind them.
    """

    values: tuple[float | None, ...]
    style: str
    label: str = ""
    thick: bool = False
    dotted: bool = False


def axes_that_fit(axes: int, width: int) -> int:
    """How many axes a plot of so many cells has room for."""
    return min(axes, max(2, (width - _LONGEST_LABEL) // NARROWEST + 1))


def parallel_picture(
    axes: Sequence[Axis], traces: Sequence[Trace], width: int, height: int
) -> list[Line]:
    """``height`` lines of ``width`` cells: the names, and under them the axes.

    ``traces`` are drawn one over the other, the last on top; those of one style in a row merge.
    """
    grid = Grid(width, height - 1)
    labels = [axis.labels(grid.height) for axis in axes]
    columns = _columns(labels, max((cell_len(trace.label) for trace in traces), default=0), width)
    thin = tuple(takewhile(lambda trace: not trace.thick, traces))
    grid.texts, grid.styles = _behind(tuple(axes), thin, columns, grid.width, grid.height)
    _lay_traces(grid, axes, columns, traces[len(thin) :])
    for axis_labels, column in zip(labels, columns, strict=True):
        for y in range(grid.height):
            text = axis_labels.get(y, "")
            grid.put(column, y, "┤" if text else "│", "axis")
            for at, character in enumerate(text):
                grid.put(column - len(text) + at, y, character, "label")
    _name_traces(grid, axes[-1], columns[-1], traces)
    return [_names(axes, columns, width), *(grid.line(y) for y in range(grid.height))]


def _behind(
    axes: tuple[Axis, ...], traces: tuple[Trace, ...], columns: tuple[int, ...], *size: int
) -> tuple[list[list[str]], list[list[str]]]:
    """The texts and styles of a grid of ``size`` with the trials that stay as they are while the
    cursor moves: drawing 300 of them takes 0.2 seconds.
    """
    texts, styles = _drawn_behind(axes, traces, columns, *size)
    return [list(row) for row in texts], [list(row) for row in styles]


@lru_cache(maxsize=2)
def _drawn_behind(
    axes: tuple[Axis, ...], traces: tuple[Trace, ...], columns: tuple[int, ...], *size: int
) -> tuple[list[list[str]], list[list[str]]]:
    grid = Grid(*size)
    _lay_traces(grid, axes, columns, traces)
    return grid.texts, grid.styles


def _lay_traces(
    grid: Grid, axes: Sequence[Axis], columns: Sequence[int], traces: Sequence[Trace]
) -> None:
    for (style, thick, dotted), same in groupby(
        traces, lambda trace: (trace.style, trace.thick, trace.dotted)
    ):
        raster = Raster(grid.width, grid.height)
        for trace in same:
            _draw(raster, axes, columns, trace)
        if dotted:
            raster.mask_columns(1, 2)
        _lay(grid, raster, style, over=thick)


def _columns(labels: Sequence[dict[int, str]], right: int, width: int) -> tuple[int, ...]:
    """The cell of each axis: the first after its labels, the last before the traces' names."""
    first = max((cell_len(text) for text in labels[0].values()), default=0)
    last = max(first, width - 2 - right)
    steps = max(1, len(labels) - 1)
    return tuple(first + round(index * (last - first) / steps) for index in range(len(labels)))


def _draw(raster: Raster, axes: Sequence[Axis], columns: Sequence[int], trace: Trace) -> None:
    known: list[tuple[int, int]] = []
    for axis, column, value in zip(axes, columns, trace.values, strict=True):
        if value is None:
            break
        known.append((2 * column, axis.dot(value, raster.dots_high)))
    for (x, y), (next_x, next_y) in pairwise(known):
        raster.line(x, y, next_x, next_y)
        if trace.thick:
            up = 1 if max(y, next_y) + 1 < raster.dots_high else -1
            raster.line(x, y + up, next_x, next_y + up)


def _lay(grid: Grid, raster: Raster, style: str, *, over: bool) -> None:
    """Dots join those that are there, in a new colour; or stand alone, ``over`` them."""
    for x, y, character in raster.characters():
        under = grid.texts[y][x]
        if not over and under != " ":
            character = chr(ord(character) | ord(under))
        grid.put(x, y, character, style)


def _name_traces(grid: Grid, axis: Axis, column: int, traces: Sequence[Trace]) -> None:
    """Each name beside its end on the last axis, or in the nearest line that is free."""
    taken: set[int] = set()
    for trace in reversed(traces):
        value = trace.values[-1]
        if not trace.label or value is None:
            continue
        wanted = grid.height - 1 - axis.dot(value, 4 * grid.height) // 4
        free = [y for y in range(grid.height) if y not in taken]
        if free:
            y = min(free, key=lambda y: abs(y - wanted))
            taken.add(y)
            for at, character in enumerate(trace.label):
                grid.put(column + 2 + at, y, character, trace.style)


def _names(axes: Sequence[Axis], columns: Sequence[int], width: int) -> Line:
    """Each name over its axis, cut where the next one's begins."""
    line = [" "] * width
    for index, (axis, column) in enumerate(zip(axes, columns, strict=True)):
        room = width // len(axes) - 1
        name = cut(printable(axis.name), max(1, room))
        start = column - len(name) // 2
        if index == 0:
            start = min(start, column)
        start = max(0, min(start, width - len(name)))
        line[start : start + len(name)] = name
    return [("".join(line)[:width], "label")]
