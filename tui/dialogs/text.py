"""A page of text that one can scroll: a log, an error, a summary."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.markup import escape
from textual.widgets import Static

from core.safe_text import printable
from tui.widgets.panel import Dialog


class TextScreen(Dialog[None]):
    """Shows ``text`` as it is, under ``title``; esc closes."""

    BINDINGS = [("escape,q,enter", "dismiss", "Close")]

    def __init__(self, title: str, text: str, *, at_end: bool = False) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._at_end = at_end

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", classes="text") as page:
            page.border_title = escape(printable(self._title))
            page.border_subtitle = "esc closes"
            yield Static(Text(printable(self._text, keep_newlines=True)), markup=False)

    def on_mount(self) -> None:
        page = self.query_one("#dialog", VerticalScroll)
        page.focus()
        if self._at_end:
            page.scroll_end(animate=False)
