"""One question with one line of answer."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.markup import escape
from textual.widget import Widget
from textual.widgets import Input

from core.safe_text import printable
from tui.widgets.panel import Dialog


class Ask(Dialog["str | None"]):
    """Answers with the line, or None on esc; an empty one is no answer, unless ``optional``.

    ``above`` stands above the line: what the question is about, as wide as the window allows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss(None)", "Cancel")]

    def __init__(
        self,
        question: str,
        answer: str = "",
        *,
        optional: bool = False,
        above: Widget | None = None,
    ) -> None:
        super().__init__()
        self._above = above
        self._question = question
        self._answer = answer
        self._optional = optional

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="ask") as dialog:
            dialog.border_title = escape(printable(self._question))
            dialog.border_subtitle = "enter saves · esc cancels"
            if self._above is not None:
                dialog.add_class("-with-more")
                yield self._above
            yield Input(self._answer, id="answer")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        answer = event.value.strip()
        if answer or self._optional:
            self.dismiss(answer)
        else:
            self.query_one("#dialog").border_subtitle = "it needs a word · esc cancels"
