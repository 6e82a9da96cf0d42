"""The order in which an epoch shows its tweets, and how several accounts share it.

Also the order of huggingtweets, exact, with its quirks (source: huggingtweets-demo.ipynb of
borisdayma/huggingtweets).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from core.dataset.shares import expected_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

SEPARATOR: Final = "<|endoftext|>"
# Added before times are cut to whole rounds: 3 * (x / 3) may fall just below x.
_HAIR: Final = 1e-9


def epoch_order(
    handles: Sequence[str],
    authors: NDArray[np.integer[Any]],
    sizes: NDArray[np.integer[Any]],
    *,
    seed: int,
    epoch: int,
    weights: Mapping[str, float] | None = None,
) -> Rows:
    """Row numbers in the order of one epoch, as an array.

    ``authors`` has the number in ``handles`` of whoever wrote each row, ``sizes`` its tokens, end
    mark included, or what stands for them (characters plus one).

    One account: every row once, shuffled. Several: each account gets a share of tokens in
    proportion to its weight (1 without one); the account that is largest for its weight is shown
    once, each tweet of the others floor(k) or ceil(k) times, with k at most MOST_REPEATS, because a
    small account shown more often than that is learned by heart. Which tweets get the extra time
    is drawn anew each epoch. Accounts are interleaved evenly, and repeats of a tweet lie apart.
    `expected_shares` tells beforehand what comes of it.

    The same arguments always give the same order, on every machine and whatever order the accounts
    stand in.
    """
    size = sizes.astype(np.int64)
    draw = _Draw(seed, epoch)
    by_author = np.argsort(authors, kind="stable")
    starts = np.searchsorted(authors[by_author], np.arange(1, len(handles)))
    # no handles, no rows: the one empty piece belongs to nobody
    rows = dict(zip(handles, np.split(by_author, starts), strict=False))
    shares = expected_shares(
        {handle: int(size[own].sum()) for handle, own in rows.items()}, weights
    )
    shown, positions = [], []
    for share in shares:
        own = _repeated(rows[share.handle], size, share.times, draw)
        shown.append(own)
        positions.append((np.arange(len(own)) + draw.fractions(len(own))) / len(own))
    if not shown:
        return np.empty(0, dtype=np.int64)
    return np.concatenate(shown)[np.argsort(np.concatenate(positions), kind="stable")]


def _repeated(rows: Rows, size: NDArray[np.int64], times: float, draw: _Draw) -> Rows:
    """``rows`` ``times`` times (1 or more): whole rounds, then a random part of a round."""
    whole = int(times + _HAIR)
    rounds = [rows[draw.shuffle(len(rows))] for _ in range(whole)]
    left = (times - whole) * int(size[rows].sum())
    if left > 0:
        last = rows[draw.shuffle(len(rows))]
        # A row is taken as long as that brings the sum nearer to what is left.
        before = np.cumsum(size[last]) - size[last]
        rounds.append(last[: np.searchsorted(before + size[last] / 2, left, side="right")])
    return np.concatenate(rounds)


class _Draw:
    """Random numbers that are the same everywhere and for ever.

    Only the raw stream of the generator is used: NumPy promises that it will not change (NEP 19),
    which it does not promise for shuffling.
    """

    def __init__(self, seed: int, epoch: int) -> None:
        key = hashlib.sha256(f"{seed}/{epoch}".encode()).digest()
        self._bits: Any = np.random.Philox(key=int.from_bytes(key[:16], "little"))

    def shuffle(self, count: int) -> Rows:
        """The numbers below ``count`` in random order."""
        raw: NDArray[np.uint64] = self._bits.random_raw(count)
        return np.argsort(raw, kind="stable")

    def fractions(self, count: int) -> NDArray[np.float64]:
        """``count`` numbers from 0 to 1, 1 excluded."""
        raw: NDArray[np.uint64] = self._bits.random_raw(count)
        return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53


def classic_order(lengths: Sequence[Sequence[int]], seed: int, epochs: int) -> list[int]:
    """Tweets in the order in which huggingtweets wrote them into its training text.

    ``lengths`` has the characters of each tweet of each account; accounts come in the order in
    which they were entered: it matters. The tweets are numbered through all accounts, from 0.
    Shorter accounts are padded, by characters, with their own tweets to the length of the longest,
    in the first epoch only, and the padding stays; accounts follow one another within an epoch.
    """
    rng = random.Random(seed)  # noqa: S311  # repeatable on purpose, nothing secret
    flat = [length for own in lengths for length in own]
    growing: list[list[int]] = []
    for own in lengths:
        first = sum(map(len, growing))
        growing.append(list(range(first, first + len(own))))
    epoch_length = max((sum(own) for own in lengths), default=0)
    shown: list[int] = []
    for _ in range(epochs):
        for tweets in growing:
            rng.shuffle(tweets)
            length = sum(flat[tweet] for tweet in tweets)
            following = 0
            # An account without a single character would be padded for ever.
            while 0 < length < epoch_length:
                tweets.append(tweets[following])
                length += flat[tweets[following]]
                following += 1
            rng.shuffle(tweets)
            shown += tweets
    return shown
