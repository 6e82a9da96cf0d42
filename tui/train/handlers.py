"""What happens when runs move on, end, are changed, deleted or had back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual import on

from core.numbers import plural, size_in_words
from tui.actions import key_of, with_keys
from tui.dialogs.notices import NoticeApp
from tui.state import State
from tui.text.runs import last_word
from tui.train.following import FollowJob, RunsRead, how_it_ended
from tui.train.keeping import RunDeleted, RunKept, RunNotKept, RunRestored, TrashRemoved
from tui.train.starting import RunStarted, TrainJobs

if TYPE_CHECKING:
    from textual.signal import Signal

    from tui.text.terminal import TerminalSignals


class RunHandlers(NoticeApp):
    """The part of the app that keeps it in step with the folders of runs.

    The app sets all of these when it is made. What is reported is published before these handlers
    have it: what a section reads of the state at once is set by the app itself.
    """

    state: State
    terminal: TerminalSignals
    following: FollowJob
    training: TrainJobs
    runs_changed: Signal[State]
    section: Any

    def show_error(self, error: Exception, doing: str = "") -> None:
        raise NotImplementedError

    @on(RunsRead)
    def _runs_read(self, report: RunsRead) -> None:
        from core.runs.folder import GOING

        before = {run.run: run.state for run in self.state.runs or []}
        self.state.runs = report.summaries
        self.training.have_read(report.summaries)
        self.state.histories = report.histories
        for run in report.summaries:
            was = before.get(run.run)
            ending = how_it_ended(run) if was in GOING else None
            if ending is not None:
                timeout = 15 if ending.severity == "error" else None
                sentence = with_keys(ending.sentence, self.state.keymap)
                self.notify(sentence, title=ending.title, severity=ending.severity, timeout=timeout)
                self.terminal.say(last_word(run), seconds=report.histories[run.run].seconds or 0)
                self.training.ask_advice()  # the next run will be about as fast as this one
        self._show_progress()
        self.runs_changed.publish(self.state)

    def _show_progress(self) -> None:
        """The run at work in the tab or task bar of the terminal."""
        run = self.state.live_run
        if run is None or run.state == "queued":
            self.terminal.clear()
        else:
            history = self.state.histories[run.run]
            self.terminal.progress(history.done if history.train_steps else None)

    def ask_to_train_again(self, runs: list[str]) -> None:
        """Whether to make the stale ``runs`` anew, of what is left; who has gone on to something
        else meanwhile is told how.
        """
        from tui.dialogs.decide import Decide
        from tui.section.screen import Section

        if not (isinstance(self.screen, Section) and self.screen.can_ask):
            which = runs[0] if len(runs) == 1 else "RUN"
            self.notify(
                f"`mynah train --again {which}` trains as before, on the tweets that are left.",
                title=f"{runs[0]} is stale" if len(runs) == 1 else f"{len(runs)} runs are stale",
                severity="warning",
            )
            return

        def answered(key: str | None) -> None:
            if key == "y":
                self.training.train_again(runs)

        stale = "This run is stale" if len(runs) == 1 else "These runs are stale"
        lines = [
            f"{stale}, and can be trained again as before, on the tweets that are left:",
            *runs,
            "What is stale stays until you delete it in Train.",
        ]
        question = "Train again without what was forgotten?"
        self.push_screen(Decide(question, "\n".join(lines), {"y": "trains"}), answered)

    @on(RunStarted)
    @on(RunKept)
    def _run_changed(self) -> None:
        self.following.poll()

    @on(RunNotKept)
    def _run_not_kept(self, report: RunNotKept) -> None:
        self.show_error(report.error)
        if self.section == "train" and len(self.screen_stack) == 1:  # else somebody has gone on
            report.again()

    @on(RunDeleted)
    def _run_deleted(self, report: RunDeleted) -> None:
        self.following.poll()
        trash = key_of("app.trash", self.state.keymap)
        self.notify(f"{trash} shows the trash, and brings it back.", title=f"{report.run} is gone")

    @on(RunRestored)
    def _run_restored(self, report: RunRestored) -> None:
        self.following.poll()
        self.notify("It is in the list again.", title=f"{report.run} is back")

    @on(TrashRemoved)
    def _trash_removed(self, report: TrashRemoved) -> None:
        freed = f"{size_in_words(report.size)} are free again."
        self.notify(freed, title=f"{plural(report.runs, 'run')} removed for good")
