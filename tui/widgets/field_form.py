"""Fields in a column, walked through with up and down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from tui.widgets.field import ButtonField, Field, InfoField


class FieldForm(VerticalScroll, can_focus=False):
    """A column of fields that up and down walk through.

    Example::

        form = FieldForm(
            ChoiceField("preset", "preset", ["fast", "quality"]),
            NumberField("seed", "seed", value=7, minimum=0),
            ButtonField("start", "Start"),
        )
        form.values            # {"preset": "fast", "seed": 7}
        form.set_values({"seed": 8})   # posts nothing

    Messages: those of its fields.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "walk(-1)", "Field up", show=False, id="form.up"),
        Binding("down,j", "walk(1)", "Field down", show=False, id="form.down"),
        Binding("home", "edge(-1)", "First field", show=False, id="form.first"),
        Binding("end", "edge(1)", "Last field", show=False, id="form.last"),
    ]
    DEFAULT_CSS = """
    FieldForm {
        height: auto;
        max-height: 100%;
        background: transparent;
        scrollbar-size-vertical: 1;
    }
    """

    @property
    def fields(self) -> list[Field[Any]]:
        return list(self.query(Field))

    def field(self, key: str) -> Field[Any]:
        """The field with this key.

        Raises:
            KeyError: there is none.
        """
        for field in self.fields:
            if field.key == key:
                return field
        raise KeyError(key)

    @property
    def values(self) -> dict[str, Any]:
        """The value of every field a person can set."""
        return {
            field.key: field.value
            for field in self.fields
            if not isinstance(field, (InfoField, ButtonField))
        }

    def set_values(self, values: Mapping[str, object]) -> None:
        """Set the fields named, without messages."""
        for field in self.fields:
            if field.key in values:
                field.value = values[field.key]

    def _open_fields(self) -> list[Field[Any]]:
        return [field for field in self.fields if field.focusable and field.display]

    def action_walk(self, step: int) -> None:
        fields = self._open_fields()
        if not fields:
            return
        focused = self.app.focused
        places = [index for index, field in enumerate(fields) if field is focused]
        place = places[0] + step if places else 0
        # at once, so that keys typed ahead go to the field that they were meant for
        self.screen.set_focus(fields[max(0, min(place, len(fields) - 1))])

    def action_edge(self, direction: int) -> None:
        fields = self._open_fields()
        if fields:
            self.screen.set_focus(fields[0 if direction < 0 else -1])

    def focus_first(self) -> None:
        """Put the focus on the first field that takes it."""
        self.action_edge(-1)

    def on_resize(self) -> None:
        """What appears above or below a form must not hide the field that has the focus."""
        focused = self.screen.focused
        if focused is not None and self in focused.ancestors:
            self.call_after_refresh(focused.scroll_visible, animate=False)

    @on(events.DescendantFocus)
    def _see_focused(self, event: events.DescendantFocus) -> None:
        event.widget.scroll_visible(animate=False)
