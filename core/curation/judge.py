"""What a recipe says of each tweet by itself: its clean words, and the first rule that drops it."""

from __future__ import annotations

import datetime

import polars as pl

from core.curation import huggingtweets as classic
from core.curation import reasons, standard
from core.curation.blocked import find_blocked
from core.curation.cleaning import CLEANING, clean_part, clean_texts
from core.curation.entities import unescape
from core.curation.language import is_known, is_wanted, languages_of, tell_languages
from core.curation.links import has_link
from core.curation.parallel import in_parts
from core.curation.personal_data import find_personal
from core.curation.recipe import Recipe
from core.curation.spaces import SPACE
from core.curation.triggers import triggers

__all__ = ["CLEANING", "clean_texts", "judge"]

_MANUAL_RETWEET = rf"(?i)^[{SPACE}]*[\"“]?RT:?[{SPACE}]+@\w"


def judge(
    tweets: pl.DataFrame, recipe: Recipe, clean: pl.Series | None = None, *, explain: bool = True
) -> pl.DataFrame:
    """``tweets`` (canonical columns) with ``clean_text``, ``reason`` and ``trigger`` after them.

    Each row is judged from itself alone, so that a part of the tweets gives the same rows as the
    whole. ``clean_text`` is never null; ``reason`` is the first of ``reasons.REASONS`` that
    applies, or null; ``trigger`` the words that set it off, null where no words did (``triggers``
    says what it holds for each reason). A tweet that is kept has a trigger only where the recipe
    flags personal data. ``clean`` is what ``clean_texts`` gave for these rows, where somebody has
    kept it. Without ``explain`` every trigger is null, which takes half the time: for counting.

    Of the columns only handle, created_at, text, text_escaped, kind, lang, reply_to and sensitive
    must be there; urls are read for links that become the names of their sites, and for the
    triggers of quotes.
    """

    def part(rows: slice) -> pl.DataFrame:
        return _judge(tweets[rows], recipe, None if clean is None else clean[rows], explain)

    return tweets.hstack(in_parts(tweets.height, part))


def _judge(
    tweets: pl.DataFrame, recipe: Recipe, clean: pl.Series | None, explain: bool
) -> pl.DataFrame:
    text, escaped = tweets["text"].fill_null(""), tweets["text_escaped"].fill_null(value=False)
    urls = tweets["urls"] if "urls" in tweets.columns else None
    if clean is None:
        clean = clean_part(text, escaped, recipe, urls)
    # What the rules and their triggers read.
    found = tweets.select(
        *("handle", "created_at", "kind", "lang", "reply_to", "sensitive"),
        text=text,
        clean_text=clean,
        counted=_counted(clean, text, escaped, recipe),
        told=pl.lit(None, pl.String),
        **({} if urls is None else {"urls": urls}),
    )
    found = found.with_columns(reason=_first(_plain_rules(recipe)))
    if recipe.languages and recipe.detect_languages:
        found = _detect(found, recipe)
    if recipe.drop_sensitive:
        found = _also(found, reasons.SENSITIVE, found["sensitive"].fill_null(value=False))
    if recipe.blocked_words:
        words = find_blocked(unescape(text, escaped, "once"), recipe.blocked_words)
        found = _also(found.with_columns(blocked=words), reasons.BLOCKED, words.is_not_null())
    if recipe.personal_data != "keep":
        found = _personal(found, recipe)
    found = _also(found, reasons.SHORT, ~_is_enough(found, recipe))
    trigger = triggers(found, recipe) if explain else pl.lit(None, pl.String).alias("trigger")
    return found.select("clean_text", "reason", trigger)


def _also(found: pl.DataFrame, name: str, rule: pl.Series) -> pl.DataFrame:
    """``found`` with one more rule, for the rows that none before it dropped."""
    rows = (found["reason"].is_null() & rule).arg_true()
    if rows.is_empty():
        return found
    return found.with_columns(found["reason"].scatter(rows, name))


def _plain_rules(recipe: Recipe) -> list[tuple[str, pl.Expr]]:
    """Reason and condition of the first rules, in order of precedence; they read no words."""
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
    day = pl.col("created_at").dt.date()
    if recipe.first_date:
        rules.append((reasons.DATE, day < datetime.date.fromisoformat(recipe.first_date)))
    if recipe.last_date:
        rules.append((reasons.DATE, day > datetime.date.fromisoformat(recipe.last_date)))
    if recipe.languages:
        code = pl.col("lang")
        rules.append((reasons.LANGUAGE, is_known(code) & ~is_wanted(code, recipe.languages)))
    return rules


def _first(rules: list[tuple[str, pl.Expr]]) -> pl.Expr:
    """The name of the first condition that holds, or null."""
    cases = (pl.when(rule).then(pl.lit(name)) for name, rule in rules)
    return pl.coalesce(*cases, pl.lit(None, pl.String))


def _detect(found: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """Drops what the words tell to be in another language, where no code tells it."""
    unknown = found.select(pl.col("reason").is_null() & ~is_known(pl.col("lang"))).to_series()
    rows = unknown.arg_true()
    told = tell_languages(found["counted"].gather(rows)).with_columns(row=rows)
    wanted = languages_of(recipe.languages)
    other = told.drop_nulls().filter(~is_wanted(pl.col("code"), wanted))
    if other.is_empty():
        return found
    said = other.select(pl.format("{} {} %", "code", "percent")).to_series()
    return found.with_columns(
        found["reason"].scatter(other["row"], reasons.LANGUAGE),
        found["told"].scatter(other["row"], said),
    )


def _personal(found: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """``personal``: what was found in the words of the rows that are not dropped yet."""
    rows = found["reason"].is_null().arg_true()
    words = found["reason"].clear(found.height).alias("personal")
    words = words.scatter(rows, find_personal(found["clean_text"].gather(rows)))
    found = found.with_columns(words)
    if recipe.personal_data == "flag":
        return found
    return _also(found, reasons.PERSONAL, words.is_not_null())


def _counted(clean: pl.Series, text: pl.Series, escaped: pl.Series, recipe: Recipe) -> pl.Series:
    """The texts in which words are counted: the clean ones, without the sites of their links."""
    if recipe.links != "domain":
        return clean
    rows = has_link(text).arg_true()
    without = recipe.replace(links="drop")
    bare = clean_part(text.gather(rows), escaped.gather(rows), without, None)
    return clean.clone().scatter(rows, bare)


def _is_enough(found: pl.DataFrame, recipe: Recipe) -> pl.Series:
    clean = found["clean_text"]
    has_words = classic.has_words if recipe.engine == "classic" else standard.has_words
    enough = has_words(found["counted"], recipe.min_words) & (clean != "")
    if recipe.min_characters:
        enough &= clean.str.len_chars() >= recipe.min_characters
    return enough
