"""4 Train: the next run at the left with the runs so far; the live one at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.errors import WrongUsage
from core.runs.filter import RunFilter, parse_filter
from core.runs.folder import GOING
from core.safe_text import printable
from tui.actions import bindings, with_keys
from tui.job import Report
from tui.sample.sample_list import Sample, SampleList
from tui.state import AS_HUGGINGTWEETS, OWN_SETTINGS, NewRun, State
from tui.text.blends import facts_in_lines, in_lines, who_learns
from tui.text.nothing_there import why_no_tweets
from tui.train.curve_keys import CurveKeys, headline
from tui.train.figures import RESUMABLE, before_the_first_step, how_many, run_figures, run_line
from tui.train.keeping import DeleteMeasured, RunMeasured
from tui.train.loss_plot import LossPlot
from tui.train.run_fields import run_fields, show_own, with_own
from tui.widgets.choice_field import ChoiceField
from tui.widgets.field import ButtonField, Field, OpenField
from tui.widgets.field_form import FieldForm
from tui.widgets.figure_list import FigureList
from tui.widgets.panel import Panel
from tui.widgets.row_list import Column, ListRows, RowList
from tui.widgets.search_field import SearchField
from tui.widgets.words import Words

if TYPE_CHECKING:
    from textual.events import DescendantFocus, Resize

    from core.runs.summary import RunSummary

NO_RUN = "No run yet. Press {train.start} to start one with the settings under New run."
NO_TWEETS = "There is nothing to learn from yet."
FIRST_WORDS = "Its first words come after some twenty seconds of training."
FILTER_WORDS = "lr>=1e-3 handle:nasa loss<3.5 word"


class TrainSection(CurveKeys):
    """Runs are read from their folders alone, so all of it is there again after a restart."""

    SECTION = "train"
    COLUMNS = ("train-side", "train-main")
    FIRST_COLUMN = 1
    BINDINGS: ClassVar[list[BindingType]] = bindings("train")

    def compose_body(self) -> ComposeResult:
        with Vertical(id="train-side", classes="column side"):
            with Panel(title="New run", id="new-run-panel"):
                with FieldForm(id="train-form"):
                    yield from run_fields(self.state.new_run)
                yield Words("", id="advice", markup=False)
            with Panel(title="Runs", id="runs-panel"):
                yield SearchField(back_to="#runs", words=FILTER_WORDS, id="run-filter")
                yield Static("", id="filter-error", markup=False)
                yield RowList(
                    (Column(width=1), Column(flex=1), Column(width=6, align="right"),
                     Column(width=5, align="right")),
                    empty="None yet.",
                    id="runs",
                )  # fmt: skip
        with Vertical(id="train-main", classes="column main"):
            with Panel(title="Loss", id="loss-panel"):
                yield from self.compose_curves("")
            with Horizontal(id="below-loss"):
                with Panel(title="Now", id="now-panel"):
                    yield FigureList(id="now")
                with Panel(title="It says (generated)", id="says-panel"):
                    yield SampleList(id="says", empty="")

    def on_mount(self) -> None:
        self._shown: str | None = None
        self._filter = RunFilter()
        self._letters: dict[str, str] = {}
        self._runs: list[RunSummary] = []
        self._pick_newest = True
        self._more = False
        self._samples_shown: tuple[str, int] | None = None
        app = self.mynah
        app.runs_changed.subscribe(self, self._runs_changed)
        app.accounts_changed.subscribe(self, lambda _: self._draw())
        app.curation_changed.subscribe(self, lambda state: self._new_run_changed(state.new_run))
        app.new_run_changed.subscribe(self, self._new_run_changed)
        app.reported.subscribe(self, self._reported)
        self._runs_changed(self.state)
        self._new_run_changed(self.state.new_run)
        self.query_one("#runs", RowList).focus()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        self.explain(event.widget.about if isinstance(event.widget, Field) else "")

    def possible(self, action: str) -> bool:
        run, state = self._run(), self.state
        if action == "start":
            return state.bench is not None
        if action == "delete":
            return run is not None and run.state not in GOING
        if action == "stop":
            return run is not None and run.state in GOING
        if action == "further":
            return run is not None and run.state not in GOING and run.has_model
        if action == "resume":
            return run is not None and run.state in RESUMABLE
        if action == "talk":
            return run is not None and run.has_model
        return run is not None or action == "app.sweeps"

    # ── the form ─────────────────────────────────────────────────────────────────────────

    @on(Field.Changed)
    def _setting_changed(self, event: Field.Changed) -> None:
        if event.field.has_focus:
            self.explain(event.field.about)
        if event.key not in OWN_SETTINGS:
            self._training.change(event.key, event.value)
            return
        self._training.change("own", with_own(self.state.new_run, event.key, event.value))

    @on(ButtonField.Pressed)
    def _button_pressed(self, event: ButtonField.Pressed) -> None:
        if event.key == "start":
            self.action_start()
            return
        self._more = not self._more
        self._show_own()

    def _show_own(self) -> None:
        show_own(self.query_one("#train-form", FieldForm), self.state.new_run, self._more)

    def _new_run_changed(self, new_run: NewRun) -> None:
        self._training.measure_speed()
        base = self.query_one("#train-form", FieldForm).field("base")
        if isinstance(base, ChoiceField) and [c.value for c in base.choices] != new_run.bases:
            base.set_choices(new_run.bases, value=new_run.base)
        self._show_own()
        chosen = self.state.chosen
        weights = self.query_one("#train-form", FieldForm).field("weights")
        weights.display = len(chosen) > 1
        weights.value = new_run.weights_in_short(chosen)
        advice = self.query_one("#advice", Words)
        several = len(chosen) > 1 and [share.handle for share in new_run.shares] == sorted(chosen)
        who = (
            who_learns(new_run.shares)
            if several
            else ["@" + printable(handle) for handle in chosen]
        )
        who[:1] = [f"learns from {first}" for first in who[:1]]
        who = who or ([why_no_tweets(self.state)] if self.state.accounts else [])
        # the column may be turned away and have no width yet
        width = advice.content_size.width or self.size.width - 4
        text = Text(in_lines(who, width), "bold")
        told = [*self._what_is_kept(), *map(printable, new_run.advice)]
        # a wide column is a narrow window, which has few lines
        for line in facts_in_lines(told, width) if width > 60 else told:
            text.append("\n" + line, "not bold dim")
        if new_run.too_few:
            text.append(f"\n▲ {printable(new_run.too_few)}")
        advice.update(text)
        if self._run() is None:
            self._draw()  # the plot says what to do first

    def _what_is_kept(self) -> list[str]:
        """Of which recipe, and how many tweets: those of Filter, as it stands."""
        state = self.state
        if state.curation is None or state.recipe is None:
            return []
        total = state.curation.total
        changed = " (changed)" if state.recipe.changed else ""
        name = printable(state.curation.recipe.name)
        return [f"{total.kept:,} of {total.downloaded:,} tweets", f"recipe {name}{changed}"]

    def on_resize(self, event: Resize) -> None:
        if self.query("#advice"):
            self.call_after_refresh(self._new_run_changed, self.state.new_run)

    # ── the runs ─────────────────────────────────────────────────────────────────────────

    def _runs_changed(self, state: State) -> None:
        if state.runs is None or not self.is_current:
            return  # drawn when it comes into view
        self._training.measure_speed()
        before = {run.run for run in self._runs}
        self._runs = [run for run in state.runs if self._filter.matches(run)]
        new = [run.run for run in self._runs if run.run not in before]
        self._show_list()
        if new and (self._pick_newest or len(new) == 1):
            # a run that has just been started is what one wants to see
            self._pick_newest = False
            self.query_one("#runs", RowList).cursor = 0
        shown = how_many(state.runs)
        if self._filter:
            shown = f"{len(self._runs)} of {len(state.runs)}"
        self.query_one("#runs-panel", Panel).status = shown
        self._draw()

    def _show_list(self) -> None:
        listing = self.query_one("#runs", RowList)
        listing.set_empty("No run matches." if self._filter else "None yet.")
        self._letters = self.letters()
        with listing.prevent(RowList.Highlighted):  # whoever calls this draws
            listing.set_rows(
                ListRows([run_line(run, self._letters.get(run.run, "")) for run in self._runs]),
                keep_cursor=True,
                marks=[i for i, run in enumerate(self._runs) if run.run in self.overlaid],
            )

    def draw_again(self) -> None:
        self._show_list()
        self._draw()

    def listed(self) -> list[RunSummary]:
        return self._runs

    def action_filter(self) -> None:
        field = self.query_one("#run-filter", SearchField)
        field.ask()
        self.reveal(field)

    @on(SearchField.Wanted)
    def filter_by(self, event: SearchField.Wanted) -> None:
        error, run = self.query_one("#filter-error", Static), self._run()
        try:
            self._filter = parse_filter(event.words)
            error.update("")
        except WrongUsage as refused:
            error.update(Text(printable(str(refused))))
        error.display = bool(str(error.content))
        self._runs_changed(self.state)
        names = [one.run for one in self._runs]
        if run is not None and run.run in names:
            self.query_one("#runs", RowList).cursor = names.index(run.run)

    def action_leave(self) -> None:
        """Puts the cursor, the zoom or the filter away, in this order; first what is typed in."""
        field = self.query_one("#run-filter", SearchField)
        if field.has_focus or not self.leave_plot():
            field.leave()

    @on(RowList.Highlighted, "#runs")
    def _run_highlighted(self) -> None:
        if self._letters != self.letters():
            self._show_list()  # the run under the cursor wears none
        self._draw()

    def _run(self) -> RunSummary | None:
        cursor = self.query_one("#runs", RowList).cursor
        return self._runs[cursor] if cursor < len(self._runs) else None

    def _reported(self, report: Report) -> None:
        if isinstance(report, RunMeasured):
            self._draw()
        elif isinstance(report, DeleteMeasured):
            self.ask_to_delete(report)

    def _draw(self) -> None:
        run = self._run()
        plot = self.query_one("#loss", LossPlot)
        if self.mynah.section != self.SECTION:
            return  # drawn when one comes back
        if run is None:
            too_few, start = self.state.new_run.too_few, with_keys(NO_RUN, self.state.keymap)
            none = why_no_tweets(self.state) or too_few or start
            none = none if self.state.accounts else NO_TWEETS
            plot.empty = "No run matches." if self._filter else none
            plot.clear()
            self._samples_shown = None
            self.query_one("#measure", LossPlot).display = False
            self.query_one("#now", FigureList).show([])
            self.query_one("#says", SampleList).clear()
            return
        history = self.state.histories.get(run.run)
        if history is None:
            return
        plot.empty = before_the_first_step(run)
        says = self.query_one("#says", SampleList)
        says.set_empty(FIRST_WORDS if run.state in GOING else "It said nothing before it ended.")
        self.draw_curves(run, history)
        panel = self.query_one("#loss-panel", Panel)
        panel.title = "Loss"
        panel.status = headline(run)
        figures = run_figures(run, history, self.size_of(run), self.state.keymap)
        self.query_one("#now", FigureList).show(figures)
        if self._samples_shown != (run.run, len(history.samples)):
            self._samples_shown = (run.run, len(history.samples))
            self.query_one("#says", SampleList).set_samples(
                [Sample(text=s.text, label=f"step {s.step}") for s in reversed(history.samples)]
            )
        self.query_one("#now-panel", Panel).status = run.state

    # ── what a person does ───────────────────────────────────────────────────────────────

    def on_screen_resume(self) -> None:
        self._runs_changed(self.state)
        self.go_to_wanted()
        self._draw()

    def action_start(self) -> None:
        if self.state.bench is None:
            self._training.start()  # says what is missing
            return
        self._beside_another(lambda behind, now: self._training.start(behind=behind, now=now))

    @on(OpenField.Opened)
    def action_weights(self) -> None:
        chosen, new_run = self.state.chosen, self.state.new_run
        if len(chosen) < 2:
            more = with_keys("Choose more in Data, with {data.mark}.", self.state.keymap)
            self.app.notify(more, title="Only one account")
        elif new_run.preset in AS_HUGGINGTWEETS:
            self.app.notify(
                "huggingtweets showed as many characters of each account.",
                title=f"The preset {new_run.preset} has no weights",
            )
        else:
            from tui.train.weights import WeightsScreen

            def take(weights: dict[str, float] | None) -> None:
                if weights is not None:
                    self._training.weigh(weights)

            weights = new_run.weights_of(chosen)
            self.app.push_screen(WeightsScreen(chosen, weights, self._training.expected), take)

    @on(RowList.Chosen, "#runs")
    def action_talk(self) -> None:
        run = self._run()
        if run is not None:
            self.mynah.talk_to(run)
