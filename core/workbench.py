"""The tweets of the chosen accounts, loaded once and curated as often as the recipe changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.rows import TweetRows

if TYPE_CHECKING:
    import polars as pl

    from core.curation import AccountStats, Recipe
    from core.home import Home

CountTokens = Callable[[list[str]], list[int]]


@dataclass(frozen=True)
class Curation:
    """What one recipe made of the tweets: the verdicts, and the counts per account."""

    recipe: Recipe
    frame: pl.DataFrame
    rows: TweetRows
    stats: list[AccountStats]
    total: AccountStats


class Workbench:
    """Holds one frame of canonical tweets; every answer is computed from it, nothing is stored."""

    def __init__(self, home: Home, handles: Sequence[str]) -> None:
        """Loads the tweets; raises InputRefused naming a handle that has none, CorpusBusy."""
        from core.corpus import Corpus, accounts, tweets
        from core.errors import InputRefused

        corpus = Corpus(home.corpus)
        self.names = {
            account.handle: account.name or account.handle for account in accounts(corpus)
        }
        missing = [handle for handle in handles if handle not in self.names]
        if missing:
            known = ", ".join(f"@{handle}" for handle in self.names) or "nobody yet"
            raise InputRefused(
                f"There are no tweets of @{missing[0]} in the corpus.",
                f"It holds: {known}.",
                "Bring them in with `mynah import PATH`.",
            )
        self.handles = list(handles)
        self.tweets = tweets(corpus, self.handles)

    def curate(self, recipe: Recipe, count_tokens: CountTokens | None = None) -> Curation:
        """Verdicts and counts under ``recipe``; tokens are None without ``count_tokens``."""
        from core.curation import account_stats, curate, total_stats

        frame = curate(self.tweets, recipe)
        stats = account_stats(
            frame, names=self.names, count_tokens=count_tokens, handles=self.handles
        )
        return Curation(recipe, frame, TweetRows(frame), stats, total_stats(stats))
