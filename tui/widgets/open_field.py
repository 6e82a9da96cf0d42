"""A field whose value is set in a dialog of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from core.plain import plain
from tui.widgets.field import Field


class OpenField(Field[str]):
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

    def __init__(
        self,
        key: str,
        label: str,
        *,
        value: str = "",
        help: str = "",  # noqa: A002
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(key, label, help=help, id=id, classes=classes)
        self._value = value

    @property
    def value(self) -> str:
        return self._value

    @value.setter
    def value(self, value: str) -> None:
        self._value = value
        self.refresh()

    def control_text(self) -> str:
        return f"{plain(self._value)} …"

    def action_open(self) -> None:
        self.post_message(self.Opened(self, self.key))

    def on_click(self, event: events.Click) -> None:
        self.action_open()
