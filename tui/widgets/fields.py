"""One-line form fields for side panels: label at the left, control at the right.

Up and down (or k and j) move between the fields of a ``FieldForm``, left and right change the value
under the focus; everything can be clicked. A field posts ``Field.Changed(field, key, value)`` when
a person changed it; setting ``.value`` from code posts nothing.

Example::

    yield FieldForm(
        InfoField("accounts", "accounts", value="@keeper_of_light"),
        ChoiceField("preset", "preset", ["fast", Choice("quality", "quality", "slower, better")]),
        NumberField("seed", "seed", value=7, minimum=0, help="The same seed, the same run."),
        TextField("languages", "languages", empty_text="any"),
        SwitchField("copies", "allow copies"),
        ButtonField("start", "Start"),
    )

    @on(Field.Changed)
    def plan(self, event: Field.Changed) -> None:
        self.settings[event.key] = event.value
"""

from __future__ import annotations

from tui.widgets.choice_field import ChoiceField
from tui.widgets.choice_menu import Choice
from tui.widgets.field import ButtonField, Field, InfoField, SwitchField
from tui.widgets.field_form import FieldForm
from tui.widgets.number_field import NumberField
from tui.widgets.text_field import TextField

__all__ = [
    "ButtonField",
    "Choice",
    "ChoiceField",
    "Field",
    "FieldForm",
    "InfoField",
    "NumberField",
    "SwitchField",
    "TextField",
]
