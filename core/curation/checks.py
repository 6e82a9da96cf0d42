"""What a rule of a recipe may hold; a wrong value is named with the nearest one that would do."""

from __future__ import annotations

import calendar
import datetime
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from core.curation.rules import RuleField, rule_fields
from core.errors import InputRefused

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
        return _languages(value, where)
    if rule.key == "blocked_words":
        return _blocked_words(value, where)
    if rule.key in _DATES:
        return _date(rule.key, value, where)
    if rule.kind == "switch":
        return _switch(rule.key, value, where)
    if rule.kind == "number":
        return _number(rule, value, where)
    if not isinstance(value, str) or value not in rule.choices:
        raise InputRefused(
            f"{where}: {rule.key} is {value!r}.",
            f"It can be: {', '.join(rule.choices)}.",
            did_you_mean(str(value), rule.choices),
        )
    return value


def _switch(key: str, value: object, where: str) -> bool:
    if isinstance(value, bool):
        return value
    said = str(value).strip().lower()
    near = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
    meant = near.get(said, said if said in ("true", "false") else "")
    raise InputRefused(
        f"{where}: {key} is {value!r}.",
        "It can only be true or false.",
        f"Did you mean {meant}, without quotation marks?" if meant else "",
    )


def _number(rule: RuleField, value: object, where: str) -> int:
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


def _date(key: str, value: object, where: str) -> str:
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
    if found is None or not 1 <= int(found[1]) <= 9999:
        return ""
    year = int(found[1])
    month = min(max(int(found[2]), 1), 12) if found[2] else (12 if last else 1)
    days = calendar.monthrange(year, month)[1]
    day = min(max(int(found[3]), 1), days) if found[3] else (days if last else 1)
    return f"{year:04}-{month:02}-{day:02}"


def _languages(value: object, where: str) -> tuple[str, ...]:
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


def _blocked_words(value: object, where: str) -> tuple[str, ...]:
    why = 'It is a list of words or phrases such as ["giveaway", "sign up"]; empty means none.'
    if not isinstance(value, (list, tuple)):
        raise InputRefused(f"{where}: blocked_words is {value!r}.", why, _as_list(value))
    for words in value:
        if not isinstance(words, str) or not words.strip():
            raise InputRefused(f"{where}: blocked_words holds {words!r}.", why)
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
