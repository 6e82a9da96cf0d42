"""A curation recipe: the rules that decide which tweets are learned, and in which words.

A recipe file is TOML: an optional ``about`` sentence and a table ``[rules]``. The file's name is
the recipe's name. A rule that a file leaves out has the value it has in ``standard``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from core.curation.rules import LISTS, check_rules, did_you_mean, rule_fields
from core.errors import InputRefused
from core.files import write_text_whole
from core.home import Home, bundled, expanded
from core.toml import parse_toml

BUNDLED_RECIPES: Final = ("standard", "classic", "strict", "dialogue", "english")
# Names that nobody can have used before they shipped; see _is_own.
_ALWAYS_BUNDLED: Final = ("standard", "classic")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Recipe:
    """A name and its rules; the defaults are those of ``standard``.

    Raises InputRefused when a rule has a value of the wrong type or one that does not exist.
    """

    name: str
    engine: Literal["standard", "classic"] = "standard"
    unescape: Literal["none", "once", "seed"] = "once"
    links: Literal["drop", "domain", "keep"] = "drop"
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
    detect_languages: bool = False
    min_characters: int = 0
    first_date: str = ""
    last_date: str = ""
    blocked_words: tuple[str, ...] = ()
    personal_data: Literal["keep", "flag", "drop"] = "keep"
    threads: Literal["separate", "join"] = "separate"
    near_duplicates: int = 0
    most_per_author: int = 0
    about: str = field(default="", compare=False)
    saved_hash: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        checked = check_rules(self.rules, f"The recipe {self.name}")
        for key, value in checked.items():
            object.__setattr__(self, key, value)

    @property
    def rules(self) -> dict[str, bool | int | str | list[str]]:
        """The rules alone, as JSON and TOML hold them."""
        values = {key: getattr(self, key) for key in RULE_KEYS}
        return values | {key: list(values[key]) for key in LISTS}

    @property
    def hash(self) -> str:
        """First 12 hex digits of the sha256 over the canonical JSON of the rules, not the name.

        The rules of the first version are always in it, whatever their value; those that came
        later only where they differ from their default, which is to do nothing. So the hash of a
        recipe stays the same when mynah learns a new rule.
        """
        covered = {
            key: value
            for key, value in self.rules.items()
            if key in FIRST_RULES or value != _DEFAULTS[key]
        }
        canonical = json.dumps(covered, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def changed(self) -> bool:
        """Whether the rules differ from those in the file that the recipe was loaded from."""
        return self.hash != self.saved_hash

    @property
    def edited(self) -> bool:
        """Whether it came from a file and its rules are others now: its name alone would mislead.

        Of a recipe that was in no file nothing is known to differ.
        """
        return self.saved_hash is not None and self.changed

    def replace(self, **changes: Any) -> Recipe:
        """An edited copy under the same name; raises InputRefused for an unknown rule or value."""
        checked = check_rules(self.rules | changes, f"The recipe {self.name}")
        return dataclasses.replace(self, **checked)


RULE_KEYS: Final = tuple(
    item.name
    for item in dataclasses.fields(Recipe)
    if item.name not in ("name", "about", "saved_hash")
)

# The rules of the first version. This list never grows; see Recipe.hash.
FIRST_RULES: Final = frozenset(
    "engine unescape links mentions hashtags line_breaks min_words drop_retweets "
    "drop_manual_retweets drop_replies drop_quotes drop_duplicates drop_sensitive "
    "languages".split()
)
_DEFAULTS: Final = Recipe("").rules


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


def differing_rules(recipe: Recipe, other: Recipe) -> list[str]:
    """The keys of the rules that are not the same in both, in the order of a form."""
    there, here = other.rules, recipe.rules
    return [rule.key for rule in rule_fields() if here[rule.key] != there[rule.key]]


def recipe_names(home: Home | None = None) -> list[str]:
    """The recipes that ship, then the person's own in alphabetical order."""
    own = sorted(path.stem for path in home.recipes.glob("*.toml")) if home else []
    return [*BUNDLED_RECIPES, *(name for name in own if name not in BUNDLED_RECIPES)]


def load_recipe(name_or_path: str | os.PathLike[str], home: Home | None = None) -> Recipe:
    """A recipe by name, or from a file when given a path (it holds a separator or ends in .toml).

    The name of a recipe that ships means that one, unless it came later than a recipe that the
    person had saved under it; standard and classic always mean those that ship. Raises
    InputRefused: no such recipe, not TOML, an unknown rule, a wrong value; the message names the
    file, the rule and the nearest valid one.
    """
    given = os.fspath(name_or_path)
    if (
        isinstance(name_or_path, os.PathLike)
        or given.endswith(".toml")
        or Path(given).name != given
    ):
        return _read(expanded(given))
    if given in BUNDLED_RECIPES and not _is_own(given, home):
        return _read(bundled("recipes", f"{given}.toml"))
    names = recipe_names(home)
    if home is None or given not in names:
        raise InputRefused(
            f"There is no recipe called {given!r}.",
            f"There are: {', '.join(names)}.",
            did_you_mean(given, names),
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
    if name in BUNDLED_RECIPES and not _is_own(name, home):
        raise InputRefused(
            f"The recipe {name} ships with mynah and stays as it is.",
            "So that its name means the same thing everywhere.",
            f"Save it under another name, such as my-{name}.",
        )
    if name != recipe.name and recipe.changed:  # the old sentence may no longer be true
        recipe = dataclasses.replace(recipe, about=f"{recipe.name}, with changes.")
    write_text_whole(home.recipes / f"{name}.toml", recipe_toml(recipe))
    return dataclasses.replace(recipe, name=name, saved_hash=recipe.hash)


def _is_own(name: str, home: Home | None) -> bool:
    """Whether a name that ships was the person's own before it did."""
    return (
        home is not None
        and name not in _ALWAYS_BUNDLED
        and (home.recipes / f"{name}.toml").is_file()
    )


def _read(path: Path) -> Recipe:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputRefused(f"{path.name} cannot be read.", f"{error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputRefused(f"{path.name} is not a recipe.", "It is not UTF-8 text.") from error
    recipe = recipe_from_toml(text, path.stem, path.name)
    return dataclasses.replace(recipe, saved_hash=recipe.hash)


def recipe_from_toml(text: str, name: str, source: str) -> Recipe:
    """What ``recipe_toml`` wrote, perhaps changed by hand; as if it were in no file yet.

    Raises InputRefused, which calls the text ``source``.
    """
    try:
        content = parse_toml(text)
    except ValueError as error:
        raise InputRefused(f"{source} is not valid TOML.", f"{error}.") from error
    for key in content:
        if key not in ("about", "rules"):
            near = "Rules stand under [rules]." if key in RULE_KEYS else ""
            raise InputRefused(
                f"{source}: {key!r} is not known.",
                "A recipe holds `about` and the table [rules].",
                near or did_you_mean(key, ("about", "rules")),
            )
    about, rules = content.get("about", ""), content.get("rules", {})
    if not isinstance(about, str) or not isinstance(rules, dict):
        raise InputRefused(f"{source}: `about` is a sentence and `rules` is a table.")
    return Recipe(name, about=about, **check_rules(rules, source))


def recipe_toml(recipe: Recipe) -> str:
    """The recipe as its file holds it."""

    # JSON's strings, numbers, booleans and lists of strings are TOML's, but for DEL.
    def written(value: object) -> str:
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

    lines = [f"about = {written(recipe.about)}", "", "[rules]"]
    lines += [f"{key} = {written(value)}" for key, value in recipe.rules.items()]
    return "\n".join(lines) + "\n"
