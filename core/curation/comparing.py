"""The rules that look at more than one tweet: threads, and which of several alike stays.

They work on keys, not on tweets: a few numbers for each tweet that no other rule has dropped. So
millions of tweets fit in memory.

Of the same words (whatever the case) by one account the earliest stays, by time and then by id; of
nearly the same words likewise (see ``near_duplicates``). Of more tweets than ``most_per_author``
those stay whose ids have the smallest sha256: a choice that is even over time, is the same
everywhere, and changes little when tweets are added. All tweets of an account must be there.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Final

import polars as pl

from core.curation import reasons
from core.curation.recipe import Recipe
from core.curation.threads import CHANGES, Lookup, join_threads, joins, threads_of

# place    names a tweet; the keys of an account stand in the order of core.tweet
# account  a number for the handle
# words    two numbers for the clean words, whatever their case: 128 bits, so that among ten million
#          tweets the odds of taking two different ones for the same are below one in 10^24
KEYS: Final = {
    "place": pl.UInt32(),
    "account": pl.UInt64(),
    "words": pl.UInt64(),
    "words_too": pl.UInt64(),
}

_IDS_AT_ONCE: Final = 50_000
_SEEDS: Final = (0x6D796E6168, 0x626972647321)


def compares(recipe: Recipe) -> bool:
    """Whether the recipe has a rule that compares tweets."""
    return bool(
        recipe.drop_duplicates or joins(recipe) or recipe.near_duplicates or recipe.most_per_author
    )


def keys_of(judged: pl.DataFrame, first: int) -> pl.DataFrame:
    """The keys (columns KEYS) of the rows that no rule dropped; ``first`` is the first's place."""
    return _keys_at(judged.with_row_index("place", offset=first))


def _keys_at(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("reason").is_null()).select(**_keys()).cast(KEYS)  # type: ignore[arg-type]


def compare(
    keys: pl.DataFrame,
    recipe: Recipe,
    tweets: Lookup,
    links: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """What the rules over several tweets change: columns CHANGES, by place.

    ``keys`` has the columns KEYS. ``links`` (of all tweets, see ``links_of``) are given where the
    recipe joins threads; the words of a joined thread are then in ``tweets``. The trigger of a near
    duplicate names the tweet that stays: "like 1234, 87 %".
    """
    found = [pl.DataFrame(schema=CHANGES)]
    if links is not None:
        new = [pl.DataFrame(schema=KEYS)]
        for heads, others in join_threads(threads_of(links), recipe, tweets):
            found += [heads.select(*CHANGES), others]
            new.append(_keys_at(heads))
        changed = pl.concat(found)["place"]
        every = pl.concat([_without(keys, changed), *new])
        keys = links.select("place").join(every, on="place", maintain_order="left")
    if recipe.drop_duplicates:
        again = keys.filter(pl.col("words").is_duplicated())  # few: the rest is done on them
        same = pl.struct("account", "words", "words_too")
        places = again.filter(~same.is_first_distinct())["place"]
        found.append(_verdicts(places, reasons.DUPLICATE))
        keys = _without(keys, places)
    if recipe.near_duplicates:
        near = _near(keys, recipe.near_duplicates, tweets)
        found.append(near)
        keys = _without(keys, near["place"])
    if recipe.most_per_author:
        found.append(_over(keys, recipe.most_per_author, tweets))
    # of a thread that a later rule drops, that rule's reason holds
    return pl.concat(found).unique("place", keep="last").sort("place")


def _without(keys: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    return keys if places.is_empty() else keys.filter(~pl.col("place").is_in(places.implode()))


def _near(keys: pl.DataFrame, percent: int, tweets: Lookup) -> pl.DataFrame:
    from core.curation.near_duplicates import near_duplicates

    near = near_duplicates(keys, percent, partial(tweets.column, "clean_text"), tweets.folder)
    like = near["like"].unique()
    known = pl.DataFrame({"like": like, "id": tweets.column("tweet_id", like)})
    return near.join(known, on="like", how="left", maintain_order="left").select(
        "place",
        reason=pl.lit(reasons.NEAR_DUPLICATE),
        trigger=pl.format("like {}, {} %", "id", "percent"),
    )


def _over(keys: pl.DataFrame, most: int, tweets: Lookup) -> pl.DataFrame:
    """What is beyond ``most`` tweets of an account."""
    many = keys.filter(pl.len().over("account") > most)
    ranks = [pl.Series("rank", [], pl.UInt64)]
    for start in range(0, many.height, _IDS_AT_ONCE):
        ids = tweets.column("tweet_id", many["place"][start : start + _IDS_AT_ONCE])
        digests = (hashlib.sha256(one.encode()).digest() for one in ids)
        numbers = [int.from_bytes(digest[:8], "big") for digest in digests]
        ranks.append(pl.Series("rank", numbers, pl.UInt64))
    ranked = many.select("place", "account").hstack([pl.concat(ranks)])
    ranked = ranked.sort("account", "rank", maintain_order=True)
    over = ranked.filter(pl.int_range(pl.len()).over("account") >= most)
    return _verdicts(over["place"], reasons.CAP)


def with_changes(judged: pl.DataFrame, changes: pl.DataFrame, first: int) -> pl.DataFrame:
    """``judged``, whose first row has the place ``first``, with what ``compare`` says of it."""
    start = changes["place"].search_sorted(first)
    end = changes["place"].search_sorted(first + judged.height)
    mine = changes[int(start) : int(end)]
    if mine.is_empty():
        return judged
    rows = mine["place"] - first
    return judged.with_columns(
        judged["reason"].scatter(rows, mine["reason"]),
        judged["trigger"].scatter(rows, mine["trigger"]) if "trigger" in judged.columns else [],
    )


def _keys() -> dict[str, pl.Expr]:
    words = pl.col("clean_text").str.to_lowercase()
    return {
        "place": pl.col("place"),
        "account": pl.col("handle").hash(_SEEDS[0]),
        "words": words.hash(_SEEDS[0]),
        "words_too": words.hash(_SEEDS[1]),
    }


def _verdicts(places: pl.Series, reason: str) -> pl.DataFrame:
    return places.to_frame("place").select(
        "place", reason=pl.lit(reason), trigger=pl.lit(None, pl.String)
    )
