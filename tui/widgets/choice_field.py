"""A field that takes one of a few values, and the list that opens from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from core.safe_text import printable
from tui.widgets.cells import cell_len, cut
from tui.widgets.field import Field
from tui.widgets.panel import Dialog


class Choice(NamedTuple):
    """A value, how it is called, and a few words about it for the open list."""

    value: object
    label: str
    help: str = ""


def as_choice(choice: Choice | tuple[object, str] | str) -> Choice:
    """A choice from its short forms: ``"fast"`` or ``(value, "label")``."""
    if isinstance(choice, Choice):
        return choice
    if isinstance(choice, str):
        return Choice(choice, choice)
    return Choice(*choice)


class ChoiceField(Field[object]):
    """``links          ‹ drop ›``: left and right turn through, enter opens the list.

    Example: ``ChoiceField("preset", "preset", ["fast", Choice("quality", "quality", "slower")])``
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "Previous", show=False, id="field.previous"),
        Binding("right", "turn(1)", "Next", show=False, id="field.next"),
        Binding("enter,space", "open", "List", show=False, id="field.open"),
    ]

    def __init__(
        self,
        key: str,
        label: str,
        choices: Sequence[Choice | tuple[object, str] | str] = (),
        *,
        value: object = None,
        **options: Any,
    ) -> None:
        super().__init__(key, label, **options)
        self._choices: list[Choice] = []
        self._index = 0
        self.set_choices(choices, value=value)

    def set_choices(
        self, choices: Sequence[Choice | tuple[object, str] | str], *, value: object = None
    ) -> None:
        """Offer other choices; the value stays when it is among them, else the first is taken."""
        wanted = value if value is not None else self.value
        self._choices = [as_choice(choice) for choice in choices]
        self._index = self._index_of(wanted)
        self.refresh()

    def _index_of(self, value: object) -> int:
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
        self._index = self._index_of(value)
        self.refresh()

    @property
    def about(self) -> str:
        """Without a help of its own, what it stands at."""
        if self.help or not self._choices:
            return self.help
        choice = self._choices[self._index]
        return f"{choice.label}: {choice.help}." if choice.help else ""

    def control_text(self) -> str:
        if not self._choices:
            return "none"
        label = printable(self._choices[self._index].label)
        most = self.content_size.width - min(cell_len(printable(self.label)), 12) - 8
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


class ChoiceOptions(OptionList):
    """An option list that also knows j, k, g and G."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "cursor_down", "Down", show=False),
        Binding("up,k", "cursor_up", "Up", show=False),
        Binding("home,g", "first", "First", show=False),
        Binding("end,G", "last", "Last", show=False),
        Binding("enter,space,right,l", "select", "Take", show=False),
    ]


class ChoiceMenu(Dialog["int | None"]):
    """A small list beside ``anchor`` (a region of the screen); gives the index taken, or None.

    ``index`` is the present choice, which is marked; None when there is none yet.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h,q", "leave", "Close", show=False, id="menu.leave"),
    ]
    DEFAULT_CSS = """
    ChoiceMenu {
        background: transparent;
        align: left top;
        ChoiceOptions {
            width: auto;
            height: auto;
            max-height: 14;
            padding: 0 1;
            border: round $accent;
            background: $background;
            scrollbar-size-vertical: 1;
            &:focus { border: round $accent; background: $background; }
        }
        &:ansi ChoiceOptions { background: ansi_default; }
        &:ansi ChoiceOptions:focus { background: ansi_default; }
    }
    """

    def __init__(
        self, choices: Sequence[Choice], index: int | None, anchor: Region, *, title: str = ""
    ) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._index = index
        self._anchor = anchor

    def compose(self) -> ComposeResult:
        widest = max(cell_len(printable(choice.label)) for choice in self._choices)
        # what the signs, the gap, the frame and a scrollbar leave
        room = max(8, self.app.size.width - widest - 9)
        options = []
        for index, choice in enumerate(self._choices):
            label = printable(choice.label)
            sign = "● " if index == self._index else "  "
            text = Content(sign + label)
            if choice.help:
                gap = " " * (widest - cell_len(label) + 2)
                text = text + Content.styled(gap + cut(printable(choice.help), room), "dim")
            options.append(Option(text))
        menu = ChoiceOptions(*options, markup=False)
        menu.border_title = Content(printable(self._title)) if self._title else None
        yield menu

    def on_mount(self) -> None:
        options = self.query_one(ChoiceOptions)
        options.highlighted = self._index or 0
        options.focus()
        self._place()

    def on_resize(self, event: events.Resize) -> None:
        self._place()

    def _place(self) -> None:
        """Under the field, or over it where there is no room; its right edge with the field's.

        Beside what is itself as high as the window it begins with that, and in the middle beside
        what cannot be seen.
        """
        options = self.query_one(ChoiceOptions)
        lines = min(14, len(self._choices) + 2)
        longest = max(
            cell_len(option.prompt.plain) if isinstance(option.prompt, Content) else 0
            for option in options.options
        )
        longest = max(longest, cell_len(printable(self._title)) + 2)
        width = min(longest + 4 + (len(self._choices) + 2 > 14), self.app.size.width)
        screen, anchor = self.app.size, self._anchor
        x = max(0, min(anchor.right - width, screen.width - width))
        y = anchor.bottom if anchor.bottom + lines <= screen.height else anchor.y - lines
        if not anchor:
            x, y = (screen.width - width) // 2, (screen.height - lines) // 2
        elif y < 0:
            y = max(0, min(anchor.y + 1, screen.height - lines))
        options.styles.width = width
        options.styles.offset = (x, y)

    @on(OptionList.OptionSelected)
    def _taken(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option_index)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self:
            self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)
