"""2 Filter: the recipe at the left; what it keeps, and what it does to each tweet, at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from core.rows import TweetRow, Which
from tui.actions import bindings
from tui.frame import Section, explained
from tui.state import State
from tui.stats_table import stats_table
from tui.tweet_lines import REASON_COLUMNS, ReasonLines
from tui.widgets.diff_text import DiffText
from tui.widgets.fields import ChoiceField, Field, FieldForm, SwitchField
from tui.widgets.number_field import NumberField
from tui.widgets.panel import Panel
from tui.widgets.row_list import ListRows, RowList
from tui.widgets.search_field import SearchField
from tui.words import count

if TYPE_CHECKING:
    from textual.events import DescendantFocus
    from textual.widget import Widget

    from core.curation import Recipe, RuleField

WHICH: tuple[Which, ...] = ("dropped", "edited", "all")
SAYS = {"dropped": "○ dropped", "edited": "● edited", "all": "all", "kept": "● kept"}


class FilterSection(Section):
    """Every change of the form recounts at once; the last column says what it did."""

    SECTION = "filter"
    COLUMNS = ("filter-side", "filter-main")
    FIRST_COLUMN = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("filter"),
        ("escape", "leave_search", "Leave the search"),
    ]

    def compose_body(self) -> ComposeResult:
        with Vertical(id="filter-side", classes="column side"):
            with Panel(title="Recipe", id="recipe-panel"):
                yield FieldForm(id="recipe-form")
                yield Static("", id="recipe-help", markup=False)
        with Vertical(id="filter-main", classes="column main"):
            with Panel(title="What is kept", id="stats-panel"):
                with VerticalScroll(id="stats-scroll"):
                    yield Static("", id="stats", markup=False)
            with Panel(title="Changed by this recipe", id="changed-panel"):
                yield SearchField(back_to="#changed", id="search")
                yield RowList(REASON_COLUMNS, empty="", id="changed")
            with Panel(title="Before and after", id="diff-panel"):
                with VerticalScroll(can_focus=False):
                    yield DiffText(id="diff")

    def on_mount(self) -> None:
        super().on_mount()
        self._which: Which = "dropped"
        self._wanted = ""
        self._rule_help: dict[str, str] = {}
        app = self.mynah
        app.recipe_changed.subscribe(self, self._recipe_changed)
        app.curation_changed.subscribe(self, self._curation_changed)
        app.accounts_changed.subscribe(self, self._accounts_changed)
        self._recipe_changed(self.state)
        self._curation_changed(self.state)
        self._accounts_changed(self.state)
        self.query_one("#changed", RowList).focus()

    def possible(self, action: str) -> bool:
        recipe = self.state.recipe
        if action == "undo":
            return recipe is not None and recipe.changed
        if action in ("which", "search"):
            return self.state.curation is not None
        return recipe is not None

    # ── what changed ─────────────────────────────────────────────────────────────────────

    def _accounts_changed(self, state: State) -> None:
        if state.accounts == []:
            self.query_one("#changed", RowList).set_empty(
                "No tweets yet. Press 1, then a to add an archive, or d for the sample authors."
            )
            self.query_one("#changed", RowList).set_rows(ListRows())
            self.query_one("#stats", Static).update("")
            self.query_one("#diff", DiffText).set_text("")

    def _recipe_changed(self, state: State) -> None:
        recipe = state.recipe
        if recipe is None:
            return
        panel = self.query_one("#recipe-panel", Panel)
        panel.title = f"Recipe: {recipe.name}"
        panel.status = "● changed" if recipe.changed else ""
        self._fill_form(recipe)

    def _fill_form(self, recipe: Recipe) -> None:
        """Make the fields from the rules' own description once, then only set their values."""
        from core.curation import rule_fields, rule_value

        form = self.query_one("#recipe-form", FieldForm)
        rules = rule_fields(recipe)
        if not self._rule_help:
            self._rule_help = {rule.key: rule.help for rule in rules}
            form.mount(*(_field(rule, rule_value(recipe, rule.key)) for rule in rules))
        else:
            form.set_values({rule.key: rule_value(recipe, rule.key) for rule in rules})

    def _curation_changed(self, state: State) -> None:
        curation = state.curation
        if curation is None:
            return
        before = state.before
        self.query_one("#stats", Static).update(
            stats_table(
                curation.stats,
                curation.total,
                before.total if before else None,
                self.query_one("#stats").size.width or 76,
            )
        )
        total = curation.total
        panel = self.query_one("#stats-panel", Panel)
        panel.status = f"{count(total.kept)} kept of {count(total.downloaded)}"
        rows = curation.rows.only(self._which).search(self._wanted)
        self.query_one("#changed", RowList).set_empty("Nothing: this recipe changes no tweet here.")
        self.query_one("#changed", RowList).set_rows(ReasonLines(rows), keep_cursor=True)
        self.query_one("#changed-panel", Panel).status = f"{count(len(rows))} · {SAYS[self._which]}"

    # ── what a person does ───────────────────────────────────────────────────────────────

    @on(Field.Changed)
    def _rule_changed(self, event: Field.Changed) -> None:
        from core.curation import with_rule

        value = event.value
        if self.state.recipe is not None and isinstance(value, (bool, int, float, str)):
            value = int(value) if isinstance(value, float) else value
            self.mynah.change_recipe(with_rule(self.state.recipe, event.key, value))

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """The rule under the cursor explains itself."""
        key = event.widget.key if isinstance(event.widget, Field) else ""
        self.query_one("#recipe-help", Static).update(Text(self._rule_help.get(key, ""), "dim"))

    @on(RowList.Highlighted, "#changed")
    def _row_highlighted(self, event: RowList.Highlighted) -> None:
        tweet = self._tweet(event.index)
        panel = self.query_one("#diff-panel", Panel)
        if tweet is None:
            self.query_one("#diff", DiffText).set_text("")
            panel.status = ""
            return
        from core.curation import REASON_WORDS, diff_parts

        panel.status = "kept" if tweet.kept else REASON_WORDS.get(tweet.reason or "", "")
        self.query_one("#diff", DiffText).set_segments(diff_parts(tweet.text, tweet.clean_text))

    def _tweet(self, index: int) -> TweetRow | None:
        lines = self.query_one("#changed", RowList).rows
        if isinstance(lines, ReasonLines) and index < len(lines):
            return lines.rows[index]
        return None

    def action_which(self) -> None:
        self._which = WHICH[(WHICH.index(self._which) + 1) % len(WHICH)]
        self._curation_changed(self.state)

    @explained
    def action_next_recipe(self) -> None:
        """Go through the recipes that ship and the person's own."""
        from core.curation import load_recipe, recipe_names

        if self.state.recipe is None:
            return
        names = recipe_names(self.state.home)
        here = names.index(self.state.recipe.name) if self.state.recipe.name in names else -1
        recipe = load_recipe(names[(here + 1) % len(names)], self.state.home)
        self.mynah.change_recipe(recipe, saved=True)

    def action_undo(self) -> None:
        if self.state.saved_recipe is not None:
            self.mynah.change_recipe(self.state.saved_recipe)

    def action_save(self) -> None:
        from tui.screens.ask import Ask

        recipe = self.state.recipe
        if recipe is None:
            return

        def named(name: str | None) -> None:
            if not name:
                return
            from core.curation import save_recipe
            from core.errors import MynahError

            try:
                saved = save_recipe(recipe, self.state.home, name=name)
            except MynahError as error:
                self.mynah.show_error(error)
                return
            self.mynah.change_recipe(saved, saved=True)
            self.app.notify(f"--recipe {saved.name} uses it on the command line.", title="Saved")

        self.app.push_screen(Ask("Save this recipe as", recipe.name), named)

    def action_search(self) -> None:
        self.query_one(SearchField).ask()

    @on(SearchField.Wanted)
    def _search_changed(self, event: SearchField.Wanted) -> None:
        self._wanted = event.words
        self._curation_changed(self.state)

    def action_leave_search(self) -> None:
        self.query_one(SearchField).leave()


def _field(rule: RuleField, value: bool | int | str) -> Widget:
    """The form's control for one rule."""
    if rule.kind == "switch":
        return SwitchField(rule.key, rule.title, value=bool(value), help=rule.help)
    if rule.kind == "number":
        number = int(value) if not isinstance(value, str) else 0
        return NumberField(
            rule.key, rule.title, value=number, minimum=0, maximum=100, help=rule.help
        )
    return ChoiceField(
        rule.key,
        rule.title,
        [(choice, choice.replace("_", " ")) for choice in rule.choices],
        value=value,
        help=rule.help,
    )
