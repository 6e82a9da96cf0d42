"""The app: five sections as modes over one state.

Workers (owned by the app, so that they outlive a section) call core and post messages; the
handlers here own the state and publish what changed; sections subscribe and draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.notifications import SeverityLevel
from textual.reactive import reactive
from textual.screen import Screen
from textual.signal import Signal
from textual.worker import Worker

from core.errors import Interrupted, MynahError
from core.home import Home
from core.safe_text import plain
from tui import messages
from tui.actions import SECTIONS, bindings
from tui.data.fetching import FetchingDesk
from tui.data.importing import CorpusDesk
from tui.export.exporting import ExportingDesk
from tui.palette import ActionProvider
from tui.profile.counting import ProfilingDesk
from tui.query.running import QueryDesk
from tui.sample.generating import SamplingDesk
from tui.state import State
from tui.themes import THEMES
from tui.train.following import RunsDesk
from tui.train.new_run import TrainPlan
from tui.train.starting import TrainingDesk


class MynahApp(App[None]):
    """mynah in the terminal."""

    TITLE = "mynah"
    CSS_PATH = Path(__file__).with_name("mynah.tcss")  # not relative: a subclass may live elsewhere
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[Any] = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    HORIZONTAL_BREAKPOINTS = [
        (0, "-narrow"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    section: reactive[str] = reactive("data", init=False)

    def __init__(self, home: Home, *, section: str = "data", poll_seconds: float = 0.5) -> None:
        super().__init__()
        self.state = State(home)
        self._first_section = section
        self._poll_seconds = poll_seconds
        self.corpus = CorpusDesk(self)
        self.fetching = FetchingDesk(self)
        self.exporting = ExportingDesk(self)
        self.runs = RunsDesk(self)
        self.sampling = SamplingDesk(self)
        self.training = TrainingDesk(self)
        self.querying = QueryDesk(self)
        self.profiling = ProfilingDesk(self)
        self.failures: list[str] = []
        # one signal per thing that can change; sections subscribe to what they draw
        self.accounts_changed: Signal[State] = Signal(self, "accounts")
        self.curation_changed: Signal[State] = Signal(self, "curation")
        self.recipe_changed: Signal[State] = Signal(self, "recipe")
        self.runs_changed: Signal[State] = Signal(self, "runs")
        self.import_moved: Signal[Any] = Signal(self, "import")
        self.fetch_moved: Signal[Any] = Signal(self, "fetch")
        self.sampling_moved: Signal[Any] = Signal(self, "sampling")
        self.plan_changed: Signal[TrainPlan] = Signal(self, "plan")
        self.query_moved: Signal[Any] = Signal(self, "query")
        self.export_moved: Signal[Any] = Signal(self, "export")
        self.profile_moved: Signal[Any] = Signal(self, "profile")
        self.count_moved: Signal[str] = Signal(self, "count")
        self.rows_found: Signal[messages.RowsFound] = Signal(self, "rows")
        self.comparison_changed: Signal[State] = Signal(self, "comparison")

    # ── start and end ────────────────────────────────────────────────────────────────────

    def on_mount(self) -> None:
        from tui.section import SECTION_SCREENS

        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.corpus.recipe_name = self.state.recall()
        for name, screen in SECTION_SCREENS.items():
            self.add_mode(name, screen)
        self.section = self._first_section
        self.switch_mode(self._first_section)
        # everything that imports Polars or DuckDB waits until the first frame is out
        self.call_after_refresh(self._after_first_frame)

    def _after_first_frame(self) -> None:
        self.corpus.load_accounts()
        self.training.look_for_bases()
        self.set_interval(self._poll_seconds, self.runs.poll)
        self.runs.poll()

    async def action_quit(self) -> None:
        """Leave at once: a training goes on by itself, an import rolls back, the sampler ends."""
        self.corpus.stop_import()
        self.fetching.stop()
        self.exporting.stop()
        self.sampling.close()
        self.state.remember()
        self.exit()

    # ── workers ──────────────────────────────────────────────────────────────────────────

    def in_background(self, group: str, doing: str, work: Callable[[], None]) -> Worker[None]:
        """Run ``work`` in a thread; an error becomes a Failed message, never a crash."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:
                self.post_message(messages.Failed(doing, error))

        return self.run_worker(
            guarded, group=group, thread=True, exclusive=True, exit_on_error=False, name=doing
        )

    # ── what workers report ──────────────────────────────────────────────────────────────

    @on(messages.RecipeLoaded)
    def _recipe_loaded(self, message: messages.RecipeLoaded) -> None:
        self.state.recipe = self.state.saved_recipe = message.recipe
        self.recipe_changed.publish(self.state)

    @on(messages.AccountsLoaded)
    def _accounts_loaded(self, message: messages.AccountsLoaded) -> None:
        state = self.state
        state.accounts = message.accounts
        known = [account.handle for account in message.accounts]
        state.chosen = [handle for handle in state.chosen if handle in known] or known
        if not known:
            state.bench = state.curation = None
            self.compare_with(None)
        self.accounts_changed.publish(state)
        self.corpus.load_bench()

    @on(messages.BenchLoaded)
    def _bench_loaded(self, message: messages.BenchLoaded) -> None:
        self.state.bench = message.bench
        self.state.before = None
        self.corpus.curate()

    @on(messages.Curated)
    def _curated(self, message: messages.Curated) -> None:
        state = self.state
        newest, old = message.curation, state.curation
        if state.recipe is None or newest.recipe != state.recipe:
            return  # a newer recipe is already being counted
        if newest.curated.table is not (state.bench and state.bench.table):
            return  # other accounts are already being counted
        recounted = old is None or newest.curated is not old.curated
        same_tweets = old is not None and old.curated.table is newest.curated.table
        if old is not None and same_tweets and old.recipe != newest.recipe:
            state.before = old
        state.curation = newest
        self.count_moved.publish("")
        self.curation_changed.publish(state)
        self.training.ask_advice()
        if recounted and state.compared_with is not None:
            self.corpus.compare()

    @on(messages.CountMoved)
    def _count_moved(self, message: messages.CountMoved) -> None:
        self.count_moved.publish(message.doing)

    @on(messages.RowsFound)
    def _rows_found(self, message: messages.RowsFound) -> None:
        self.rows_found.publish(message)

    @on(messages.Compared)
    def _compared(self, message: messages.Compared) -> None:
        state = self.state
        if message.comparison.b.recipe != state.compared_with:
            return  # it was left, or another one was chosen
        state.comparison = message.comparison
        self.count_moved.publish("")
        self.comparison_changed.publish(state)

    @on(messages.ImportMoved)
    def _import_moved(self, message: messages.ImportMoved) -> None:
        self.import_moved.publish(message.progress)

    @on(messages.ImportEnded)
    def _import_ended(self, message: messages.ImportEnded) -> None:
        state = self.state
        state.importing = False
        if message.error is None:
            state.typed = {}
        self.import_moved.publish(None)
        if isinstance(message.error, Interrupted):
            self.notify("Nothing of the file was kept.", title="Import stopped")
        elif message.error is not None:
            self.show_error(message.error)
        else:
            new = sum(result.new for result in message.results)
            read = sum(result.read for result in message.results)
            names = ", ".join(f"@{result.handle}" for result in message.results if result.handle)
            left_out = sum(sum(result.skipped.values()) for result in message.results)
            rest = f" {left_out:,} left out: i in Data shows why." if left_out else ""
            self.notify(f"{new:,} new of {read:,} read. {names}{rest}", title="Tweets are in")
            for result in message.results:
                for warning in result.warnings:
                    self.notify(warning, title="Worth knowing", severity="warning")
            if message.samples and not state.accounts:
                # one voice learns better in two minutes than three; Data offers the others
                from core.workflow import DEMO_HANDLE

                state.chosen = [DEMO_HANDLE]
            elif not state.accounts:
                state.chosen = []
            else:
                state.chosen = [
                    *state.chosen,
                    *(r.handle for r in message.results if r.handle not in state.chosen),
                ]
            state.remember()
        self.corpus.load_accounts()
        if message.samples and message.error is None:
            self.go("filter")

    @on(messages.FetchMoved)
    def _fetch_moved(self, message: messages.FetchMoved) -> None:
        self.fetch_moved.publish(message.progress)
        if message.progress.kind == "page" and message.progress.new:
            self.corpus.load_accounts()

    @on(messages.FetchEnded)
    def _fetch_ended(self, message: messages.FetchEnded) -> None:
        self.fetch_moved.publish(None)
        result = message.result
        if message.error is None:
            self.state.typed = {}
        if message.error is not None and not isinstance(message.error, Interrupted):
            self.show_error(message.error)
        if result is not None:
            rest = "" if result.complete else " a and @" + result.handle + " go on from there."
            self.notify(
                f"{result.new:,} new of {result.posts:,} posts for ${result.cost_usd:,.2f}.{rest}",
                title=f"@{result.handle} is here" if result.complete else "The fetch has stopped",
            )
            if result.new and result.handle not in self.state.chosen:
                self.state.chosen = [*self.state.chosen, result.handle]
        self.corpus.load_accounts()

    @on(messages.RunsRead)
    def _runs_read(self, message: messages.RunsRead) -> None:
        before = {run.run: run.state for run in self.state.runs or []}
        self.state.runs = message.summaries
        self.state.histories = message.histories
        for run in message.summaries:
            was = before.get(run.run)
            if was in ("starting", "running", "stopping") and run.state != was:
                self._say_how_it_ended(run)
        self.runs_changed.publish(self.state)

    def _say_how_it_ended(self, run: Any) -> None:
        if run.state == "finished":
            self.notify(
                f"Held-out loss {run.valid_loss:.2f}. Press 5 to talk to it."
                if run.valid_loss is not None
                else "Press 5 to talk to it.",
                title=f"{run.run} has finished",
            )
        elif run.state == "stopped":
            self.notify("Its model and curve are kept.", title=f"{run.run} has stopped")
        elif run.state in ("failed", "dead"):
            self.notify(
                f"{run.reason} Its curve is kept. r takes it up at its last checkpoint.".strip(),
                title=f"▲ {run.run}: {'failed' if run.state == 'failed' else 'presumed dead'}",
                severity="error",
                timeout=15,
            )

    @on(messages.BasesFound)
    def _bases_found(self, message: messages.BasesFound) -> None:
        plan = self.training.plan
        plan.bases = message.names
        plan.base = plan.base or message.default
        self.plan_changed.publish(plan)
        self.training.ask_advice()

    @on(messages.TrainPlanned)
    def _train_planned(self, message: messages.TrainPlanned) -> None:
        self.training.plan.advice = message.lines
        self.training.plan.shares = message.shares
        self.training.plan.whole = message.whole
        self.plan_changed.publish(self.training.plan)

    @on(messages.RunStarted)
    def _run_started(self) -> None:
        self.runs.poll()

    @on(messages.QueryEnded)
    @on(messages.QuerySaved)
    @on(messages.CatalogueRead)
    def _query_moved(
        self, message: messages.QueryEnded | messages.QuerySaved | messages.CatalogueRead
    ) -> None:
        self.query_moved.publish(message)
        if isinstance(message, messages.QueryEnded) and message.changed is not None:
            self.corpus.load_accounts()

    @on(messages.ProfileMoved)
    @on(messages.ProfileMade)
    def _profile_moved(self, message: messages.ProfileMoved | messages.ProfileMade) -> None:
        self.profile_moved.publish(message)

    @on(messages.ExportSized)
    @on(messages.ExportMoved)
    @on(messages.ExportEnded)
    def _export_moved(
        self, message: messages.ExportSized | messages.ExportMoved | messages.ExportEnded
    ) -> None:
        self.export_moved.publish(message)

    @on(messages.Sampled)
    def _sampled(self, message: messages.Sampled) -> None:
        if message.generation == self.sampling.generation:
            self.sampling_moved.publish(message)

    @on(messages.SamplingEnded)
    def _sampling_ended(self, message: messages.SamplingEnded) -> None:
        if message.error is not None:
            self.show_error(message.error)
        if message.generation == self.sampling.generation:
            self.sampling_moved.publish(message)

    @on(messages.Failed)
    def _failed(self, message: messages.Failed) -> None:
        if message.doing == "importing":
            self.state.importing = False
            self.import_moved.publish(None)
        self.show_error(message.error, doing=message.doing)

    # ── choices a person makes ───────────────────────────────────────────────────────────

    def choose(self, handles: list[str]) -> None:
        """The accounts of every section."""
        if handles and handles != self.state.chosen:
            self.state.chosen = handles
            self.state.remember()
            self.accounts_changed.publish(self.state)
            self.corpus.load_bench()

    def action_plots(self) -> None:
        from tui.profile.screen import PlotsScreen

        self.push_screen(PlotsScreen())

    def action_export(self) -> None:
        """Write the chosen accounts' tweets, under the recipe as it stands, for other tools."""
        from tui.export.screen import ExportScreen

        state = self.state
        if not state.chosen or state.curation is None or state.recipe is None:
            self.notify("Add tweets first: 1, then a.", title="There is nothing to export yet")
        elif not isinstance(self.screen, ExportScreen):
            self.push_screen(ExportScreen())

    def change_recipe(self, recipe: Any, *, saved: bool = False) -> None:
        self.state.recipe = recipe
        if saved:
            self.state.saved_recipe = recipe
            self.state.remember()
        self.recipe_changed.publish(self.state)
        self.corpus.curate()

    def compare_with(self, recipe: Any) -> None:
        """Set the recipe as it stands beside another one; None ends it."""
        state = self.state
        if recipe is None and state.compared_with is None:
            return
        state.compared_with, state.comparison = recipe, None
        if recipe is None:
            self.comparison_changed.publish(state)
        else:
            self.corpus.compare()

    def talk_to(self, run: Any) -> None:
        """Open Sample on this run's model."""
        if not run.has_model:
            self.notify("It has one when it has finished or was stopped.", title="No model yet")
            return
        self.state.voice = run.run
        self.go("sample")

    def first_sample_made(self) -> None:
        if not self.state.sampled:
            self.state.sampled = True
            self.state.remember()
            self.accounts_changed.publish(self.state)

    # ── getting about ────────────────────────────────────────────────────────────────────

    def go(self, section: str) -> None:
        """Show a section; a dialog on top of the present one closes first."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.section = section
        self.switch_mode(section)

    def action_section(self, section: str) -> None:
        self.go(section)

    def action_turn(self, step: int) -> None:
        here = SECTIONS.index(self.section)
        self.go(SECTIONS[(here + step) % len(SECTIONS)])

    def action_panel(self, step: int) -> None:
        from tui.frame import Section

        if isinstance(self.screen, Section):
            self.screen.turn_panel(step)

    def action_help(self) -> None:
        from tui.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.section))

    def action_errors(self) -> None:
        from tui.dialogs.text import TextScreen

        text = "\n\n".join(self.failures) or "Nothing has gone wrong."
        self.push_screen(TextScreen("What went wrong", text))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        yield SystemCommand("Theme", "Change the colours", self.search_themes)
        yield SystemCommand("Screenshot", "Save this screen as SVG", partial(self._save_picture))

    def _save_picture(self) -> None:
        path = self.save_screenshot(path=str(Path.cwd()))
        self.notify(path, title="Saved")

    # ── words for the person ─────────────────────────────────────────────────────────────

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """As Textual's, but text from outside can carry no markup and no control characters."""
        super().notify(
            plain(message, keep_newlines=True),
            title=plain(title),
            severity=severity,
            timeout=timeout,
            markup=markup,
        )

    def show_error(self, error: Exception, doing: str = "") -> None:
        """A toast with what, why and the next step; the same stays in the error log (F12)."""
        if isinstance(error, MynahError):
            title = error.what
            body = " ".join(part for part in (error.why, error.next_step) if part)
            self.failures.append(str(error))
        else:
            title = f"Something broke while {doing}" if doing else "Something broke"
            body = f"{type(error).__name__}: this is a bug in mynah. F12 shows the details."
            self.failures.append(self._logged(error, doing))
        self.notify(body or "F12 shows it again.", title=title, severity="error", timeout=12)

    def _logged(self, error: Exception, doing: str) -> str:
        """Append the traceback (no locals: they may hold tweets) to the home's log."""
        import traceback

        text = f"while {doing}\n" + "".join(traceback.format_exception(error))
        try:
            self.state.home.root.mkdir(parents=True, exist_ok=True)
            with self.state.home.log.open("a", encoding="utf-8") as log:
                log.write(text + "\n")
        except OSError:
            return text
        return f"{text}\nAlso in {self.state.home.log}"


def run_app(home: Home, *, section: str = "data") -> int:
    """Open the app; returns when the person leaves it, with 0, or 1 when it broke."""
    app = MynahApp(home, section=section)
    app.run()
    return app.return_code or 0
