"""The plots of the Train section and their keys: axis, zoom, cursor, measures, overlaid runs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from math import log10
from typing import TYPE_CHECKING

from textual import on
from textual.widget import Widget

from core.numbers import plural
from core.runs.folder import GOING
from core.safe_text import printable
from tui.actions import key_of
from tui.section.columns import acts_on
from tui.train.loss_plot import LossPlot
from tui.train.measures import AXES, MEASURES, Logarithms, along, measures_of
from tui.train.plot_legend import LETTERS_OVER, letter, stroke
from tui.train.plot_window import Window, panned, showing, zoomed
from tui.train.run_keys import RunKeys
from tui.train.starting import TrainJobs

if TYPE_CHECKING:
    from core.runs.history import RunHistory
    from core.runs.positions import Positions
    from core.runs.summary import RunSummary

# In place of a measure: the loss has all the room.
NOTHING = "nothing"


class CurveKeys(RunKeys):
    """The part of the Train section that draws runs: the loss, and one measure under it.

    Both plots have one x axis, one stretch of it in view, and one cursor.
    """

    def __init__(self, training: TrainJobs) -> None:
        super().__init__(training)
        self.overlaid: list[str] = []
        self._axis = AXES[0]
        self._log_x = False
        self._measure = ""
        self._window: Window | None = None
        self._end_kept: tuple[Hashable, float] | None = None  # of the axis, and of what it was

    def compose_curves(self, empty: str) -> Iterator[Widget]:
        loss = LossPlot(id="loss", empty=empty)
        loss.smoothing = 0.9  # steps are small, so losses jump
        yield loss
        measure = LossPlot(id="measure", empty="", margin=5, name_others=False)
        measure.can_focus = False
        yield measure

    @property
    def _loss(self) -> LossPlot:
        return self.query_one("#loss", LossPlot)

    @property
    def _under(self) -> LossPlot:
        return self.query_one("#measure", LossPlot)

    def draw_again(self) -> None:
        """Draws the run under the cursor, and the list where its letters change."""
        raise NotImplementedError

    def letters(self) -> dict[str, str]:
        """What overlaid runs wear in plot and list, by run: strokes, or letters among many."""
        shown = self._others()
        if len(shown) <= LETTERS_OVER:
            return {name: stroke(number) for number, name in enumerate(self.overlaid)}
        return {name: letter(self.overlaid.index(name)) for name in shown}

    def _others(self) -> list[str]:
        """The overlaid runs besides the one under the cursor."""
        run = self._run()
        here = run.run if run else ""
        return [name for name in self.overlaid if name != here and name in self.state.histories]

    # ── drawing ──────────────────────────────────────────────────────────────────────────

    def draw_curves(self, run: RunSummary, history: RunHistory) -> None:
        loss, axis, log = self._loss, self._axis, self._log_x
        others = self._others()
        for name in [name for name in loss.series_names if name not in others]:
            if name not in ("train", "held out"):
                loss.remove_series(name)
        source: Hashable = (run.run, history.taken_back, axis, log)
        train, valid = history.train_at, history.valid_at
        loss.follow("train", self._along(train), history.train_losses, "train", source=source)
        loss.follow("held out", self._along(valid), history.valid_losses, "valid", source=source)
        for other in others:
            laid = self.state.histories[other]
            at, losses = laid.valid_at, laid.valid_losses
            if none_held_out := laid.valid_tweets == 0:
                at, losses = laid.train_at, laid.train_losses
            source = (other, laid.taken_back, axis, log)
            number, label = self.overlaid.index(other), self._label_of(other)
            xs = self._along(at)
            loss.follow(
                other, xs, losses, source=source, label=label, number=number, noisy=none_held_out
            )
        loss.x_label, loss.x_is_time = axis, axis == "time"
        loss.x_log, end = log, self._steady_end(run, history)
        loss.x_end = log10(end) if log and end else end
        self._draw_measure(run, history, others)
        self._show_window()

    def _draw_measure(self, run: RunSummary, history: RunHistory, others: list[str]) -> None:
        plot, name = self._under, self._measure_of(history)
        plot.display = name != NOTHING
        if name == NOTHING:
            return
        measure, axis, log = MEASURES[name], self._axis, self._log_x
        curves = measure.curves(history)
        histories = self.state.histories
        others = [other for other in others if measure.known(histories[other])]
        wanted = {curve.name for curve in curves} | set(others)
        for old in set(plot.series_names) - wanted:
            plot.remove_series(old)
        for curve in curves:
            source: Hashable = (run.run, history.taken_back, axis, log, name)
            plot.follow(curve.name, self._along(curve.at), curve.values, curve.role, source=source)
        for other in others:
            for curve in measure.curves(histories[other])[:1]:
                source = (other, histories[other].taken_back, axis, log, name)
                xs, number = self._along(curve.at), self.overlaid.index(other)
                plot.follow(other, xs, curve.values, source=source, number=number)
        plot.y_label, plot.x_label, plot.x_is_time = measure.label, axis, axis == "time"
        plot.x_log = log

    def _along(self, at: Positions) -> Sequence[float]:
        found = along(at, self._axis)
        return Logarithms(found) if self._log_x else found

    def _label_of(self, other: str) -> str:
        """A name; else the end of the run's id, which tells runs of one account apart."""
        for run in self.state.runs or []:
            if run.run == other:
                return run.name or f"{run.run.rsplit('-', 1)[-1]} {'+'.join(run.handles)}"
        return other

    def _steady_end(self, run: RunSummary, history: RunHistory) -> float | None:
        """Where the axis ends while the run goes on. It stays where it is as long as that is about
        right, so that a new point moves nothing but itself.
        """
        if run.state not in GOING:
            return None
        end, room = self._x_end(run, history), 1.02
        if end is None:  # nobody knows yet: a little room for what comes
            now = along(history.train_at, self._axis)
            end, room = (now[-1] if now else None), 1.1
        if not end:
            return None
        of, kept = (run.run, history.taken_back, self._axis), self._end_kept
        if kept is None or kept[0] != of or not end <= kept[1] <= room * room * end:
            planned = self._axis == "step" and end == run.steps
            kept = self._end_kept = of, end if planned else room * end
        return kept[1]

    def _x_end(self, run: RunSummary, history: RunHistory) -> float | None:
        """Where the curve will end as far as one can tell: by steps, or by the time budget."""
        if history.done <= 0.05 or not history.step:
            return None
        expected = history.step / history.done
        expected = min(expected, run.steps) if run.steps else expected
        if self._axis == "step":
            return expected
        now = along(history.train_at, self._axis)
        if self._axis == "time" and history.seconds_left is not None and now:
            return now[-1] + history.seconds_left
        return now[-1] * expected / history.step if now else None

    # ── the stretch in view, and the cursor ──────────────────────────────────────────────

    def _show_window(self) -> None:
        loss, whole = self._loss, self._loss.x_whole()
        if whole is None:
            return
        loss.x_span = None if self._window is None else self._window.span(whole)
        self._under.x_span = loss.x_limits()

    @on(LossPlot.CursorMoved)
    def _cursor_moved(self, event: LossPlot.CursorMoved) -> None:
        x = event.plot.cursor  # it may have moved on since
        other = self._under if event.plot is self._loss else self._loss
        with other.prevent(LossPlot.CursorMoved):
            other.cursor = x
        if x is not None and (whole := self._loss.x_whole()) is not None:
            self._window = showing(self._window, whole, x)
            self._show_window()

    def action_cursor(self, columns: int) -> None:
        self._loss.action_cursor(columns)

    def action_zoom(self, factor: float) -> None:
        loss, whole = self._loss, self._loss.x_whole()
        if whole is not None:
            at = whole[1] if loss.cursor is None else loss.cursor
            if loss.cursor is None and self._window is not None:
                left, right = self._window.span(whole)
                at = right if right == whole[1] else (left + right) / 2
            self._window = zoomed(self._window, whole, factor, at)
            self._show_window()

    def action_pan(self, share: float) -> None:
        whole = self._loss.x_whole()
        if self._window is None:
            self.app.notify("All of it is in view; + comes closer.", title="Nothing to move")
        elif whole is not None:
            self._window = panned(self._window, whole, share)
            self._show_window()

    def action_zoom_reset(self) -> None:
        self._window = None
        self._show_window()

    def leave_plot(self) -> bool:
        """Puts the cursor away, else the zoom; False when there was neither."""
        if self._loss.cursor is not None:
            self._loss.cursor = None
        elif self._window is not None:
            self.action_zoom_reset()
        else:
            return False
        return True

    # ── what is drawn ────────────────────────────────────────────────────────────────────

    def action_axis(self) -> None:
        self._axis = AXES[(AXES.index(self._axis) + 1) % len(AXES)]
        self._window = self._loss.cursor = None
        self.draw_again()

    def action_log_x(self) -> None:
        self._log_x = not self._log_x
        self._window = self._loss.cursor = None
        self.draw_again()

    def action_measure(self) -> None:
        run = self._run()
        history = self.state.histories.get(run.run) if run else None
        if history is not None:
            known = [NOTHING, *measures_of(history)]
            now = known.index(self._measure_of(history))
            self._measure = known[(now + 1) % len(known)]
            self.draw_again()

    def _measure_of(self, history: RunHistory) -> str:
        """What was chosen, so far as the run has it; else memorisation, which has no other view."""
        for name in (self._measure, "memorisation"):
            if name == NOTHING or (name and MEASURES[name].known(history)):
                return name
        return NOTHING

    def action_log_y(self) -> None:
        self._loss.action_toggle_log()

    def action_smooth(self) -> None:
        self._loss.action_cycle_smoothing()
        self.app.notify(f"Smoothing {self._loss.smoothing:g} on the train curve.")

    def action_plots(self) -> None:
        self.query_one("#train-main").toggle_class("-plots")

    @acts_on("#runs")
    def action_overlay(self) -> None:
        run = self._run()
        if run is not None:
            if run.run in self.overlaid:
                self.overlaid.remove(run.run)
            else:
                self.overlaid.append(run.run)
            self.draw_again()

    def action_overlay_all(self) -> None:
        names = [run.run for run in self.listed()]
        if self.overlaid:
            self.overlaid = []
        else:
            self.overlaid = names
            room, away = (
                key_of(f"train.{name}", self.state.keymap) for name in ("plots", "overlay_all")
            )
            self.app.notify(
                f"{plural(len(names), 'run')} overlaid; {room} makes room, {away} takes them away."
            )
        self.draw_again()


def headline(run: RunSummary) -> str:
    """What stands in the title of the plots."""
    who = "+".join("@" + printable(handle) for handle in run.handles)
    base = run.base_in_words
    if run.continues:
        base = f"{base} + {run.continues.rsplit('-', 1)[-1]}"
    return f"{who} · {base} · {run.method} · {run.state}"
