"""The tokens of what a recipe keeps, counted as far as it pays while a recipe is edited."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from typing import Final

import polars as pl

from core.curation.cleaning import CLEANING
from core.curation.counts import AccountStats, CountTokens
from core.curation.threads import with_joined
from core.progress import Cancelled
from core.workbench.table import Progress, TweetTable, stop_if
from core.workbench.verdicts import READ, Verdicts, clean_again

# Texts whose tokens are counted one by one while a recipe is edited; of more, a choice is.
TOKENS_COUNTED: Final = 200_000
_AT_ONCE: Final = 2_000
_LOOKED_AT: Final = 20_000


class TokenCounts:
    """The tokens of every cleaned text that was counted so far, under the last way of cleaning.

    Recipes may be counted at once: each fills the counts of its own way of cleaning, and only
    those of the last that was asked for are kept.
    """

    def __init__(self, table: TweetTable) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._known = _Known(None, pl.Series([], dtype=pl.UInt32))

    def stats(
        self,
        stats: Sequence[AccountStats],
        verdicts: Verdicts,
        count: CountTokens,
        *,
        at_most: int | None = None,
        block: int = 1024,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> list[AccountStats]:
        """``stats`` with the tokens of what is kept, and one end mark each.

        Where more than ``at_most`` texts would have to be counted, an even choice of them is, and
        the rest is taken to have as many tokens a character. Raises Interrupted.
        """
        known = self._known_of(verdicts, count)
        counts = known.counts(verdicts.joined)
        kept = verdicts.kept
        open_ = (kept & counts.is_null()).arg_true()
        chosen = open_
        if at_most is not None and len(open_) > at_most:
            chosen = open_.gather_every(-(-len(open_) // _LOOKED_AT))
        for start in range(0, len(chosen), _AT_ONCE):
            stop_if(cancelled)
            rows = chosen[start : start + _AT_ONCE]
            clean = clean_again(self._table.canonical(rows, READ), verdicts.recipe)
            texts = with_joined(clean, rows, verdicts.joined)
            known.put(rows, texts, count(texts.to_list()), verdicts.joined)
            if progress:
                progress(start + len(rows), len(chosen))
        counts = known.counts(verdicts.joined)
        return [
            dataclasses.replace(
                one,
                tokens=tokens,
                blocks=tokens // block,
                tokens_about=len(chosen) < len(open_) and about,
            )
            for one, (tokens, about) in zip(
                stats, _sums(self._table, verdicts, counts, stats), strict=True
            )
        ]

    def _known_of(self, verdicts: Verdicts, count: CountTokens) -> _Known:
        key = (count, *(getattr(verdicts.recipe, rule) for rule in CLEANING))
        with self._lock:
            if key != self._known.key:
                nothing = pl.repeat(None, self._table.height, dtype=pl.UInt32, eager=True)
                self._known = _Known(key, nothing)
            return self._known


class _Known:
    """What was counted under one way of cleaning: tokens for each row, or null."""

    def __init__(self, key: object, counts: pl.Series) -> None:
        self.key = key
        self._counts = counts
        self._joined: dict[str, int] = {}
        self._lock = threading.Lock()

    def counts(self, joined: pl.DataFrame) -> pl.Series:
        """Tokens for each row; ``joined`` (place, clean_text) are the words of threads."""
        with self._lock:
            found = self._counts.clone()
            if joined.height:
                tokens = [self._joined.get(text) for text in joined["clean_text"]]
                found = found.scatter(joined["place"], pl.Series(tokens, dtype=pl.UInt32))
            return found

    def put(
        self, rows: pl.Series, texts: pl.Series, tokens: list[int], joined: pl.DataFrame
    ) -> None:
        """``tokens`` of ``texts``, the words of ``rows``. Those of threads go by their words."""
        counted = pl.DataFrame(
            {"place": rows, "text": texts, "tokens": tokens},
            schema_overrides={"tokens": pl.UInt32()},
        )
        of_threads = counted.filter(pl.col("place").is_in(joined["place"].implode()))
        own = counted.filter(~pl.col("place").is_in(joined["place"].implode()))
        with self._lock:
            self._counts = self._counts.scatter(own["place"], own["tokens"])
            self._joined.update(of_threads.select("text", "tokens").iter_rows())


def _sums(
    table: TweetTable, verdicts: Verdicts, counts: pl.Series, stats: Sequence[AccountStats]
) -> list[tuple[int, bool]]:
    """Tokens of each account, and whether some of them were estimated."""
    found = pl.DataFrame({"handle": table.handles, "tokens": counts, "chars": verdicts.chars})
    summed = (
        found.filter(verdicts.kept)
        .group_by("handle")
        .agg(
            pl.col("tokens").cast(pl.UInt64).sum(),
            pl.col("tokens").is_null().sum().alias("open"),
            pl.col("chars").cast(pl.UInt64).filter(pl.col("tokens").is_not_null()).sum(),
        )
    )
    of = {handle: rest for handle, *rest in summed.iter_rows()}
    every_token = sum(tokens for tokens, _, _ in of.values())
    every_char = sum(chars for _, _, chars in of.values())
    sums = []
    for one in stats:
        tokens, still_open, chars = of.get(one.handle, (0, 0, 0))
        if still_open:
            # An account of which nothing was looked at is taken to write as the others do.
            share = tokens / chars if chars else every_token / max(every_char, 1)
            tokens += round(share * (one.kept_chars - chars))
        sums.append((tokens + one.kept, bool(still_open)))
    return sums
