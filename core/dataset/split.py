"""Which tweets are held out: decided by the seed and each tweet's id, never by its place."""

from __future__ import annotations

import hashlib
from typing import Final

import polars as pl

from core.curation.spaces import one_line

FEWEST_VALID: Final = 20
MOST_VALID: Final = 400


def in_order(kept: pl.DataFrame) -> pl.DataFrame:
    """Rows by handle, time and id (ids are numbers as text), whatever order they came in."""
    return kept.sort("handle", "created_at", pl.col("tweet_id").str.len_bytes(), "tweet_id", "text")


def valid_mask(rows: pl.DataFrame, *, seed: int, valid_fraction: float) -> pl.Series:
    """True for the rows to hold out; ``rows`` has handle, tweet_id and text.

    About ``valid_fraction`` of the rows, at least FEWEST_VALID and at most MOST_VALID, but never
    more than a third; shared among the accounts by their numbers of rows. Within an account the
    rows with the smallest sha256 of "seed:tweet_id" are held out, so that new tweets move few old
    ones. A text that occurs more than once (in any account, whatever its case and spaces) is never
    held out: the model would have seen it.
    """
    wanted = _share(rows["handle"], _how_many(rows.height, valid_fraction))
    words = one_line(rows["text"].str.to_lowercase())
    unique = (~words.is_duplicated()).to_list()
    candidates: dict[str, list[tuple[bytes, int]]] = {handle: [] for handle in wanted}
    pairs = rows.select("handle", "tweet_id").iter_rows()
    for row, (handle, tweet_id) in enumerate(pairs):
        if unique[row]:
            key = hashlib.sha256(f"{seed}:{tweet_id}".encode()).digest()
            candidates[handle].append((key, row))
    chosen = [False] * rows.height
    for handle, found in candidates.items():
        for _, row in sorted(found)[: wanted[handle]]:
            chosen[row] = True
    return pl.Series("valid", chosen, dtype=pl.Boolean)


def _how_many(rows: int, fraction: float) -> int:
    if fraction == 0:
        return 0
    return min(max(round(rows * fraction), FEWEST_VALID), MOST_VALID, rows // 3)


def _share(handles: pl.Series, count: int) -> dict[str, int]:
    """``count`` shared in proportion to rows per handle, by largest remainder."""
    sizes = {str(handle): int(n) for handle, n in handles.value_counts().sort("handle").rows()}
    total = len(handles)
    exact = {handle: count * n / total for handle, n in sizes.items()}
    shares = {handle: int(share) for handle, share in exact.items()}
    by_remainder = sorted(sizes, key=lambda handle: (shares[handle] - exact[handle], handle))
    for handle in by_remainder[: count - sum(shares.values())]:
        shares[handle] += 1
    return shares
