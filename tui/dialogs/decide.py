"""One question with a few answers, each on a key of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.events import Key
from textual.markup import escape
from textual.widgets import Static

from core.safe_text import printable
from tui.widgets.panel import Dialog


class Decide(Dialog["str | None"]):
    """Answers with the key that was pressed, one of ``answers`` (labels by key); None on esc."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "Cancel")]

    def __init__(self, question: str, explanation: str, answers: Mapping[str, str]) -> None:
        super().__init__()
        self._question, self._explanation, self._answers = question, explanation, answers

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog", classes="ask") as dialog:  # the keys stay in sight
            dialog.border_title = escape(printable(self._question))
            keys = [f"{key} {label}" for key, label in self._answers.items()]
            dialog.border_subtitle = escape(" · ".join([*keys, "esc cancels"]))
            yield Static(Text(printable(self._explanation, keep_newlines=True)), markup=False)

    def on_key(self, event: Key) -> None:
        if event.key in self._answers:
            event.stop()
            self.dismiss(event.key)
