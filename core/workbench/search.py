"""The words that one types to search tweets: open this for the syntax and for what is wrong in it.

Words and conditions stand side by side, and all of them must hold; ``-`` before one turns it round.
"""

from __future__ import annotations

import difflib
import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Final

from core.errors import InputRefused, WrongUsage
from core.handles import normal_handle

# The syntax line by line, as help shows it.
SYNTAX: Final = (
    ("tea toast", "both words, anywhere, in any case of letters"),
    ('"tea and toast"', "these words in a row"),
    ("-tea", "without this word; - works before all of these"),
    ("from:nasa", "by this account"),
    ("is:reply", "also original, retweet, quote, long"),
    ("has:link", "also media, hashtag, mention"),
    ("since:2020-06-15", "from this day on; 2020 and 2020-06 work, too"),
    ("until:2020-06-15", "up to this day, which is in it"),
)
KINDS: Final = ("original", "reply", "quote", "retweet", "long")
THINGS: Final = ("link", "media", "hashtag", "mention")
# Words and conditions together; each is looked for in every tweet.
_MOST: Final = 50
_KEYS: Final = ("from", "is", "has", "since", "until")

# A minus sign, then a phrase (whose end may be missing while one types) or what has no space in it.
_TERM: Final = re.compile(r'(-?)(?:"([^"]*)(?:"|$)|(\S+))')
_KEY: Final = re.compile(r"([A-Za-z_]{2,12}):(.*)", re.DOTALL)
_DAY: Final = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


@dataclass(frozen=True)
class Condition:
    """One thing that must hold, or must not when ``negated``.

    ``kind`` is words (``value``: in lower case), or one of from, is, has, since, until.
    """

    kind: str
    value: str
    negated: bool = False
    day: date | None = None


@dataclass(frozen=True)
class TweetSearch:
    """Conditions that all must hold; none finds every tweet."""

    conditions: tuple[Condition, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What is found in the texts, in lower case: to be highlighted."""
        return tuple(
            one.value for one in self.conditions if one.kind == "words" and not one.negated
        )


def parse_search(text: str) -> TweetSearch:
    """``from:nasa is:reply since:2017 "the moon" -launch`` as conditions.

    Raises WrongUsage, which says what is wrong, for a condition that cannot be and for too many.
    """
    found = []
    terms = _TERM.findall(text)
    if len(terms) > _MOST:
        raise WrongUsage(
            f"A search takes at most {_MOST} words and conditions.",
            f"There are {len(terms):,}.",
            "Quotes make one of several words in a row.",
        )
    for minus, phrase, word in terms:
        if word:
            found.append(_condition(word, negated=bool(minus)))
        elif phrase.strip():
            found.append(Condition("words", phrase.lower(), bool(minus)))
        elif minus:  # a lone quotation mark behind it
            continue
    return TweetSearch(tuple(found))


def _condition(word: str, *, negated: bool) -> Condition:
    given = _KEY.fullmatch(word)
    key, value = (given[1].lower(), given[2]) if given else ("", "")
    if key not in _KEYS:
        near = difflib.get_close_matches(key, _KEYS, n=1, cutoff=0.75) if value else []
        if near and not value.startswith("/"):
            raise WrongUsage(
                f"{key}: is no condition.",
                f"Did you mean {near[0]}:?",
                f'Or put it in quotes: "{word}"',
            )
        return Condition("words", word.lower(), negated)
    if key == "from":
        return Condition(key, _handle(value), negated)
    if key in ("since", "until"):
        return Condition(key, value, negated, _day(key, value))
    known = KINDS if key == "is" else THINGS
    value = value.lower()
    if value not in known and value.removesuffix("s") in known:
        value = value.removesuffix("s")
    if value not in known:
        near = difflib.get_close_matches(value, known, n=1, cutoff=0.5)
        raise WrongUsage(
            f"{key}:{value} is not known.",
            f"{key}: takes {', '.join(known)}.",
            f"Did you mean {key}:{near[0]}?" if near else "",
        )
    return Condition(key, value, negated)


def _handle(value: str) -> str:
    try:
        return normal_handle(value)
    except InputRefused:
        raise WrongUsage(
            "The condition from: needs an account.", "", "For example: from:nasa"
        ) from None


def _day(key: str, value: str) -> date:
    """The first day that ``since`` lets in, or the last that ``until`` does."""
    found = _DAY.fullmatch(value)
    if found:
        last = key == "until"
        try:
            year = int(found[1])
            month = int(found[2] or (12 if last else 1))
            day = int(found[3] or (monthrange(year, month)[1] if last else 1))
            return date(year, month, day)
        except ValueError:
            pass  # no such month or day
    raise WrongUsage(
        f"{key}:{value} is no day.", "", f"For example: {key}:2020-06-15, {key}:2020-06, {key}:2020"
    )
