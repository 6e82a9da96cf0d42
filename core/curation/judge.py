"""What a recipe says of each tweet by itself: its clean words, and the first rule that drops it."""

from __future__ import annotations

import polars as pl

from core.curation import classic, links, reasons, standard
from core.curation.entities import unescape
from core.curation.recipe import Recipe
from core.curation.spaces import SPACE

_MANUAL_RETWEET = rf"(?i)^[{SPACE}]*[\"“]?RT:?[{SPACE}]+@\w"
# What platforms write when they could not tell: "und", and X's own q-codes and zxx (no words).
_UNKNOWN_LANGUAGE = ("und", "zxx", "qme", "qst", "qht", "qam", "qct")


def judge(tweets: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """``tweets`` (canonical columns) with ``clean_text``, ``reason`` and ``trigger`` after them.

    Each row is judged from itself alone, so that a part of the tweets gives the same rows as the
    whole. ``clean_text`` is never null; ``reason`` is the first of ``reasons.REASONS`` that
    applies, or null; ``trigger`` the words that set it off, null where no words did.
    """
    text = tweets["text"].fill_null("")
    clean = clean_texts(text, tweets["text_escaped"].fill_null(value=False), recipe)
    has_words = classic.has_words if recipe.engine == "classic" else standard.has_words
    enough = has_words(clean, recipe.min_words) & (clean != "")
    judged = tweets.with_columns(clean.alias("clean_text"), enough.alias("__enough"))
    reason = pl.coalesce(
        *(pl.when(rule).then(pl.lit(name)) for name, rule in _rules(recipe)),
        pl.when(~pl.col("__enough")).then(pl.lit(reasons.SHORT)),
        pl.lit(None, pl.String),
    )
    return judged.select(
        *tweets.columns,
        "clean_text",
        reason.alias("reason"),
        pl.lit(None, pl.String).alias("trigger"),
    )


def clean_texts(texts: pl.Series, escaped: pl.Series, recipe: Recipe) -> pl.Series:
    """The words as they would be learned, for texts as published (no nulls)."""
    clean = unescape(texts, escaped, recipe.unescape)
    if recipe.engine == "standard":
        clean = standard.drop_controls(clean)
    if recipe.links == "drop":
        drop_links = classic.drop_links if recipe.engine == "classic" else links.drop_links
        clean = drop_links(clean)
    if recipe.mentions == "strip_leading_replies":
        clean = links.strip_leading_mentions(clean)
    elif recipe.mentions == "drop":
        clean = links.drop_mentions(clean)
    if recipe.hashtags == "drop":
        clean = links.drop_hashtags(clean)
    tidy = classic.tidy if recipe.engine == "classic" else standard.tidy
    return tidy(clean, recipe.line_breaks)


def _rules(recipe: Recipe) -> list[tuple[str, pl.Expr]]:
    """Reason and condition of each rule that is on, in order of precedence."""
    kind = pl.col("kind")
    rules = []
    if recipe.drop_retweets:
        rules.append((reasons.RETWEET, kind == "retweet"))
    if recipe.drop_manual_retweets:
        typed = (kind != "retweet") & pl.col("text").str.contains(_MANUAL_RETWEET)
        rules.append((reasons.MANUAL_RETWEET, (kind == "manual_retweet") | typed))
    if recipe.drop_replies:
        to_itself = pl.col("reply_to").eq_missing(pl.col("handle"))
        rules.append((reasons.REPLY, (kind == "reply") & ~to_itself))
    if recipe.drop_quotes:
        rules.append((reasons.QUOTE, kind == "quote"))
    if recipe.languages:
        code = pl.col("lang").str.to_lowercase()
        wanted = code.is_in(recipe.languages) | code.str.extract(r"^([a-z]+)-").is_in(
            recipe.languages
        )
        known = code.is_not_null() & ~code.is_in(_UNKNOWN_LANGUAGE)
        rules.append((reasons.LANGUAGE, known & ~wanted.fill_null(value=False)))
    if recipe.drop_sensitive:
        rules.append((reasons.SENSITIVE, pl.col("sensitive").fill_null(value=False)))
    return rules
