"""Filtering runs by what they are and how they were set: ``lr>=1e-3 handle:nasa -tag:old``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from core.errors import WrongUsage
from core.runs.settings import TrainSettings

if TYPE_CHECKING:
    from core.runs.summary import RunSummary

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    ":": operator.eq,
    "!=": operator.ne,
}
# Fields of a run's summary, under the names that a person would use.
_NUMBERS: Final = {
    "loss": "valid_loss",
    "valid_loss": "valid_loss",
    "train_loss": "train_loss",
    "step": "step",
    "steps": "steps",
    "trial": "trial",
}
_TEXTS: Final = {
    "run": "run",
    "name": "name",
    "note": "note",
    "handle": "handles",
    "base": "base",
    "state": "state",
    "preset": "preset",
    "method": "method",
    "device": "device",
    "tag": "tags",
    "sweep": "sweep",
}
# Words and comparisons together; each is looked for in every run.
_MOST: Final = 50


def _setting_names() -> tuple[frozenset[str], frozenset[str]]:
    """Of the training settings: those that are numbers, and the others."""
    hints = get_type_hints(TrainSettings)
    numbers = {
        field.name
        for field in fields(TrainSettings)
        if hints[field.name] in (int, float, int | None, float | None)
    }
    return frozenset(numbers), frozenset(hints) - numbers


_NUMBER_SETTINGS, _TEXT_SETTINGS = _setting_names()
NUMBER_FIELDS: Final = frozenset(_NUMBERS) | _NUMBER_SETTINGS
TEXT_FIELDS: Final = frozenset(_TEXTS) | _TEXT_SETTINGS

# One term: a sign of negation, a field with an operator, and a value that may stand in quotes.
_TERM: Final = re.compile(
    r"""(?P<negated>-)?
        (?:(?P<field>[A-Za-z_][A-Za-z_0-9]*)(?P<op>>=|<=|!=|[:=<>]))?
        (?P<value>"(?:[^"\\]|\\.)*"|[^\s"]*)
        (?=\s|$)""",
    re.VERBOSE | re.DOTALL,
)
# What needs no quotes wherever it stands.
_BARE: Final = re.compile(r"""[^\s":=<>!\\-][^\s":=<>!\\]*""")


@dataclass(frozen=True)
class Term:
    """``field op value``; without a field, words that a run's own words hold.

    ``value`` is a float where ``field`` is one of NUMBER_FIELDS. A run in which the field is not
    known matches no comparison, ``!=`` included.
    """

    value: str | float
    field: str = ""
    op: str = ""
    negated: bool = False

    def __str__(self) -> str:
        if isinstance(self.value, float):
            value = repr(self.value)
        elif _BARE.fullmatch(self.value):
            value = self.value
        else:
            value = '"' + self.value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{'-' if self.negated else ''}{self.field}{self.op}{value}"

    def matches(self, run: RunSummary) -> bool:
        return self._holds(run) is not self.negated

    def _holds(self, run: RunSummary) -> bool:
        if not self.field:
            return _in(str(self.value), [_own_words(run)])
        found = _value(run, self.field)
        if found is None:
            return False
        if isinstance(self.value, float):
            return _COMPARE[self.op](float(found), self.value)
        texts = [str(one) for one in found] if isinstance(found, list) else [str(found)]
        if self.op == ":":
            return _in(self.value, texts)
        equal = self.value.casefold() in [text.casefold() for text in texts]
        return equal is (self.op == "=")


@dataclass(frozen=True)
class RunFilter:
    """All of ``terms`` must hold; without any, every run matches."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, run: RunSummary) -> bool:
        return all(term.matches(run) for term in self.terms)


def parse_filter(text: str) -> RunFilter:
    """Words and comparisons with spaces between them; raises WrongUsage, which says what is wrong.

    ``nasa`` looks for a word in id, name, note, accounts, base and tags. ``field:text`` holds the
    text, ``field=text`` is it, ``field!=text`` is not; numbers compare with ``< <= > >= = !=``.
    ``-`` before a term turns it round, and "quotes" keep spaces together.
    """
    terms: list[Term] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if len(terms) == _MOST:
            raise WrongUsage(f"A filter takes at most {_MOST} words and comparisons.")
        found = _TERM.match(text, at)
        if found is None or found.end() == at:
            raise WrongUsage(
                f"{text[at:].split()[0]} cannot be read.",
                "A quote stands at the beginning of a value and at its end.",
                'For instance: note:"night shift"',
            )
        terms.append(_term(found))
        at = found.end()
    return RunFilter(tuple(terms))


def _term(found: re.Match[str]) -> Term:
    negated, value = found["negated"] is not None, found["value"]
    field, op = (found["field"] or "").lower(), found["op"] or ""
    if value.startswith('"'):
        value = re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    if field and field not in NUMBER_FIELDS | TEXT_FIELDS:
        near = get_close_matches(field, sorted(NUMBER_FIELDS | TEXT_FIELDS), n=3)
        raise WrongUsage(
            f"Runs have no {field}.",
            f"Near it: {', '.join(near)}." if near else "",
            'A word with a sign in it needs quotes: "a:b".' if op == ":" else "",
        )
    if not value:
        what = f"{field}{op}" if field else found[0] or "-"
        raise WrongUsage(f"{what} lacks a value.")
    if field in NUMBER_FIELDS:
        return Term(_number(field, value), field, op, negated)
    if op in (">", "<", ">=", "<="):
        raise WrongUsage(f"{field} is text.", "", f"Write {field}:{value} or {field}={value}")
    signed = {"handle": "@", "tag": "#"}.get(field, "")
    return Term(value.removeprefix(signed) or value, field, op, negated)


def _number(field: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise WrongUsage(f"{field} is a number, and {value} is none.", "", f"Write {field}<3.5")
    return number


def _value(run: RunSummary, field: str) -> Any:
    """None where it is not known; the settings say what the summary does not."""
    known = _NUMBERS.get(field) or _TEXTS.get(field)
    if known is not None:
        found = getattr(run, known)
        return None if found == "" else found
    value = getattr(run.settings, field, None)
    return str(value).lower() if isinstance(value, bool) else value


def _own_words(run: RunSummary) -> str:
    accounts = [f"@{handle}" for handle in run.handles]
    tags = [f"#{tag}" for tag in run.tags]
    return " ".join([run.run, run.name, run.note, *accounts, run.base, run.preset, *tags])


def _in(wanted: str, texts: list[str]) -> bool:
    return any(wanted.casefold() in text.casefold() for text in texts)
