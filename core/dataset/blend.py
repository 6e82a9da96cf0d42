"""The order in which an epoch shows its tweets, and how several accounts share it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

MOST_REPEATS: Final = 4
SEPARATOR: Final = "<|endoftext|>"


def epoch_order(
    train: pl.DataFrame,
    *,
    seed: int,
    epoch: int,
    weights: Mapping[str, float] | None = None,
    token_counts: Sequence[int] | None = None,
) -> list[int]:
    """Row numbers of ``train`` (columns handle, text) in the order of one epoch.

    One account: every row once, shuffled. Several: each account gets a share of tokens in
    proportion to its weight (1 without one); the account that is largest for its weight is shown
    once, each tweet of the others floor(k) or ceil(k) times, with k at most MOST_REPEATS, because a
    small account shown more often than that is learned by heart. Which tweets get the extra time
    is drawn anew each epoch. Accounts are interleaved evenly, and repeats of a tweet lie apart.

    ``token_counts`` has one number a row, end mark included; without it, characters plus one
    stand for tokens. The same arguments always give the same order.
    """
    rng = random.Random(f"{seed}/{epoch}")  # noqa: S311  # repeatable on purpose, nothing secret
    sizes = (
        list(token_counts)
        if token_counts is not None
        else [chars + 1 for chars in train["text"].str.len_chars()]
    )
    rows: dict[str, list[int]] = {}
    for row, handle in enumerate(train["handle"]):
        rows.setdefault(handle, []).append(row)
    weight = {handle: (weights or {}).get(handle, 1.0) for handle in rows}
    totals = {handle: sum(sizes[row] for row in own) for handle, own in rows.items()}
    largest = max((totals[handle] / weight[handle] for handle in rows), default=0.0)
    placed = []
    for handle in sorted(rows):
        times = min(weight[handle] * largest / max(totals[handle], 1), MOST_REPEATS)
        shown = _repeated(rows[handle], sizes, times, rng)
        placed += [((i + rng.random()) / len(shown), row) for i, row in enumerate(shown)]
    return [row for _, row in sorted(placed)]


def _repeated(rows: list[int], sizes: Sequence[int], times: float, rng: random.Random) -> list[int]:
    """``rows`` ``times`` times (1 or more): whole rounds, then a random part of a round."""
    shown: list[int] = []
    # A hair is added because 3 * (x / 3) may fall just below x.
    whole = int(times + 1e-9)
    for _ in range(whole):
        shown += rng.sample(rows, len(rows))
    left = (times - whole) * sum(sizes[row] for row in rows)
    for row in rng.sample(rows, len(rows)):
        if left < sizes[row] / 2:
            break
        shown.append(row)
        left -= sizes[row]
    return shown


def classic_text(accounts: Sequence[Sequence[str]], seed: int, epochs: int = 4) -> str:
    """The training text exactly as huggingtweets made it from the kept tweets of each account.

    ``accounts`` come in the order in which they were entered: it matters. Shorter accounts are
    padded, by characters, with their own tweets to the length of the longest, in the first
    epoch only, and the padding stays; accounts follow one another within an epoch. The text has
    ``<|endoftext|>`` between tweets and one at each end. Source: huggingtweets-demo.ipynb of
    borisdayma/huggingtweets.
    """
    rng = random.Random(seed)  # noqa: S311  # repeatable on purpose, nothing secret
    growing = [list(tweets) for tweets in accounts]
    epoch_length = max((sum(map(len, tweets)) for tweets in growing), default=0)
    shown: list[str] = []
    for _ in range(epochs):
        for tweets in growing:
            rng.shuffle(tweets)
            length = sum(map(len, tweets))
            following = 0
            # An account without a single character would be padded for ever.
            while 0 < length < epoch_length:
                tweets.append(tweets[following])
                length += len(tweets[following])
                following += 1
            rng.shuffle(tweets)
            shown += tweets
    return SEPARATOR + SEPARATOR.join(shown) + SEPARATOR
