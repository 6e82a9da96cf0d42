"""Which tweets are held out: decided by the seed and each tweet's id, never by its place."""

from __future__ import annotations

import hashlib
from typing import Final

import polars as pl

from core.curation.words import one_line

FEWEST_VALID: Final = 20
MOST_VALID: Final = 400


def keys_of(rows: pl.DataFrame, *, seed: int, handles: pl.DataType | None = None) -> pl.DataFrame:
    """The little of each row that a split needs; ``rows`` has handle, tweet_id and text.

    handle   of the type ``handles`` (an Enum takes a twentieth of the memory of text)
    rank     the first 8 bytes of the sha256 of "seed:tweet_id"
    words    a number for the text, whatever its case and spaces
    chars    of the text
    """
    digests = (
        hashlib.sha256(f"{seed}:{tweet_id}".encode()).digest() for tweet_id in rows["tweet_id"]
    )
    ranks = [int.from_bytes(digest[:8], "big") for digest in digests]
    words = one_line(rows["text"].str.to_lowercase()).hash(0)
    return pl.DataFrame(
        {
            "handle": rows["handle"].cast(handles or pl.String),
            "rank": pl.Series(ranks, dtype=pl.UInt64),
            "words": words,
            "chars": rows["text"].str.len_chars(),
        }
    )


def valid_mask(rows: pl.DataFrame, *, seed: int, valid_fraction: float) -> pl.Series:
    """True for the rows to hold out; ``rows`` has handle, tweet_id and text.

    About ``valid_fraction`` of the rows, at least FEWEST_VALID and at most MOST_VALID, but never
    more than a third; shared among the accounts by their numbers of rows. Within an account the
    rows with the smallest sha256 of "seed:tweet_id" are held out, so that new tweets move few old
    ones. A text that occurs more than once (in any account, whatever its case and spaces) is never
    held out: the model would have seen it.
    """
    return held_out(keys_of(rows, seed=seed), valid_fraction)


def held_out(keys: pl.DataFrame, valid_fraction: float) -> pl.Series:
    """``valid_mask`` of the rows whose keys these are."""
    wanted = _share(keys["handle"].cast(pl.String), _how_many(keys.height, valid_fraction))
    unique = keys.with_row_index("row").filter(~pl.col("words").is_duplicated())
    chosen = [
        unique.filter(pl.col("handle") == handle).sort("rank", "row")["row"].head(count)
        for handle, count in wanted.items()
        if count
    ]
    mask = pl.repeat(False, keys.height, dtype=pl.Boolean, eager=True).alias("valid")
    return mask.scatter(pl.concat(chosen), True) if chosen else mask


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
