"""What one does with the run under the cursor: stop, resume, go on from it, name, tags, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.numbers import size_in_words
from core.runs.folder import GOING
from tui.actions import key_of
from tui.section.columns import acts_on
from tui.section.screen import Section
from tui.train.figures import RESUMABLE
from tui.train.keeping import DeleteMeasured
from tui.train.starting import TrainJobs
from tui.widgets.row_list import RowList
from tui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.runs.summary import RunSummary

    # keeps what was typed for a run, or asks again
    Keep = Callable[[RunSummary, str, Callable[[], None]], None]


class RunKeys(Section):
    """The part of the Train section that keeps runs in order."""

    def __init__(self, training: TrainJobs) -> None:
        super().__init__()
        self._training = training
        self._keeping = training.keeping
        self._measured: tuple[str, str] | None = None

    def _run(self) -> RunSummary | None:
        """The run under the cursor."""
        raise NotImplementedError

    def listed(self) -> list[RunSummary]:
        """The runs in the list."""
        raise NotImplementedError

    def filter_by(self, event: SearchField.Wanted) -> None:
        """Lists only the runs that match."""
        raise NotImplementedError

    def go_to_wanted(self) -> None:
        """Puts the cursor on the run that was asked for elsewhere, out of the filter if need be."""
        wanted, self.state.run_wanted = self.state.run_wanted, None
        if wanted is None:
            return
        if wanted not in [run.run for run in self.listed()]:
            self.query_one("#run-filter", SearchField).leave()
            self.filter_by(SearchField.Wanted(""))
        names = [run.run for run in self.listed()]
        if wanted in names:
            listing = self.query_one("#runs", RowList)
            listing.cursor = names.index(wanted)
            self.reveal(listing)

    def size_of(self, run: RunSummary) -> int | None:
        """Bytes on the disk as they were measured last; asked for again when its state changes."""
        if self._measured != (run.run, run.state):
            self._measured = run.run, run.state
            self._keeping.measure(run)
        return self.state.sizes.get(run.run)

    def action_copy(self) -> None:
        if (run := self._run()) is not None:
            self.mynah.copy(run.run, f"{run.run}, as a command takes it.")

    def action_report(self) -> None:
        if (run := self._run()) is not None:
            self.mynah.show_report(run)

    @acts_on("#runs")
    def action_further(self) -> None:
        """A new run from the weights of the one under the cursor."""
        run = self._run()
        if run is None or run.state in GOING or not run.has_model:
            self.app.notify(
                "Only a run that has ended with a model.", title="Nothing to go on from"
            )
        else:
            self._beside_another(lambda _, now: self._training.go_on_from(run, now=now))

    def _beside_another(self, start: Callable[[str, bool], None]) -> None:
        """Starts a run: behind the one that goes, or now; a person is asked which."""
        going = self.state.live_run
        if going is None or self._training.starting:
            start("", False)
            return
        from tui.dialogs.decide import Decide

        def answered(key: str | None) -> None:
            if key is not None:
                now = key == "n"
                start("" if now else going.run, now)

        self.app.push_screen(
            Decide(
                f"{going.run} is still going",
                "A new run can wait until it has ended. Two at once are both slow, and take the "
                "memory of both.",
                {"enter": "waits its turn", "n": "starts now"},
            ),
            answered,
        )

    @acts_on("#runs")
    def action_resume(self) -> None:
        run = self._run()
        if run is None or run.state not in RESUMABLE:
            self.app.notify(
                "Only a run that ended early can be taken up again.", title="Nothing to resume"
            )
        else:
            self._training.resume(run)

    @acts_on("#runs")
    def action_stop(self) -> None:
        run = self._run()
        if run is not None and run.state in GOING:
            self._training.stop(run)
        else:
            self.app.notify("This run is not going.", title="Nothing to stop")

    def action_log(self) -> None:
        from tui.dialogs.text import TextScreen

        run = self._run()
        if run is not None:
            self.app.push_screen(TextScreen(f"Log of {run.run}", run.log_text(), at_end=True))

    @acts_on("#runs")
    def action_rename(self) -> None:
        if (run := self._run()) is not None:
            self._ask(run, f"Name of {run.run}", run.name, self._keeping.rename)

    @acts_on("#runs")
    def action_note(self) -> None:
        if (run := self._run()) is not None:
            self._ask(run, f"Note on {run.run}", run.note, self._keeping.note)

    @acts_on("#runs")
    def action_tag(self) -> None:
        if (run := self._run()) is not None:
            tags = " ".join(f"#{tag}" for tag in run.tags)
            self._ask(run, f"Tags of {run.run}", tags, self._keeping.tag)

    def _ask(self, run: RunSummary, question: str, answer: str, keep: Keep) -> None:
        """Asks again, with what was typed, where that will not do."""
        from tui.dialogs.ask import Ask

        def answered(text: str | None) -> None:
            if text is not None:
                keep(run, text, lambda: self._ask(run, question, text, keep))

        self.app.push_screen(Ask(question, answer, optional=True), answered)

    @acts_on("#runs")
    def action_delete(self) -> None:
        """Asks once it is known what goes."""
        run = self._run()
        if run is None:
            return
        if run.state in GOING:
            stop = key_of("train.stop", self.state.keymap)
            self.app.notify(f"{stop} stops it first.", title=f"{run.run} is still going")
            return
        self._keeping.measure_delete(run)

    def ask_to_delete(self, what: DeleteMeasured) -> None:
        """Unless the person has gone on to something else meanwhile."""
        from core.runs.housekeeping import TRASH_DAYS
        from tui.dialogs.decide import Decide

        if not self.can_ask:
            return

        def answered(key: str | None) -> None:
            if key == "y":
                self._keeping.delete(what.run)

        parts = [*what.parts, size_in_words(what.size)] if what.parts else []
        goes = f"What goes: {', '.join(parts)}." if parts else "Its folder is empty."
        key = key_of("app.trash", self.state.keymap)
        where = f"It lies in the trash for {TRASH_DAYS} days: {key} shows it and brings it back."
        question = f"Delete {what.run.name or what.run.run}?"
        self.app.push_screen(Decide(question, f"{goes}\n{where}", {"y": "deletes"}), answered)
