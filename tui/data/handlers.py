"""What happens when the corpus changes: by a person's hand in Data, or by another program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from textual import events, on

from core.errors import Interrupted
from tui.actions import with_keys
from tui.data.changing import (
    CorpusWatch,
    Excluded,
    ExcludeJob,
    ForgetEnded,
    ForgetJob,
    VerdictsStored,
    what_changed,
)
from tui.data.fetching import FetchEnded, FetchMoved, what_was_fetched
from tui.data.importing import ImportEnded
from tui.data.reading import AccountsLoaded, CorpusReader
from tui.dialogs.notices import NoticeApp
from tui.filter.counting import Counting
from tui.state import State

if TYPE_CHECKING:
    from core.corpus.reading import AccountRow

# Looks at the corpus's file for each look at the runs: a look takes a few microseconds.
LOOK_EVERY: Final = 4


class CorpusHandlers(NoticeApp):
    """The part of the app that keeps it in step with a corpus that others change, too.

    The app sets all of these when it is made.
    """

    state: State
    reading: CorpusReader
    counting: Counting
    excluding: ExcludeJob
    forgetting: ForgetJob
    corpus_watch: CorpusWatch
    _before: list[AccountRow] | None = None  # what another program has changed

    def show_error(self, error: Exception, doing: str = "") -> None:
        raise NotImplementedError

    def ask_to_train_again(self, runs: list[str]) -> None:
        raise NotImplementedError

    def look_at_corpus(self) -> None:
        """Read the corpus again when another program has changed it."""
        state = self.state
        if state.corpus_busy is None and self.corpus_watch.changed():
            self._before = state.accounts or []
            self.reading.accounts()

    @on(events.AppFocus)
    def _back_again(self) -> None:
        self.look_at_corpus()

    @on(AccountsLoaded)
    def _accounts_read(self, report: AccountsLoaded) -> None:
        """Comes before the handler that takes them into the state."""
        before, self._before = self._before, None
        if before is None:
            self.corpus_watch.ours()
        elif sentence := what_changed(before, report.accounts):
            self.notify(sentence, title="Another program changed the corpus")

    @on(FetchMoved)
    def _fetch_moved(self, report: FetchMoved) -> None:
        if report.progress.kind == "page" and report.progress.new:
            self.reading.accounts()

    @on(FetchEnded)
    def _fetch_ended(self, report: FetchEnded) -> None:
        result = report.result
        if report.error is None:
            self.state.typed = {}
        elif not isinstance(report.error, Interrupted):
            self.show_error(report.error)
        if result is not None:
            self.notify(
                with_keys(what_was_fetched(result), self.state.keymap),
                title=f"@{result.handle} is here" if result.complete else "The fetch has stopped",
            )
            if not self.state.accounts:
                self.state.chosen = [result.handle]
            elif result.new:
                self.say_not_chosen([result.handle])
        self.reading.accounts()

    def say_not_chosen(self, handles: Sequence[str]) -> None:
        """What comes in beside accounts that are chosen makes no blend of them by itself."""
        new = [handle for handle in dict.fromkeys(handles) if handle not in self.state.chosen]
        if new:
            are = "is" if len(new) == 1 else "are"
            names = ", ".join(f"@{handle}" for handle in new[:3])
            more = f" and {len(new) - 3} more" if len(new) > 3 else ""
            self.notify(
                with_keys(
                    "In Accounts, enter chooses one alone, {data.mark} adds one.", self.state.keymap
                ),
                title=f"{names}{more} {are} here, and not chosen yet",
            )

    @on(ImportEnded)
    @on(FetchEnded)
    @on(VerdictsStored)
    def _written_by_us(self) -> None:
        self.corpus_watch.ours()

    @on(Excluded)
    def _excluded(self, report: Excluded) -> None:
        self.corpus_watch.ours()
        if self.state.bench is not None:
            self.state.bench.table.exclude(report.all_of_them)
            self.counting.curate()
        handle, _ = report.tweet
        self.excluding.store_verdicts(handle)
        if report.excluded:
            back = with_keys("No recipe keeps it. {data.exclude} takes it back.", self.state.keymap)
            self.notify(back, title="Left out of training")
        else:
            self.notify("The recipe decides on it again.", title="Taken back into training")

    @on(ForgetEnded)
    def _forgotten(self, report: ForgetEnded) -> None:
        from tui.text.forgetting import what_goes

        self.corpus_watch.ours()
        if report.error is not None:
            self.show_error(report.error)
            return
        if report.gone is None:
            return
        lines = what_goes(report.gone, would=False)  # what becomes stale was said before
        if not report.gone.compacted:
            lines.append(f"What they said is still inside the file: {report.gone.not_compacted}")
        title, *rest = lines
        self.notify(" ".join(rest), title=title, timeout=15 if rest else None)
        self.reading.accounts()
        if report.gone.again:
            self.ask_to_train_again(report.gone.again)
