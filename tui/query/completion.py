"""The small list of names under an editor's cursor; the editor keeps the focus and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import Static

from core.safe_text import printable
from tui.widgets.cells import cell_len, cut, fit

_LINES = 8
_WIDEST = 64


class Offer(NamedTuple):
    """A name, what it is, and a few words about it."""

    text: str
    kind: str
    note: str = ""


def ink(style: Style) -> Style:
    """A style without its background: what lies under the text keeps its own."""
    return Style(
        color=style.color,
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
    )


class CompletionMenu(Static):
    """Names to choose from; hidden while there are none.

    Example::

        menu.offer([Offer("tweets", "table", "19 columns")], at=editor.cursor_screen_offset)
        menu.move(1); menu.chosen  # the name under the menu's cursor

    Messages: ``Clicked(text)`` when a name was clicked.
    """

    ALLOW_SELECT = False
    can_focus = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"completion--cursor", "completion--note"}
    DEFAULT_CSS = """
    CompletionMenu {
        overlay: screen;
        position: absolute;
        display: none;
        width: auto;
        height: auto;
        padding: 0 1;
        background: $panel;
        & > .completion--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
        }
        & > .completion--note { color: $text-muted; }
        &:ansi { background: ansi_default; border: round ansi_bright_black; }
        &:ansi > .completion--note { color: ansi_default; text-style: dim; }
    }
    """

    class Clicked(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__("", markup=False, id=id)
        self._offers: Sequence[Offer] = ()
        self._index = 0
        self._at = Offset(0, 0)

    @property
    def is_open(self) -> bool:
        return bool(self._offers)

    @property
    def chosen(self) -> str:
        return self._offers[self._index].text if self._offers else ""

    def offer(self, offers: Sequence[Offer], at: Offset) -> None:
        """Show ``offers`` under the cell ``at`` of the screen, or above it where there is no room;
        none hides the menu."""
        self._offers, self._index, self._at = offers, 0, at
        self.display = bool(offers)
        if offers:
            self._draw()

    def close(self) -> None:
        self.offer((), self._at)

    def move(self, step: int) -> None:
        self._index = (self._index + step) % len(self._offers)
        self._draw()

    def _first(self) -> int:
        return max(0, min(self._index - _LINES // 2, len(self._offers) - _LINES))

    def _draw(self) -> None:
        screen = self.app.size
        first = self._first()
        shown = self._offers[first : first + _LINES]
        edges = 4 if self.app.theme.startswith(("ansi", "textual-ansi")) else 2
        room = min(_WIDEST, screen.width - edges)
        name_width = min(max(cell_len(printable(o.text)) for o in shown), room - 10)
        notes = [
            cut(f"{o.kind}  {printable(o.note)}".rstrip(), room - name_width - 2) for o in shown
        ]
        note_width = max(map(cell_len, notes))
        cursor = self.get_component_rich_style("completion--cursor")
        muted = ink(self.get_component_rich_style("completion--note"))
        text = Text(no_wrap=True)
        for line, (each, note) in enumerate(zip(shown, notes, strict=True)):
            here = first + line == self._index
            text.append(fit(printable(each.text), name_width), cursor if here else "")
            text.append("  " + fit(note, note_width), cursor if here else muted)
            if line < len(shown) - 1:
                text.append("\n")
        self.update(text)
        high = len(shown) + (edges - 2)
        width = name_width + 2 + note_width + edges
        y = self._at.y + 1
        if y + high > screen.height - 1 and self._at.y >= high:
            y = self._at.y - high
        self.absolute_offset = Offset(max(0, min(self._at.x - 1, screen.width - width)), y)
        self.refresh(layout=True)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        offset = event.get_content_offset(self)
        if offset is not None and self._first() + offset.y < len(self._offers):
            self.post_message(self.Clicked(self._offers[self._first() + offset.y].text))
