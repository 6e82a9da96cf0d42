"""The rules that look at more than one tweet: which of several alike stays."""

from __future__ import annotations

from typing import Final

import polars as pl

from core.curation import reasons
from core.curation.recipe import Recipe

# What settling needs to know of a judged tweet.
NEEDED: Final = ("handle", "tweet_id", "created_at", "clean_text", "reason")


def settle(judged: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """``judged`` (from ``judge``, columns NEEDED at least) with the last reasons filled in.

    Of the same words (whatever the case) by one account the earliest stays, by time and then by
    id. All tweets of an account must be in ``judged``.
    """
    if recipe.drop_duplicates:
        judged = _mark_duplicates(judged)
    return judged


def _mark_duplicates(judged: pl.DataFrame) -> pl.DataFrame:
    words = pl.col("clean_text").str.to_lowercase()
    rows = (
        judged.lazy()
        .select("handle", "tweet_id", "created_at", "reason", words.alias("words"))
        .with_row_index("row")
        .filter(pl.col("reason").is_null())
        .filter(pl.struct("handle", "words").is_duplicated())
        # Ids are numbers as text: the shorter is the smaller.
        .sort("created_at", pl.col("tweet_id").str.len_bytes(), "tweet_id", nulls_last=True)
        .filter(~pl.struct("handle", "words").is_first_distinct())
        .collect()["row"]
    )
    if rows.is_empty():
        return judged
    reason = judged["reason"].scatter(rows, reasons.DUPLICATE)
    return judged.with_columns(reason)
