"""Words that are set again and again, and seldom to others than before."""

from __future__ import annotations

from rich.text import Text
from textual.visual import VisualType
from textual.widgets import Static


class Words(Static):
    """A Static for which an update with the same words costs nothing."""

    _words: object = None

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        words: object = content
        if isinstance(content, Text):  # two of them are equal whatever their own style is
            words = (content, content.style)
        if words != self._words:
            self._words = words
            super().update(content, layout=layout)
