"""The fields that are typed into: a number, a text."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType

from core.safe_text import printable
from tui.text.bars import upright_bars
from tui.widgets.cells import cell_len, cut
from tui.widgets.field import Field

T = TypeVar("T")
Number = int | float | None

_CARET = "▏"
_SHARE = 0.6  # of the line that a text may take before its label is cut
_MOST_DIGITS = 12


class TypedField(Field[T]):
    """Enter begins typing and takes what was typed, so does leaving; escape takes it back.

    While something is typed, every letter belongs to the field; at other times none does.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "type", "Type", show=False, id="field.take"),
        Binding("escape", "revert", "Take back", show=False, id="field.revert"),
    ]

    def __init__(self, key: str, label: str, **options: Any) -> None:
        super().__init__(key, label, **options)
        self._typed: str | None = None
        self._caret = 0

    @property
    def value(self) -> T:
        return self._value

    @value.setter
    def value(self, value: T) -> None:
        """Another value ends typing; the same one changes nothing."""
        if value != self._value:
            self._typed = None
        self._value = value
        self.refresh()

    @property
    def is_editing(self) -> bool:
        return self._typed is not None

    @property
    def is_refused(self) -> bool:
        """Whether what stands there is not what holds."""
        return False

    # what a subclass says

    def _begin(self) -> str:
        """The text that typing starts with."""
        return ""

    def _allows(self, text: str) -> bool:
        """Whether this may be on its way to a value."""
        return True

    def _take(self, text: str) -> None:
        """Typing has ended with this."""
        raise NotImplementedError

    def _shown(self) -> str:
        """The value while nothing is typed, with what is around it."""
        raise NotImplementedError

    # ---

    def _room(self) -> int:
        return max(8, int(self.content_size.width * _SHARE) - 4)

    def control_text(self) -> str:
        if self._typed is None:
            return self._shown()
        room = self._room() - 1
        # of a long text no more than could be in sight: a character may have no width
        near = slice(max(0, self._caret - 2 * room), self._caret)
        before = printable(self._typed[near])
        after = printable(self._typed[self._caret :][: 2 * room])
        while cell_len(before) > room:
            before = before[1:]
        return f"[ {before}{_CARET}{cut(after, max(0, room - cell_len(before)))} ]"

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return self.is_editing and _is_text(character)

    def on_key(self, event: events.Key) -> None:
        if self._typed is None:
            return
        typed, at = self._typed, self._caret
        if _is_text(event.character):
            self._insert(event.character or "")
        elif event.key == "backspace":
            self._set(typed[: max(0, at - 1)] + typed[at:], at - 1)
        elif event.key == "delete":
            self._set(typed[:at] + typed[at + 1 :], at)
        elif event.key == "ctrl+u":
            self._set(typed[at:], 0)
        elif event.key in ("left", "right"):
            self._set(typed, at + (1 if event.key == "right" else -1))
        elif event.key in ("home", "end"):
            self._set(typed, 0 if event.key == "home" else len(typed))
        else:
            return
        event.stop()
        event.prevent_default()

    def _set(self, typed: str, caret: int) -> None:
        self._typed = typed
        self._caret = max(0, min(len(typed), caret))
        self.refresh()

    def _insert(self, text: str) -> None:
        typed, at = self._typed or "", self._caret
        if self._allows(typed[:at] + text + typed[at:]):
            self._set(typed[:at] + text + typed[at:], at + len(text))
        else:
            self.app.bell()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        text = " ".join(event.text.split())
        if self._typed is None and self._allows(text):
            self._set(text, len(text))
        elif self._typed is not None:
            self._insert(text)
        else:  # the value stays as it is
            self.app.bell()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # else escape is free for the screen
        return action != "revert" or self.is_editing or self.is_refused

    def action_type(self) -> None:
        """Enter: type; enter again takes it."""
        if self._typed is None:
            text = self._begin()
            self._set(text, len(text))
        else:
            self.action_commit()

    def action_commit(self) -> None:
        """Take what was typed."""
        if self._typed is not None:
            typed, self._typed = self._typed.strip(), None
            self._take(typed)
            self.refresh()

    def action_revert(self) -> None:
        self._typed = None
        self.refresh()

    def on_blur(self, event: events.Blur) -> None:
        self.action_commit()


