"""What a recipe says of each tweet by itself: its clean words, and the first rule that drops it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Final

import polars as pl

from core.curation import huggingtweets as classic
from core.curation import reasons
from core.curation.blocked import find_blocked
from core.curation.cleaning import clean_part, count_own_words, has_words, in_parts, unescape
from core.curation.language import is_known, is_wanted, languages_of, tell_languages
from core.curation.links import has_link
from core.curation.personal_data import find_personal
from core.curation.recipe import Recipe
from core.curation.words import SPACE
from core.tweet import EXCLUDED_COLUMN

_MANUAL_RETWEET: Final = rf"(?i)^[{SPACE}]*[\"“]?RT:?[{SPACE}]+@\w"
_RETWEET_HEAD: Final = rf"(?i)^[{SPACE}]*([\"“]?RT:?[{SPACE}]+@\w+)"
_FIRST_NAME: Final = rf"^[{SPACE}]*([@＠][A-Za-z0-9_]+)"
_QUOTED: Final = r"(?i)https?:\\?/\\?/(?:\w+\.)?(?:twitter|x)\.com\\?/(\w+)\\?/status\\?/"


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
    triggers of quotes. A column EXCLUDED_COLUMN says which the person leaves out.
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
        counted=counted_texts(clean, text, escaped, recipe),
        detected=pl.lit(None, pl.String),
        **({} if urls is None else {"urls": urls}),
    )
    rules = _rules_without_words(recipe)
    if EXCLUDED_COLUMN in tweets.columns:
        found = found.with_columns(tweets[EXCLUDED_COLUMN])
        rules.insert(0, (reasons.EXCLUDED, pl.col(EXCLUDED_COLUMN)))
    found = found.with_columns(reason=_first(rules))
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


def judge_length(clean: pl.Series, counted: pl.Series, recipe: Recipe) -> pl.DataFrame:
    """``reason`` (SHORT or null) and ``trigger`` of cleaned texts by the rules on their length.

    ``counted`` are the same texts as ``counted_texts`` gives them.
    """
    found = pl.DataFrame({"clean_text": clean, "counted": counted}).with_columns(
        reason=pl.lit(None, pl.String), trigger=pl.lit(None, pl.String)
    )
    found = _also(found, reasons.SHORT, ~_is_enough(found, recipe))
    rows = found["reason"].is_not_null().arg_true()
    trigger = found["trigger"].scatter(rows, _short(found[rows], recipe))
    return found.select("reason", trigger.alias("trigger"))


def _also(found: pl.DataFrame, name: str, rule: pl.Series) -> pl.DataFrame:
    """``found`` with one more rule, for the rows that none before it dropped."""
    rows = (found["reason"].is_null() & rule).arg_true()
    if rows.is_empty():
        return found
    return found.with_columns(found["reason"].scatter(rows, name))


def _rules_without_words(recipe: Recipe) -> list[tuple[str, pl.Expr]]:
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
    languages = tell_languages(found["counted"].gather(rows)).with_columns(row=rows)
    wanted = languages_of(recipe.languages)
    other = languages.drop_nulls().filter(~is_wanted(pl.col("code"), wanted))
    if other.is_empty():
        return found
    shown = other.select(pl.format("{} {} %", "code", "percent")).to_series()
    return found.with_columns(
        found["reason"].scatter(other["row"], reasons.LANGUAGE),
        found["detected"].scatter(other["row"], shown),
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


def counted_texts(
    clean: pl.Series, text: pl.Series, escaped: pl.Series, recipe: Recipe
) -> pl.Series:
    """The texts in which words are counted: the clean ones, without the sites of their links."""
    if recipe.links != "domain":
        return clean
    rows = has_link(text).arg_true()
    without = recipe.replace(links="drop")
    bare = clean_part(text.gather(rows), escaped.gather(rows), without, None)
    return clean.clone().scatter(rows, bare)


def _is_enough(found: pl.DataFrame, recipe: Recipe) -> pl.Series:
    clean = found["clean_text"]
    has = classic.has_words if recipe.engine == "classic" else has_words
    enough = has(found["counted"], recipe.min_words) & (clean != "")
    if recipe.min_characters:
        enough &= clean.str.len_chars() >= recipe.min_characters
    return enough


def triggers(found: pl.DataFrame, recipe: Recipe) -> pl.Series:
    """``trigger`` for each row of ``found``, the working frame of ``judge``: what set a rule off.

    excluded         null: the person said so
    retweet          the head "RT @name", null where the text has none
    manual_retweet   the same, null where only the source says so
    reply            "@name" of the one who is answered, null where that is not known
    quote            "@name" of the one who is quoted, where the export has the link; else null
    date             the day of the tweet, in UTC: "2016-12-31"
    language         the tweet's own code ("de"), or what the detector found ("de 97 %")
    joined           the first tweet of the thread: "with 1234"
    sensitive        null: it is a mark, and no words
    blocked          the blocked word as it stands in the tweet
    personal         what was found, with commas between
    short            what there is and what is needed: "2 words, 3 needed"

    Made for the tweets that are dropped or flagged, and for no others.
    """
    reason = found["reason"]
    made = reason.clear(len(reason)).alias("trigger")
    for name in reason.unique().drop_nulls():
        rows = (reason == name).arg_true()
        made = made.scatter(rows, _WORDS[name](found[rows], recipe))
    if recipe.personal_data == "flag":
        rows = (reason.is_null() & found["personal"].is_not_null()).arg_true()
        made = made.scatter(rows, found["personal"].gather(rows))
    return made


def _retweet(rows: pl.DataFrame, _: Recipe) -> pl.Series:
    return rows["text"].str.extract(_RETWEET_HEAD)


def _reply(rows: pl.DataFrame, _: Recipe) -> pl.Series:
    written = pl.col("text").str.extract(_FIRST_NAME)
    return rows.select(pl.coalesce("@" + pl.col("reply_to"), written)).to_series()


def _quote(rows: pl.DataFrame, _: Recipe) -> pl.Series:
    if "urls" not in rows.columns:
        return rows["reason"].clear(rows.height)
    return rows.select("@" + pl.col("urls").str.extract(_QUOTED)).to_series()


def _date(rows: pl.DataFrame, _: Recipe) -> pl.Series:
    return rows["created_at"].dt.strftime("%Y-%m-%d")


def _language(rows: pl.DataFrame, recipe: Recipe) -> pl.Series:
    return rows.select(pl.coalesce("detected", "lang")).to_series()


def _none(rows: pl.DataFrame, _: Recipe) -> pl.Series:
    return rows["reason"].clear(rows.height)


def _short(rows: pl.DataFrame, recipe: Recipe) -> pl.Series:
    count = classic.count_words if recipe.engine == "classic" else count_own_words
    numbers = rows.select(
        words=count(rows["counted"]).cast(pl.Int64),
        characters=rows["clean_text"].str.len_chars().cast(pl.Int64),
    )
    return numbers.select(
        pl.when(pl.col("words") < recipe.min_words)
        .then(_too_few("words", recipe.min_words))
        # A tweet of which nothing is left is short whatever the rules say.
        .otherwise(_too_few("characters", max(recipe.min_characters, 1)))
    ).to_series()


def _too_few(things: str, needed: int) -> pl.Expr:
    noun = pl.when(pl.col(things) == 1).then(pl.lit(things[:-1])).otherwise(pl.lit(things))
    return pl.format(f"{{}} {{}}, {needed} needed", things, noun)


_WORDS: Final[dict[str, Callable[[pl.DataFrame, Recipe], pl.Series]]] = {
    reasons.EXCLUDED: _none,
    reasons.RETWEET: _retweet,
    reasons.MANUAL_RETWEET: _retweet,
    reasons.REPLY: _reply,
    reasons.QUOTE: _quote,
    reasons.DATE: _date,
    reasons.LANGUAGE: _language,
    reasons.SENSITIVE: _none,
    reasons.BLOCKED: lambda rows, _: rows["blocked"],
    reasons.PERSONAL: lambda rows, _: rows["personal"],
    reasons.SHORT: _short,
}
