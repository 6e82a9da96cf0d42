"""The simple fields of a form, and what all fields share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.safe_text import plain
from tui.widgets.cells import cell_len, cut

T = TypeVar("T")


class Field(Widget, Generic[T], can_focus=True):
    """What every field has: a key for the owner, a label and a help for the person."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"field--label", "field--control", "field--sign"}

    DEFAULT_CSS = """
    Field {
        height: 1;
        background: transparent;
        pointer: pointer;
        & > .field--label { color: $foreground; }
        & > .field--control { color: $text-primary; }
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
        help: str = "",  # noqa: A002  (the word for it)
        disabled: bool = False,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, disabled=disabled)
        self.key = key
        self.label = label
        self.help = help
        self.tooltip = help or None

    @property
    def value(self) -> T:
        raise NotImplementedError

    @value.setter
    def value(self, value: T) -> None:
        raise NotImplementedError

    def changed(self) -> None:
        """Redraw, and tell the owner."""
        self.refresh()
        self.post_message(self.Changed(self, self.key, self.value))

    def control_text(self) -> str:
        """The control as it is drawn at the right."""
        return ""

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        base = self.rich_style
        if y:
            return Strip.blank(width, base)
        sign = "▸ " if self.has_focus else "  "
        sign_style = self.get_visual_style("field--sign").rich_style
        label_style = self.get_visual_style("field--label").rich_style
        control_style = self.get_visual_style("field--control").rich_style
        control = cut(self.control_text(), max(1, width - 3))
        # The value is worth more than its name.
        label = cut(plain(self.label), width - 3 - cell_len(control))
        gap = width - 2 - cell_len(label) - cell_len(control)
        return Strip(
            [
                Segment(sign, sign_style),
                Segment(label, label_style),
                Segment(" " * max(0, gap), base),
                Segment(control, control_style),
            ]
        ).adjust_cell_length(width, base)

    def _click_part(self, event: events.Click) -> tuple[int, int] | None:
        """Where in the control a click fell: (cell, width of the control); None outside."""
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        size = cell_len(self.control_text())
        place = offset.x - (self.content_size.width - size)
        return (place, size) if place >= 0 else None


class SwitchField(Field[bool]):
    """``[x] drop retweets``: on or off with enter, space or a click.

    Example: ``SwitchField("retweets", "drop retweets", value=True, help="Leave retweets out.")``
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "flip", "On/off", show=False, id="field.toggle"),
        Binding("left,h", "turn(False)", "Off", show=False, id="field.off"),
        Binding("right,l", "turn(True)", "On", show=False, id="field.on"),
    ]

    def __init__(
        self,
        key: str,
        label: str,
        *,
        value: bool = False,
        help: str = "",  # noqa: A002
        disabled: bool = False,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(key, label, help=help, disabled=disabled, id=id, classes=classes)
        self._value = value

    @property
    def value(self) -> bool:
        return self._value

    @value.setter
    def value(self, value: bool) -> None:
        self._value = value
        self.refresh()

    def action_flip(self) -> None:
        self._value = not self._value
        self.changed()

    def action_turn(self, on: bool) -> None:
        if self._value != on:
            self.action_flip()

    def on_click(self, event: events.Click) -> None:
        self.action_flip()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        base = self.rich_style
        if y:
            return Strip.blank(width, base)
        sign = "▸ " if self.has_focus else "  "
        box = "[x] " if self._value else "[ ] "
        return Strip(
            [
                Segment(sign, self.get_visual_style("field--sign").rich_style),
                Segment(box, self.get_visual_style("field--control").rich_style),
                Segment(
                    cut(plain(self.label), width - 6),
                    self.get_visual_style("field--label").rich_style,
                ),
            ]
        ).adjust_cell_length(width, base)


class ShownField(Field[str]):
    """A field that shows words which its owner sets."""

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
        return plain(self._value)


class InfoField(ShownField):
    """``accounts        @keeper``: a value to read, not to change."""

    can_focus = False
    DEFAULT_CSS = """
    InfoField { pointer: default; }
    InfoField > .field--control { color: $foreground; }
    InfoField:hover { background: transparent; text-style: none; }
    """


class ButtonField(Field[None]):
    """``[ Start ]`` at the right: enter, space or a click posts ``Pressed(key)``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", "Press", show=False, id="field.press"),
    ]

    @dataclass
    class Pressed(Message):
        """A person pressed the button."""

        field: ButtonField
        key: str

        @property
        def control(self) -> ButtonField:
            return self.field

    @property
    def value(self) -> None:
        return None

    @value.setter
    def value(self, value: None) -> None:
        pass

    def set_label(self, label: str) -> None:
        self.label = label
        self.refresh()

    def action_press(self) -> None:
        self.post_message(self.Pressed(self, self.key))

    def on_click(self, event: events.Click) -> None:
        self.action_press()

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        base = self.rich_style
        if y:
            return Strip.blank(width, base)
        style = self.get_visual_style("field--control").rich_style
        text = f"[ {cut(plain(self.label), width - 6)} ]"
        if self.has_focus:
            text = "▸ " + text
        gap = max(0, width - cell_len(text))
        return Strip([Segment(" " * gap, base), Segment(text, style)]).adjust_cell_length(
            width, base
        )
