"""A field for a short text, typed where it stands."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from core.safe_text import plain
from tui.widgets.cells import cell_len, cut
from tui.widgets.field import Field

_CARET = "▏"
_SHARE = 0.6  # of the line that a text may take before its label is cut


class TextField(Field[str]):
    """``languages     [ en, pt ]``: enter types and takes, escape takes back.

    What was typed counts on enter or when the focus goes. An owner that cannot use it calls
    ``refuse``: the text then stays as typed, marked ▲, until it is changed or taken back.

    empty_text   word for "not set", shown when the text is empty

    Example::

        TextField("languages", "languages", value="", empty_text="any", help="Codes, with commas.")
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "type", "Type, then take", show=False, id="field.take"),
        Binding("escape", "revert", "Take back", show=False, id="field.revert"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"field--wrong"}
    DEFAULT_CSS = """
    TextField > .field--wrong { color: $text-error; text-style: bold; }
    """

    def __init__(
        self,
        key: str,
        label: str,
        *,
        value: str = "",
        empty_text: str = "",
        help: str = "",  # noqa: A002  (the word for it)
        disabled: bool = False,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
    ) -> None:
        super().__init__(key, label, help=help, disabled=disabled, id=id, classes=classes)
        self.empty_text = empty_text
        self._value = value
        self._typed: str | None = None
        self._caret = 0
        self._refused: str | None = None

    # --- the value -----------------------------------------------------------------------------

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
    def is_editing(self) -> bool:
        return self._typed is not None

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

    # --- drawing -------------------------------------------------------------------------------

    def control_text(self) -> str:
        room = max(8, int(self.content_size.width * _SHARE) - 4)
        if self._typed is not None:
            return f"[ {self._window(room)} ]"
        shown = plain(self.value) or self.empty_text
        sign = "▲ " if self.is_refused else ""
        return f"{sign}[ {cut(shown, room)} ]"

    def _window(self, room: int) -> str:
        """The typed text around the caret."""
        typed = self._typed or ""
        before, after = plain(typed[: self._caret]), plain(typed[self._caret :])
        while cell_len(before) > room - 1:
            before = before[1:]
        return before + _CARET + cut(after, max(0, room - 1 - cell_len(before)))

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if y or not self.is_refused or self.is_editing:
            return strip
        style = self.get_visual_style("field--wrong").rich_style
        *rest, control = list(strip.simplify())
        return Strip([*rest, Segment(control.text, style)]).adjust_cell_length(
            self.content_size.width, self.rich_style
        )

    # --- keys ----------------------------------------------------------------------------------

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return self.is_editing and _is_text(character)

    def on_key(self, event: events.Key) -> None:
        if self._typed is None:
            return
        typed, at = self._typed, self._caret
        if _is_text(event.character):
            typed, at = typed[:at] + (event.character or "") + typed[at:], at + 1
        elif event.key == "backspace":
            typed, at = typed[: max(0, at - 1)] + typed[at:], max(0, at - 1)
        elif event.key == "delete":
            typed = typed[:at] + typed[at + 1 :]
        elif event.key == "ctrl+u":
            typed, at = typed[at:], 0
        elif event.key in ("left", "right"):
            at = max(0, min(len(typed), at + (1 if event.key == "right" else -1)))
        elif event.key in ("home", "end"):
            at = 0 if event.key == "home" else len(typed)
        else:
            return
        event.stop()
        event.prevent_default()
        self._typed, self._caret = typed, at
        self.refresh()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        pasted = " ".join(event.text.split())
        typed, at = (self._typed, self._caret) if self._typed is not None else ("", 0)
        self._typed = typed[:at] + pasted + typed[at:]
        self._caret = at + len(pasted)
        self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "revert":
            return self.is_editing or self.is_refused  # else escape is free for the screen
        return True

    def action_type(self) -> None:
        """Enter: type; enter again takes it."""
        if self._typed is None:
            self._typed = self.value
            self._caret = len(self._typed)
            self.refresh()
        else:
            self.action_commit()

    def action_commit(self) -> None:
        """Take what was typed."""
        if self._typed is None:
            return
        typed, self._typed = self._typed.strip(), None
        if typed != self.value:
            self._value, self._refused = typed, None
            self.changed()
        self.refresh()

    def action_revert(self) -> None:
        """Back to what holds; what was refused is forgotten as well."""
        if self._typed is not None:
            self._typed = None
        elif self._refused is not None:
            self._refused = None
            self.changed()
        self.refresh()

    def on_blur(self, event: events.Blur) -> None:
        self.action_commit()

    def on_click(self, event: events.Click) -> None:
        if self._typed is None:
            self.action_type()


def _is_text(character: str | None) -> bool:
    return character is not None and len(character) == 1 and character.isprintable()
