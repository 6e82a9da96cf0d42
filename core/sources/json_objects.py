"""One JSON object of any program: its values as text by role, or as a Struct with what fits.

A row maps the roles of ``columns.GUESSES`` (and ``urls``) to text; a plain string instead of a row
is the reason why an object gives none.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import polars as pl
from msgspec import MsgspecError, Raw, Struct, convert
from msgspec.json import Encoder

from core.sources.columns import GUESSES, plain_name
from core.sources.decoding import without_surrogates

# What rows of objects may hold.
COLUMNS: Final = (*GUESSES, "urls")

Row = dict[str, str]
Rows = Callable[[Any], Iterator["Row | str"]]

_NAMES: Final = ("screenname", "username", "handle", "name")
_REPOSTED: Final = ("retweetedstatus", "retweetedtweet")
_MOST_KEYS: Final = 100  # of an object whose plan is kept
_DEEPEST: Final = 4  # objects in objects whose keys are listed
_NO_KEY: Final = "\ud800"  # in no object
# What may be a number, of which a point takes nothing; not a text or a name.
_NUMBERS: Final = frozenset(
    ("tweet_id", "created", "retweet", "reply_id", "reply_user", "quoted_id", "conversation_id",
     "sensitive", "favourites", "reposts", "deleted")
)  # fmt: skip
_EXACT: Final = 10**15  # smaller whole numbers stay as they are, point or not
_encode: Final = Encoder().encode
_S = TypeVar("_S", bound=Struct)


def text_of(value: Any) -> str | None:
    """A JSON value as text where it is text or a whole number, else None."""
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def count_of(value: Any) -> int | None:
    """A count, which archives write as text; None where it is missing or not one."""
    written = text_of(value)
    if written is None or not re.fullmatch(r"\d{1,15}", written, re.ASCII):
        return None
    return int(written)


def object_of(value: Any, key: str) -> dict[str, Any]:
    """The object that ``value`` has under ``key``; an empty one where there is none."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def links_text(links: list[dict[str, str]]) -> str | None:
    """Links as a tweet's column ``urls`` has them."""
    return _encode(links).decode() if links else None


def alt_text(descriptions: Iterable[str | None]) -> str | None:
    """What media show, one description a line."""
    return "\n".join(" ".join(one.split()) for one in descriptions if one) or None


def fitted(value: Any, form: type[_S]) -> _S | None:
    """``value``, as the json module reads it, with the fields of ``form``; None if no object.

    A value that has not the type of its field is left out, a number where there should be a text
    becomes one, and half a surrogate pair becomes U+FFFD.
    """
    if not isinstance(value, dict):
        return None
    found: dict[str, Any] = {}
    for name, kinds in _fields(form):
        if name in value:
            one = _fitted(value[name], kinds)
            if one is not None or type(None) in kinds:
                found[name] = one
    return form(**found)


def _fitted(value: Any, kinds: tuple[Any, ...]) -> Any:
    if Raw in kinds:
        return Raw(without_surrogates(json.dumps(value, ensure_ascii=False)).encode())
    if isinstance(value, dict):
        form = next((k for k in kinds if isinstance(k, type) and issubclass(k, Struct)), None)
        return fitted(value, form) if form else None
    if isinstance(value, list):
        inner = next((get_args(k)[0] for k in kinds if get_origin(k) is list), None)
        if inner is None:
            return None
        options = _options(inner)
        found = [_fitted(one, options) for one in value]
        return found if type(None) in options else [one for one in found if one is not None]
    if isinstance(value, str) and str in kinds:
        return without_surrogates(value)
    if type(value) is int and int in kinds:
        return value
    if type(value) is int and str in kinds:
        return str(value)
    kind = bool if bool in kinds else int if int in kinds and isinstance(value, str) else None
    try:
        return None if kind is None or value is None else convert(value, kind, strict=False)
    except (MsgspecError, UnicodeEncodeError):  # the latter for half a surrogate pair
        return None


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


@lru_cache(maxsize=64)
def _fields(form: type[Struct]) -> list[tuple[str, tuple[Any, ...]]]:
    return [(name, _options(kind)) for name, kind in get_type_hints(form).items()]


def frame_of(rows: Sequence[Row]) -> pl.DataFrame:
    """A frame of COLUMNS, all of them text."""
    return pl.DataFrame(
        [pl.Series(name, [row.get(name) for row in rows], dtype=pl.String()) for name in COLUMNS]
    )


def row_of(**values: Any) -> Row:
    """Values as text where they are any; a missing text stays an empty one."""
    row: Row = {"text": values.pop("text") or ""}
    for role, value in values.items():
        text = _text(value, role)
        if text:
            row[role] = text
    return row


