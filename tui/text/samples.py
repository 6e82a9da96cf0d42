"""What is said of a generated text: how close it is to a training tweet, which are nearest, and how
likely each of its tokens was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.numbers import percent, plural
from core.safe_text import printable
from tui.text.numbers import day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.sampling.nearest import NearTweet
    from core.sampling.request import Copy, TokenProbability

# A text that is to begin like another one takes so many words of it.
_FIRST_WORDS: Final = 4
# From this probability on a token is called so.
BANDS: Final = (
    (0.5, "likely", "50 % or more"),
    (0.1, "possible", "10 to 50 %"),
    (0.01, "unlikely", "1 to 10 %"),
    (0.0, "surprising", "under 1 %"),
)
# Under this probability a token is one to look at.
UNLIKELY: Final = 0.1
_LEAST: Final = 0.0001
NO_TOKENS: Final = "It has no tokens of its own."
PROBABILITY: Final = (
    "Probability: how likely the model held this token at its place, before temperature and other "
    "settings."
)


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


def first_words(text: str, prompt: str) -> str:
    """How others like it begin: with some words of it, and always more than the prompt has."""
    return " ".join(text.split()[: max(_FIRST_WORDS, len(prompt.split()) + 2)])


def near_in_words(near: NearTweet) -> tuple[str, str]:
    """A training tweet that is near to a text: what is shared, and then its words."""
    when = day(near.created_at) if near.created_at is not None else "no date"
    shared = ", ".join(near.shared[:8])
    return (
        f"@{near.handle}, {when}, nearness {near.score:.2f} of 1; words in both: {shared}.",
        near.text,
    )


def token_in_words(token: TokenProbability) -> str:
    """``“ lamp” · probability 12 % · 4 tokens were likelier``."""
    likelier = token.rank - 1
    others = "was" if likelier == 1 else "were"
    rank = f"{plural(likelier, 'token')} {others} likelier" if likelier else "the likeliest"
    said = f"“{printable(token.text)}”" if token.text else "part of a character"
    share = "under 0.01 %" if token.probability < _LEAST else percent(token.probability)
    return f"{said} · probability {share} · {rank}"


def tokens_in_words(tokens: Sequence[TokenProbability]) -> str:
    """How many tokens of a text are in which band, and which was the least likely."""
    if not tokens:
        return NO_TOKENS
    many = [0] * len(BANDS)
    for token in tokens:
        many[band_of(token.probability)] += 1
    counted = ", ".join(
        f"{number} {name} ({share})"
        for number, (_, name, share) in zip(many, BANDS, strict=True)
        if number
    )
    least = min(range(len(tokens)), key=lambda at: tokens[at].probability)
    return (
        f"Of {plural(len(tokens), 'token')}: {counted}. The least likely is token {least + 1}: "
        f"{token_in_words(tokens[least])}."
    )


def band_of(probability: float) -> int:
    """Its place in BANDS."""
    return next(place for place, (least, _, _) in enumerate(BANDS) if probability >= least)
