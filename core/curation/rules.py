"""The rules of a recipe, described once: validation and the Filter form both read this."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from core.curation.recipe import Recipe

Kind = Literal["switch", "choice", "number", "text"]
LISTS: Final = ("languages", "blocked_words")
"""The rules that hold several texts; a form shows them as one text, with commas between."""


@dataclass(frozen=True)
class RuleField:
    """One rule as a form shows it. Read the shown value with ``rule_value`` and make the edited
    recipe with ``with_rule``.

    choices   the values of a choice; for a text, values that may be proposed; else empty
    maximum   a number is a whole number from 0 to this; 0 for the other kinds
    empty     what a text that is left empty means, in a word or two; else empty
    """

    key: str
    title: str
    kind: Kind
    choices: tuple[str, ...]
    help: str
    maximum: int = 0
    empty: str = ""


def _switch(key: str, title: str, help_text: str) -> RuleField:
    return RuleField(key, title, "switch", (), help_text)


def _choice(key: str, title: str, choices: tuple[str, ...], help_text: str) -> RuleField:
    return RuleField(key, title, "choice", choices, help_text)


def _number(key: str, title: str, maximum: int, help_text: str) -> RuleField:
    return RuleField(key, title, "number", (), help_text, maximum=maximum)


def _text(key: str, title: str, empty: str, help_text: str) -> RuleField:
    return RuleField(key, title, "text", (), help_text, empty=empty)


_FIELDS: Final = (
    _switch("drop_retweets", "drop retweets", "Somebody else's words, reposted."),
    _switch(
        "drop_manual_retweets",
        "drop manual retweets",
        "Tweets that begin with RT @somebody, typed by hand.",
    ),
    _switch(
        "drop_replies",
        "drop replies",
        "Answers to other people. A thread, where an account answers itself, stays.",
    ),
    _switch("drop_quotes", "drop quotes", "Comments that only make sense with the quoted tweet."),
    _switch(
        "drop_duplicates",
        "drop duplicates",
        "The same words again from the same account; the earliest stays. Case does not matter.",
    ),
    _number(
        "near_duplicates",
        "near duplicates",
        100,
        "Drops what shares this many percent of its wording with an earlier tweet of the account; "
        "0 is off, 80 finds a sentence with a word changed.",
    ),
    _switch(
        "drop_sensitive", "drop sensitive", "Tweets that the author or the platform marked so."
    ),
    _choice(
        "personal_data",
        "personal data",
        ("keep", "flag", "drop"),
        "E-mail addresses, phone, card and account numbers, streets with a number. flag keeps the "
        "tweet and shows what was found.",
    ),
    _text(
        "blocked_words",
        "blocked words",
        "none",
        "Words or phrases with commas between; a tweet that has one is dropped. Whole words, in "
        "any case.",
    ),
    _text(
        "languages",
        "languages",
        "any",
        "Keep only these: codes such as en, pt. A tweet whose language is not known stays.",
    ),
    _switch(
        "detect_languages",
        "detect languages",
        "Where a tweet does not say its language, tell it from the words. Only used when "
        "languages are given.",
    ),
    _text("first_date", "first date", "any", "Drops what is older: a day such as 2016-12-31, UTC."),
    _text("last_date", "last date", "any", "Drops what is newer: a day such as 2016-12-31, UTC."),
    _number(
        "most_per_author",
        "most per author",
        1_000_000,
        "At most so many tweets of each account are kept; 0 is no limit.",
    ),
    _number(
        "min_words",
        "least words",
        100,
        "Tweets with fewer words count as short. Links, @names and #tags are not words.",
    ),
    _number(
        "min_characters",
        "least characters",
        1000,
        "Tweets with fewer characters, once cleaned, count as short.",
    ),
    _choice(
        "links",
        "links",
        ("drop", "domain", "keep"),
        "A model cannot know where a link leads: it would invent addresses. domain leaves the "
        "name of the site, such as nasa.gov.",
    ),
    _choice(
        "mentions",
        "mentions",
        ("keep", "strip_leading_replies", "drop"),
        "strip_leading_replies takes away only the @names in front, which X puts before a reply.",
    ),
    _choice(
        "hashtags", "hashtags", ("keep", "drop"), "drop takes the whole tag away, word and all."
    ),
    _choice(
        "line_breaks",
        "line breaks",
        ("space", "keep"),
        "space makes one line of each tweet: sampling ends at a line break.",
    ),
    _choice(
        "unescape",
        "HTML entities",
        ("none", "once", "seed"),
        "once turns &amp; &lt; &gt; back into & < > where the source escapes them; "
        "seed does it as huggingtweets did, which turns &amp;lt; into <.",
    ),
    _choice(
        "engine",
        "cleaning",
        ("standard", "classic"),
        "classic takes links away and counts words exactly as huggingtweets did, bugs included.",
    ),
)


def rule_fields(recipe: Recipe | None = None, languages: Iterable[str] = ()) -> list[RuleField]:
    """The rules in the order of a form.

    ``languages`` (codes found in the data) and those of ``recipe`` are proposed for the languages
    rule.
    """
    known = sorted({*languages, *(recipe.languages if recipe is not None else ())})
    return [
        RuleField(item.key, item.title, item.kind, tuple(known), item.help, empty=item.empty)
        if item.key == "languages"
        else item
        for item in _FIELDS
    ]


def rule_value(recipe: Recipe, key: str) -> bool | int | str:
    """What the form shows for a rule: a list is one text, with commas."""
    value = recipe.rules[key]
    return ", ".join(value) if isinstance(value, list) else value


def with_rule(recipe: Recipe, key: str, value: bool | int | str) -> Recipe:
    """``recipe`` with one rule set to what a form holds; raises InputRefused for a wrong value."""
    if key in LISTS and isinstance(value, str):
        items = [item.strip() for item in value.split(",") if item.strip()]
        if key == "languages" and [item.lower() for item in items] == ["any"]:
            items = []
        return recipe.replace(**{key: items})
    if isinstance(value, str):
        value = value.strip()
    return recipe.replace(**{key: value})
