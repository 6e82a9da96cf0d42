"""Figures with their names, one below the other: ``step  12 of 340``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from core.safe_text import printable
from tui.widgets.cells import cell_len, fit, wrap
from tui.widgets.changed_lines import ChangedLines

Figures = Sequence[tuple[str, str]]
"""Names and figures; a figure that is too long for its line goes on below itself."""

_LEAST_NAMES = 10
_GAP = 2


class FigureList(ChangedLines):
    """``show`` it figures as often as they change: only lines that read otherwise are repainted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"figure-list--name"}
    DEFAULT_CSS = """
    FigureList {
        width: 1fr;
        height: auto;
        background: transparent;
        & > .figure-list--name { text-style: dim; }
    }
    """

    _figures: Figures = ()

    def show(self, figures: Figures) -> None:
        if list(figures) != list(self._figures):
            self._figures = figures
            self.draw_again()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._laid_out(width))

    def _laid_out(self, width: int) -> list[tuple[str, str]]:
        """What stands in each line: a name or nothing, and a figure or a part of it."""
        names = max([_LEAST_NAMES, *(cell_len(name) for name, _ in self._figures)])
        return [
            (fit("" if number else name, names + _GAP), line.rstrip())
            for name, figure in self._figures
            for number, line in enumerate(wrap(printable(figure), width - names - _GAP))
        ]

    def draw(self) -> list[Strip]:
        width, base = self.content_size.width, self.rich_style
        style = self.get_visual_style("figure-list--name").rich_style
        return [
            Strip([Segment(name, style), Segment(figure, base)]).adjust_cell_length(width, base)
            for name, figure in self._laid_out(width)
        ]
