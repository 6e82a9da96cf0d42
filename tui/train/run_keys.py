"""What one does with the run under the cursor besides training: name, note, tags, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.numbers import size_in_words
from core.runs.folder import GOING
from tui.actions import key_of
from tui.section.columns import acts_on
from tui.section.screen import Section
from tui.train.keeping import KeepingJobs
from tui.widgets.row_list import RowList
from tui.widgets.search_field import SearchField

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.runs.summary import RunSummary

    # keeps what was typed for a run, or asks again
    Keep = Callable[[RunSummary, str, Callable[[], None]], None]


class RunKeys(Section):
    """The part of the Train section that keeps runs in order."""

    def __init__(self, keeping: KeepingJobs) -> None:
        super().__init__()
        self._keeping = keeping
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

    def action_rename(self) -> None:
        if (run := self._run()) is not None:
            self._ask(run, f"Name of {run.run}", run.name, self._keeping.rename)

    def action_note(self) -> None:
        if (run := self._run()) is not None:
            self._ask(run, f"Note on {run.run}", run.note, self._keeping.note)

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
        from core.runs.folder import Run
        from core.runs.housekeeping import TRASH_DAYS, parts_of
        from tui.dialogs.decide import Decide

        run = self._run()
        if run is None:
            return
        if run.state in GOING:
            stop = key_of("train.stop", self.state.keymap)
            self.app.notify(f"{stop} stops it first.", title=f"{run.run} is still going")
            return

        def answered(key: str | None) -> None:
            if key == "y":
                self._keeping.delete(run)

        # measured anew: a report or samples may have come since it was measured for the figures
        parts, size = parts_of(Run(run.folder)), Run(run.folder).disk_bytes()
        self.state.sizes[run.run] = size
        if parts:
            parts.append(size_in_words(size))
        what = f"What goes: {', '.join(parts)}." if parts else "It is empty."
        key = key_of("app.trash", self.state.keymap)
        where = f"It lies in the trash for {TRASH_DAYS} days: {key} shows it and brings it back."
        question = f"Delete {run.name or run.run}?"
        self.app.push_screen(Decide(question, f"{what}\n{where}", {"y": "deletes"}), answered)
