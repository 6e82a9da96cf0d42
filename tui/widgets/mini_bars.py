"""Numbers as bars in a single line: tweets per year, a level, a share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from core.safe_text import printable
from tui.text.bars import upright_bars
from tui.widgets.cells import cell_len, cut


class MiniBars(Widget):
    """``▁▂▅▇▅▃▂▁ 2016–2024``: values as bars, what they span in words beside them.

    Values are added up to fit when there are more than cells. The tooltip has the numbers.

    Example::

        MiniBars([120, 340, 2100, 90], labels=["2016", "2017", "2018", "2019"])
        bars.set_values(per_year, labels=years)

    Messages: none.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"mini-bars--label"}
    DEFAULT_CSS = """
    MiniBars {
        height: 1;
        color: $primary;
        background: transparent;
        & > .mini-bars--label { color: $text-muted; }
        &:ansi > .mini-bars--label { color: ansi_default; text-style: dim; }
    }
    """

    def __init__(
        self,
        values: Sequence[float] = (),
        labels: Sequence[str] = (),
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.set_values(values, labels)

    def set_values(self, values: Sequence[float], labels: Sequence[str] = ()) -> None:
        """Show other values; ``labels`` has one for each value, or none."""
        self._values = tuple(values)
        self._labels = tuple(printable(label) for label in labels)
        pairs = list(zip(self._labels, self._values, strict=False))
        self.tooltip = "\n".join(f"{label}  {value:,.0f}" for label, value in pairs[-24:]) or None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        if not self._values or y:
            return Strip.blank(width, self.rich_style)
        label = ""
        if self._labels:
            first, last = self._labels[0], self._labels[-1]
            label = first if first == last else f"{first}–{last}"
        room = width - (cell_len(label) + 1 if label else 0)
        if room < 3:
            label, room = "", width
        bars = upright_bars(self._values, room)
        label_style = self.get_visual_style("mini-bars--label").rich_style
        segments = [Segment(bars, self.rich_style)]
        if label:
            segments.append(Segment(" " + cut(label, width), label_style))
        return Strip(segments).adjust_cell_length(width, self.rich_style)
