"""The rules of a recipe, described once, and what each may hold: for validation and for forms."""

from __future__ import annotations

import calendar
import datetime
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.errors import InputRefused

Kind = Literal["switch", "choice", "number", "text"]
_LONGEST_BLOCKED: Final = 280  # characters, as a tweet had; patterns have a size
LISTS: Final = ("languages", "blocked_words")
"""The rules that hold several texts; a form shows them as one text, with commas between."""

# Percent of common wording from which two tweets are near copies, where no recipe says otherwise.
ALIKE: Final = 80
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NEARLY_A_DATE: Final = re.compile(r"\s*(\d{4})(?:\D{1,3}(\d{1,2}))?(?:\D{1,3}(\d{1,2}))?(?!\d).*")
_DATES: Final = ("first_date", "last_date")
# What people write instead of the code; the code itself is what rows and recipes hold.
_LANGUAGE_NAMES: Final = {
    "arabic": "ar", "chinese": "zh", "czech": "cs", "danish": "da", "dutch": "nl",
    "deutsch": "de", "english": "en", "español": "es", "finnish": "fi", "français": "fr",
    "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi",
    "hungarian": "hu", "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko",
    "norwegian": "no", "persian": "fa", "polish": "pl", "portuguese": "pt", "romanian": "ro",
    "russian": "ru", "spanish": "es", "swedish": "sv", "thai": "th", "turkish": "tr",
    "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi",
}  # fmt: skip


@dataclass(frozen=True)
class RuleField:
    """One rule as a form shows it; ``recipe.rule_value`` and ``recipe.with_rule`` go with it.

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
        "threads",
        "threads",
        ("separate", "join"),
        "join makes one text of an author's own thread, in order, with a line break between the "
        "tweets where line breaks are kept and else a space. A model that learns one line at a "
        "time needs the space.",
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


def rule_fields(languages: Iterable[str] = ()) -> list[RuleField]:
    """The rules in the order of a form; ``languages`` (codes) are proposed for that rule."""
    known = sorted(set(languages))
    return [
        RuleField(item.key, item.title, item.kind, tuple(known), item.help, empty=item.empty)
        if item.key == "languages"
        else item
        for item in _FIELDS
    ]


def check_rules(rules: Mapping[str, object], where: str) -> dict[str, Any]:
    """``rules`` in their normal form; raises InputRefused naming ``where``, the rule and a way out.

    ``where`` starts the sentence: a file's name, or "The recipe standard".
    """
    by_key = {item.key: item for item in rule_fields()}
    checked: dict[str, Any] = {}
    for key, value in rules.items():
        if key not in by_key:
            raise InputRefused(
                f"{where}: there is no rule called {key!r}.",
                f"The rules are: {', '.join(by_key)}.",
                did_you_mean(key, by_key),
            )
        checked[key] = _check(by_key[key], value, where)
    first, last = (checked.get(key, "") for key in _DATES)
    if first and last and first > last:
        raise InputRefused(
            f"{where}: first_date is {first!r}, after last_date, {last!r}.",
            "No tweet could be kept.",
            "Swap the two, or leave one of them empty.",
        )
    return checked


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """A question that names the most alike of ``known``, or nothing when none is."""
    close = difflib.get_close_matches(given.lower(), list(known), n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else ""


def _check(rule: RuleField, value: object, where: str) -> Any:
    if rule.key == "languages":
        return _check_languages(value, where)
    if rule.key == "blocked_words":
        return _check_blocked_words(value, where)
    if rule.key in _DATES:
        return _check_date(rule.key, value, where)
    if rule.kind == "switch":
        return _check_switch(rule.key, value, where)
    if rule.kind == "number":
        return _check_number(rule, value, where)
    if not isinstance(value, str) or value not in rule.choices:
        raise InputRefused(
            f"{where}: {rule.key} is {value!r}.",
            f"It can be: {', '.join(rule.choices)}.",
            did_you_mean(str(value), rule.choices),
        )
    return value


def _check_switch(key: str, value: object, where: str) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    near = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
    meant = near.get(text, text if text in ("true", "false") else "")
    raise InputRefused(
        f"{where}: {key} is {value!r}.",
        "It can only be true or false.",
        f"Did you mean {meant}, without quotation marks?" if meant else "",
    )


def _check_number(rule: RuleField, value: object, where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= rule.maximum:
        return value
    next_step = ""
    if not isinstance(value, bool):
        try:
            given = float(str(value).strip())
        except ValueError:
            given = float("nan")
        if given == given:  # not NaN
            nearest = round(min(max(given, 0), rule.maximum))
            next_step = f"The nearest is {nearest}."
    raise InputRefused(
        f"{where}: {rule.key} is {value!r}.",
        f"It is a whole number from 0 to {rule.maximum}.",
        next_step,
    )


def _check_date(key: str, value: object, where: str) -> str:
    """A day as text; TOML's own dates are taken too."""
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = value.isoformat()
    if value == "":
        return ""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return datetime.date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    nearest = _nearest_date(str(value), last=key == "last_date")
    raise InputRefused(
        f"{where}: {key} is {str(value)!r}.",
        'It is a day written as "2016-12-31", or "" for any.',
        f"Did you mean {nearest!r}?" if nearest else "",
    )


