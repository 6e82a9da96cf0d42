"""A recipe's verdicts, stored for SQL: what the views ``curated`` and ``account_stats`` show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from core.curation.recipe import Recipe
from core.curation.verdict import curate

if TYPE_CHECKING:
    from core.corpus import Corpus

_COLUMNS: Final = ("tweet_id", "handle", "recipe", "recipe_hash", "kept", "reason", "clean_text")


def materialise(corpus: Corpus, handles: Sequence[str], recipe: Recipe) -> None:
    """Curates the tweets of ``handles`` and replaces their verdicts under the recipe's name.

    Verdicts of other recipes and other accounts stay. One transaction: a reader sees the old
    verdicts or the new ones. Raises CorpusBusy.
    """
    from core.corpus import tweets

    curated = curate(tweets(corpus, list(handles)), recipe)
    store(corpus, handles, recipe, curated)


def store(corpus: Corpus, handles: Sequence[str], recipe: Recipe, curated: pl.DataFrame) -> None:
    """Writes verdicts that were already made; see ``materialise``."""
    verdicts = curated.select(
        "tweet_id",
        "handle",
        "kept",
        "reason",
        "clean_text",
        recipe=pl.lit(recipe.name),
        recipe_hash=pl.lit(recipe.hash),
    )
    # Arrays of objects: DuckDB reads a Polars frame only through pyarrow, which is not needed here.
    arrays = {name: verdicts[name].to_numpy() for name in _COLUMNS}
    columns = ", ".join(_COLUMNS)
    with corpus.writing() as connection:  # one transaction
        connection.register("new_verdicts", arrays)
        connection.execute(
            "DELETE FROM verdicts WHERE recipe = ? AND list_contains(?, handle)",
            [recipe.name, list(handles)],
        )
        # A tweet that was forgotten since it was read must not come back as a verdict.
        connection.execute(
            f"INSERT INTO verdicts ({columns}) SELECT {columns} FROM new_verdicts "  # noqa: S608
            "SEMI JOIN tweets USING (tweet_id, handle)"
        )
        connection.unregister("new_verdicts")
