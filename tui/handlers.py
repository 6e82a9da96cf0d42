"""What happens when a job reports: open this for who changes the state, and when.

Jobs do what takes time, in threads, and report. The handlers here own the state and publish what
changed; sections subscribe and draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual import on
from textual.reactive import reactive
from textual.signal import Signal
from textual.timer import Timer

from core.errors import Interrupted, MynahError, refused_by_system
from core.home import Home
from tui.actions import with_keys
from tui.clipboard import CopyJob, TextCopied
from tui.data.changing import CorpusWatch, ExcludeJob, ForgetJob
from tui.data.fetching import FetchJob
from tui.data.handlers import CorpusHandlers
from tui.data.importing import ImportEnded, ImportJob, ImportStarted, what_came_in
from tui.data.reading import AccountsLoaded, BenchLoaded, CorpusHeld, CorpusReader, RecipeLoaded
from tui.export.exporting import ExportJob
from tui.filter.counting import Compared, Counting, Curated, SavedCounted
from tui.job import Failed, Job, Report, Unexpected
from tui.profile.counting import ProfileJob
from tui.query.running import QueryEnded, QueryJob
from tui.report.making import (
    DropLeaksJob,
    MakeReportJob,
    ReadReportJob,
    ReportBegun,
    ReportEnded,
    ReportMoved,
)
from tui.sample.generating import SamplingEnded, SamplingJob
from tui.state import NewRun, ReportWork, State
from tui.sweeps.reading import SweepsJob
from tui.text.terminal import of_this_app
from tui.train.following import FollowJob
from tui.train.handlers import RunHandlers
from tui.train.keeping import RunMeasured
from tui.train.starting import (
    Advised,
    BasesFound,
    NewRunChanged,
    SpeedMeasured,
    TrainJobs,
)

if TYPE_CHECKING:
    from core.curation.recipe import Recipe
    from core.runs.summary import RunSummary

# Seconds between two tries to read a corpus that another program holds.
TRY_AGAIN: Final = 1.0


class StateApp(RunHandlers, CorpusHandlers):
    """The state with its jobs and signals, without any screen."""

    section: reactive[str] = reactive("data", init=False)

    def __init__(self, home: Home) -> None:
        super().__init__()
        self.state = State(home)
        self.terminal = of_this_app(self._to_terminal)
        self._next_try: Timer | None = None
        self.failures: list[str] = []
        self.jobs: list[Job] = []
        self.reading = CorpusReader(self)
        self.importing = ImportJob(self)
        self.fetching = FetchJob(self)
        self.excluding = ExcludeJob(self)
        self.forgetting = ForgetJob(self)
        self.counting = Counting(self)
        self.querying = QueryJob(self)
        writers = (
            self.importing, self.fetching, self.querying, self.excluding, self.forgetting,
        )  # fmt: skip
        self.corpus_watch = CorpusWatch(self, writers)
        self.training = TrainJobs(self)
        self.following = FollowJob(self)
        self.looking_at_sweeps = SweepsJob(self)
        self.reading_reports = ReadReportJob(self)
        self.making_reports = MakeReportJob(self)
        self.dropping_leaks = DropLeaksJob(self)
        self.sampling = SamplingJob(self)
        self.exporting = ExportJob(self)
        self.profiling = ProfileJob(self)
        self.copying = CopyJob(self)
        # one signal for each part of the state, and one for what the jobs tell
        self.accounts_changed: Signal[State] = Signal(self, "accounts")
        self.recipe_changed: Signal[State] = Signal(self, "recipe")
        self.curation_changed: Signal[State] = Signal(self, "curation")
        self.comparison_changed: Signal[State] = Signal(self, "comparison")
        self.new_run_changed: Signal[NewRun] = Signal(self, "new run")
        self.runs_changed: Signal[State] = Signal(self, "runs")
        self.report_changed: Signal[State] = Signal(self, "report")
        self.reported: Signal[Report] = Signal(self, "reports")

    # ── what the jobs report ─────────────────────────────────────────────────────────────

    @on(Report)
    def _reported(self, report: Report) -> None:
        """Comes after the handler of the one kind of report, below."""
        self.reported.publish(report)

    @on(Failed)
    def _failed(self, report: Failed) -> None:
        self.show_error(report.error, doing=report.doing)

    @on(RecipeLoaded)
    def _recipe_loaded(self, report: RecipeLoaded) -> None:
        self.state.recipe, self.state.saved_recipe = report.changed, report.recipe
        self.recipe_changed.publish(self.state)

    @on(AccountsLoaded)
    def _accounts_loaded(self, report: AccountsLoaded) -> None:
        state = self.state
        first_time, had_some = state.accounts is None, bool(state.accounts)
        state.accounts, state.corpus_busy = report.accounts, None
        known = [account.handle for account in report.accounts]
        state.chosen = [handle for handle in state.chosen if handle in known]
        # who forgets the one that was chosen has not chosen the others
        if not state.chosen and not had_some and not (first_time and state.none_chosen):
            state.chosen = known
        if not state.chosen:
            state.bench = state.curation = None
            state.new_run.advised()
            self.new_run_changed.publish(state.new_run)
            self.compare_with(None)
        self.accounts_changed.publish(state)
        self.reading.tweets()

    @on(CorpusHeld)
    def _corpus_held(self, report: CorpusHeld) -> None:
        writing = self.importing.busy or self.fetching.busy  # then it is this very process
        if self.state.corpus_busy is None and not writing:
            self.failures.append(str(report.error))
            self.notify(
                f"{report.error.why} mynah tries again by itself.".strip(),
                title=report.error.what,
                severity="warning",
            )
        self.state.corpus_busy = report.error
        if self._next_try is not None:
            self._next_try.stop()
        self._next_try = self.set_timer(TRY_AGAIN, self.reading.accounts)
        self.accounts_changed.publish(self.state)

    @on(BenchLoaded)
    def _bench_loaded(self, report: BenchLoaded) -> None:
        if not self.state.chosen:
            return  # all of them were forgotten meanwhile
        self.state.bench = report.bench
        self.state.before = self.state.corpus_busy = None
        self.counting.curate()

    @on(Curated)
    def _curated(self, report: Curated) -> None:
        state = self.state
        newest, old = report.curation, state.curation
        if state.recipe is None or newest.recipe != state.recipe:
            return  # a newer recipe is already being counted
        if newest.curated.table is not (state.bench and state.bench.table):
            return  # other accounts are already being counted
        recounted = old is None or newest.curated is not old.curated
        same_tweets = old is not None and old.curated.table is newest.curated.table
        if old is not None and same_tweets and old.recipe != newest.recipe:
            state.before = old
        state.curation = newest
        self.curation_changed.publish(state)
        self.training.ask_advice()
        if recounted and state.compared_with is not None:
            self.counting.compare()

    @on(SavedCounted)
    def _saved_counted(self, report: SavedCounted) -> None:
        self.state.saved = report.counts
        self.curation_changed.publish(self.state)

    @on(Compared)
    def _compared(self, report: Compared) -> None:
        if report.comparison.a.recipe != self.state.compared_with:
            return  # it was left, or another one was chosen
        self.state.comparison = report.comparison
        self.comparison_changed.publish(self.state)

    @on(ImportStarted)
    def _import_started(self) -> None:
        self.state.importing = True

    @on(ImportEnded)
    def _import_ended(self, report: ImportEnded) -> None:
        state = self.state
        state.importing = False
        if isinstance(report.error, Interrupted):
            self.notify("Nothing of the file was kept.", title="Import stopped")
        elif report.error is not None:
            self.show_error(report.error)
        else:
            state.typed = {}
            self.notify(
                with_keys(what_came_in(report.results), state.keymap), title="Tweets are in"
            )
            for result in report.results:
                for warning in result.warnings:
                    self.notify(warning, title="Worth knowing", severity="warning")
            new = [result.handle for result in report.results]
            if report.samples and not state.accounts:
                # one voice learns better in two minutes than three; Data offers the others
                from core.workflow.data import DEMO_HANDLE

                state.chosen = [DEMO_HANDLE]
            elif not state.accounts:
                state.chosen = []
            else:
                self.say_not_chosen(new)
            state.remember()
        self.reading.accounts()
        at_rest = self.section == "data" and len(self.screen_stack) == 1
        if report.samples and report.error is None and at_rest:
            self.go("filter")

    def _to_terminal(self, sequence: str) -> None:
        if self._driver is not None:
            self._driver.write(sequence)

    @on(BasesFound)
    def _bases_found(self, report: BasesFound) -> None:
        new_run = self.state.new_run
        new_run.bases = report.names
        new_run.base = new_run.base or report.default
        self.new_run_changed.publish(new_run)
        self.training.ask_advice()

    @on(NewRunChanged)
    def _new_run_setting(self, report: NewRunChanged) -> None:
        setattr(self.state.new_run, report.key, report.value)
        self.training.ask_advice()

    @on(SpeedMeasured)
    def _speed_measured(self) -> None:
        self.training.ask_advice()

    @on(Advised)
    def _advised(self, report: Advised) -> None:
        if report.question != self.training.question():
            return  # other settings, or other tweets, by now
        new_run = self.state.new_run
        new_run.advised(report.lines, report.shares, report.all_tweets, report.too_few)
        self.new_run_changed.publish(new_run)

    @on(RunMeasured)
    def _run_measured(self, report: RunMeasured) -> None:
        self.state.sizes[report.run] = report.size

    @on(QueryEnded)
    def _query_ended(self, report: QueryEnded) -> None:
        if report.changed is not None:
            self.corpus_watch.ours()
            self.reading.accounts()

    @on(SamplingEnded)
    def _sampling_ended(self, report: SamplingEnded) -> None:
        if report.error is not None:
            self.show_error(report.error)

    @on(ReportBegun)
    def _report_begun(self, report: ReportBegun) -> None:
        self._show_report(ReportWork(report.run))

    @on(ReportMoved)
    def _report_moved(self, report: ReportMoved) -> None:
        moved = report.progress
        done = moved.done / moved.total if moved.total else None
        self._show_report(ReportWork(report.run, moved.phase, done))

    def _show_report(self, work: ReportWork | None) -> None:
        self.state.report = work
        self.report_changed.publish(self.state)

    @on(ReportEnded)
    def _report_ended(self, report: ReportEnded) -> None:
        self._show_report(None)
        if report.error is not None and not isinstance(report.error, Interrupted):
            self.show_error(report.error)
        elif not self.screen.query("#report-page"):  # which says so itself
            how = "is made" if report.error is None else "was stopped"
            self.notify(
                with_keys("{train.report} in Train shows it.", self.state.keymap),
                title=f"The report on {report.run} {how}",
            )

    @on(TextCopied)
    def _text_copied(self, report: TextCopied) -> None:
        if report.sure:
            self.notify(report.what, title="Copied")
        else:
            self.notify(f"{report.what} {report.hint}", title="Sent to the terminal's clipboard")

    # ── choices a person makes ───────────────────────────────────────────────────────────

    def choose(self, handles: list[str]) -> None:
        """The accounts of every section."""
        if handles and handles != self.state.chosen:
            self.state.chosen = handles
            self.state.remember()
            self.accounts_changed.publish(self.state)
            self.reading.tweets()

    def change_recipe(self, recipe: Recipe, *, saved: bool = False) -> None:
        self.state.recipe = recipe
        if saved:
            self.state.saved_recipe = recipe
            self.state.remember()
        self.recipe_changed.publish(self.state)
        self.counting.curate()

    def compare_with(self, recipe: Recipe | None) -> None:
        """Set the recipe as it stands beside another one; None ends it."""
        state = self.state
        if recipe is None and state.compared_with is None:
            return
        state.compared_with, state.comparison = recipe, None
        if recipe is None:
            self.comparison_changed.publish(state)
        else:
            self.counting.compare()

    def copy(self, text: str, what: str) -> None:
        """Onto the clipboard; "Copied" is said when it is there. ``what`` tells of the text."""
        super().copy_to_clipboard(text)
        self.copying.run(text, what, here=not self.is_headless)

    def copy_to_clipboard(self, text: str) -> None:
        """Textual's own, for what is selected: also onto this machine's clipboard."""
        self.copy(text, "")

    def talk_to(self, run: RunSummary) -> None:
        """Open Sample on this run's model."""
        if not run.has_model:
            self.notify("It has one when it has finished or was stopped.", title="No model yet")
            return
        self.state.voice = run.run
        self.go("sample")

    def look_at(self, run: str) -> None:
        """Open Train with the cursor on this run."""
        self.state.run_wanted = run
        self.go("train")

    def go(self, section: str) -> None:
        """Show a section; a dialog on top of the present one closes first."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.section = section
        self.switch_mode(section)

    def first_sample_made(self) -> None:
        if not self.state.sampled:
            self.state.sampled = True
            self.state.remember()
            self.accounts_changed.publish(self.state)

    # ── words for the person ─────────────────────────────────────────────────────────────

    def show_error(self, error: Exception, doing: str = "") -> None:
        """A toast with what, why and the next step; the same stays in the error log (F12)."""
        if isinstance(error, Unexpected):
            return  # shown as what it was, a bug
        error = refused_by_system(error) or error
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
