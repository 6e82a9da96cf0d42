"""The words of a tweet as they would be learned."""

from __future__ import annotations

from typing import Final

import polars as pl

from core.curation import huggingtweets as classic
from core.curation import links, standard
from core.curation.domains import links_to_sites
from core.curation.entities import unescape
from core.curation.parallel import in_parts
from core.curation.recipe import Recipe

CLEANING: Final = ("engine", "unescape", "links", "mentions", "hashtags", "line_breaks")
"""The rules that ``clean_texts`` reads: recipes that agree in them clean alike."""


def clean_texts(
    texts: pl.Series, escaped: pl.Series, recipe: Recipe, urls: pl.Series | None = None
) -> pl.Series:
    """The words as they would be learned, for texts as published (no nulls).

    ``urls`` (see ``core.tweet``) are read only where links become the names of their sites; without
    them, X's shortened links are dropped there.
    """

    def clean(rows: slice) -> pl.Series:
        leading_to = None if urls is None else urls[rows]
        return clean_part(texts[rows], escaped[rows], recipe, leading_to)

    return in_parts(len(texts), clean)


def clean_part(
    texts: pl.Series, escaped: pl.Series, recipe: Recipe, urls: pl.Series | None
) -> pl.Series:
    """``clean_texts`` on one core."""
    clean = unescape(texts, escaped, recipe.unescape)
    if recipe.engine == "standard":
        clean = standard.drop_controls(clean)
    if recipe.links == "drop":
        drop_links = classic.drop_links if recipe.engine == "classic" else links.drop_links
        clean = drop_links(clean)
    elif recipe.links == "domain":
        clean = links_to_sites(clean, urls)
    if recipe.mentions == "strip_leading_replies":
        clean = links.strip_leading_mentions(clean)
    elif recipe.mentions == "drop":
        clean = links.drop_mentions(clean)
    if recipe.hashtags == "drop":
        clean = links.drop_hashtags(clean)
    tidy = classic.tidy if recipe.engine == "classic" else standard.tidy
    return tidy(clean, recipe.line_breaks)
