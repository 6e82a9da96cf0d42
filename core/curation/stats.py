"""The filter's table: what became of every tweet of an account, in counts that add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from core.curation.reasons import REASONS, RETWEET, SHORT
from core.curation.words import NO_SPACES

CountTokens = Callable[[list[str]], list[int]]

SEPARATOR: Final = "<|endoftext|>"
# The two size gates of huggingtweets, in its own measure (see AccountStats.seed_chars).
FEWEST_CHARS: Final = 6_000
FEW_CHARS: Final = 40_000
UNSPACED: Final = f"[{NO_SPACES}]{{4}}"
"""A run of a script that puts no spaces between words, as a pattern."""


@dataclass(frozen=True)
class AccountStats:
    """One column of the table; downloaded = retweets + short + the sum of dropped + kept.

    dropped     the reasons other than retweet and short, only those that occur
    kept_chars  characters of the cleaned kept tweets, nothing between them
    tokens      of the kept tweets, with one end mark each; None when nothing counts tokens
    blocks      whole blocks of ``block`` tokens (huggingtweets trained on blocks of 1,024)
    seed_chars  the kept tweets joined with ``<|endoftext|>``: what huggingtweets measured
    warnings    sentences for the person, may be empty
    tokens_about  the tokens were not counted but estimated from a part of the tweets
    """

    handle: str
    name: str
    downloaded: int
    retweets: int
    short: int
    kept: int
    dropped: dict[str, int]
    kept_chars: int
    tokens: int | None
    blocks: int | None
    seed_chars: int = 0
    warnings: list[str] = field(default_factory=list)
    tokens_about: bool = False

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah stats --json``, the warnings, and whether tokens are estimated."""
        names = "handle name downloaded retweets short kept dropped kept_chars tokens blocks"
        return {key: getattr(self, key) for key in [*names.split(), "warnings", "tokens_about"]}


def account_stats(
    curated: pl.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    count_tokens: CountTokens | None = None,
    block: int = 1024,
    handles: Sequence[str] | None = None,
) -> list[AccountStats]:
    """Counts per account of a frame from ``curate``.

    ``handles`` gives the order, and a row of zeros to an account without tweets; without it,
    accounts come in the order of their first row. ``names`` maps handles to display names.
    ``count_tokens`` gives the number of tokens of each of a list of texts.
    """
    groups = {str(key[0]): part for key, part in curated.group_by("handle", maintain_order=True)}
    empty = curated.clear()
    return [
        _account(handle, groups.get(handle, empty), (names or {}).get(handle), count_tokens, block)
        for handle in (groups if handles is None else handles)
    ]


def total_stats(stats: Sequence[AccountStats], *, block: int = 1024) -> AccountStats:
    """All accounts as one column called "all"; tokens are None if any account's are."""
    dropped = {
        reason: count
        for reason in REASONS
        if (count := sum(one.dropped.get(reason, 0) for one in stats))
    }
    counts = [one.tokens for one in stats]
    tokens = None if not counts or None in counts else sum(count or 0 for count in counts)
    with_tweets = sum(one.kept > 0 for one in stats)
    return AccountStats(
        handle="all",
        name="all",
        downloaded=sum(one.downloaded for one in stats),
        retweets=sum(one.retweets for one in stats),
        short=sum(one.short for one in stats),
        kept=sum(one.kept for one in stats),
        dropped=dropped,
        kept_chars=sum(one.kept_chars for one in stats),
        tokens=tokens,
        blocks=None if tokens is None else tokens // block,
        # One more gap between each two accounts that have something to join.
        seed_chars=sum(one.seed_chars for one in stats) + len(SEPARATOR) * max(with_tweets - 1, 0),
        tokens_about=any(one.tokens_about for one in stats),
    )


def stats_from_counts(
    handle: str,
    name: str | None,
    reasons: Mapping[str, int],
    *,
    kept: int,
    kept_chars: int,
    unspaced: int,
    tokens: int | None = None,
    block: int = 1024,
) -> AccountStats:
    """The column of one account whose tweets were counted already.

    ``reasons`` says how many were dropped for each; ``unspaced`` how many of the short ones are in
    a script without spaces.
    """
    counts = dict(reasons)
    retweets, short = counts.pop(RETWEET, 0), counts.pop(SHORT, 0)
    downloaded = sum(reasons.values()) + kept
    seed_chars = kept_chars + len(SEPARATOR) * max(kept - 1, 0)
    return AccountStats(
        handle=handle,
        name=name or handle,
        downloaded=downloaded,
        retweets=retweets,
        short=short,
        kept=kept,
        dropped={reason: counts[reason] for reason in REASONS if counts.get(reason)},
        kept_chars=kept_chars,
        tokens=tokens,
        blocks=None if tokens is None else tokens // block,
        seed_chars=seed_chars,
        warnings=_warnings(handle, downloaded, kept, seed_chars, short, retweets, unspaced),
    )


def _account(
    handle: str, rows: pl.DataFrame, name: str | None, count_tokens: CountTokens | None, block: int
) -> AccountStats:
    counts = {reason: int(n) for reason, n in rows["reason"].drop_nulls().value_counts().rows()}
    kept = rows.filter("kept")["clean_text"]
    tokens = None
    if count_tokens is not None:
        tokens = sum(count_tokens(kept.to_list())) + len(kept) if len(kept) else 0
    short = rows.filter(pl.col("reason") == SHORT)["clean_text"]
    return stats_from_counts(
        handle,
        name,
        counts,
        kept=len(kept),
        kept_chars=int(kept.str.len_chars().sum()),
        unspaced=int(short.str.contains(UNSPACED).sum()),
        tokens=tokens,
        block=block,
    )


def _warnings(
    handle: str,
    downloaded: int,
    kept: int,
    seed_chars: int,
    short: int,
    retweets: int,
    unspaced: int,
) -> list[str]:
    found = []
    if kept == 0:
        found.append(f"Nothing of @{handle} is kept: there is nothing to learn from.")
    elif seed_chars < FEWEST_CHARS:
        found.append(
            f"@{handle} keeps only {kept:,} tweets ({seed_chars:,} characters). huggingtweets "
            f"refused fewer than {FEWEST_CHARS:,}: expect copies and odd sentences."
        )
    elif seed_chars < FEW_CHARS:
        found.append(
            f"@{handle} keeps {kept:,} tweets ({seed_chars:,} characters). Under {FEW_CHARS:,} "
            "a model learns the words better than the voice."
        )
    own = downloaded - retweets
    if own >= 20 and short * 2 > own:
        if unspaced * 2 > short:
            found.append(
                f"{round(100 * short / own)} % of what @{handle} wrote counts as short, mostly in "
                "a script without spaces. The standard cleaning counts words in such scripts."
            )
        else:
            found.append(
                f"{round(100 * short / own)} % of what @{handle} wrote counts as short: "
                "a smaller least number of words would keep more."
            )
    return found
