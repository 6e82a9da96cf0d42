"""Recipes: files, names, hashes, strict validation, and the form made from them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.curation.recipe import (
    BUNDLED_RECIPES,
    FIRST_RULES,
    RULE_KEYS,
    Recipe,
    load_recipe,
    recipe_names,
    rule_value,
    save_recipe,
    with_rule,
)
from core.curation.rules import rule_fields
from core.errors import InputRefused
from core.home import Home

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


SHIPPED = ["standard", "classic", "strict", "dialogue", "english"]


def test_those_that_ship() -> None:
    standard, classic = load_recipe("standard"), load_recipe("classic")
    assert recipe_names() == SHIPPED
    assert all(load_recipe(name).about for name in SHIPPED)
    assert len({load_recipe(name).hash for name in SHIPPED}) == len(SHIPPED)
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
    assert Recipe("other", about="words") == Recipe("other")
    edited = standard.replace(min_words=4, languages=["EN", "de", "en"])
    assert edited.name == "standard"
    assert edited.languages == ("de", "en")
    assert edited.changed
    assert edited.hash != standard.hash
    back = edited.replace(min_words=3, languages=[])
    assert back.hash == standard.hash
    assert not back.changed


def test_old_hashes_stay_when_rules_are_added() -> None:
    """As they were when a recipe had fourteen rules: manifests and stored verdicts hold them."""
    assert load_recipe("standard").hash == "8cec5fa47248"
    assert load_recipe("classic").hash == "22a910049a1c"
    for key, value in LATER_RULES.items():
        changed = load_recipe("standard").replace(**{key: value})
        assert changed.hash != "8cec5fa47248", key
        back = changed.replace(**{key: Recipe("any").rules[key]})
        assert back.hash == "8cec5fa47248"
    assert set(LATER_RULES) == set(RULE_KEYS) - FIRST_RULES


LATER_RULES = {
    "detect_languages": True,
    "min_characters": 20,
    "first_date": "2016-01-01",
    "last_date": "2016-12-31",
    "blocked_words": ["giveaway"],
    "personal_data": "flag",
    "threads": "join",
    "near_duplicates": 80,
    "most_per_author": 1000,
}


def test_a_file_of_before_the_later_rules_means_the_same(tmp_path: Path) -> None:
    old = tmp_path / "old.toml"
    old.write_text("[rules]\n" + "\n".join(f'{k} = "keep"' for k in ("links", "mentions")))
    recipe = load_recipe(old)
    assert recipe.rules == Recipe("old", links="keep", mentions="keep").rules
    assert not any(recipe.rules[key] for key in set(LATER_RULES) - {"personal_data", "threads"})
    assert (recipe.personal_data, recipe.threads) == ("keep", "separate")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[rules]\nmin_word = 3", ["'min_word'", "Did you mean 'min_words'?"]),
        (
            "[rules]\nlinks = 'dorp'",
            ["links", "'dorp'", "drop, domain, keep", "Did you mean 'drop'?"],
        ),
        ("[rules]\ndrop_retweets = 'yes'", ["drop_retweets", "true or false"]),
        ("[rules]\nmin_words = true", ["min_words", "whole number"]),
        ("[rules]\nmin_words = -1", ["min_words", "0 to 100"]),
        ("[rules]\nmin_words = 3.0", ["min_words"]),
        ("[rules]\nlanguages = 'en'", ["languages", "list"]),
        ("[rules]\nlanguages = ['english!']", ["english!", "Did you mean 'en'?"]),
        ("[rules]\nlanguages = ['Portugese']", ["languages", "Did you mean 'pt'?"]),
        ("[rules]\nlinks = 'domains'", ["'domains'", "Did you mean 'domain'?"]),
        ("[rules]\npersonal_data = true", ["personal_data", "keep, flag, drop"]),
        ("[rules]\npersonal_data = 'flags'", ["personal_data", "Did you mean 'flag'?"]),
        ("[rules]\ndrop_quotes = 'true'", ["drop_quotes", "Did you mean true, without"]),
        ("[rules]\nmin_words = '3'", ["min_words", "The nearest is 3."]),
        ("[rules]\nmin_characters = 2000", ["min_characters", "0 to 1000", "nearest is 1000"]),
        ("[rules]\nnear_duplicates = 0.8", ["near_duplicates", "0 to 100", "The nearest is 1."]),
        ("[rules]\nnear_duplicates = nan", ["near_duplicates", "0 to 100"]),
        ("[rules]\nmost_per_author = -1", ["most_per_author", "0 to 1000000", "nearest is 0"]),
        ("[rules]\nfirst_date = '2016'", ["first_date", "Did you mean '2016-01-01'?"]),
        ("[rules]\nlast_date = '2016-2'", ["last_date", "Did you mean '2016-02-29'?"]),
        ("[rules]\nlast_date = '2016'", ["last_date", "Did you mean '2016-12-31'?"]),
        ("[rules]\nfirst_date = '2016-5'", ["first_date", "Did you mean '2016-05-01'?"]),
        ("[rules]\nfirst_date = '2016-13-05'", ["first_date", "Did you mean '2016-12-05'?"]),
        ("[rules]\nfirst_date = '2016-00-05'", ["first_date", "Did you mean '2016-01-05'?"]),
        ("[rules]\nlast_date = '2016-04-00'", ["last_date", "Did you mean '2016-04-01'?"]),
        ("[rules]\nfirst_date = '0001-1-2'", ["first_date", "Did you mean '0001-01-02'?"]),
        ("[rules]\nfirst_date = '0000-01-02'", ["first_date", '"" for any.']),
        ("[rules]\nlast_date = '9999'", ["last_date", "Did you mean '9999-12-31'?"]),
        ("[rules]\nlast_date = '31.12.2016'", ["last_date", '"2016-12-31"']),
        ("[rules]\nfirst_date = '2015-02-30'", ["first_date", "Did you mean '2015-02-28'?"]),
        ("[rules]\nfirst_date = '2015/1/9'", ["first_date", "Did you mean '2015-01-09'?"]),
        ("[rules]\nfirst_date = 2016-01-01T00:00:00", ["first_date", "'2016-01-01'?"]),
        ("[rules]\nfirst_date = 20160101", ["first_date", "a day written as"]),
        (
            "[rules]\nfirst_date = '2017-01-01'\nlast_date = '2016-12-31'",
            ["first_date", "after last_date", "Swap"],
        ),
        ("[rules]\nblocked_words = 'ad'", ["blocked_words", 'Did you mean ["ad"]?']),
        ("[rules]\nblocked_words = ['', 'a']", ["blocked_words", "''"]),
        ("[rules]\nblocked_words = [3]", ["blocked_words", "3"]),
        ("[rules]\nblocked_words = ' '", ["blocked_words is ' '", "empty means none."]),
        ("[rules]\nblocked_words = 7", ["blocked_words is 7", "empty means none."]),
        ("[rules]\nblocked_words = [' ']", ["blocked_words holds ' '"]),
        ("[rules]\nblocked_words = [' , ']", ["blocked_words holds ' , '", "can be inside one."]),
        (f"[rules]\nblocked_words = ['{'a' * 281}']", ["has 281 characters", "at most 280"]),
        ("[rules]\nblocked_words = ['a, b']", ["blocked_words", "Did you mean 'a', 'b'?"]),
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
    assert recipe_names(home) == [*SHIPPED, "my-own"]
    again = load_recipe("my-own", home)
    assert again == saved
    assert again.about == "standard, with changes.", "the words of another would not be true"
    assert load_recipe(home.recipes / "my-own.toml").hash == saved.hash
    assert save_recipe(again.replace(min_words=6), home).name == "my-own"
    assert load_recipe("my-own", home).min_words == 6
    assert [path.name for path in home.recipes.iterdir()] == ["my-own.toml"]


def test_every_rule_survives_saving(home: Home) -> None:
    recipe = Recipe("mine", languages=("en", "pt-br"), **LATER_RULES)
    save_recipe(recipe, home)
    assert load_recipe("mine", home) == recipe


def test_dates_and_words_in_their_normal_form(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        "[rules]\nfirst_date = 2016-01-01\nlast_date = '2016-01-01'\n"
        "blocked_words = ['Sign  up', 'AD', ' ad ']\n"
    )
    recipe = load_recipe(path)
    assert (recipe.first_date, recipe.last_date) == ("2016-01-01", "2016-01-01")
    assert recipe.blocked_words == ("ad", "sign up")
    same = Recipe(
        "x", first_date="2016-01-01", last_date="2016-01-01", blocked_words=["sign up", "ad"]
    )
    assert recipe.hash == same.hash


def test_the_ends_of_what_a_rule_may_hold() -> None:
    day = "2016-02-29"
    recipe = Recipe("mine", first_date=day, last_date=day, blocked_words=["a" * 280])
    assert (recipe.first_date, recipe.last_date) == (day, day)
    numbers = {field.key: field.maximum for field in rule_fields() if field.maximum}
    assert numbers == {
        "near_duplicates": 100,
        "most_per_author": 1_000_000,
        "min_words": 100,
        "min_characters": 1000,
    }
    assert not any(field.maximum for field in rule_fields() if field.kind != "number")


def test_an_about_of_any_characters_survives(home: Home) -> None:
    about = 'quotes " and \\ and \x00 \x7f \n ünï 🎈'
    saved = save_recipe(Recipe("mine", about=about), home)
    assert load_recipe("mine", home).about == saved.about == about


@pytest.mark.parametrize("name", ["standard", "classic", "strict", "../x", "", "A b", "a.toml"])
def test_names_that_cannot_be_saved(home: Home, name: str) -> None:
    with pytest.raises(InputRefused):
        save_recipe(load_recipe("standard"), home, name=name)
    assert not home.root.exists()


def test_a_bundled_name_means_the_bundled_recipe(home: Home) -> None:
    home.recipes.mkdir(parents=True)
    (home.recipes / "classic.toml").write_text("[rules]\nmin_words = 9\n")
    assert load_recipe("classic", home).min_words == 3
    assert recipe_names(home) == SHIPPED


def test_a_name_that_was_the_persons_own_before_it_shipped(home: Home) -> None:
    home.recipes.mkdir(parents=True)
    (home.recipes / "strict.toml").write_text("[rules]\nmin_words = 9\n")
    mine = load_recipe("strict", home)
    assert (mine.min_words, mine.drop_replies) == (9, False)
    save_recipe(mine.replace(min_words=8), home)
    assert load_recipe("strict", home).min_words == 8
    assert load_recipe("strict").drop_replies
    assert recipe_names(home) == SHIPPED


def test_a_form_can_show_and_set_every_rule() -> None:
    recipe = load_recipe("standard")
    fields = rule_fields([*recipe.languages, "ja", "en"])
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
        elif field.kind == "number":
            assert rule_value(with_rule(recipe, field.key, field.maximum), field.key) == (
                field.maximum
            )
            with pytest.raises(InputRefused, match=str(field.maximum)):
                with_rule(recipe, field.key, field.maximum + 1)
        else:
            assert field.kind == "text"
            assert field.empty
            assert value == ""
            written = TEXTS[field.key]
            edited = with_rule(recipe, field.key, f" {written} ")
            assert rule_value(edited, field.key) == written
            assert with_rule(edited, field.key, "").rules == recipe.rules
    (languages,) = (field for field in fields if field.key == "languages")
    assert languages.choices == ("en", "ja")
    two = with_rule(recipe, "languages", "ja, EN,")
    assert two.languages == ("en", "ja")
    assert rule_value(two, "languages") == "en, ja"
    assert with_rule(two, "languages", "any").languages == ()
    assert [field.choices for field in rule_fields(two.languages) if field.key == "languages"] == [
        ("en", "ja")
    ]


TEXTS = {
    "languages": "de, pt-br",
    "blocked_words": "giveaway, sign up",
    "first_date": "2016-01-01",
    "last_date": "2016-12-31",
}


def test_what_a_form_cannot_hold_is_refused() -> None:
    recipe = load_recipe("standard").replace(first_date="2016-01-01")
    with pytest.raises(InputRefused, match="after last_date"):
        with_rule(recipe, "last_date", "2015-12-31")
    with pytest.raises(InputRefused, match="Did you mean '2016-12-31'"):
        with_rule(recipe, "last_date", "2016-12-32")
    with pytest.raises(InputRefused, match="Did you mean 'en'"):
        with_rule(recipe, "languages", "de, english")
