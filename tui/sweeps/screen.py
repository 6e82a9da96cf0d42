"""The dialog Sweeps: one sweep at a time as a parallel plot over a table of its trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from core.runs.folder import GOING
from core.safe_text import printable
from core.sweeps.overview import rank_correlations
from tui.dialogs.keys import KeyPage
from tui.job import Report
from tui.query.result_table import ResultTable
from tui.section.screen import Mynah
from tui.sweeps.parallel_picture import axes_that_fit
from tui.sweeps.parallel_plot import ParallelPlot
from tui.sweeps.reading import SweepsJob, SweepsRead
from tui.sweeps.traces import axes_of, traces_of
from tui.sweeps.trial_table import Trial, TrialTable, trials_of
from tui.text.sweeps import facts, next_step, no_sweep, what_matters
from tui.train.starting import TrainJobs
from tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from core.sweeps.overview import RankCorrelation, Sweep

# Seconds between two looks at what a sweep has written.
LOOK_SECONDS = 1.0


class TrialList(ResultTable):
    """A click on a title sorts by that column."""

    @dataclass
    class TitlePressed(Message):
        column: int

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        column = self.column_at(offset.x) if offset is not None and offset.y == 0 else None
        event.prevent_default()  # Textual would call those of the base classes once more
        if column is None:
            super().on_click(event)
        else:
            self.post_message(self.TitlePressed(column))


class SweepsScreen(KeyPage[str]):
    """Answers with the run of the trial that was chosen; [ and ] go through the sweeps."""

    NAME = "Sweeps"

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q,S", "close", "Close"),
        ("s", "sort", "Sort by the column under the cursor"),
        ("x", "stop", "Stop the trial"),
        ("right_square_bracket", "turn(1)", "Next sweep"),
        ("left_square_bracket", "turn(-1)", "Previous sweep"),
    ]

    def __init__(self, reading: SweepsJob, training: TrainJobs) -> None:
        super().__init__()
        self._reading, self._training = reading, training
        self._sweeps: list[Sweep] | None = None  # not read yet
        self._shown = ""
        self._table: TrialTable | None = None
        self._table_of: tuple[str, list[str]] = "", []
        self._trials: list[Trial] = []
        self._ranks: tuple[int, list[RankCorrelation]] = (0, [])

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="sweeps") as dialog:
            dialog.border_title = "Sweeps"
            yield Static("", id="sweep-facts", markup=False)
            yield ParallelPlot(id="sweep-plot")
            yield Static("", id="sweep-matters", markup=False)
            yield TrialList(empty="", id="sweep-trials")
            yield Static("", id="sweep-next", markup=False)

    def on_mount(self) -> None:
        self.query_one("#sweep-plot", ParallelPlot).clear("reading…")
        self._mynah.reported.subscribe(self, self._reported)
        self._mynah.runs_changed.subscribe(self, lambda _: self._draw())
        self.query_one("#sweep-trials", TrialList).focus()
        self.set_interval(LOOK_SECONDS, self._reading.poll)
        self._reading.poll(all_of_it=True)

    @property
    def _mynah(self) -> Mynah:
        return cast("Mynah", self.app)

    def _reported(self, message: Report) -> None:
        if isinstance(message, SweepsRead):
            self._sweeps = message.sweeps
            self._draw()

    @property
    def _sweep(self) -> Sweep | None:
        """That which was chosen, else the newest."""
        sweeps = self._sweeps or []
        found = [sweep for sweep in sweeps if sweep.name == self._shown] or sweeps
        return found[0] if found else None

    # ── drawing ──────────────────────────────────────────────────────────────────────────

    def _draw(self) -> None:
        sweep = self._sweep
        if self._sweeps is None:
            return
        if sweep is None:
            self.query_one("#sweep-plot", ParallelPlot).clear(no_sweep())
            self.query_one("#dialog").border_subtitle = "esc closes"
            return
        state = self._mynah.state
        self._trials = trials_of(sweep, state.runs or [], state.histories)
        rows = [trial.row for trial in self._trials]
        self._ranks = rank_correlations(sweep.space, rows)
        listing = self.query_one("#sweep-trials", TrialList)
        if self._table is None or self._table_of != (sweep.name, list(sweep.space)):
            self._table_of = sweep.name, list(sweep.space)
            self._shown, self._table = sweep.name, TrialTable(sweep)
            self._table.set_trials(self._trials)
            listing.show(self._table)
        else:
            here = self._under_cursor()
            self._table.set_trials(self._trials)
            self._show_table(here)
        dialog = self.query_one("#dialog")
        dialog.border_title = f"Sweep: {printable(sweep.name)}"
        several = "[ ] other sweeps   " if len(self._sweeps) > 1 else ""
        dialog.border_subtitle = f"{several}← → s sorts   enter opens the run   esc closes"
        line = Text(printable(facts(sweep, rows)), no_wrap=True, overflow="ellipsis")
        self.query_one("#sweep-facts", Static).update(line)
        self.query_one("#sweep-next", Static).update(printable(next_step(sweep, rows, "x")))
        self._draw_plot()

    def _draw_plot(self) -> None:
        sweep, table = self._sweep, self._table
        plot = self.query_one("#sweep-plot", ParallelPlot)
        if sweep is None or table is None:
            return
        here = self._under_cursor()
        names = self._drawn_names(sweep, plot.content_size.width)
        plot.show(
            axes_of(sweep, self._trials, names),
            traces_of(
                sweep,
                self._trials,
                names,
                best=table.best,
                cursor=here.row.trial if here is not None else 0,
            ),
        )
        sentence = what_matters(sweep.sampler, *self._ranks)
        if hidden := len(sweep.space) - len(names):
            sentence += f" {hidden} of {len(sweep.space)} parameters have no room in the plot."
        self.query_one("#sweep-matters", Static).update(Text(printable(sentence)))

    def _drawn_names(self, sweep: Sweep, width: int) -> list[str]:
        """The parameters that have room, those that go with the loss most before the others."""
        rank = {one.name: place for place, one in enumerate(self._ranks[1])}
        first = sorted(sweep.space, key=lambda name: rank.get(name, len(rank)))
        room = axes_that_fit(len(sweep.space) + 1, width) - 1
        return [name for name in sweep.space if name in first[:room]]

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._draw_plot)

    # ── the table ────────────────────────────────────────────────────────────────────────

    def _under_cursor(self) -> Trial | None:
        cursor, table = self.query_one("#sweep-trials", TrialList).cursor, self._table
        return table[cursor] if table is not None and cursor < len(table) else None

    def _show_table(self, here: Trial | None) -> None:
        """As it is sorted now, with the cursor on the trial that it was on."""
        listing = self.query_one("#sweep-trials", TrialList)
        listing.show_again()
        if here is not None and self._table is not None:
            listing.cursor = self._table.index_of(here.row.trial)

    @on(RowList.Highlighted, "#sweep-trials")
    def _highlighted(self) -> None:
        self._draw_plot()

    @on(TrialList.TitlePressed)
    def _title_pressed(self, event: TrialList.TitlePressed) -> None:
        self._sort(event.column)

    def action_sort(self) -> None:
        self._sort(self.query_one("#sweep-trials", TrialList).column)

    def _sort(self, column: int) -> None:
        if self._table is not None:
            here = self._under_cursor()
            self._table.sort_by(column)
            self._show_table(here)

    # ── what a person does ───────────────────────────────────────────────────────────────

    @on(RowList.Chosen, "#sweep-trials")
    def _chosen(self) -> None:
        trial = self._under_cursor()
        if trial is not None and trial.run is not None:
            self.dismiss(trial.run.run)
        elif trial is not None:
            self.app.notify("Its run was deleted, or never began.", title="There is no run")

    def action_stop(self) -> None:
        trial = self._under_cursor()
        if trial is not None and trial.run is not None and trial.run.state in GOING:
            self._training.stop(trial.run)
        else:
            self.app.notify("The trial under the cursor is not going.", title="Nothing to stop")

    def action_turn(self, step: int) -> None:
        names = [sweep.name for sweep in self._sweeps or []]
        sweep = self._sweep
        if sweep is not None and len(names) > 1:
            at = names.index(sweep.name)
            self._shown = names[(at + step) % len(names)]
            self._draw()

    def action_close(self) -> None:
        self.dismiss()
