"""A field that takes one of a few values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from core.safe_text import plain
from tui.widgets.cells import cell_len, cut
from tui.widgets.choice_menu import Choice, ChoiceMenu, as_choice
from tui.widgets.field import Field


class ChoiceField(Field[object]):
    """``links          ‹ drop ›``: left and right turn through, enter opens the list.

    Example: ``ChoiceField("preset", "preset", ["fast", Choice("quality", "quality", "slower")])``
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "turn(-1)", "Previous", show=False, id="field.previous"),
        Binding("right,l", "turn(1)", "Next", show=False, id="field.next"),
        Binding("enter,space", "open", "List", show=False, id="field.open"),
    ]

    def __init__(
        self,
        key: str,
        label: str,
        choices: Sequence[Choice | tuple[object, str] | str] = (),
        *,
        value: object = None,
        help: str = "",  # noqa: A002
        disabled: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(key, label, help=help, disabled=disabled, id=id, classes=classes)
        self._choices: list[Choice] = []
        self._index = 0
        self.set_choices(choices, value=value)

    def set_choices(
        self, choices: Sequence[Choice | tuple[object, str] | str], *, value: object = None
    ) -> None:
        """Offer other choices; the value stays when it is among them, else the first is taken."""
        wanted = value if value is not None else self.value
        self._choices = [as_choice(choice) for choice in choices]
        self._index = self._place(wanted)
        self.refresh()

    def _place(self, value: object) -> int:
        values = [choice.value for choice in self._choices]
        return values.index(value) if value in values else 0

    @property
    def choices(self) -> list[Choice]:
        return list(self._choices)

    @property
    def value(self) -> object:
        return self._choices[self._index].value if self._choices else None

    @value.setter
    def value(self, value: object) -> None:
        self._index = self._place(value)
        self.refresh()

    def control_text(self) -> str:
        if not self._choices:
            return "none"
        label = plain(self._choices[self._index].label)
        most = self.content_size.width - min(cell_len(plain(self.label)), 12) - 8
        return f"‹ {cut(label, max(6, most))} ›"

    def action_turn(self, step: int) -> None:
        if len(self._choices) > 1:
            self._index = (self._index + step) % len(self._choices)
            self.changed()

    def action_open(self) -> None:
        if not self._choices:
            return

        def chosen(index: int | None) -> None:
            if index is not None and index != self._index:
                self._index = index
                self.changed()

        self.app.push_screen(ChoiceMenu(self._choices, self._index, self.region), chosen)

    def on_click(self, event: events.Click) -> None:
        part = self._click_part(event)
        if part is not None and part[0] <= 1:
            self.action_turn(-1)
        elif part is not None and part[0] >= part[1] - 2:
            self.action_turn(1)
        else:
            self.action_open()
