"""The filter's table of any number of tweets: counts taken batch by batch, a few numbers a person.

Counting tokens takes longer than everything else together. Beyond ``EXACT`` tweets a share of each
account is counted whole and of the rest one tweet in ``ONE_IN``, chosen by a number made of its id;
what these have for a character, the rest has too. The figures are then marked as estimates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import polars as pl

from core.curation.reasons import SHORT
from core.curation.stats import UNSPACED, AccountStats, CountTokens, stats_from_counts

EXACT: Final = 300_000
ONE_IN: Final = 20
_FEWEST: Final = 20  # of an account that are counted whatever the others have
_AT_ONCE: Final = 5_000  # texts; a tokenizer holds much more than their numbers
_SEED: Final = 0x74616C6C79


@dataclass
class _Account:
    reasons: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    kept_chars: int = 0
    unspaced: int = 0
    counted_tokens: int = 0  # of tweets within the account's share
    sample_tokens: int = 0
    sample_chars: int = 0
    rest_chars: int = 0

    def tokens(self) -> int:
        """With one end mark for each tweet."""
        known = self.counted_tokens + self.kept
        if not self.sample_chars:
            return known
        return known + round(self.sample_tokens * self.rest_chars / self.sample_chars)


class Tally:
    """Adds up batches of curated tweets; the order within an account decides what is counted."""

    def __init__(
        self,
        sizes: Mapping[str, int],
        count_tokens: CountTokens | None = None,
        *,
        exact: int = EXACT,
    ) -> None:
        """``sizes`` has the number of tweets of each account that will come."""
        total = sum(sizes.values())
        self._whole = {
            handle: size if total <= exact else max(_FEWEST, exact * size // total)
            for handle, size in sizes.items()
        }
        self._count_tokens = count_tokens
        self._accounts = {handle: _Account() for handle in sizes}

    def add(self, curated: pl.DataFrame) -> None:
        """A batch from ``curated_batches``."""
        rows = curated.select("handle", "tweet_id", "clean_text", "kept", "reason")
        kept = rows.filter("kept").select(
            "handle",
            "tweet_id",
            "clean_text",
            chars=pl.col("clean_text").str.len_chars(),
            number=pl.int_range(pl.len()).over("handle"),
        )
        if self._count_tokens and kept.height:
            self._tokens(kept, self._count_tokens)
        for handle, reason, count in _counts(rows.filter(~pl.col("kept")), "handle", "reason"):
            self._accounts[handle].reasons[reason] += count
        short = rows.filter(pl.col("reason") == SHORT)
        unspaced = short.filter(pl.col("clean_text").str.contains(UNSPACED))
        for handle, count in _counts(unspaced, "handle"):
            self._accounts[handle].unspaced += count
        sums = kept.group_by("handle").agg(pl.len(), pl.col("chars").cast(pl.Int64).sum())
        for handle, count, chars in sums.iter_rows():
            account = self._accounts[handle]
            account.kept += count
            account.kept_chars += chars

    def stats(self, names: Mapping[str, str], *, block: int = 1024) -> list[AccountStats]:
        """The columns of the table, in the order of ``sizes``."""
        found = []
        for handle, account in self._accounts.items():
            one = stats_from_counts(
                handle,
                names.get(handle),
                account.reasons,
                kept=account.kept,
                kept_chars=account.kept_chars,
                unspaced=account.unspaced,
                tokens=account.tokens() if self._count_tokens else None,
                block=block,
            )
            found.append(replace(one, tokens_about=bool(account.sample_chars)))
        return found

    def _tokens(self, kept: pl.DataFrame, count_tokens: CountTokens) -> None:
        here = kept["handle"].unique().to_list()
        # how many of the account's kept tweets came before this one, and how many are counted whole
        before = {handle: self._accounts[handle].kept for handle in here}
        whole = {handle: self._whole[handle] for handle in here}
        handle = pl.col("handle")
        number = pl.col("number") + handle.replace_strict(before, return_dtype=pl.Int64)
        limit = handle.replace_strict(whole, return_dtype=pl.Int64)
        chosen = (number == limit) | (pl.col("tweet_id").hash(_SEED) % ONE_IN == 0)
        kept = kept.with_columns(rest=number >= limit, asked=(number < limit) | chosen)
        asked = kept.filter("asked")
        numbers: list[int] = []
        for start in range(0, asked.height, _AT_ONCE):
            numbers += count_tokens(asked["clean_text"][start : start + _AT_ONCE].to_list())
        asked = asked.with_columns(tokens=pl.Series(numbers, dtype=pl.Int64))
        chars = pl.col("chars").cast(pl.Int64)
        for who, beyond, tokens, characters in (
            asked.group_by("handle", "rest").agg(pl.col("tokens").sum(), chars.sum()).iter_rows()
        ):
            account = self._accounts[who]
            if beyond:
                account.sample_tokens += tokens
                account.sample_chars += characters
            else:
                account.counted_tokens += tokens
        for who, characters in kept.filter("rest").group_by("handle").agg(chars.sum()).iter_rows():
            self._accounts[who].rest_chars += characters


def _counts(rows: pl.DataFrame, *by: str) -> Iterable[tuple[Any, ...]]:
    return rows.group_by(*by).len().iter_rows()
