"""The verdicts: every tweet kept or not, one reason if not, and the words that would be learned."""

from __future__ import annotations

import polars as pl

from core.curation.comparing import settle
from core.curation.judge import judge
from core.curation.recipe import Recipe


def curate(tweets: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """``tweets`` (canonical columns) with ``clean_text``, ``kept``, ``reason`` and ``trigger``.

    ``clean_text`` is never null; ``reason`` is null exactly where ``kept`` is true, and else the
    first of ``reasons.REASONS`` that applies; ``trigger`` says what set the rule off (see
    ``triggers``; of a near duplicate: "like 1234, 87 %"), null where there is nothing to say. Rows
    keep their order. Each verdict depends only on the row itself (see ``judge``), but for the rules
    that compare tweets (see ``settle``).
    """
    return settle(judge(tweets, recipe), recipe).select(
        *tweets.columns,
        "clean_text",
        pl.col("reason").is_null().alias("kept"),
        "reason",
        "trigger",
    )
