"""What is said of a generated text: how close it is to a training tweet, and which are nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.numbers import percent
from tui.text.numbers import day, plural

if TYPE_CHECKING:
    from core.sampling.nearest import NearTweet
    from core.sampling.request import Copy


def copy_in_words(copy: Copy) -> str:
    """A sentence on a text that repeats a training tweet; empty for one that is new."""
    if copy.verdict == "unchecked":
        return "It could not be checked whether this is a copy."
    if copy.verdict == "new":
        return ""
    tweets = " and ".join(copy.tweet_ids or filter(None, [copy.tweet_id]))
    which = f" {tweets}" if tweets else ""
    if copy.verdict == "verbatim":
        return f"This is a training tweet word for word: tweet{which}."
    return (
        f"This is close to a training tweet: {plural(copy.longest, 'word')} in a row, and "
        f"{percent(copy.share)} of all its words, are in tweet{which}."
    )


def near_in_words(near: NearTweet) -> tuple[str, str]:
    """A training tweet that is near to a text: what is shared, and then its words."""
    when = day(near.created_at) if near.created_at is not None else "no date"
    shared = ", ".join(near.shared[:8])
    return (
        f"@{near.handle}, {when}, nearness {near.score:.2f} of 1; words in both: {shared}.",
        near.text,
    )