def _nearest_date(given: str, *, last: bool) -> str:
    """The day that a year, or a date with a wrong month or day, comes nearest to."""
    found = _NEARLY_A_DATE.fullmatch(given)
    if found is None or not int(found[1]):
        return ""
    year = int(found[1])
    month = min(max(int(found[2]), 1), 12) if found[2] else (12 if last else 1)
    days = calendar.monthrange(year, month)[1]
    day = min(max(int(found[3]), 1), days) if found[3] else (days if last else 1)
    return f"{year:04}-{month:02}-{day:02}"


def _check_languages(value: object, where: str) -> tuple[str, ...]:
    why = 'It is a list of language codes such as ["en", "pt-br"]; an empty list means any.'
    if not isinstance(value, (list, tuple)):
        raise InputRefused(f"{where}: languages is {value!r}.", why, _as_list(value))
    for code in value:
        if not isinstance(code, str) or not _LANGUAGE.fullmatch(code.lower()):
            near = difflib.get_close_matches(str(code).lower(), _LANGUAGE_NAMES, n=1, cutoff=0.7)
            raise InputRefused(
                f"{where}: languages holds {code!r}.",
                why,
                f"Did you mean {_LANGUAGE_NAMES[near[0]]!r}?" if near else "",
            )
    return tuple(sorted({str(code).lower() for code in value}))


def _check_blocked_words(value: object, where: str) -> tuple[str, ...]:
    why = 'It is a list of words or phrases such as ["giveaway", "sign up"]; empty means none.'
    if not isinstance(value, (list, tuple)):
        raise InputRefused(f"{where}: blocked_words is {value!r}.", why, _as_list(value))
    for words in value:
        if not isinstance(words, str) or not words.strip():
            raise InputRefused(f"{where}: blocked_words holds {words!r}.", why)
        if len(words) > _LONGEST_BLOCKED:
            raise InputRefused(
                f"{where}: one of blocked_words has {len(words):,} characters.",
                f"A word or phrase has at most {_LONGEST_BLOCKED}.",
            )
        if "," in words:
            parts = [part.strip() for part in words.split(",") if part.strip()]
            raise InputRefused(
                f"{where}: blocked_words holds {words!r}.",
                "A comma parts two entries, so none can be inside one.",
                f"Did you mean {', '.join(repr(part) for part in parts)}?" if parts else "",
            )
    return tuple(sorted({" ".join(str(words).lower().split()) for words in value}))


def _as_list(value: object) -> str:
    return f'Did you mean ["{value}"]?' if isinstance(value, str) and value.strip() else ""
