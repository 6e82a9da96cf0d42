"""Measures as pictures of lines: a dot with its interval for each point, or a table of percents.

A line is pieces of (text, style); the styles are those of `tui.report.page.Page`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tui.report.points import OTHER_SIGN, SIGNS, STYLES, UNSEEN, in_digits, name_of

if TYPE_CHECKING:
    from core.report.intervals import Estimate
    from core.report.measures import Measure

Line = list[tuple[str, str]]

LABEL: Final = 15
# Cells that a picture needs to tell anything.
_LEAST_PLOT: Final = 12
# Ends of a scale; half of each is a round number, too.
_ROUND: Final = (1, 2, 4, 6, 8, 10)
_CELL: Final = 4


def dots(measure: Measure, width: int) -> list[Line]:
    """A line for each point, and the scale under them. The dotted line is where the unseen tweets
    are.
    """
    top = _top(measure)
    numbers = {
        point: in_digits(measure, one, "–") or f"too few ({one.n})"
        for point, one in measure.points.items()
    }
    right = max(map(len, numbers.values()))
    room = max(_LEAST_PLOT, width - LABEL - right - 2)
    aim = measure.points.get(UNSEEN)
    guide = None if aim is None or aim.value is None else _cell(aim.value, top, room)
    lines = []
    for point, one in measure.points.items():
        style = STYLES.get(point, "")
        label = name_of(point, measure)[: LABEL - 1].ljust(LABEL)
        line = [(label, style), *_dot(point, one, top, room, guide)]
        lines.append([*line, (f"  {numbers[point]:>{right}}", style)])
    lines.append([(" " * LABEL + _scale(measure, top, room), "muted")])
    return lines


def table(measures: Sequence[Measure], heads: Sequence[str]) -> list[Line]:
    """Points down, measures across."""
    cell = max(_CELL, *(len(head) + 1 for head in heads))
    lines: list[Line] = [
        [(" " * LABEL + "".join(f"{head:>{cell}}" for head in heads), "muted")],
    ]
    for point in measures[0].points:
        style = STYLES.get(point, "")
        found = [one.points.get(point) for one in measures]
        values = [None if one is None else one.value for one in found]
        cells = "".join(
            f"{'–' if value is None else measure.in_digits(value):>{cell}}"
            for measure, value in zip(measures, values, strict=True)
        )
        lines.append([(name_of(point, measures[0])[: LABEL - 1].ljust(LABEL) + cells, style)])
    return lines


def _top(measure: Measure) -> float:
    """The end of the scale: it begins at 0 and holds every interval."""
    ends = [
        max(one.value, *(one.interval or ())) if one.interval else one.value
        for one in measure.points.values()
        if one.value is not None
    ]
    largest = max(ends, default=0.0)
    if measure.name == "membership_auc" or (measure.unit == "share" and largest > 0.4):
        return 1.0
    if largest <= 0:
        return 1.0 if measure.unit == "number" else 0.1
    power = 10.0 ** math.floor(math.log10(largest))
    return float(next(step * power for step in _ROUND if step * power >= largest * 0.9999))


def _cell(value: float, top: float, room: int) -> int:
    return round(max(0.0, min(1.0, value / top)) * (room - 1))


def _dot(point: str, one: Estimate, top: float, room: int, guide: int | None) -> Line:
    """``├──●──┤`` in ``room`` cells."""
    cells = [(" ", "")] * room
    if guide is not None:
        cells[guide] = ("┊", "aim")
    if one.value is not None:
        at = _cell(one.value, top, room)
        if one.interval is not None:
            low, high = (_cell(end, top, room) for end in one.interval)
            for place in range(low, high + 1):
                cells[place] = ("─", "muted")
            if low < at:
                cells[low] = ("├", "muted")
            if high > at:
                cells[high] = ("┤", "muted")
        cells[at] = (SIGNS.get(point, OTHER_SIGN), STYLES.get(point, ""))
    return _joined(cells)


def _joined(cells: Sequence[tuple[str, str]]) -> Line:
    line: Line = []
    for text, style in cells:
        if line and line[-1][1] == style:
            line[-1] = (line[-1][0] + text, style)
        else:
            line.append((text, style))
    return line


def _scale(measure: Measure, top: float, room: int) -> str:
    """0, the middle and the end, each under its place."""
    share = measure.unit == "share"
    marks: tuple[float, ...] = (0.0, top / 2, top)
    if top == 1.0 and room >= 40:
        marks = (0.0, 0.25, 0.5, 0.75, 1.0)
    cells = [" "] * room
    for mark in marks:
        text = f"{100 * mark:g}" if share else f"{mark:g}"
        if mark == top and share:
            text += " %"
        start = min(max(0, _cell(mark, top, room) - len(text) // 2), room - len(text))
        cells[start : start + len(text)] = text
    return "".join(cells)
