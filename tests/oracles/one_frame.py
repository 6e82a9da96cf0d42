"""Curation of one frame in memory, for tests: what the stream calls, without files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from core.curation.comparing import compare, compares, keys_of, with_dropped
from core.curation.judge import judge
from core.curation.recipe import Recipe
from core.tweet import in_order


def curate(tweets: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """``tweets`` (canonical columns) with ``clean_text``, ``kept``, ``reason`` and ``trigger``.

    Rows keep their order. All tweets of an account must be in ``tweets``.
    """
    judged = judge(in_order(tweets.with_row_index("given")), recipe)
    if compares(recipe):
        judged = with_dropped(judged, compare(keys_of(judged, 0), recipe, _InFrame(judged)), 0)
    return judged.sort("given").select(
        *tweets.columns,
        "clean_text",
        pl.col("reason").is_null().alias("kept"),
        "reason",
        "trigger",
    )


class _InFrame:
    folder: Path | None = None

    def __init__(self, judged: pl.DataFrame) -> None:
        self._judged = judged

    def texts(self, places: pl.Series) -> pl.Series:
        return self._judged["clean_text"].gather(places)

    def ids(self, places: pl.Series) -> pl.Series:
        return self._judged["tweet_id"].gather(places)
