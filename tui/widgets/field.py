"""The fields of a form that is one line each: a label at the left, a control at the right.

They are ours because of the keys: a form stands beside a list, and 1 to 5 (sections) and letters
(commands) must work while one of its fields has the focus. Textual's Input takes every printable
key, always; here a field is stepped with the arrows and takes letters and digits only between
enter and enter. It is also a third of the widgets: 22 rules are 26 widgets, not 88.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.safe_text import printable
from tui.widgets.cells import cell_len, cut

T = TypeVar("T")


class Field(Widget, Generic[T], can_focus=True):
    """What every field has: a key for the owner, a label and a help for the person, a value.

    ``Changed(field, key, value)`` is posted when a person gave it another value; setting ``value``
    from code posts nothing.
    """

    ALLOW_SELECT = False
    EMPTY: ClassVar[Any] = None  # the value when none is given
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "field--label",
        "field--control",
        "field--wrong",
        "field--sign",
    }
    DEFAULT_CSS = """
    Field {
        height: 1;
        background: transparent;
        pointer: pointer;
        & > .field--label { color: $foreground; }
        & > .field--control { color: $text-primary; }
        & > .field--wrong { color: $text-error; text-style: bold; }
        & > .field--sign { color: $primary; text-style: bold; }
        &:hover { background: $foreground 6%; }
        &:focus { background: $primary 22%; }
        &:focus > .field--control { text-style: bold; }
        &:disabled { pointer: default; }
        &:disabled > .field--label { color: $text-disabled; }
        &:disabled > .field--control { color: $text-disabled; }
        &:ansi:hover { background: ansi_default; text-style: underline; }
        &:ansi:focus { background: ansi_default; text-style: reverse; }
        &:ansi:disabled > .field--label { color: ansi_default; text-style: dim; }
        &:ansi:disabled > .field--control { color: ansi_default; text-style: dim; }
    }
    """

    @dataclass
    class Changed(Message):
        """A person gave the field another value."""

        field: Field[Any]
        key: str
        value: Any

        @property
        def control(self) -> Field[Any]:
            return self.field

    def __init__(
        self,
        key: str,
        label: str,
        *,
        value: T | None = None,
        help: str = "",  # noqa: A002  (the word for it)
        disabled: bool = False,
        classes: str | None = None,
    ) -> None:
        super().__init__(classes=classes, disabled=disabled)
        self.key = key
        self.label = label
        self.help = help
        self.tooltip = help or None
        self._value: T = self.EMPTY if value is None else value

    @property
    def value(self) -> T:
        return self._value

    @value.setter
    def value(self, value: T) -> None:
        self._value = value
        self.refresh()

    @property
    def about(self) -> str:
        """What a person is told while it has the focus."""
        return self.help

    def changed(self) -> None:
        """Redraw, and tell the owner."""
        self.refresh()
        self.post_message(self.Changed(self, self.key, self.value))

    def control_text(self) -> str:
        """The control as it is drawn at the right."""
        return ""

    def _parts(self) -> tuple[str, str, str]:
        """What stands before the label, the label, and the control at the right."""
        return "", self.label, self.control_text()

    def _control_style(self) -> str:
        return "field--control"

    def render_line(self, y: int) -> Strip:
        width, base = self.content_size.width, self.rich_style
        if y:
            return Strip.blank(width, base)
        before, label, control = self._parts()
        sign = "▸ " if self.has_focus else "  "
        control = cut(control, max(1, width - 3))
        # The value is worth more than its name.
        label = cut(
            printable(label), width - 2 - cell_len(before) - cell_len(control) - bool(control)
        )
        gap = " " * (width - cell_len(sign + before + label + control)) if control else ""
        pieces = (
            (sign, "field--sign"),
            (before, "field--control"),
            (label, "field--label"),
            (gap, ""),
            (control, self._control_style()),
        )
        return Strip(
            [
                Segment(text, self.get_visual_style(name).rich_style if name else base)
                for text, name in pieces
                if text
            ]
        ).adjust_cell_length(width, base)

    def bindings_of(self, key: str) -> list[Binding]:
        """What ``key`` does while this field has the focus; empty when it is left to others."""
        return self._bindings.key_to_bindings.get(key, [])

    def _click_part(self, event: events.Click) -> tuple[int, int] | None:
        """Where in the control a click fell: (cell, width of the control); None outside."""
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        size = cell_len(self.control_text())
        cell = offset.x - (self.content_size.width - size)
        return (cell, size) if cell >= 0 else None


class SwitchField(Field[bool]):
    """``[x] drop retweets``: on or off with enter, space or a click.

    Example: ``SwitchField("retweets", "drop retweets", value=True, help="Leave retweets out.")``
    """

    EMPTY = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "flip", "On/off", show=False, id="field.toggle"),
        Binding("left", "turn(False)", "Off", show=False, id="field.off"),
        Binding("right", "turn(True)", "On", show=False, id="field.on"),
    ]

    def action_flip(self) -> None:
        self._value = not self._value
        self.changed()

    def action_turn(self, on: bool) -> None:
        if self._value != on:
            self.action_flip()

    def on_click(self, event: events.Click) -> None:
        self.action_flip()

    def _parts(self) -> tuple[str, str, str]:
        return "[x] " if self._value else "[ ] ", self.label, ""


class InfoField(Field[str]):
    """``accounts        @keeper``: a value to read, not to change."""

    EMPTY = ""
    can_focus = False
    DEFAULT_CSS = """
    InfoField { pointer: default; }
    InfoField > .field--control { color: $foreground; }
    InfoField:hover { background: transparent; text-style: none; }
    """

    def control_text(self) -> str:
        return printable(self._value)


class ButtonField(Field[None]):
    """``[ Start ]`` at the right: enter, space or a click posts ``Pressed(key)``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", "Press", show=False, id="field.press"),
    ]

    @dataclass
    class Pressed(Message):
        """A person pressed the button."""

        field: Field[Any]
        key: str

        @property
        def control(self) -> Field[Any]:
            return self.field

    def action_press(self) -> None:
        self.post_message(self.Pressed(self, self.key))

    def on_click(self, event: events.Click) -> None:
        self.action_press()

    def _parts(self) -> tuple[str, str, str]:
        return "", "", f"[ {cut(printable(self.label), self.content_size.width - 6)} ]"


class OpenField(Field[str]):
    """``weights      [ equal ]``: enter, space or a click posts ``Opened(key)``.

    Its value is what is shown; the owner opens the dialog and sets it.

    Example: ``OpenField("weights", "weights", value="equal", help="How much of each account.")``
    """

    EMPTY = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open", "Open", show=False, id="field.dialog"),
    ]

    @dataclass
    class Opened(Message):
        """A person wants to set it."""

        field: Field[Any]
        key: str

        @property
        def control(self) -> Field[Any]:
            return self.field

    def control_text(self) -> str:
        return f"[ {printable(self._value)} ]"

    def action_open(self) -> None:
        self.post_message(self.Opened(self, self.key))

    def on_click(self, event: events.Click) -> None:
        self.action_open()
