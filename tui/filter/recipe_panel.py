"""The recipe beside its effects: a form, and below it what the rule under the cursor means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Static

from tui.filter.recipe_form import RecipeForm
from tui.text.stats import dropped_by, kept_in_short
from tui.widgets.field import Field
from tui.widgets.panel import Panel
from tui.widgets.typed_field import TextField

if TYPE_CHECKING:
    from textual.events import DescendantFocus, Resize

    from core.curation.counts import AccountStats
    from core.curation.recipe import Recipe
    from core.errors import MynahError

# Cells of a panel that has a narrow window for itself; beside the table it has half of that.
_ALONE: Final = 60


class RecipePanel(Panel):
    """Posts ``Edited(recipe)`` for each change that makes sense.

    What makes none is explained below the form, and the typed text stays to be mended.
    """

    @dataclass
    class Edited(Message):
        """A person changed a rule."""

        recipe: Recipe

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  (Textual's own name)
        super().__init__(title="Recipe", id=id)
        self._recipe: Recipe | None = None
        self._total: AccountStats | None = None
        self._before: AccountStats | None = None
        self._wrong: dict[str, str] = {}  # why the text of a field is refused, by its key

    def compose(self) -> ComposeResult:
        yield RecipeForm(id="recipe-form")
        yield Static("", id="recipe-help", markup=False)

    def show(self, recipe: Recipe) -> None:
        """The recipe as it stands now; what is being typed stays."""
        self._recipe = recipe
        self.title = f"Recipe: {recipe.name}"
        self.query_one(RecipeForm).show(recipe)
        self._show_status()

    def show_counts(self, total: AccountStats | None, before: AccountStats | None) -> None:
        """What the recipe keeps, now and before its last change."""
        self._total, self._before = total, before
        self._show_status()
        focused = self.screen.focused
        if isinstance(focused, Field) and self in focused.ancestors:
            self._explain(focused.key)

    def on_resize(self, event: Resize) -> None:
        self._show_status()

    def _show_status(self) -> None:
        """Where the panel has the window for itself, also what the table would say."""
        facts = []
        if self._total is not None and self.size.width >= _ALONE:
            facts.append(kept_in_short(self._total, self._before))
        if self._recipe is not None and self._recipe.changed:
            facts.append("● changed")
        self.status = " · ".join(facts)

    def forget_refused(self) -> None:
        """Whatever was typed in vain goes, and its explanation with it."""
        self.query_one(RecipeForm).forget_refused()
        self._explain("")

    @on(Field.Changed)
    def _changed(self, event: Field.Changed) -> None:
        from core.curation.recipe import rule_value, with_rule
        from core.errors import MynahError

        event.stop()
        recipe, value = self._recipe, event.value
        if recipe is None or not isinstance(value, (bool, int, float, str)):
            return
        value = int(value) if isinstance(value, float) else value
        try:
            changed = with_rule(recipe, event.key, value)
        except MynahError as error:
            if isinstance(event.field, TextField):
                event.field.refuse(str(rule_value(recipe, event.key)))
            self._refused(event.key, error)
            return
        if isinstance(event.field, TextField):
            event.field.accept(str(rule_value(changed, event.key)))
        self._explain(event.key)
        if changed != recipe:
            self.post_message(self.Edited(changed))

    def _refused(self, key: str, error: MynahError) -> None:
        what = error.what.partition(": ")[2] or error.what  # the recipe's name is in the title
        what = what.replace(key, key.replace("_", " "), 1)
        self._wrong[key] = " ".join(part for part in (what, error.why, error.next_step) if part)
        self._explain(key)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """The rule under the cursor explains itself."""
        self._explain(event.widget.key if isinstance(event.widget, Field) else "")

    def on_descendant_blur(self) -> None:
        self._explain("")

    def _explain(self, key: str) -> None:
        """What is wrong with this field, or with another where none is meant; else its help."""
        fields = {field.key: field for field in self.query_one(RecipeForm).fields}
        refused = [
            name
            for name, field in fields.items()
            if isinstance(field, TextField) and field.is_refused
        ]
        shown = self.query_one("#recipe-help", Static)
        wrong = key if key in refused else refused[0] if refused and not key else ""
        if wrong:
            shown.update(Text(f"▲ {self._wrong.get(wrong, '')}", "bold"))
        else:
            about = [fields[key].help] if key in fields else []
            if about and self._total is not None and (drops := dropped_by(key, self._total)):
                about.append(drops)
            shown.update(Text(" ".join(about), "dim"))
