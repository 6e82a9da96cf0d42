"""A widget that is drawn as a whole and repaints only the lines that have come out otherwise."""

from __future__ import annotations

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class ChangedLines(Widget):
    """Subclasses give ``draw``, and call ``draw_again`` when something that it shows has changed.

    However often that is between two frames, it is drawn once; and what a frame costs, here and in
    the terminal, goes by the number of lines that differ.
    """

    _lines: list[Strip] | None = None
    _drawn_for: object = None

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._awaited = False
        self._painted: dict[int, Strip] = {}  # what was asked for last, by line

    def draw(self) -> list[Strip]:
        """The lines of the content, each as wide as that; those that are missing are blank."""
        raise NotImplementedError

    def draw_again(self) -> None:
        self._lines = None
        if not self._awaited:
            self._awaited = True
            self.call_next(self._repaint)

    @property
    def lines(self) -> list[Strip]:
        """As they are now, whether they are on the screen yet or not."""
        drawn_for = self.content_size, self.app.theme
        if self._lines is None or self._drawn_for != drawn_for:
            self._lines, self._drawn_for = self.draw(), drawn_for
        return self._lines

    def _line(self, y: int) -> Strip:
        lines = self.lines
        return lines[y] if y < len(lines) else Strip.blank(self.content_size.width, self.rich_style)

    def render_line(self, y: int) -> Strip:
        strip = self._painted[y] = self._line(y)
        return strip

    def _repaint(self) -> None:
        self._awaited = False
        width, height = self.content_size
        if self.styles.is_auto_height and self.is_attached and len(self.lines) != height:
            self.refresh(layout=True)
            return
        changed = [y for y in range(height) if self._painted.get(y) != self._line(y)]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._lines = None
