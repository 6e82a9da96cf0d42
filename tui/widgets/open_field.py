"""A field whose value is set in a dialog of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from core.safe_text import plain
from tui.widgets.field import ShownField


class OpenField(ShownField):
    """``weights        equal …``: enter, space or a click posts ``Opened(key)``.

    Its value is what is shown; the owner opens the dialog and sets it.

    Example: ``OpenField("weights", "weights", value="equal", help="How much of each account.")``
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open", "Open", show=False, id="field.dialog"),
    ]

    @dataclass
    class Opened(Message):
        """A person wants to set it."""

        field: OpenField
        key: str

        @property
        def control(self) -> OpenField:
            return self.field

    def control_text(self) -> str:
        return f"{plain(self.value)} …"

    def action_open(self) -> None:
        self.post_message(self.Opened(self, self.key))

    def on_click(self, event: events.Click) -> None:
        self.action_open()
