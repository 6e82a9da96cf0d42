"""Which tweets are held out: decided by the seed and the ids, never by where a tweet stands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import polars as pl

from core.curation.words import one_line

if TYPE_CHECKING:
    from core.curation.groups import Groups

FEWEST_VALID: Final = 20
MOST_VALID: Final = 400
_AT_ONCE: Final = 10_000
# Of looking for near copies: at most thirty shares are looked at, where most tweets are formulas.
_ROUNDS: Final = 4


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


def held_out(keys: pl.DataFrame, groups: Groups, valid_fraction: float) -> pl.Series:
    """True for the rows to hold out; ``keys`` and ``groups`` are those of all rows, in order.

    About ``valid_fraction`` of the rows, at least FEWEST_VALID and at most MOST_VALID, but never
    more than a third; shared among the accounts by their numbers of rows.

    Threads and near copies are held out as one or not at all. Groups are taken by the rank of
    their first row, the smallest first, as long as they fit into what is left of the share of each
    of their accounts: so that new tweets move few old ones, and a group that is larger than the
    share is learned from. So is a group with a text that occurs more than once (in any account,
    whatever its case and spaces), or one that is crowded.

    Near copies are looked for only of the groups that are drawn and of as many more, and only
    groups of which all rows were searched are held out: where there are enough of them, none that
    the search made larger. After _ROUNDS rounds, each of twice as many, there may be fewer than
    asked: nearly all tweets are then formulas.
    """
    shares = _share(keys["handle"], _how_many(keys.height, valid_fraction))
    never = keys["words"].is_duplicated()

    def certain() -> pl.Series:
        return _drawn(keys, groups, never | groups.crowded | ~groups.searched, shares)

    for doubled in range(1, _ROUNDS + 1):
        hoped = _drawn(keys, groups, never | groups.crowded, shares)
        if certain().sum() >= hoped.sum():
            break
        ahead = {handle: share << doubled for handle, share in shares.items()}
        groups.search(hoped | _drawn(keys, groups, never | groups.crowded, shares, ahead))
    return certain().alias("valid")


def _drawn(
    keys: pl.DataFrame,
    groups: Groups,
    never: pl.Series,
    shares: dict[str, int],
    room: dict[str, int] | None = None,
) -> pl.Series:
    """True for the rows of the groups that are drawn until the shares, or the ``room``, are full.

    Groups with a row of ``never`` are not drawn.
    """
    number = groups.number
    if not any(shares.values()):
        return pl.repeat(False, keys.height, dtype=pl.Boolean, eager=True)
    members = keys.select("handle", never=never).with_columns(number)
    # one row for each account of each group
    parts = members.group_by("group", "handle").agg(pl.len().alias("rows"), pl.col("never").any())
    limit = pl.col("handle").cast(pl.String).replace_strict(shares, return_dtype=pl.UInt32)
    fits = (~pl.col("never") & (pl.col("rows") <= limit)).all().over("group")
    parts = parts.filter(fits)
    order = keys["rank"].gather(parts["group"])
    parts = parts.with_columns(order.alias("rank")).sort("rank", "group", "handle")
    chosen: list[int] = []
    left = dict(room or shares)
    open_rows = sum(left.values())
    for group, sizes in _by_group(parts):
        if all(rows <= left[handle] for handle, rows in sizes):
            chosen.append(group)
            for handle, rows in sizes:
                left[handle] -= rows
                open_rows -= rows
            if not open_rows:
                break
    return number.is_in(pl.Series(chosen, dtype=number.dtype).implode())


def _by_group(parts: pl.DataFrame) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """Each group with the rows it has of each account; the rows of a group stand together."""
    named = (
        part.select("group", pl.col("handle").cast(pl.String), "rows").iter_rows()
        for part in parts.iter_slices(_AT_ONCE)
    )
    for group, rows in groupby(chain.from_iterable(named), key=itemgetter(0)):
        yield group, [(handle, count) for _, handle, count in rows]


def _how_many(rows: int, fraction: float) -> int:
    if fraction == 0:
        return 0
    return min(max(round(rows * fraction), FEWEST_VALID), MOST_VALID, rows // 3)


def _share(handles: pl.Series, count: int) -> dict[str, int]:
    """``count`` shared in proportion to rows per handle, by largest remainder."""
    counted = handles.value_counts().with_columns(pl.col("handle").cast(pl.String)).sort("handle")
    sizes = {str(handle): int(n) for handle, n in counted.rows()}
    total = len(handles)
    exact = {handle: count * n / total for handle, n in sizes.items()}
    shares = {handle: int(share) for handle, share in exact.items()}
    by_remainder = sorted(sizes, key=lambda handle: (shares[handle] - exact[handle], handle))
    for handle in by_remainder[: count - sum(shares.values())]:
        shares[handle] += 1
    return shares
