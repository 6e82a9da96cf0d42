"""Words that are set again and again, and seldom to others than before."""

from __future__ import annotations

from rich.text import Text
from textual.visual import VisualType
from textual.widgets import Static


class Words(Static):
    """A Static for which an update with the same words costs nothing, and one with others that need
    no other room lays out nothing else on the screen.
    """

    _words: object = None

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        words: object = content
        if isinstance(content, Text):  # two of them are equal whatever their own style is
            words = (content, content.style)
        if words != self._words:
            self._words = words
            before = self._lines()
            super().update(content, layout=False)
            if layout and (before is None or before != self._lines()):
                self.refresh(layout=True)

    def _lines(self) -> int | None:
        """Lines that it asks for at its width; None when its width depends on its words."""
        width = self.content_size.width
        if not width or self.styles.is_auto_width:
            return None
        if not self.styles.is_auto_height:
            return 0
        return self.get_content_height(self.container_size, self.app.size, width)
