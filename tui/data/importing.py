"""The corpus desk: reading accounts and tweets, counting what is kept, bringing files in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import Interrupted, MynahError
from core.workbench.view import TweetRows, Which
from tui import messages
from tui.text.numbers import short_count

if TYPE_CHECKING:
    from textual.message import Message

    from core.corpus.importing import ImportProgress
    from core.curation.stats import CountTokens
    from core.workbench.comparison import ComparedRows
    from tui.app import MynahApp


TOKENS_COUNTED: Final = 200_000
"""Texts whose tokens are counted one by one; of more than that, a choice is."""
_WORTH_TELLING: Final = 200_000
_TELL_EVERY: Final = 0.1


class _Asked:
    """One question: whether it still stands, and where its answer goes."""

    def __init__(self, app: MynahApp) -> None:
        from textual.worker import get_current_worker

        self._app, self._worker = app, get_current_worker()

    def cancelled(self) -> bool:
        return self._worker.is_cancelled

    def answer(self, message: Message) -> None:
        """A slow answer must not replace a newer one."""
        if self.cancelled():
            raise Interrupted("Somebody has asked again.")
        self._app.post_message(message)

    def told(self, doing: str) -> Callable[[int, int], None]:
        """Progress that says so when there is much to do."""
        last = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if total >= _WORTH_TELLING and now - last >= _TELL_EVERY:
                last = now
                said = f"{doing} {short_count(done)} of {short_count(total)}"
                self._app.post_message(messages.CountMoved(said))

        return tell


class CorpusDesk:
    """Everything here returns at once; what was found arrives as messages to the app."""

    def __init__(self, app: MynahApp) -> None:
        self._app = app
        self._cancel_import = threading.Event()
        self.recipe_name = "standard"
        self._counter: CountTokens | None = None

    def load_accounts(self) -> None:
        def work() -> None:
            from core.corpus.reading import accounts
            from core.corpus.store import Corpus
            from core.curation.recipe import load_recipe

            if self._app.state.recipe is None:
                home = self._app.state.home
                try:
                    recipe = load_recipe(self.recipe_name, home)
                except MynahError:
                    recipe = load_recipe("standard", home)
                self._app.post_message(messages.RecipeLoaded(recipe))
            self._app.post_message(
                messages.AccountsLoaded(accounts(Corpus(self._app.state.home.corpus)))
            )

        self._app.in_background("accounts", "reading the corpus", work)

    def load_bench(self) -> None:
        """Read the chosen accounts' tweets, then curate them."""
        chosen = list(self._app.state.chosen)
        home = self._app.state.home

        def work(asked: _Asked) -> None:
            from core.workbench.bench import Workbench

            bench = Workbench(
                home, chosen, progress=asked.told("reading"), cancelled=asked.cancelled
            )
            asked.answer(messages.BenchLoaded(bench))

        if chosen:
            self._ask("bench", "reading the tweets", work)

    def curate(self) -> None:
        """Count again under the recipe as it stands; the newest request wins.

        Counts are shown as soon as they are known; tokens, which take longer, follow.
        """
        bench, recipe = self._app.state.bench, self._app.state.recipe
        if bench is None or recipe is None:
            return

        def work(asked: _Asked) -> None:
            curation = bench.curate(
                recipe, progress=asked.told("recounting"), cancelled=asked.cancelled
            )
            asked.answer(messages.Curated(curation))
            counter = self._token_counter()
            if counter is not None:
                counted = bench.with_tokens(
                    curation, counter, at_most=TOKENS_COUNTED, cancelled=asked.cancelled
                )
                asked.answer(messages.Curated(counted))

        self._ask("curate", "counting what is kept", work)

    def compare(self) -> None:
        """What the recipe as it stands and the one it is compared with make of the tweets."""
        state = self._app.state
        bench, recipe, other = state.bench, state.recipe, state.compared_with
        if bench is None or recipe is None or other is None:
            return

        def work(asked: _Asked) -> None:
            from dataclasses import replace

            from core.workbench.comparison import compare

            found = compare(
                bench, recipe, other, progress=asked.told("comparing"), cancelled=asked.cancelled
            )
            asked.answer(messages.Compared(found))
            counter = self._token_counter()
            if counter is not None:
                a, b = (
                    bench.with_tokens(
                        one, counter, at_most=TOKENS_COUNTED, cancelled=asked.cancelled
                    )
                    for one in (found.a, found.b)
                )
                asked.answer(messages.Compared(replace(found, a=a, b=b)))

        self._ask("compare", "comparing two recipes", work)

    def find(self, section: str, rows: TweetRows | ComparedRows, which: Which, words: str) -> None:
        """The rows that a section's list should show; they arrive as RowsFound."""

        def work(asked: _Asked) -> None:
            # two recipes compared have no "dropped": what they differ on is the choice
            found = rows.only(which) if isinstance(rows, TweetRows) else rows
            found = found.search(words, progress=asked.told("searching"), cancelled=asked.cancelled)
            asked.answer(messages.RowsFound(section, found, which, words))

        self._ask(f"find-{section}", "searching the tweets", work)

    def _token_counter(self) -> CountTokens | None:
        """One for all: what it has counted once need not be counted again."""
        if self._counter is None:
            from core.models.tokens import token_counter

            self._counter = token_counter(None)
        return self._counter

    def _ask(self, group: str, doing: str, work: Callable[[_Asked], None]) -> None:
        """Like ``in_background``, for questions that a newer one of their group takes over."""

        def asking() -> None:
            asked = _Asked(self._app)
            try:
                work(asked)
            except Interrupted:
                return  # somebody asked again

        self._app.in_background(group, doing, asking)

    def import_paths(
        self,
        paths: list[Path],
        *,
        handle: str | None = None,
        encoding: str | None = None,
        samples: bool = False,
    ) -> None:
        """Bring files into the corpus, with progress; Esc in Data stops it."""
        if self._app.state.importing:
            self._app.notify("An import is running.", title="One at a time", severity="warning")
            return
        self._cancel_import.clear()
        self._app.state.importing = True
        home = self._app.state.home

        def work() -> None:
            from core.workflow import import_paths

            def report(moved: ImportProgress) -> None:
                self._app.post_message(messages.ImportMoved(moved))

            error: MynahError | None = None
            results: list[Any] = []
            try:
                results = import_paths(
                    home,
                    paths,
                    handle=handle,
                    encoding=encoding,
                    progress=report,
                    cancelled=self._cancel_import.is_set,
                )
            except MynahError as refused:
                error = refused
            self._app.post_message(messages.ImportEnded(results, error, samples))

        self._app.import_moved.publish(None)
        self._app.in_background("import", "importing", work)

    def stop_import(self) -> bool:
        """True when there was an import to stop."""
        if not self._app.state.importing:
            return False
        self._cancel_import.set()
        return True
