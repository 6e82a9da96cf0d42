"""The rules of a recipe as a form, in three groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widgets import Static

from tui.widgets.choice_field import ChoiceField
from tui.widgets.field import Field, SwitchField
from tui.widgets.field_form import FieldForm
from tui.widgets.typed_field import NumberField, TextField

if TYPE_CHECKING:
    from core.curation.recipe import Recipe
    from core.curation.rules import RuleField

LIMITS = ("first_date", "last_date", "min_words", "min_characters", "most_per_author")
STEPS = {"near_duplicates": 5, "min_characters": 5, "most_per_author": 100}


class RecipeForm(FieldForm):
    """Made from the rules' own description once; afterwards only values are set."""

    DEFAULT_CSS = """
    RecipeForm {
        & > .group { height: 1; color: $text-muted; text-style: italic; padding: 0 0 0 2; }
        & > .group.-later { height: 2; padding: 1 0 0 2; }
    }
    """

    def show(self, recipe: Recipe) -> None:
        """Set the fields to the recipe's rules; what is being typed stays."""
        from core.curation.recipe import rule_value
        from core.curation.rules import rule_fields

        rules = rule_fields(recipe.languages)
        values = {rule.key: rule_value(recipe, rule.key) for rule in rules}
        if self.fields:
            self.set_values(values)
            return
        for number, (title, members) in enumerate(_groups(rules)):
            later = " -later" if number else ""
            self.mount(Static(title, classes=f"group{later}", markup=False))
            self.mount(*(_field(rule, values[rule.key]) for rule in members))

    def forget_refused(self) -> None:
        """Whatever was typed in vain goes; the fields show what holds."""
        for field in self.fields:
            if isinstance(field, TextField) and field.is_refused:
                field.accept(field.taken)


def _groups(rules: list[RuleField]) -> list[tuple[str, list[RuleField]]]:
    from core.curation.cleaning import CLEANING

    limits = [rule for rule in rules if rule.key in LIMITS]
    cleaning = [rule for rule in rules if rule.key in (*CLEANING, "threads")]
    others = [rule for rule in rules if rule not in limits and rule not in cleaning]
    return [("what is left out", others), ("limits", limits), ("how it is cleaned", cleaning)]


def _field(rule: RuleField, value: bool | int | str) -> Field[Any]:
    """The form's control for one rule."""
    if rule.kind == "switch":
        return SwitchField(rule.key, rule.title, value=bool(value), help=rule.help)
    if rule.kind == "number":
        number = int(value) if not isinstance(value, str) else 0
        return NumberField(
            rule.key, rule.title, value=number, minimum=0, maximum=rule.maximum,
            step=STEPS.get(rule.key, 1), help=rule.help,
        )  # fmt: skip
    if rule.kind == "text":
        return TextField(
            rule.key, rule.title, value=str(value), empty_text=rule.empty, help=rule.help
        )
    return ChoiceField(
        rule.key,
        rule.title,
        [(choice, choice.replace("_", " ")) for choice in rule.choices],
        value=value,
        help=rule.help,
    )