def generic_rows(mapping: Mapping[str, str]) -> Rows:
    """Objects of any program: known names, or the ones that ``mapping`` gives (role → key)."""

    named = frozenset(mapping.values())

    def rows(item: Any) -> Iterator[Row | str]:
        if not isinstance(item, dict):
            yield "not_a_tweet"
            return
        # a key has one meaning: what it is mapped to
        row = flat({key: value for key, value in item.items() if key not in named})
        for role, key in mapping.items():
            text = _text(_value_at(item, key), role)
            row.pop(role, None)
            if text is not None:
                row[role] = text
        yield row

    return rows


def _value_at(item: dict[str, Any], key: str) -> Any:
    """The value of a key, or of ``a.b``, a key of an object inside; None where there is none."""
    value: Any = item
    for part in [key] if key in item else key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def examples(items: Iterable[Any]) -> dict[str, str]:
    """The keys that can be mapped (``a.b`` for one of an object inside), in the order in which they
    come, each with its first value that is not blank."""
    found: dict[str, str] = {}
    for item in items:
        if isinstance(item, dict):
            for key in _keys(item):
                value = _value_at(item, key)
                if value is None or isinstance(value, (dict, list)):
                    continue
                text = value if isinstance(value, str) else json.dumps(value)
                found[key] = found.get(key) or (without_surrogates(text) if text.strip() else "")
    return found


def _keys(item: dict[str, Any], before: str = "", depth: int = 1) -> Iterator[str]:
    for key, value in item.items():
        if before and "." in key:
            continue  # could not be told from a key further inside
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _keys(value, f"{before}{key}.", depth + 1)
        else:
            yield before + key


def guessed_keys(item: Any) -> dict[str, str]:
    """Which key ``flat`` takes for which role, as far as this object has it filled."""
    if not isinstance(item, dict):
        return {}
    inner, before = item.get("tweet"), ""
    if isinstance(inner, dict):
        item, before = inner, "tweet."
    found: dict[str, str] = {}
    for role, options in _plan_of(tuple(item)).roles:
        for key in options:
            value, name = item.get(key), before + key
            if isinstance(value, dict) and role == "author":
                inside = _name_key(value)
                value, name = value.get(inside), f"{name}.{inside}"
            if _text(value, role):
                found[role] = name
                break
    return found


def _name_key(author: dict[str, Any]) -> str:
    """The key of an author's name; one that is in no object where there is none."""
    names = {plain_name(key): key for key, inside in author.items() if inside}
    return next((names[name] for name in _NAMES if name in names), _NO_KEY)


def flat(item: dict[str, Any]) -> Row:
    """The values that GUESSES names, as text; the author may be one level down."""
    inner = item.get("tweet")
    if isinstance(inner, dict):
        item = inner
    keys = tuple(item)
    plan = _plan(keys) if len(keys) <= _MOST_KEYS else _plan_of(keys)
    longer = item[plan.longer].get("full_text") if isinstance(item.get(plan.longer), dict) else None
    row: Row = {}
    for role, options in plan.roles:
        for key in options:
            if key == plan.full_text and isinstance(longer, str):
                value: Any = longer
            else:
                value = item.get(key)
            if isinstance(value, dict) and role == "author":
                value = value.get(_name_key(value))
            text = _text(value, role)
            if text is not None and (text or role == "text"):
                row[role] = text
                break
    if plan.reposted:
        if any(isinstance(item[key], dict) for key in plan.reposted):
            row["retweet"] = "true"
        else:
            row.setdefault("retweet", "false")
    return row


@dataclass(frozen=True)
class _Plan:
    """Which keys of an object say what; the object in ``longer`` may hold a better full text."""

    roles: tuple[tuple[str, tuple[str, ...]], ...]
    full_text: str
    longer: str
    reposted: tuple[str, ...]


def _plan_of(keys: tuple[str, ...]) -> _Plan:
    known: dict[str, str] = {}
    for key in keys:
        known.setdefault(plain_name(key), key)
    longer = known.get("extendedtweet", "")
    if longer:
        known.setdefault("fulltext", _NO_KEY)
    found = {
        role: tuple(known[option] for option in options if option in known)
        for role, options in GUESSES.items()
    }
    return _Plan(
        tuple((role, names) for role, names in found.items() if names),
        known.get("fulltext", _NO_KEY),
        longer,
        tuple(known[name] for name in _REPOSTED if name in known),
    )


# one program writes few kinds of objects
_plan: Final = lru_cache(maxsize=256)(_plan_of)


def _text(value: Any, role: str) -> str | None:
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _decimal(value, role)
    return text_of(value)


def _decimal(value: float, role: str) -> str | None:
    """A number with a point, which programs write where some objects of a column lack a value.

    As a CSV has it; an id that lost digits is seen as rounded later on.
    """
    if role not in _NUMBERS or not math.isfinite(value):
        return None
    exact = value.is_integer() and 0 < value < _EXACT
    return f"{value:e}" if role == "tweet_id" and not exact else repr(value)


def shown_keys(item: dict[str, Any]) -> str:
    """The first keys of an object, for a sentence about it."""
    return without_surrogates(", ".join(key[:40] for key in list(item)[:8]))
