"""Curation and counts of one frame in memory, for tests: what the stream calls, without files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from core.curation.comparing import compare, compares, keys_of, with_changes
from core.curation.counts import AccountStats, Counts, CountTokens, TokenEstimate
from core.curation.judge import judge
from core.curation.recipe import Recipe
from core.curation.threads import joins, links_of
from tests.oracles.frames import in_order


def curate(tweets: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """``tweets`` (canonical columns) with ``clean_text``, ``kept``, ``reason`` and ``trigger``.

    Rows keep their order. All tweets of an account must be in ``tweets``.
    """
    judged = judge(in_order(tweets.with_row_index("given")), recipe)
    if compares(recipe):
        rows = _InFrame(judged)
        links = links_of(judged, 0) if joins(recipe) else None
        changes = compare(keys_of(judged, 0), recipe, rows, links)
        judged = with_changes(rows.judged, changes, 0)
    return judged.sort("given").select(
        *tweets.columns,
        "clean_text",
        pl.col("reason").is_null().alias("kept"),
        "reason",
        "trigger",
    )


def account_stats(
    curated: pl.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    count_tokens: CountTokens | None = None,
    block: int = 1024,
    handles: Sequence[str] | None = None,
) -> list[AccountStats]:
    """The filter's table of one frame of curated tweets.

    ``handles`` gives the order, and a row of zeros to an account without tweets; without it,
    accounts come in the order of their first row. ``count_tokens`` gives the number of tokens of
    each of a list of texts.
    """
    if handles is None:
        handles = curated["handle"].unique(maintain_order=True).to_list()
    rows = curated.filter(pl.col("handle").is_in(handles))
    counts = Counts(handles)
    counts.add(rows)
    tokens = None
    if count_tokens is not None:
        tokens = TokenEstimate(counts.downloaded, count_tokens, exact=rows.height)
        tokens.add(rows)
    return counts.stats(names, tokens=tokens, block=block)


class _InFrame:
    folder: Path | None = None

    def __init__(self, judged: pl.DataFrame) -> None:
        self.judged = judged

    def column(self, name: str, places: pl.Series) -> pl.Series:
        return self.judged[name].gather(places)

    def put(self, joined: pl.DataFrame) -> None:
        texts = self.judged["clean_text"].scatter(joined["place"], joined["clean_text"])
        self.judged = self.judged.with_columns(texts)
