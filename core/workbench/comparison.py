"""Two recipes on the same tweets: both counts, and the tweets on which the recipes part."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from core.curation.cleaning import CLEANING
from core.curation.recipe import Recipe
from core.curation.threads import with_joined
from core.progress import Cancelled
from core.workbench.bench import Curation, Workbench
from core.workbench.table import Progress, stop_if
from core.workbench.verdicts import READ, Verdicts, clean_again
from core.workbench.view import TweetRow, TweetRows


@dataclass(frozen=True)
class ComparedRow:
    """One tweet under both recipes."""

    a: TweetRow
    b: TweetRow


class ComparedRows:
    """The tweets on which two recipes differ, newest first; rows are made when asked."""

    def __init__(self, a: TweetRows, b: TweetRows) -> None:
        self._a, self._b = a, b

    def __len__(self) -> int:
        return len(self._a)

    def __getitem__(self, index: int) -> ComparedRow:
        return ComparedRow(self._a[index], self._b[index])

    def search(
        self, words: str, *, progress: Progress | None = None, cancelled: Cancelled | None = None
    ) -> ComparedRows:
        """The rows that ``words`` describe; see TweetRows.search."""
        found = self._a.search(words, progress=progress, cancelled=cancelled)
        return ComparedRows(found, self._b.these(found))


@dataclass(frozen=True)
class Comparison:
    """``rows`` are the tweets that only one recipe keeps, that both drop for different reasons, or
    that both keep in different words."""

    a: Curation
    b: Curation
    rows: ComparedRows
    only_a: int
    only_b: int
    other_reason: int
    other_words: int


def compare(
    bench: Workbench,
    a: Recipe,
    b: Recipe,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Comparison:
    """What ``a`` and ``b`` make of the tweets of ``bench``. Raises Interrupted."""
    one = bench.curate(a, progress=progress, cancelled=cancelled)
    two = bench.curate(b, progress=progress, cancelled=cancelled)
    kept_a, kept_b = one.verdicts.kept, two.verdicts.kept
    both = kept_a & kept_b
    words = _other_words(bench, one.verdicts, two.verdicts, both, cancelled)
    reason = ~kept_a & ~kept_b & (one.verdicts.codes != two.verdicts.codes)
    differ = (kept_a ^ kept_b) | reason | words
    order = bench.table.newest_first
    numbers = order.filter(differ.gather(order))
    return Comparison(
        a=one,
        b=two,
        rows=ComparedRows(TweetRows(one.curated, numbers), TweetRows(two.curated, numbers)),
        only_a=int((kept_a & ~kept_b).sum()),
        only_b=int((kept_b & ~kept_a).sum()),
        other_reason=int(reason.sum()),
        other_words=int(words.sum()),
    )


def _other_words(
    bench: Workbench, one: Verdicts, two: Verdicts, both: pl.Series, cancelled: Cancelled | None
) -> pl.Series:
    """Of the rows that both keep, those that are learned in different words."""
    a, b = one.recipe, two.recipe
    parts = [pl.Series([], dtype=pl.Boolean)]
    if all(getattr(a, rule) == getattr(b, rule) for rule in CLEANING):
        words = pl.repeat(value=False, n=len(both), dtype=pl.Boolean, eager=True)
    else:
        for rows in bench.table.slices():
            stop_if(cancelled)
            tweets = bench.table.canonical(rows, READ)
            parts.append(bench.cleaned.of(rows, tweets, a) != bench.cleaned.of(rows, tweets, b))
        words = pl.concat(parts)
    threads = pl.concat([one.joined["place"], two.joined["place"]]).unique().sort()
    if len(threads):
        tweets = bench.table.canonical(threads, READ)
        texts = (
            with_joined(clean_again(tweets, own.recipe), threads, own.joined) for own in (one, two)
        )
        words = words.scatter(threads, next(texts) != next(texts))
    return words & both
