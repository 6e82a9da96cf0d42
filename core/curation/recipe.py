"""A curation recipe: the rules that decide which tweets are learned, and in which words.

A recipe file is TOML: an optional ``about`` sentence and a table ``[rules]``. The file's name is
the recipe's name. A rule that a file leaves out has the value it has in ``standard``.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from core.bundled import bundled
from core.curation.fields import MOST_WORDS, rule_fields
from core.errors import InputRefused
from core.home import Home

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BUNDLED_RECIPES: Final = ("standard", "classic")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")


@dataclass(frozen=True)
class Recipe:
    """A name and its rules; the defaults are those of ``standard``.

    Raises InputRefused when a rule has a value of the wrong type or one that does not exist.
    """

    name: str
    engine: Literal["standard", "classic"] = "standard"
    unescape: Literal["none", "once", "seed"] = "once"
    links: Literal["drop", "keep"] = "drop"
    mentions: Literal["keep", "strip_leading_replies", "drop"] = "strip_leading_replies"
    hashtags: Literal["keep", "drop"] = "keep"
    line_breaks: Literal["space", "keep"] = "space"
    min_words: int = 3
    drop_retweets: bool = True
    drop_manual_retweets: bool = True
    drop_replies: bool = False
    drop_quotes: bool = False
    drop_duplicates: bool = True
    drop_sensitive: bool = False
    languages: tuple[str, ...] = ()
    about: str = field(default="", compare=False)
    saved_hash: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        checked = check_rules(self.rules, f"The recipe {self.name}")
        object.__setattr__(self, "languages", tuple(checked["languages"]))

    @property
    def rules(self) -> dict[str, bool | int | str | list[str]]:
        """The rules alone, as JSON and TOML hold them."""
        values = {key: getattr(self, key) for key in RULE_KEYS}
        return values | {"languages": list(self.languages)}

    @property
    def hash(self) -> str:
        """First 12 hex digits of the sha256 over the canonical JSON of the rules, not the name."""
        canonical = json.dumps(self.rules, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def changed(self) -> bool:
        """Whether the rules differ from those in the file that the recipe was loaded from."""
        return self.hash != self.saved_hash

    def replace(self, **changes: Any) -> Recipe:
        """An edited copy under the same name; raises InputRefused for an unknown rule or value."""
        checked = check_rules(self.rules | changes, f"The recipe {self.name}")
        return dataclasses.replace(self, **checked)


RULE_KEYS: Final = tuple(
    item.name
    for item in dataclasses.fields(Recipe)
    if item.name not in ("name", "about", "saved_hash")
)


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
                _did_you_mean(key, by_key),
            )
        rule = by_key[key]
        if key == "languages":
            checked[key] = _languages(value, where)
        elif rule.kind == "switch" and not isinstance(value, bool):
            raise InputRefused(f"{where}: {key} is {value!r}.", "It can only be true or false.")
        elif rule.kind == "number" and (
            isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_WORDS
        ):
            raise InputRefused(
                f"{where}: {key} is {value!r}.", f"It is a whole number from 0 to {MOST_WORDS}."
            )
        elif rule.kind == "choice" and value not in rule.choices:
            raise InputRefused(
                f"{where}: {key} is {value!r}.",
                f"It can be: {', '.join(rule.choices)}.",
                _did_you_mean(str(value), rule.choices),
            )
        else:
            checked[key] = value
    return checked


def _languages(value: object, where: str) -> tuple[str, ...]:
    why = 'It is a list of language codes such as ["en", "pt-br"]; an empty list means any.'
    if not isinstance(value, (list, tuple)):
        raise InputRefused(f"{where}: languages is {value!r}.", why)
    for code in value:
        if not isinstance(code, str) or not _LANGUAGE.fullmatch(code.lower()):
            raise InputRefused(f"{where}: languages holds {code!r}.", why)
    return tuple(sorted({str(code).lower() for code in value}))


def _did_you_mean(given: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(given.lower(), list(known), n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else ""


def recipe_names(home: Home | None = None) -> list[str]:
    """The recipes that ship, then the person's own in alphabetical order."""
    own = sorted(path.stem for path in home.recipes.glob("*.toml")) if home else []
    return [*BUNDLED_RECIPES, *(name for name in own if name not in BUNDLED_RECIPES)]


def load_recipe(name_or_path: str | os.PathLike[str], home: Home | None = None) -> Recipe:
    """A recipe by name, or from a file when given a path (it holds a separator or ends in .toml).

    Names of recipes that ship always mean those. Raises InputRefused: no such recipe, not TOML,
    an unknown rule, a wrong value; the message names the file, the rule and the nearest valid one.
    """
    given = os.fspath(name_or_path)
    if (
        isinstance(name_or_path, os.PathLike)
        or given.endswith(".toml")
        or Path(given).name != given
    ):
        return _read(Path(given).expanduser())
    if given in BUNDLED_RECIPES:
        return _read(bundled("recipes", f"{given}.toml"))
    names = recipe_names(home)
    if home is None or given not in names:
        raise InputRefused(
            f"There is no recipe called {given!r}.",
            f"There are: {', '.join(names)}.",
            _did_you_mean(given, names),
        )
    return _read(home.recipes / f"{given}.toml")


def save_recipe(recipe: Recipe, home: Home, *, name: str | None = None) -> Recipe:
    """Writes ``recipe`` into the home, under ``name`` if given, and returns it as saved.

    Raises InputRefused for a name that ships with mynah or cannot be a file's name.
    """
    name = recipe.name if name is None else name
    if not _NAME.fullmatch(name):
        raise InputRefused(
            f"{name!r} cannot be a recipe's name.",
            "A name is lower-case letters, digits, - and _, and starts with a letter or digit.",
        )
    if name in BUNDLED_RECIPES:
        raise InputRefused(
            f"The recipe {name} ships with mynah and stays as it is.",
            "So that its name means the same thing everywhere.",
            f"Save it under another name, such as my-{name}.",
        )
    home.recipes.mkdir(parents=True, exist_ok=True)
    target = home.recipes / f"{name}.toml"
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    part.write_text(_toml(recipe), encoding="utf-8")
    part.replace(target)
    return dataclasses.replace(recipe, name=name, saved_hash=recipe.hash)


def _read(path: Path) -> Recipe:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputRefused(f"{path.name} cannot be read.", f"{error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path.name} is not a recipe.", "It is not UTF-8 text.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputRefused(f"{path.name} is not valid TOML.", f"{error}.") from error
    for key in content:
        if key not in ("about", "rules"):
            near = "Rules stand under [rules]." if key in RULE_KEYS else ""
            raise InputRefused(
                f"{path.name}: {key!r} is not known.",
                "A recipe holds `about` and the table [rules].",
                near or _did_you_mean(key, ("about", "rules")),
            )
    about, rules = content.get("about", ""), content.get("rules", {})
    if not isinstance(about, str) or not isinstance(rules, dict):
        raise InputRefused(f"{path.name}: `about` is a sentence and `rules` is a table.")
    recipe = Recipe(path.stem, about=about, **check_rules(rules, path.name))
    return dataclasses.replace(recipe, saved_hash=recipe.hash)


def _toml(recipe: Recipe) -> str:
    # JSON's strings, numbers, booleans and lists of strings are TOML's, but for DEL.
    def written(value: object) -> str:
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

    lines = [f"about = {written(recipe.about)}", "", "[rules]"]
    lines += [f"{key} = {written(value)}" for key, value in recipe.rules.items()]
    return "\n".join(lines) + "\n"
