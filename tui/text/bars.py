"""Numbers as bars of block characters, upright or lying."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_UPRIGHT = "▁▂▃▄▅▆▇█"
_LEVEL = " ▏▎▍▌▋▊▉"


def upright_bars(values: Sequence[float], width: int | None = None) -> str:
    """One of ``▁`` to ``█`` for each value, a space for zero; added up to fit ``width``."""
    if width is not None and 0 < width < len(values):
        edges = [round(index * len(values) / width) for index in range(width + 1)]
        values = [sum(values[a:b]) for a, b in pairwise(edges)]
    top = max(values, default=0)
    if top <= 0:
        return " " * len(values)
    steps = len(_UPRIGHT) - 1
    return "".join(_UPRIGHT[round(v / top * steps)] if v > 0 else " " for v in values)


def tall_bars(values: Sequence[float], width: int, height: int) -> list[str]:
    """``height`` lines from the top down, each value a column of even width, to an eighth of a
    cell; values are added up when there are more than ``width``. The lines are as long as the
    columns take, which may be less than ``width``.
    """
    values = list(values)
    if not values or width <= 0 or height <= 0:
        return [""] * max(0, height)
    if len(values) > width:
        edges = [round(index * len(values) / width) for index in range(width + 1)]
        values = [sum(values[a:b]) for a, b in pairwise(edges)]
    cells = width // len(values)
    top = max(values)
    eighths = [
        max(1, round(value / top * height * 8)) if top > 0 and value > 0 else 0 for value in values
    ]
    lines = []
    for row in range(height - 1, -1, -1):
        fill = (max(0, min(8, total - row * 8)) for total in eighths)
        # a gap of one cell keeps wide columns apart
        lines.append(
            "".join(
                (" " + _UPRIGHT)[full] * (cells - (cells > 1)) + " " * (cells > 1) for full in fill
            )
        )
    return lines


def level_bar(value: float, top: float, width: int) -> str:
    """A horizontal bar of ``value`` out of ``top`` in ``width`` cells, to an eighth of a cell."""
    if top <= 0 or width <= 0:
        return " " * max(0, width)
    eighths = round(max(0.0, min(1.0, value / top)) * width * 8)
    if value > 0:
        eighths = max(1, eighths)  # something is never drawn as nothing
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_LEVEL[rest] if rest else "")).ljust(width)
