"""The rules of a recipe, described once: validation and the Filter form both read this."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from core.curation.recipe import Recipe

Kind = Literal["switch", "choice", "number"]
ANY_LANGUAGE: Final = "any"
MOST_WORDS: Final = 100


@dataclass(frozen=True)
class RuleField:
    """One rule as a form shows it.

    ``choices`` holds the values of a choice and is empty for switches and numbers; a number is a
    whole number from 0 to MOST_WORDS. Read the shown value with ``rule_value`` and make the edited
    recipe with ``with_rule``.
    """

    key: str
    title: str
    kind: Kind
    choices: tuple[str, ...]
    help: str


def _switch(key: str, title: str, help_text: str) -> RuleField:
    return RuleField(key, title, "switch", (), help_text)


def _choice(key: str, title: str, choices: tuple[str, ...], help_text: str) -> RuleField:
    return RuleField(key, title, "choice", choices, help_text)


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
    _switch(
        "drop_sensitive", "drop sensitive", "Tweets that the author or the platform marked so."
    ),
    _choice(
        "links",
        "links",
        ("drop", "keep"),
        "A model cannot know where a link leads: it would invent addresses.",
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
    RuleField(
        "min_words",
        "least words",
        "number",
        (),
        "Tweets with fewer words count as short. Links, @names and #tags are not words.",
    ),
    _choice(
        "languages",
        "languages",
        (ANY_LANGUAGE,),
        "Keep only these. A tweet whose language is not known stays.",
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

    ``languages`` (codes found in the data) and those of ``recipe`` become choices of the
    languages rule, after "any".
    """
    known = set(languages)
    shown = {ANY_LANGUAGE: None} | dict.fromkeys(sorted(known))
    if recipe is not None:
        shown[str(rule_value(recipe, "languages"))] = None
    return [
        _choice(field.key, field.title, tuple(shown), field.help)
        if field.key == "languages"
        else field
        for field in _FIELDS
    ]


def rule_value(recipe: Recipe, key: str) -> bool | int | str:
    """What the form shows for a rule: languages are "any", or codes with commas."""
    if key == "languages":
        return ", ".join(recipe.languages) or ANY_LANGUAGE
    value = recipe.rules[key]
    assert isinstance(value, (bool, int, str))  # noqa: S101  # only languages is a list
    return value


def with_rule(recipe: Recipe, key: str, value: bool | int | str) -> Recipe:
    """``recipe`` with one rule set to what a form holds; raises InputRefused for a wrong value."""
    if key == "languages" and isinstance(value, str):
        codes = [code.strip() for code in value.split(",") if code.strip()]
        return recipe.replace(languages=[] if codes == [ANY_LANGUAGE] else codes)
    return recipe.replace(**{key: value})
