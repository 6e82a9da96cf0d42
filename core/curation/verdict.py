"""The verdicts: every tweet kept or not, one reason if not, and the words that would be learned."""

from __future__ import annotations

import polars as pl

from core.curation import classic, links, reasons, standard
from core.curation.entities import unescape
from core.curation.recipe import Recipe
from core.curation.spaces import SPACE

_MANUAL_RETWEET = rf"(?i)^[{SPACE}]*[\"“]?RT:?[{SPACE}]+@\w"
# What platforms write when they could not tell: "und", and X's own q-codes and zxx (no words).
_UNKNOWN_LANGUAGE = ("und", "zxx", "qme", "qst", "qht", "qam", "qct")


def curate(tweets: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """``tweets`` (canonical columns) with ``clean_text``, ``kept`` and ``reason`` after them.

    ``clean_text`` is never null; ``reason`` is null exactly where ``kept`` is true, and else the
    first of ``reasons.REASONS`` that applies. Rows keep their order, and each verdict depends only
    on the row itself, but for duplicates: of the same words (whatever the case) by one account the
    earliest stays, by time and then by id.
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
    judged = judged.with_columns(reason.alias("reason")).drop("__enough")
    if recipe.drop_duplicates:
        judged = _mark_duplicates(judged)
    return judged.select(
        *tweets.columns, "clean_text", pl.col("reason").is_null().alias("kept"), "reason"
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
