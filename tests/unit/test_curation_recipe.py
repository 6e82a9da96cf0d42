"""Recipes: files, names, hashes, strict validation, and the form made from them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.curation import (
    Recipe,
    load_recipe,
    recipe_names,
    rule_fields,
    rule_value,
    save_recipe,
    with_rule,
)
from core.curation.recipe import BUNDLED_RECIPES, RULE_KEYS
from core.errors import InputRefused
from core.home import Home

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_the_two_that_ship() -> None:
    standard, classic = load_recipe("standard"), load_recipe("classic")
    assert recipe_names() == ["standard", "classic"]
    assert standard.about
    assert standard.rules == Recipe("any").rules
    assert not standard.changed
    assert (classic.engine, classic.unescape, classic.drop_duplicates) == ("classic", "seed", False)
    assert standard.hash != classic.hash
    assert len(standard.hash) == 12


@pytest.mark.parametrize("name", BUNDLED_RECIPES)
def test_a_file_that_ships_names_every_rule(name: str) -> None:
    folder = Path(__file__).parents[2] / "datasets" / "recipes"
    assert set(tomllib.loads((folder / f"{name}.toml").read_text())["rules"]) == set(RULE_KEYS)


def test_the_hash_is_of_the_rules_alone() -> None:
    standard = load_recipe("standard")
    assert Recipe("other", about="words").hash == standard.hash
    edited = standard.replace(min_words=4, languages=["EN", "de", "en"])
    assert edited.name == "standard"
    assert edited.languages == ("de", "en")
    assert edited.changed
    assert edited.hash != standard.hash
    back = edited.replace(min_words=3, languages=[])
    assert back.hash == standard.hash
    assert not back.changed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[rules]\nmin_word = 3", ["'min_word'", "Did you mean 'min_words'?"]),
        ("[rules]\nlinks = 'dorp'", ["links", "'dorp'", "drop, keep", "Did you mean 'drop'?"]),
        ("[rules]\ndrop_retweets = 'yes'", ["drop_retweets", "true or false"]),
        ("[rules]\nmin_words = true", ["min_words", "whole number"]),
        ("[rules]\nmin_words = -1", ["min_words", "0 to 100"]),
        ("[rules]\nmin_words = 3.0", ["min_words"]),
        ("[rules]\nlanguages = 'en'", ["languages", "list"]),
        ("[rules]\nlanguages = ['english!']", ["english!"]),
        ("rule = 1", ["'rule'", "Did you mean 'rules'?"]),
        ("min_words = 3", ["'min_words'", "under [rules]"]),
        ("rules = 3", ["table"]),
        ("[rules\n", ["TOML", "line 1"]),
        ("\udcff", ["UTF-8"]),
    ],
)
def test_a_wrong_file_is_named_with_the_way_out(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputRefused) as refused:
        load_recipe(path)
    for word in ["mine.toml", *words]:
        assert word in str(refused.value)


def test_unknown_names(home: Home) -> None:
    with pytest.raises(InputRefused, match="Did you mean 'classic'"):
        load_recipe("clasic", home)
    with pytest.raises(InputRefused, match="cannot be read"):
        load_recipe("no/such.toml", home)
    with pytest.raises(InputRefused, match="no rule called"):
        load_recipe("standard").replace(min_word=3)
    with pytest.raises(InputRefused):
        Recipe("mine", min_words=True)


def test_saved_and_loaded_again(home: Home) -> None:
    edited = load_recipe("standard").replace(min_words=5, languages=["ja"], drop_replies=True)
    saved = save_recipe(edited, home, name="my-own")
    assert not saved.changed
    assert recipe_names(home) == ["standard", "classic", "my-own"]
    again = load_recipe("my-own", home)
    assert again == saved
    assert again.about == edited.about
    assert load_recipe(home.recipes / "my-own.toml").hash == saved.hash
    assert save_recipe(again.replace(min_words=6), home).name == "my-own"
    assert load_recipe("my-own", home).min_words == 6
    assert [path.name for path in home.recipes.iterdir()] == ["my-own.toml"]


def test_an_about_of_any_characters_survives(home: Home) -> None:
    about = 'quotes " and \\ and \x00 \x7f \n ünï 🎈'
    saved = save_recipe(Recipe("mine", about=about), home)
    assert load_recipe("mine", home).about == saved.about == about


@pytest.mark.parametrize("name", ["standard", "classic", "../x", "", "A b", "a.toml"])
def test_names_that_cannot_be_saved(home: Home, name: str) -> None:
    with pytest.raises(InputRefused):
        save_recipe(load_recipe("standard"), home, name=name)
    assert not home.root.exists()


def test_a_bundled_name_means_the_bundled_recipe(home: Home) -> None:
    home.recipes.mkdir(parents=True)
    (home.recipes / "classic.toml").write_text("[rules]\nmin_words = 9\n")
    assert load_recipe("classic", home).min_words == 3
    assert recipe_names(home) == ["standard", "classic"]


def test_a_form_can_show_and_set_every_rule() -> None:
    recipe = load_recipe("standard")
    fields = rule_fields(recipe, languages=["ja", "en"])
    assert {field.key for field in fields} == set(RULE_KEYS)
    for field in fields:
        value = rule_value(recipe, field.key)
        assert field.title
        assert field.help
        if field.kind == "choice":
            assert value in field.choices
            for choice in field.choices:
                assert rule_value(with_rule(recipe, field.key, choice), field.key) == choice
        elif field.kind == "switch":
            assert rule_value(with_rule(recipe, field.key, not value), field.key) is not value
        else:
            assert rule_value(with_rule(recipe, field.key, 7), field.key) == 7
    (languages,) = (field for field in fields if field.key == "languages")
    assert languages.choices == ("any", "en", "ja")
    two = with_rule(recipe, "languages", "en, ja")
    assert two.languages == ("en", "ja")
    assert "en, ja" in rule_fields(two)[-3].choices
