"""The dialog Columns: which column of a table is the text, which the author, the date and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.markup import escape
from textual.widgets import Static

from core.safe_text import printable
from tui.dialogs.keys import KeyPage
from tui.text.columns import NAMELESS, ROLES, Role, mapped, meant
from tui.widgets.choice_field import Choice, ChoiceField
from tui.widgets.field import Field
from tui.widgets.field_form import FieldForm
from tui.widgets.words import Words

if TYPE_CHECKING:
    from core.sources.preview import TableColumn

_HELP = {role.name: role.help for role in ROLES}


class ColumnsPage(KeyPage["dict[str, str] | None"]):
    """Answers with role → column, the guessed ones left out; None when nothing is to change."""

    NAME = "Columns"
    FOOT = ("change", "take", "guess")
    BINDINGS: ClassVar[list[BindingType]] = [
        ("enter", "change", "List"),
        ("o,ctrl+s", "take", "OK"),
        ("u", "guess", "As guessed"),
        ("escape", "dismiss(None)", "Cancel"),
    ]

    def __init__(
        self,
        path: Path,
        columns: Sequence[TableColumn],
        mapping: Mapping[str, str],
        *,
        one_of_several: bool = False,
    ) -> None:
        super().__init__()
        self._path, self._columns = path, columns
        there = {column.name for column in columns}
        self._mapping = {role: name for role, name in mapping.items() if name in there}
        self._one_of_several = one_of_several
        self._choices = [
            Choice(column.name, column.name or NAMELESS, column.example) for column in columns
        ]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="columns") as dialog:
            dialog.border_title = escape(f"Columns of {printable(self._path.name)}")
            dialog.border_subtitle = "‹ › the next column · esc changes nothing"
            with Horizontal(id="columns-head"):
                yield Static("  what", classes="column-field", markup=False)
                yield Static("for example", classes="column-example", markup=False)
            with FieldForm(id="columns-form"):
                for role in ROLES:
                    with Horizontal(classes="column-row"):
                        yield ChoiceField(role.name, role.label, classes="column-field")
                        yield Static("", classes="column-example", markup=False)
            yield Words("", id="column-about", markup=False)
            yield Words("", id="column-note", markup=False)
            yield self.foot()

    def on_mount(self) -> None:
        self._show()
        self.query_one(FieldForm).focus_first()

    def _show(self) -> None:
        """Each role with its column and an example, and what is worth knowing below them."""
        now = meant(self._columns, self._mapping)
        fields = self.query(ChoiceField)
        examples = self.query("#columns-form .column-example").results(Static)
        for role, field, example in zip(ROLES, fields, examples, strict=True):
            column = now.get(role.name)
            field.set_choices(self._offered(role, column))
            field.value = self._mapping.get(role.name)
            example.update(column.example if column else "")
        words = Text("What one line has, the others do not offer: a column has one role.", "dim")
        if self._one_of_several:
            words = Text("The choice is for this file only, not for the others.", "dim")
        if "text" not in now:
            words = Text("▲ None of the columns is the text yet.", "bold")
        self.query_one("#column-note", Words).update(words)

    def _offered(self, role: Role, column: TableColumn | None) -> list[Choice]:
        """First the one that is guessed, if any; not what was chosen for another role, or turning
        through the columns would take it away there."""
        theirs = {name for one, name in self._mapping.items() if one != role.name}
        choices = [one for one in self._choices if one.value not in theirs]
        if role.name in self._mapping:
            now = meant(self._columns, mapped(self._mapping, role.name, None))
            column = now.get(role.name)
        if column is None:
            return [Choice(None, "none"), *choices]
        guessed = Choice(None, f"{column.name or NAMELESS} (guessed)", column.example)
        return [guessed, *(one for one in choices if one.value != column.name)]

    @on(DescendantFocus)
    def _focus_moved(self) -> None:
        if isinstance(self.focused, Field):
            self.query_one("#column-about", Words).update(_HELP[self.focused.key])

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        event.stop()
        self._mapping = mapped(self._mapping, event.key, event.value)
        self._show()

    async def action_change(self) -> None:
        """As enter does on the field that has the focus."""
        if isinstance(self.focused, ChoiceField):
            self.focused.action_open()

    def action_guess(self) -> None:
        self._mapping = {}
        self._show()

    def action_take(self) -> None:
        self.dismiss(self._mapping)
