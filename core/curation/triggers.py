"""What set a rule off, in the words of the tweet where it has such words.

retweet          the head "RT @name", null where the text has none
manual_retweet   the same, null where only the source says so
reply            "@name" of the one who is answered, null where that is not known
quote            "@name" of the one who is quoted, where the export has the link; else null
date             the day of the tweet, in UTC: "2016-12-31"
language         the tweet's own code ("de"), or what the detector said of it ("de 97 %")
sensitive        null: it is a mark, and no words
blocked          the blocked word as it stands in the tweet
personal         what was found, with commas between
short            what there is and what is needed: "2 words, 3 needed", "12 characters, 20 needed"

They are made for the tweets that are dropped or flagged, and for no others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from core.curation import huggingtweets as classic
from core.curation import reasons, standard
from core.curation.recipe import Recipe
from core.curation.spaces import SPACE

_RETWEET_HEAD: Final = rf"(?i)^[{SPACE}]*([\"“]?RT:?[{SPACE}]+@\w+)"
_FIRST_NAME: Final = rf"^[{SPACE}]*([@＠][A-Za-z0-9_]+)"
_QUOTED: Final = r"(?i)https?:\\?/\\?/(?:\w+\.)?(?:twitter|x)\.com\\?/(\w+)\\?/status\\?/"


def triggers(found: pl.DataFrame, recipe: Recipe) -> pl.Series:
    """``trigger`` for each row of ``found``, the working frame of ``judge``."""
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
    return rows.select(pl.coalesce("told", "lang")).to_series()


def _sensitive(rows: pl.DataFrame, _: Recipe) -> pl.Series:
    return rows["reason"].clear(rows.height)


def _short(rows: pl.DataFrame, recipe: Recipe) -> pl.Series:
    count = classic.count_words if recipe.engine == "classic" else standard.count
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
    reasons.RETWEET: _retweet,
    reasons.MANUAL_RETWEET: _retweet,
    reasons.REPLY: _reply,
    reasons.QUOTE: _quote,
    reasons.DATE: _date,
    reasons.LANGUAGE: _language,
    reasons.SENSITIVE: _sensitive,
    reasons.BLOCKED: lambda rows, _: rows["blocked"],
    reasons.PERSONAL: lambda rows, _: rows["personal"],
    reasons.SHORT: _short,
}
