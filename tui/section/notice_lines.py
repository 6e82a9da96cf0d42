"""What the app says, in lines of their own: they take room, so that they cover nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.content import Content
from textual.notifications import Notification
from textual.widgets import Static

# Of a window's lines, at most one in so many holds notices.
_SHARE: Final = 3
_SIGNS: Final = {"warning": "▲ ", "error": "✗ "}
_INK: Final = {"information": "$text-success", "warning": "$text-warning", "error": "$text-error"}


def in_words(note: Notification) -> str:
    """``title: message``; a title that is a sentence keeps its own mark at the end."""
    sign = _SIGNS.get(note.severity, "")
    if not (note.title and note.message):
        return sign + (note.title or note.message)
    between = " " if note.title.endswith((".", "?", "!", "…")) else ": "
    return f"{sign}{note.title}{between}{note.message}"


class NoticeLines(Static):
    """Shown while there is something to say; the newest is the last. A click takes all away."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._notes: list[Notification] = []

    def show(self, notes: Iterable[Notification]) -> None:
        self._notes = list(notes)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def on_click(self) -> None:
        self.app.clear_notifications()

    def _draw(self) -> None:
        window = self.screen.size
        width = self.content_size.width or window.width - self.gutter.width
        lines = self._lines(width, max(1, window.height // _SHARE)) if width > 0 else []
        self.set_class(len(lines) == 1, "-one-line")
        self.display = bool(lines)
        self.update(Content("\n").join(lines))

    def _lines(self, width: int, most: int) -> list[Content]:
        """What is cut, is cut with a sign; of several the newest are whole."""
        shown: list[Content] = []
        for note in reversed(self._notes):
            room = most - len(shown)
            if not room:
                break
            lines = Content.styled(in_words(note), _INK[note.severity]).wrap(width)
            if len(lines) > room:
                last = lines[room - 1].truncate(width - 2) + Content(" …")
                lines = [*lines[: room - 1], last]
            shown = [*lines, *shown]
        return shown
