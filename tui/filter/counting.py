"""What a recipe keeps of the tweets that are read, what two recipes differ on, and rows to list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.job import Attempt, Host, Job, Report
from tui.state import SavedCounts

if TYPE_CHECKING:
    from core.curation.counts import CountTokens
    from core.errors import MynahError
    from core.workbench.bench import Curation
    from core.workbench.comparison import ComparedRows, Comparison
    from core.workbench.view import Order, TweetRows, Which


@dataclass
class Curated(Report):
    curation: Curation


@dataclass
class SavedCounted(Report):
    """What the recipe as it was saved keeps."""

    counts: SavedCounts


@dataclass
class Compared(Report):
    comparison: Comparison


@dataclass
class RowsFound(Report):
    """The rows that the list of ``search`` should show, and what was asked for."""

    search: RowSearch
    rows: TweetRows | ComparedRows
    which: Which
    words: str
    order: Order = "newest"

    @property
    def found(self) -> tuple[str, ...]:
        """The words that are in each row, to be highlighted."""
        from core.workbench.search import parse_search

        return parse_search(self.words).words


@dataclass
class SearchRefused(Report):
    """What was typed is no search: ``error`` says why. The list of ``search`` stays as it is."""

    search: RowSearch
    error: MynahError


class Counting:
    """Counts again with each change of the recipe; the newest start wins.

    Counts are reported as soon as they are known; tokens, which take longer, follow.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.curate_job = Job(host, "counting what is kept", newest_wins=True)
        self._saved_job = Job(host, "counting what the saved recipe keeps", newest_wins=True)
        self.compare_job = Job(host, "comparing two recipes", newest_wins=True)
        self._counter: CountTokens | None = None

    def curate(self) -> None:
        """Under the recipe as it stands; reports Curated."""
        bench, recipe = self._host.state.bench, self._host.state.recipe
        if bench is None or recipe is None:
            return

        def work(attempt: Attempt) -> Report | None:
            from core.workbench.tokens import TOKENS_COUNTED

            curation = bench.curate(recipe, progress=attempt.count, cancelled=attempt.cancelled)
            attempt.report(Curated(curation))
            counter = self._token_counter()
            if counter is None:
                return None
            return Curated(
                bench.with_tokens(
                    curation, counter, at_most=TOKENS_COUNTED, cancelled=attempt.cancelled
                )
            )

        self.curate_job.start(work)

    def count_saved(self) -> None:
        """Under the recipe as it was saved; reports SavedCounted."""
        bench, recipe = self._host.state.bench, self._host.state.saved_recipe
        if bench is None or recipe is None:
            return

        def work(attempt: Attempt) -> Report:
            from core.workbench.tokens import TOKENS_COUNTED

            curation = bench.curate(recipe, cancelled=attempt.cancelled)
            counter = self._token_counter()
            if counter is not None:
                curation = bench.with_tokens(
                    curation, counter, at_most=TOKENS_COUNTED, cancelled=attempt.cancelled
                )
            return SavedCounted(SavedCounts(recipe, bench, curation.total))

        self._saved_job.start(work)

    def compare(self) -> None:
        """What the recipe as it stands makes of the tweets, beside another one; that one is the
        first of the two, so that a difference has the sign of a change since then.
        """
        state = self._host.state
        bench, recipe, other = state.bench, state.recipe, state.compared_with
        if bench is None or recipe is None or other is None:
            return

        def work(attempt: Attempt) -> Report | None:
            from dataclasses import replace

            from core.workbench.comparison import compare
            from core.workbench.tokens import TOKENS_COUNTED

            found = compare(
                bench, other, recipe, progress=attempt.count, cancelled=attempt.cancelled
            )
            attempt.report(Compared(found))
            counter = self._token_counter()
            if counter is None:
                return None
            a, b = (
                bench.with_tokens(one, counter, at_most=TOKENS_COUNTED, cancelled=attempt.cancelled)
                for one in (found.a, found.b)
            )
            return Compared(replace(found, a=a, b=b))

        self.compare_job.start(work)

    def _token_counter(self) -> CountTokens | None:
        """One for all: what it has counted once need not be counted again."""
        if self._counter is None:
            from core.models.tokens import token_counter

            self._counter = token_counter(None)
        return self._counter


class RowSearch(Job):
    """Finds the rows of one list; reports RowsFound or SearchRefused, and the newest start wins."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "searching the tweets", newest_wins=True)

    def find(
        self,
        rows: TweetRows | ComparedRows,
        which: Which,
        words: str,
        order: Order = "newest",
    ) -> None:
        """``words`` in the syntax of ``core.workbench.search``; two recipes have one order."""

        def work(attempt: Attempt) -> Report:
            from core.workbench.view import TweetRows

            # two recipes compared have no "dropped": what they differ on is the choice
            found = rows.only(which) if isinstance(rows, TweetRows) else rows
            found = found.search(words, progress=attempt.count, cancelled=attempt.cancelled)
            if isinstance(found, TweetRows):
                found = found.in_order(order)
            return RowsFound(self, found, which, words, order)

        self.start(work, lambda error: SearchRefused(self, error))
