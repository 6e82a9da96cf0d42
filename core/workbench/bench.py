"""The workbench: one table of tweets, and a curation for every recipe that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.curation.counts import AccountStats, CountTokens, total_stats
from core.curation.recipe import Recipe
from core.progress import Cancelled
from core.workbench.curated import CuratedTable
from core.workbench.table import Progress, TweetTable
from core.workbench.tokens import TokenCounts
from core.workbench.verdicts import CleanedTexts, Verdicts, count_verdicts, judge_all
from core.workbench.view import TweetRows

if TYPE_CHECKING:
    import polars as pl

    from core.home import Home


@dataclass(frozen=True)
class Curation:
    """What one recipe made of the tweets: the verdicts, and the counts per account."""

    recipe: Recipe
    rows: TweetRows
    stats: list[AccountStats]
    total: AccountStats
    curated: CuratedTable

    @property
    def frame(self) -> pl.DataFrame:
        """All curated tweets, newest first, made anew each time: as large as all of them.

        Canonical columns, clean_text, kept, reason and trigger.
        """
        return self.curated.frame()

    @property
    def verdicts(self) -> Verdicts:
        return self.curated.verdicts


class Workbench:
    """Holds the tweets in memory; every answer is computed from them, nothing is stored.

    Threads may ask at the same time.
    """

    def __init__(
        self,
        home: Home,
        handles: Sequence[str],
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> None:
        """Loads the tweets; raises InputRefused naming a handle that has none, CorpusBusy,
        Interrupted."""
        from core.corpus.reading import account_names, tweets_at_hand
        from core.corpus.store import Corpus

        corpus = Corpus(home.corpus)
        tweets_at_hand(corpus, handles)
        self.handles = list(handles)
        self.names = {handle: handle for handle in handles} | account_names(corpus, handles)
        self.table = TweetTable.read(corpus, self.handles, progress=progress, cancelled=cancelled)
        self.cleaned = CleanedTexts()
        self._tokens = TokenCounts(self.table)

    def curate(
        self,
        recipe: Recipe,
        count_tokens: CountTokens | None = None,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Curation:
        """Verdicts and counts under ``recipe``; tokens are None without ``count_tokens``.

        Raises Interrupted when ``cancelled`` says so, which is asked every few milliseconds.
        """
        verdicts = judge_all(
            self.table, self.cleaned, recipe, progress=progress, cancelled=cancelled
        )
        stats = count_verdicts(self.table, verdicts, self.handles).stats(self.names)
        curated = CuratedTable(self.table, verdicts)
        curation = Curation(recipe, TweetRows(curated), stats, total_stats(stats), curated)
        if count_tokens is None:
            return curation
        return self.with_tokens(curation, count_tokens, progress=progress, cancelled=cancelled)

    def with_tokens(
        self,
        curation: Curation,
        count_tokens: CountTokens,
        *,
        at_most: int | None = None,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Curation:
        """``curation`` with tokens; estimated where more than ``at_most`` are yet to be counted.

        Give the same ``count_tokens`` each time: what it has counted once is known from then on.
        Raises Interrupted.
        """
        stats = self._tokens.stats(
            curation.stats,
            curation.verdicts,
            count_tokens,
            at_most=at_most,
            progress=progress,
            cancelled=cancelled,
        )
        return replace(curation, stats=stats, total=total_stats(stats))
