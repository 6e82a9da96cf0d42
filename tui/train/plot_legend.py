"""The legend of a plot: what a person chose to see, which stroke each line has, and its value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from core.safe_text import printable
from tui.text.numbers import clock
from tui.train.plot_series import Series
from tui.widgets.cells import cell_len, cut, fit

Line = list[tuple[str, str]]

SPARK_UNDER = 6
"""Under this many lines there are no axes, only the curve and the last values."""

# Each line differs in its stroke as well as in its colour: (dots on, dots off), sample in legend.
_OTHER_STROKES = (((4, 2), "╌╌"), ((2, 2), "┄┄"), ((1, 2), "··"))
OTHER_COLOURS = 6
# More other runs than strokes wear letters, where a plot has the lines to name them.
LETTERS_OVER = len(_OTHER_STROKES)
_LETTERED_HEIGHT = 11
# Cells of one run in the legend of many: letter, name, value.
_NAMED_WIDTH = (14, 24)
# Of a name in one line with others, the spaces around it included.
_LEAST_NAME = 8
_MARKS = {"train": "──", "valid": "─●"}


@dataclass(frozen=True)
class View:
    """What a person chose to see. ``cursor`` is an x; ``x_end`` holds the axis open to there.

    ``x_log`` says that each x is a logarithm to the base 10. ``x_span`` is the stretch of the axis
    in view, all of it where there is none. ``margin`` holds so many cells free at the left of a
    plot without axes. ``name_others``: whether the legend names the lines of other runs.
    """

    width: int
    height: int
    log_y: bool = False
    smoothing: float = 0.0
    show_raw: bool = True
    cursor: float | None = None
    x_label: str = "step"
    y_label: str = "loss"
    x_is_time: bool = False
    x_log: bool = False
    x_end: float | None = None
    x_span: tuple[float, float] | None = None
    margin: int = 0
    name_others: bool = True


def letter(number: int) -> str:
    """What the ``number``-th of many other runs wears, counted from 0."""
    return ascii_lowercase[number % len(ascii_lowercase)]


def stroke(number: int) -> str:
    """The same among few: how its line is drawn."""
    return _OTHER_STROKES[number % len(_OTHER_STROKES)][1]


@dataclass(frozen=True)
class Stroke:
    """How one series is drawn: style name, legend sample, dashes."""

    style: str
    mark: str
    dash: tuple[int, int] | None = None


def lettered(series: Sequence[Series], view: View) -> bool:
    others = sum(item.role == "other" for item in series)
    least = _LETTERED_HEIGHT if view.name_others else SPARK_UNDER
    return others > LETTERS_OVER and view.height >= least


def strokes(series: Sequence[Series], view: View) -> list[Stroke]:
    """A stroke for each series: the run's own two are fixed, other runs' take turns."""
    letters = lettered(series, view)
    found: list[Stroke] = []
    others = 0
    for item in series:
        if item.role in _MARKS:
            found.append(Stroke(item.role, _MARKS[item.role]))
        else:
            number = others if item.number is None else item.number
            dash, mark = _OTHER_STROKES[number % len(_OTHER_STROKES)]
            mark = letter(number) if letters else mark
            found.append(Stroke(f"other{number % OTHER_COLOURS + 1}", mark, dash))
            others += 1
    return found


def number(value: float) -> str:
    """A loss in at most five cells: ``3.61``, ``0.012``, ``240``; ``–`` for none."""
    if value != value:
        return "–"
    if abs(value) >= 1e4:
        return f"{value / 1e3:,.1f}k" if abs(value) < 1e5 else f"{value / 1e3:,.0f}k"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"


def legend(series: Sequence[Series], view: View, width: int) -> Line:
    """What is drawn and where it stands, at the right of a line ``width`` cells wide."""
    at = view.cursor
    below = lettered(series, view) or not view.name_others
    parts: list[Line] = [
        [
            (stroke.mark, stroke.style),
            (f" {printable(item.label)} ", "label"),
            (number(_shown_value(item, view)), "strong"),
        ]
        for item, stroke in zip(series, strokes(series, view), strict=True)
        if not (below and item.role == "other")
    ]
    note = view.y_label
    if view.log_y:
        note += ", log"
    if view.smoothing > 0:
        note += f", smoothed {view.smoothing:g}"
    if at is not None:
        x = 10**at if view.x_log else at
        shown_x = clock(x) if view.x_is_time else format(x, ",.6g" if view.x_log else ",.10g")
        note = f"{view.x_label} {shown_x}"
    left: Line = [(cut(printable(note), width), "strong" if at is not None else "label")]
    used = cell_len(left[0][0])
    roles = [item.role for item in series if not (below and item.role == "other")]
    _shorten_names([part for part, role in zip(parts, roles, strict=True) if role == "other"],
                   too_wide=used + sum(3 + _width(part) for part in parts) - width)  # fmt: skip
    shown: list[Line] = []
    for count, part in enumerate(parts):
        size = 3 + _width(part)
        rest = len(parts) - count - 1
        more = len(f"   … {rest} more") if rest else 0
        if used + size + more > width:
            hidden = len(parts) - count
            room = width - used
            shown.append([(fit(f"   … {hidden} more", min(room, 3 + 9), "left").rstrip(), "label")])
            used += cell_len(shown[-1][0][0])
            break
        shown.append([("   ", ""), *part])
        used += size
    gap: Line = [(" " * max(0, width - used), "")]
    return left + gap + [piece for part in shown for piece in part]


def _width(part: Line) -> int:
    return sum(cell_len(text) for text, _ in part)


def _shorten_names(parts: list[Line], too_wide: int) -> None:
    """Cuts the names of other runs, the longest first, so that all fit, if they then do."""
    names = [cell_len(part[1][0]) for part in parts]
    most = max(names, default=0)
    while most > _LEAST_NAME and sum(max(0, size - most) for size in names) < too_wide:
        most -= 1
    if too_wide > 0 and sum(max(0, size - most) for size in names) >= too_wide:
        for part in parts:
            name, style = part[1]
            if cell_len(name) > most:
                part[1] = (f" {cut(name.strip(), most - 2)} ", style)


def _shown_value(item: Series, view: View) -> float:
    """At the cursor, else the newest."""
    smoothing = item.weight(view.smoothing)
    return item.last(smoothing) if view.cursor is None else item.at(view.cursor, smoothing)


def names_of(series: Sequence[Series], view: View) -> list[Line]:
    """The legend of many other runs: letter, name and value of each, in columns."""
    if not (view.name_others and lettered(series, view)):
        return []
    least, most = _NAMED_WIDTH
    others = [
        pair for pair in zip(series, strokes(series, view), strict=True) if pair[0].role == "other"
    ]
    columns = max(1, min(len(others), view.width // most))
    rows = min(-(-len(others) // columns), max(1, view.height // 4))
    columns = max(1, min(-(-len(others) // rows), view.width // least))
    width = min(most, view.width // columns)
    lines: list[Line] = []
    for start in range(0, rows * columns, columns):
        line: Line = []
        for item, stroke in others[start : start + columns]:
            value = number(_shown_value(item, view))
            name = fit(printable(item.label), width - 4 - len(value), "left")
            line += [(f"{stroke.mark} ", stroke.style), (f"{name} ", "label")]
            line.append((f"{value} ", "strong"))
        if (hidden := len(others) - rows * columns) > 0 and start + columns >= rows * columns:
            line[-3:] = [(fit(f"… {hidden + 1} more", width, "left"), "label")]
        used = sum(cell_len(text) for text, _ in line)
        lines.append([*line, (" " * (view.width - used), "")])
    return lines
