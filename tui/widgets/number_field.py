"""A field for a number, by keys, by typing or by clicks."""

from __future__ import annotations

import math
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from tui.text.bars import upright_bars
from tui.widgets.field import Field

Number = int | float | None


class NumberField(Field[Number]):
    """``how many      [ 10 ]``: left and right (or - and +) step, enter types and takes.

    What was typed counts on enter or when the focus goes; escape takes it back. A number outside
    the limits becomes the nearest one inside.

    decimals     0 for whole numbers; None for any (learning rates: shown as short as can be)
    factor       steps multiply by this instead of adding ``step``
    none_text    word for "not set": backspace to nothing gives None; "" when it must be set
    slider       draw the place between the limits as a small staircase

    Example::

        NumberField("n", "how many", value=10, minimum=1, maximum=200)
        NumberField("temperature", "temperature", value=1.0, minimum=0, maximum=2, step=0.1,
                    decimals=1, slider=True)
        NumberField("minutes", "budget", value=None, minimum=1, unit="min", none_text="none")
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Less", show=False, id="field.less"),
        Binding("right,l", "step(1)", "More", show=False, id="field.more"),
        Binding("shift+left", "step(-10)", "Much less", show=False, id="field.much_less"),
        Binding("shift+right", "step(10)", "Much more", show=False, id="field.much_more"),
        Binding("enter", "type", "Type, then take", show=False, id="field.take"),
        Binding("escape", "revert", "Take back", show=False, id="field.revert"),
    ]

    def __init__(
        self,
        key: str,
        label: str,
        *,
        value: Number = 0,
        minimum: float | None = None,
        maximum: float | None = None,
        step: float = 1,
        factor: float | None = None,
        decimals: int | None = 0,
        unit: str = "",
        none_text: str = "",
        slider: bool = False,
        help: str = "",  # noqa: A002  (the word for it)
        disabled: bool = False,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
    ) -> None:
        super().__init__(key, label, help=help, disabled=disabled, id=id, classes=classes)
        self.minimum, self.maximum = minimum, maximum
        self.step, self.factor, self.decimals = step, factor, decimals
        self.unit, self.none_text, self.slider = unit, none_text, slider
        self._typed: str | None = None
        self._value: Number = self._bounded(value)

    # --- the value -----------------------------------------------------------------------------

    @property
    def value(self) -> Number:
        return self._value

    @value.setter
    def value(self, value: Number) -> None:
        self._typed = None
        self._value = self._bounded(value)
        self.refresh()

    @property
    def is_editing(self) -> bool:
        return self._typed is not None

    def _bounded(self, value: Number) -> Number:
        if value is None:
            if self.none_text:
                return None
            value = 0 if self.minimum is None else self.minimum
        if self.minimum is not None:
            value = max(self.minimum, value)
        if self.maximum is not None:
            value = min(self.maximum, value)
        if self.decimals == 0:
            return int(value)
        return float(value) if self.decimals is None else round(float(value), self.decimals)

    def _take(self, value: Number) -> None:
        self._typed = None
        value = self._bounded(value)
        if value != self._value:
            self._value = value
            self.changed()
        self.refresh()

    # --- drawing -------------------------------------------------------------------------------

    def _shown(self) -> str:
        if self._typed is not None:
            return f"{self._typed}▏"
        if self._value is None:
            return self.none_text
        if self.decimals is None:
            text = f"{self._value:.10g}"
        else:
            text = f"{self._value:.{self.decimals}f}"
        return f"{text} {self.unit}" if self.unit else text

    def control_text(self) -> str:
        text = f"[ {self._shown()} ]"
        if self.slider and self.minimum is not None and self.maximum is not None:
            return f"{self._stairs()} {text}"
        return text

    def _stairs(self) -> str:
        low, high = self.minimum or 0.0, self.maximum or 0.0
        share = ((self._value or low) - low) / (high - low) if high > low else 0.0
        steps = upright_bars([1, 3, 5, 7])
        full = max(0, min(4, math.ceil(share * 4)))
        return steps[:full] + "·" * (4 - full)

    # --- keys ----------------------------------------------------------------------------------

    def _allowed(self) -> str:
        allowed = "0123456789"
        if self.minimum is None or self.minimum < 0:
            allowed += "-"
        return allowed if self.decimals == 0 else allowed + ".e-"

    def _types(self, key: str, character: str | None) -> bool:
        if key == "backspace":
            return True
        if self._typed is None:
            return False  # until enter, digits belong to the sections
        if character is None or len(character) != 1:
            return False
        if character == "-" and not self._typed:
            return self.minimum is None or self.minimum < 0
        return character in self._allowed() and (character != "e" or bool(self._typed))

    def check_consume_key(self, key: str, character: str | None) -> bool:
        # While a number is typed, no letter may run what it would do elsewhere.
        return self._types(key, character) or (
            self.is_editing and character is not None and character.isprintable()
        )

    def on_key(self, event: events.Key) -> None:
        if self._types(event.key, event.character):
            # A digit is meant for this field, not for the section of that number.
            event.stop()
            event.prevent_default()
            if event.key == "backspace":
                text = self._typed if self._typed is not None else self._plain_value()
                self._typed = text[:-1]
            elif len(self._typed or "") < 12:
                self._typed = (self._typed or "") + (event.character or "")
            self.refresh()
        elif self.is_editing and event.is_printable:
            event.stop()
            event.prevent_default()
            self.app.bell()
        elif event.character in ("-", "+"):
            event.stop()
            event.prevent_default()
            self.action_step(1 if event.character == "+" else -1)

    def _plain_value(self) -> str:
        return "" if self._value is None else f"{self._value:.10g}"

    def on_paste(self, event: events.Paste) -> None:
        text = "".join(char for char in event.text.strip() if char in self._allowed())
        if text:
            event.stop()
            self._typed = text[:12]
            self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "revert":
            return self.is_editing  # else escape is free for the screen
        return True

    def action_type(self) -> None:
        """Enter: type a number; enter again takes it."""
        if self._typed is None:
            self._typed = ""
            self.refresh()
        else:
            self.action_commit()

    def action_commit(self) -> None:
        """Take what was typed; what is no number is taken back."""
        if self._typed is None:
            return
        if not self._typed:
            self._take(None if self.none_text else self._value)
            return
        try:
            number = float(self._typed)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.app.bell()
            self.action_revert()
            return
        self._take(number)
        if self._value is not None and float(self._value) != number:
            shown = self._plain_value()
            self.app.notify(f"{number:.10g} became {shown}.", title=f"{self.label} has its limits")

    def action_revert(self) -> None:
        self._typed = None
        self.refresh()

    def on_blur(self, event: events.Blur) -> None:
        self.action_commit()

    def action_step(self, count: int) -> None:
        self.action_commit()
        value = self._value
        if value is None:
            self._take(self.minimum if self.minimum is not None else 0)
        elif self.factor is not None:
            self._take(float(f"{value * self.factor**count:.3g}"))
        else:
            self._take(value + self.step * count)

    def on_click(self, event: events.Click) -> None:
        part = self._click_part(event)
        if part is not None:
            self.action_step(-1 if part[0] < part[1] / 2 else 1)
