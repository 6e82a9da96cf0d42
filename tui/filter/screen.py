"""2 Filter: the recipe at the left; what it keeps, and what it does to each tweet, at the right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from core.safe_text import printable
from core.workbench.view import Which
from tui.actions import bindings, key_of
from tui.filter.before_after import BeforeAfter
from tui.filter.counting import Counting, RowSearch, RowsFound, SearchRefused
from tui.filter.other_recipes import ask_what_to_compare_with, go_to_next, take_back
from tui.filter.recipe_panel import RecipePanel
from tui.job import Counted, Report
from tui.section.columns import acts_on
from tui.section.screen import Section, explained
from tui.state import NewRun, State
from tui.text.nothing_there import NO_CHANGE, no_match, why_no_tweets
from tui.text.numbers import count, short_count
from tui.text.stats import compare_table, kept_in_short, stats_table
from tui.text.tweets import REASON_COLUMNS, CompareLines, ReasonLines, compare_columns
from tui.widgets.panel import Panel, ScrollPane
from tui.widgets.row_list import ListRows, RowList
from tui.widgets.search_field import SearchField
from tui.widgets.words import Words

if TYPE_CHECKING:
    from core.curation.counts import AccountStats

MOST_WARNINGS = 2
OTHERS = {"last": "last change", "saved": "saved recipe"}
WHICH: tuple[Which, ...] = ("dropped", "edited", "all")
SAYS = {"dropped": "○ dropped", "edited": "● edited", "all": "all", "kept": "● kept"}


class FilterSection(Section):
    """Every change of the form recounts at once; the last column says what it did.

    While two recipes are compared, the table holds both and the list the tweets on which they
    differ; the form still edits the second.
    """

    SECTION = "filter"
    COLUMNS = ("filter-side", "filter-main")
    FIRST_COLUMN = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("filter"),
        ("escape", "leave_search", "Leave the search or the comparison"),
    ]

    def __init__(self, counting: Counting, search: RowSearch) -> None:
        super().__init__()
        self._counting, self._search = counting, search

    def compose_body(self) -> ComposeResult:
        with Vertical(id="filter-side", classes="column side"):
            yield RecipePanel(id="recipe-panel")
        with Vertical(id="filter-main", classes="column main"):
            with Panel(title="What is kept", id="stats-panel"):
                with ScrollPane(id="stats-scroll"):
                    yield Words("", id="stats", markup=False)
                    yield Words("", id="stats-advice", markup=False)
            with Panel(title="Changed by this recipe", id="changed-panel"):
                yield SearchField(back_to="#changed", id="search")
                yield RowList(REASON_COLUMNS, empty="", id="changed")
            yield BeforeAfter(id="diff-panel")

    def on_mount(self) -> None:
        self._which: Which = "dropped"
        self._wanted = ""
        self._against: Literal["last", "saved"] = "last"
        self._draft = ""  # a recipe from the person's editor that could not be read
        app = self.mynah
        app.recipe_changed.subscribe(self, self._recipe_changed)
        app.curation_changed.subscribe(self, self._curation_changed)
        app.comparison_changed.subscribe(self, self._comparison_changed)
        app.accounts_changed.subscribe(self, self._accounts_changed)
        app.new_run_changed.subscribe(self, self._new_run_changed)
        app.reported.subscribe(self, self._reported)
        self._recipe_changed(self.state)
        self._curation_changed(self.state)
        self._accounts_changed(self.state)
        self.query_one("#changed", RowList).focus()

    def possible(self, action: str) -> bool:
        recipe = self.state.recipe
        if action == "undo":
            return recipe is not None and recipe.changed
        if action == "which":
            return self.state.curation is not None and self.state.comparison is None
        if action in ("search", "compare"):
            return self.state.curation is not None
        return recipe is not None

    # ── what changed ─────────────────────────────────────────────────────────────────────

    def _accounts_changed(self, state: State) -> None:
        if nothing := why_no_tweets(state):
            listing = self.query_one("#changed", RowList)
            listing.set_empty(nothing)
            listing.set_rows(ListRows())
            self.query_one("#stats", Words).update("")
            self.query_one(BeforeAfter).show_tweet(None)
            self.query_one(RecipePanel).show_counts(None, None)
            self.query_one("#stats-panel", Panel).status = ""
            self.query_one("#changed-panel", Panel).status = ""

    def _recipe_changed(self, state: State) -> None:
        recipe = state.recipe
        if recipe is None:
            return
        self.query_one(RecipePanel).show(recipe)

    def _curation_changed(self, state: State) -> None:
        now, before = (one.total if one else None for one in (state.curation, state.before))
        self.query_one(RecipePanel).show_counts(now, before)
        if state.curation is not None and state.compared_with is None:
            self._show_stats(state)
            self._ask_for_rows()

    def _comparison_changed(self, state: State) -> None:
        """Two recipes are side by side, or no longer."""
        listing, comparison = self.query_one("#changed", RowList), state.comparison
        if comparison is None:
            listing.header = False
            listing.set_columns(REASON_COLUMNS)
            self.query_one("#changed-panel", Panel).title = "Changed by this recipe"
            self.query_one("#stats-panel", Panel).title = "What is kept"
            self._curation_changed(state)
            return
        self._show_stats(state)
        self._ask_for_rows()

    def _show_stats(self, state: State) -> None:
        panel, shown = self.query_one("#stats-panel", Panel), self.query_one("#stats", Words)
        curation, comparison = state.curation, state.comparison
        if comparison is not None:
            a, b = self._names()
            panel.title = f"{a} and {b}"
            panel.status = self._accounts_compared()
            shown.update(compare_table((a, b), comparison.a.total, comparison.b.total))
        elif curation is not None:
            width = shown.size.width or 76
            before = self._before(state)
            facts = [kept_in_short(curation.total)]
            if state.before is not None or self._against == "saved":
                other = "saved" if self._against == "last" else "last"
                facts.append(f"{self._key('against')}: change against the {OTHERS[other]}")
            panel.status = " · ".join(facts)
            shown.update(stats_table(curation.stats, curation.total, before, width, self._against))
        self._new_run_changed(self.state.new_run)

    def _key(self, name: str) -> str:
        return key_of(f"filter.{name}", self.state.keymap)

    def _before(self, state: State) -> AccountStats | None:
        """What the last column compares with: the counts before the last change, or those of the
        recipe as it was saved, which are counted when somebody asks for them."""
        if self._against == "last":
            return state.before.total if state.before else None
        if state.saved_total is None:
            self._counting.count_saved()
        return state.saved_total

    def _new_run_changed(self, new_run: NewRun) -> None:
        """What the accounts lack, and how long learning would take."""
        curation = self.state.curation
        lines: list[str] = []
        if curation is not None and self.state.comparison is None:
            warnings = [f"▲ {new_run.too_few}"] if new_run.too_few else []
            warnings += [f"▲ {warning}" for one in curation.stats for warning in one.warnings]
            more = len(warnings) - MOST_WARNINGS
            lines = [*warnings[:MOST_WARNINGS], *([f"▲ {more} more warnings"] if more > 0 else [])]
            lines += [new_run.all_tweets] if new_run.all_tweets else []
        advice = self.query_one("#stats-advice", Words)
        advice.display = bool(lines)
        advice.update(Text(printable("\n".join(lines), keep_newlines=True)))

    def _accounts_compared(self) -> str:
        handles = self.state.bench.handles if self.state.bench else []
        return f"@{handles[0]}" if len(handles) == 1 else f"all {len(handles)} accounts"

    def _names(self) -> tuple[str, str]:
        """The names of the two compared recipes; the second, if edited, is marked."""
        comparison = self.state.comparison
        if comparison is None:
            return "", ""
        a, b = comparison.a.recipe, comparison.b.recipe
        return "as saved" if a.name == b.name else a.name, f"{b.name} ●" if b.changed else b.name

    def _ask_for_rows(self) -> None:
        """Finding them may take a while; the list changes when they are there."""
        state = self.state
        if state.comparison is not None:
            self._search.find(state.comparison.rows, "all", self._wanted)
        elif state.curation is not None:
            self._search.find(state.curation.rows, self._which, self._wanted)

    def _reported(self, report: Report) -> None:
        if isinstance(report, RowsFound) and report.search is self._search:
            self._show_rows(report)
        elif isinstance(report, SearchRefused) and report.search is self._search:
            panel = self.query_one("#changed-panel", Panel)
            panel.status = f"▲ {' '.join(str(report.error).split())}"
        elif isinstance(report, Counted):
            self._show_progress(report)

    def _show_rows(self, found: RowsFound) -> None:
        from core.workbench.view import TweetRows

        comparing = self.state.comparison is not None
        if comparing is isinstance(found.rows, TweetRows):
            return  # what was looked for has changed
        listing = self.query_one("#changed", RowList)
        panel = self.query_one("#changed-panel", Panel)
        listing.highlight(found.found)
        if isinstance(found.rows, TweetRows):
            listing.set_empty(no_match(found.which) if found.words else NO_CHANGE)
            listing.set_rows(ReasonLines(found.rows), keep_cursor=True)
            panel.status = f"{count(len(found.rows))} · {self._key('which')} {SAYS[found.which]}"
        else:
            listing.header = True
            listing.set_columns(compare_columns(*self._names()))
            same = "Nothing: both recipes say the same of every tweet here."
            listing.set_empty(no_match("all") if found.words else same)
            listing.set_rows(CompareLines(found.rows), keep_cursor=True)
            panel.title = "On these they differ"
            panel.status = f"{count(len(found.rows))} · {self._key('compare')} leaves"
        if not len(found.rows):
            self.query_one(BeforeAfter).show_tweet(None)

    def _show_progress(self, report: Counted) -> None:
        """Old counts stay until the new ones are there; the corner says what they wait for."""
        doing = {
            self._search: ("#changed-panel", "searching"),
            self._counting.curate_job: ("#stats-panel", "recounting"),
            self._counting.compare_job: ("#stats-panel", "comparing"),
        }.get(report.job)
        if doing is not None:
            how_far = f"{short_count(report.done)} of {short_count(report.total)}"
            self.query_one(doing[0], Panel).status = f"{doing[1]} {how_far} …"

    # ── what a person does ───────────────────────────────────────────────────────────────

    @on(RecipePanel.Edited)
    def _edited(self, event: RecipePanel.Edited) -> None:
        self.mynah.change_recipe(event.recipe)

    @on(RowList.Highlighted, "#changed")
    def _row_highlighted(self, event: RowList.Highlighted) -> None:
        lines, shown = self.query_one("#changed", RowList).rows, self.query_one(BeforeAfter)
        inside = isinstance(lines, (ReasonLines, CompareLines)) and event.index < len(lines)
        if inside and isinstance(lines, CompareLines):
            shown.show_pair(lines.rows[event.index], self._names())
        elif inside and isinstance(lines, ReasonLines):
            shown.show_tweet(lines.rows[event.index])
        else:
            shown.show_tweet(None)

    @acts_on("#changed", at_once=True)  # its column: the table itself need not take the focus
    def action_against(self) -> None:
        self._against = "last" if self._against == "saved" else "saved"
        self._show_stats(self.state)

    @acts_on("#changed", at_once=True)
    def action_which(self) -> None:
        if self.state.comparison is None:
            self._which = WHICH[(WHICH.index(self._which) + 1) % len(WHICH)]
            self._ask_for_rows()

    def action_next_recipe(self) -> None:
        go_to_next(self.app, self.mynah, self.query_one(RecipePanel).forget_refused)

    def action_undo(self) -> None:
        take_back(self.app, self.mynah, self.query_one(RecipePanel).forget_refused)

    @explained
    def action_compare(self) -> None:
        """Choose the recipe to compare with; pressed again, it ends the comparison."""
        if self.state.compared_with is not None or self.state.recipe is None:
            self.mynah.compare_with(None)
        else:
            panel = self.query_one("#recipe-panel", Panel)
            ask_what_to_compare_with(self.app, self.state, panel.region, self._compare_with)

    @explained
    def _compare_with(self, name: str) -> None:
        from core.curation.recipe import load_recipe

        self.mynah.compare_with(load_recipe(name, self.state.home))

    def action_save(self) -> None:
        from tui.filter.saving import save_under_a_name

        if self.state.recipe is not None:
            save_under_a_name(self.app, self.mynah, self.state.recipe)

    @explained
    def action_edit_outside(self) -> None:
        """What cannot be read is offered again the next time, for the mistake to be mended."""
        from core.curation.recipe import recipe_from_toml, recipe_toml
        from tui.external_editor import edit_outside

        recipe = self.state.recipe
        if recipe is None:
            return
        written = edit_outside(self.app, self._draft or recipe_toml(recipe), f"{recipe.name}.toml")
        if written is None:
            return
        self._draft = written
        edited = recipe_from_toml(written, recipe.name, f"The recipe {recipe.name}")
        self._draft = ""
        self.query_one(RecipePanel).forget_refused()
        self.mynah.change_recipe(replace(edited, saved_hash=recipe.saved_hash))

    def action_search(self) -> None:
        field = self.query_one(SearchField)
        field.ask()
        self.reveal(field)

    @on(SearchField.Wanted)
    def _search_changed(self, event: SearchField.Wanted) -> None:
        if event.words != self._wanted:
            self._wanted = event.words
            self._ask_for_rows()

    def action_leave_search(self) -> None:
        """Esc clears a search first, then ends a comparison."""
        search = self.query_one(SearchField)
        if not search.has_class("-asked"):
            self.mynah.compare_with(None)
        search.leave()
