"""The parallel plot on the screen; what it draws is made in parallel_picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip

from core.safe_text import printable
from tui.sweeps.parallel_picture import Axis, Trace, parallel_picture
from tui.widgets.cells import fit, wrap
from tui.widgets.changed_lines import ChangedLines

# Under so many lines no axis can be read.
_LEAST_HEIGHT = 4


class ParallelPlot(ChangedLines):
    """A line for each trial over an axis for each parameter.

    Example::

        plot.show([Axis("lr", 1e-4, 1e-2, log=True), Axis("held out", 3.1, 3.9)],
                  [Trace((2e-3, 3.2), "best", "✦ 3", thick=True)])
        plot.clear("No sweep yet.")
    """

    ALLOW_SELECT = False
    _STYLES = ("ended", "bad", "middle", "good", "going", "best", "cursor", "axis", "label")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"parallel-plot--{name}" for name in _STYLES),
        "parallel-plot--empty",
    }
    DEFAULT_CSS = """
    ParallelPlot {
        background: transparent;
        & > .parallel-plot--ended { color: $foreground 35%; }
        & > .parallel-plot--bad { color: $text-error 70%; }
        & > .parallel-plot--middle { color: $text-warning 80%; }
        & > .parallel-plot--good { color: $text-success; }
        & > .parallel-plot--going { color: $text-primary; }
        & > .parallel-plot--best { color: $text-success; text-style: bold; }
        & > .parallel-plot--cursor { color: $foreground; text-style: bold; }
        & > .parallel-plot--axis { color: $foreground 45%; }
        & > .parallel-plot--label { color: $text-muted; }
        & > .parallel-plot--empty { color: $text-muted; }
        &:ansi > .parallel-plot--ended { color: ansi_bright_black; }
        &:ansi > .parallel-plot--cursor { color: ansi_default; text-style: bold; }
        &:ansi > .parallel-plot--axis { color: ansi_bright_black; }
        &:ansi > .parallel-plot--label { text-style: dim; }
        &:ansi > .parallel-plot--empty { text-style: dim; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(id=id)
        self._axes: Sequence[Axis] = ()
        self._traces: Sequence[Trace] = ()
        self._empty = ""

    def show(self, axes: Sequence[Axis], traces: Sequence[Trace]) -> None:
        if (axes, traces) != (self._axes, self._traces):
            self._axes, self._traces = axes, traces
            self.draw_again()

    def clear(self, sentence: str) -> None:
        """No plot; ``sentence`` says why."""
        self._axes, self._traces, self._empty = (), (), sentence
        self.draw_again()

    def draw(self) -> list[Strip]:
        width, height = self.content_size
        if not self._axes:
            style = self.get_visual_style("parallel-plot--empty").rich_style
            lines = wrap(printable(self._empty), max(8, width))
            texts = [""] * max(0, (height - len(lines)) // 2) + [line.strip() for line in lines]
            return [Strip([Segment(fit(text, width, "center"), style)]) for text in texts]
        if height < _LEAST_HEIGHT:
            return []
        styles = {
            name: self.get_visual_style(f"parallel-plot--{name}").rich_style
            for name in self._STYLES
        }
        styles[""] = self.rich_style
        return [
            Strip([Segment(text, styles[name]) for text, name in line if text]).adjust_cell_length(
                width, self.rich_style
            )
            for line in parallel_picture(self._axes, self._traces, width, height)
        ]