class NumberField(TypedField[Number]):
    """``how many      [ 10 ]``: left and right (or - and +) step, enter types and takes.

    A number outside the limits becomes the nearest one inside.

    decimals     0 for whole numbers; None for any (learning rates: shown as short as can be)
    factor       steps multiply by this instead of adding ``step``
    none_text    word for "not set": backspace to nothing gives None; "" when it must be set
    zero_text    word for 0 where that is no number but a choice; "" where it is a number
    slider       draw where the value lies between the limits as a small staircase

    Example::

        NumberField("n", "how many", value=10, minimum=1, maximum=200)
        NumberField("minutes", "budget", value=None, minimum=1, unit="min", none_text="none")
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,minus", "step(-1)", "Less", show=False, id="field.less"),
        Binding("right,plus", "step(1)", "More", show=False, id="field.more"),
        Binding("shift+left", "step(-10)", "Much less", show=False, id="field.much_less"),
        Binding("shift+right", "step(10)", "Much more", show=False, id="field.much_more"),
        Binding("backspace", "shorten", "Type", show=False, id="field.shorten"),
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
        zero_text: str = "",
        slider: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(key, label, **options)
        self.minimum, self.maximum = minimum, maximum
        self.step, self.factor, self.decimals = step, factor, decimals
        self.unit, self.none_text, self.zero_text = unit, none_text, zero_text
        self.slider = slider
        # a point can be typed for a whole number, too: 1.5 becomes 2 and is told, and not 15
        exponent = r"((?<=[\d.])e-?\d*)?" if decimals != 0 else ""
        self._pattern = re.compile(rf"-?\d*(\.\d*)?{exponent}")
        self._value: Number = self._bounded(value)

    @property
    def value(self) -> Number:
        return self._value

    @value.setter
    def value(self, value: Number) -> None:
        TypedField.value.fset(self, self._bounded(value))  # type: ignore[attr-defined]

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
            return round(value)
        return float(value) if self.decimals is None else round(float(value), self.decimals)

    def _change(self, value: Number) -> None:
        value = self._bounded(value)
        if value != self._value:
            self._value = value
            self.changed()

    def _shown(self) -> str:
        if self._value is None:
            text = self.none_text
        elif self.zero_text and not self._value:
            return f"[ {self.zero_text} ]"
        elif self.decimals is None:
            text = f"{self._value:.10g}"
        else:
            text = f"{self._value:.{self.decimals}f}"
        unit = f" {self.unit}" if self.unit and self._value is not None else ""
        return f"[ {text}{unit} ]"

    def control_text(self) -> str:
        if not self.slider or self.minimum is None or self.maximum is None:
            return super().control_text()
        share = ((self._value or self.minimum) - self.minimum) / (self.maximum - self.minimum)
        full = max(0, min(4, math.ceil(share * 4)))
        return f"{upright_bars([1, 3, 5, 7])[:full]:·<4} {super().control_text()}"

    def _allows(self, text: str) -> bool:
        return len(text) <= _MOST_DIGITS and self._pattern.fullmatch(text) is not None

    def _take(self, text: str) -> None:
        """What is no number is taken back."""
        if not text:
            self._change(None if self.none_text else self._value)
            return
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.app.bell()
            return
        self._change(number)
        if self._value is not None and float(self._value) != number:
            self.app.notify(
                f"{number:.10g} became {self._value:.10g}.",
                title=f"{self.label} takes whole numbers"
                if self.decimals == 0 and number % 1
                else f"{self.label} has its limits",
            )

    def action_shorten(self) -> None:
        """Backspace begins typing with the value less its last digit."""
        text = "" if self._value is None else f"{self._value:.10g}"
        self._set(text[:-1], len(text))

    def action_step(self, count: int) -> None:
        self.action_commit()
        value = self._value
        if value is None:
            self._change(self.minimum if self.minimum is not None else 0)
        elif self.factor is not None:
            self._change(float(f"{value * self.factor**count:.3g}"))
        else:
            self._change(value + self.step * count)

    def on_click(self, event: events.Click) -> None:
        part = self._click_part(event)
        if part is not None:
            self.action_step(-1 if part[0] < part[1] / 2 else 1)


class TextField(TypedField[str]):
    """``languages     [ en, pt ]``: a short text, typed where it stands.

    An owner that cannot use it calls ``refuse``: the text then stays as typed, marked ▲, until it
    is changed or taken back.

    empty_text   word for "not set", shown when the text is empty

    Example::

        TextField("languages", "languages", value="", empty_text="any", help="Codes, with commas.")
    """

    EMPTY = ""

    def __init__(self, key: str, label: str, *, empty_text: str = "", **options: Any) -> None:
        super().__init__(key, label, **options)
        self.empty_text = empty_text
        self._refused: str | None = None

    @property
    def value(self) -> str:
        return self._value if self._refused is None else self._refused

    @value.setter
    def value(self, value: str) -> None:
        """Another value ends typing and forgets what was refused; the same one changes nothing."""
        if value != self._value:
            self._typed = self._refused = None
        self._value = value
        self.refresh()

    @property
    def taken(self) -> str:
        """What holds, whether or not something else was typed in vain."""
        return self._value

    @property
    def is_refused(self) -> bool:
        return self._refused is not None

    def refuse(self, taken: str) -> None:
        """What was typed cannot be used and stays to be mended; ``taken`` still holds."""
        self._refused, self._value = self.value, taken
        self.refresh()

    def accept(self, value: str) -> None:
        """What was typed is used, in this form."""
        self._typed = self._refused = None
        self._value = value
        self.refresh()

    def _begin(self) -> str:
        return self.value

    def _take(self, text: str) -> None:
        if text != self.value:
            self._value, self._refused = text, None
            self.changed()

    def _shown(self) -> str:
        shown = cut(printable(self.value) or self.empty_text, self._room())
        return f"▲ [ {shown} ]" if self.is_refused else f"[ {shown} ]"

    def _control_style(self) -> str:
        wrong = self.is_refused and not self.is_editing
        return "field--wrong" if wrong else super()._control_style()

    def action_revert(self) -> None:
        """Back to what holds; what was refused is forgotten as well."""
        if self._typed is None and self._refused is not None:
            self._refused = None
            self.changed()
        super().action_revert()

    def on_click(self, event: events.Click) -> None:
        if not self.is_editing:
            self.action_type()


def _is_text(character: str | None) -> bool:
    return character is not None and len(character) == 1 and character.isprintable()
