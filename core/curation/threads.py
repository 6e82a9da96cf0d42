"""An author's own threads as one text each: the rule ``threads = "join"``.

A thread are a tweet and what its author answered it with, and so on (reply_to_id). Each part is
judged and cleaned by itself. Of the parts that only their length could drop, and of which words are
left, the first stays with all their words, in the order of ``core.tweet``, and the length rules are
applied to these; the others get the reason JOINED. A part that another rule drops is not joined.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import polars as pl

from core.curation import reasons
from core.curation.judge import counted_texts, judge_length
from core.curation.personal_data import find_personal
from core.curation.recipe import Recipe

# place     names a tweet; links stand in the order of core.tweet, one for each tweet
# tweet     a number for the tweet, and the number of the one that it answers, or null
# is_part   whether no rule drops it but for its length, and it has words
LINKS: Final = {
    "place": pl.UInt32(),
    "tweet": pl.UInt64(),
    "answered": pl.UInt64(),
    "is_part": pl.Boolean(),
}
# What rules over several tweets change: the reason (null: kept after all) and the trigger.
CHANGES: Final = {"place": pl.UInt32(), "reason": pl.String(), "trigger": pl.String()}

_PARTS_AT_ONCE: Final = 20_000
_SEED: Final = 0x746872656164


class Lookup(Protocol):
    """Gives the words and columns of tweets by their places, for rules that need more than numbers.

    It may raise Interrupted: that is how long work is stopped.
    """

    @property
    def folder(self) -> Path | None:
        """Where temporary files may lie; None is the system's own place."""

    def column(self, name: str, places: pl.Series) -> pl.Series:
        """A canonical column or clean_text, in the order of ``places``."""

    def put(self, joined: pl.DataFrame) -> None:
        """New words (columns place, clean_text), which ``column`` gives from then on."""


def joins(recipe: Recipe) -> bool:
    """Whether the recipe makes one text of a thread."""
    return recipe.threads == "join"


def links_of(judged: pl.DataFrame, first: int) -> pl.DataFrame:
    """The links (columns LINKS) of judged rows in order; ``first`` is the place of the first."""

    def number(name: str) -> pl.Expr:
        named = pl.struct("handle", pl.col(name).alias("id")).hash(_SEED)
        return pl.when(pl.col(name).is_not_null()).then(named)

    return judged.select(
        place=pl.int_range(first, first + pl.len(), dtype=pl.UInt32),
        tweet=number("tweet_id"),
        answered=number("reply_to_id"),
        is_part=is_part(pl.col("reason"), pl.col("clean_text") != ""),
    )


def is_part(reason: pl.Expr, has_words: pl.Expr) -> pl.Expr:
    """Whether a tweet may be joined; length is the last of the rules that look at one tweet."""
    return (reason.is_null() | (reason == reasons.SHORT)) & has_words


def threads_of(links: pl.DataFrame) -> pl.DataFrame:
    """The parts of threads of two parts or more: columns place and head (the place of the first).

    The parts of a thread follow one another in order.
    """
    rows = links.with_row_index("row")
    answers = (
        rows.select("row", "answered")
        .drop_nulls()
        .join(
            rows.select("tweet", parent="row").unique("tweet", keep="first"),
            left_on="answered",
            right_on="tweet",
        )
        # an answer stands after its question: what says otherwise would make a circle
        .filter(pl.col("parent") < pl.col("row"))
    )
    root = np.arange(links.height, dtype=np.uint32)
    root[answers["row"].to_numpy()] = answers["parent"].to_numpy()
    while (further := root[root]).tobytes() != root.tobytes():
        root = further
    parts = rows.select("row", "place", "is_part", root=pl.Series(root)).filter("is_part")
    first = pl.col("row").first().over("root")
    several = parts.filter(pl.len().over("root") > 1).with_columns(first=first)
    return several.sort("first", maintain_order=True).select(
        "place", head=pl.col("place").first().over("root")
    )


def join_threads(
    threads: pl.DataFrame, recipe: Recipe, tweets: Lookup
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Joins ``threads`` (from ``threads_of``), some thousand parts at a time.

    Gives the first tweets of the threads (place, handle, clean_text, reason, trigger), whose words
    are then in ``tweets``, and the changes of the other parts (columns CHANGES).
    """
    between = "\n" if recipe.line_breaks == "keep" else " "
    number = pl.int_range(pl.len()).first().over("head") // _PARTS_AT_ONCE
    for _, some in threads.with_columns(number=number).group_by("number", maintain_order=True):
        parts = some.with_columns(tweets.column("clean_text", some["place"]).alias("clean_text"))
        parts = parts.with_columns(_counted(parts, recipe, tweets).alias("counted"))
        heads = parts.group_by(place="head", maintain_order=True).agg(
            pl.col("clean_text", "counted").str.join(between)
        )
        length = judge_length(heads["clean_text"], heads["counted"], recipe)
        trigger = length["trigger"]
        if recipe.personal_data == "flag":
            trigger = trigger.zip_with(trigger.is_not_null(), find_personal(heads["clean_text"]))
        heads = heads.select(
            "place",
            tweets.column("handle", heads["place"]).alias("handle"),
            "clean_text",
            length["reason"],
            trigger.alias("trigger"),
        )
        tweets.put(heads.select("place", "clean_text"))
        ids = heads.select(
            head="place", trigger="with " + tweets.column("tweet_id", heads["place"])
        )
        others = (
            parts.filter(pl.col("place") != pl.col("head"))
            .join(ids, on="head", maintain_order="left")
            .select("place", reason=pl.lit(reasons.JOINED), trigger="trigger")
        )
        yield heads, others


def with_joined(texts: pl.Series, places: pl.Series, joined: pl.DataFrame) -> pl.Series:
    """``texts`` of ``places`` with the words of ``joined`` (place, clean_text) where it has any."""
    if joined.is_empty():
        return texts
    wanted = places.cast(pl.UInt32).to_frame("place")
    found = wanted.join(joined, on="place", how="left", maintain_order="left")["clean_text"]
    return texts.zip_with(found.is_null(), found)


def _counted(parts: pl.DataFrame, recipe: Recipe, tweets: Lookup) -> pl.Series:
    if recipe.links != "domain":
        return parts["clean_text"]
    text, escaped = (tweets.column(name, parts["place"]) for name in ("text", "text_escaped"))
    return counted_texts(
        parts["clean_text"], text.fill_null(""), escaped.fill_null(value=False), recipe
    )
