"""config.toml: typed, explained, changed line by line; and what reads it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.config import SETTINGS, known_config, read_config, set_config
from core.errors import InputRefused
from core.home import Home
from core.tracking.options import tracking_asked
from tests.unit.cli import mynah
from tui.keymap import own_keys
from tui.state import State

MINE = """# mine, and it stays
[train]   # of an evening
minutes = 3  # short
# nothing yet

[keymap]
"data.add" = "f6"
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home").mkdir()
    return Home.at(tmp_path / "home")


def file(home: Home) -> Path:
    return home.root / "config.toml"


def test_without_a_file_everything_is_as_shipped(home: Home) -> None:
    assert read_config(home) == {}
    rows = mynah("config", "--json", home=home.root).json()
    assert [row["name"] for row in rows] == [one.name for one in SETTINGS]
    assert all(row["about"].endswith(".") and not row["chosen"] for row in rows)
    assert mynah("config", "get", "train.minutes", home=home.root).text == "2\n"
    assert not file(home).exists()


def test_the_list_names_keys_and_themes_of_ones_own(home: Home) -> None:
    said = mynah("config", home=home.root).err
    assert "`mynah config set keymap.data.add f6`" in said
    assert str(home.themes) in said
    assert str(file(home)) in said
    mynah("config", "set", "keymap.data.add", "f6", home=home.root)  # as it is said


def test_a_setting_is_written_with_its_explanation_and_taken_out_again(home: Home) -> None:
    mynah("config", "set", "train.minutes", "5", home=home.root)
    mynah("config", "set", "train.preset", "quality", home=home.root)
    mynah("config", "set", "keymap.data.add", "f6", home=home.root)
    written = file(home).read_text()
    assert "# The training time that Train begins with.\nminutes = 5.0" in written
    assert read_config(home) == {
        "train.minutes": 5.0, "train.preset": "quality", "keymap.data.add": "f6",
    }  # fmt: skip
    listed = mynah("config", home=home.root).text
    assert "keymap.data.add" in listed
    assert mynah("config", "get", "train.minutes", "--json", home=home.root).json()["chosen"]
    mynah("config", "unset", "train.minutes", home=home.root)
    assert "train.minutes" not in read_config(home)
    assert "not set" in mynah("config", "unset", "train.minutes", home=home.root, code=3).err
    set_config(home, "train.minutes", "5")
    assert sorted(file(home).read_text().splitlines()) == sorted(written.splitlines())
    assert set_config(home, "tracking.project", "a\x7f\x1b\u2028b") == "a\x7f\x1b\u2028b"
    set_config(home, "train.minutes", "6")
    assert read_config(home)["tracking.project"] == "a\x7f\x1b\u2028b"


def test_what_is_on_or_off_can_be_true_or_false(home: Home) -> None:
    for typed, value in (("true", "on"), ("off", "off"), ("True", "on"), ("false", "off")):
        mynah("config", "set", "query.vim", typed, home=home.root)
        assert read_config(home) == {"query.vim": value}
    file(home).write_text("[query]\nvim = true\n")
    assert mynah("config", "get", "query.vim", home=home.root).text == "on\n"
    set_config(home, "query.vim", "off")
    assert 'vim = "off"' in file(home).read_text()


def test_what_a_person_wrote_stays(home: Home) -> None:
    file(home).write_text(MINE)
    set_config(home, "train.preset", "classic")
    set_config(home, "keymap.data.add", "f7")
    set_config(home, "tracking.project", 'a "b" \\ [c]')
    written = file(home).read_text()
    assert written.startswith(
        "# mine, and it stays\n[train]   # of an evening\nminutes = 3  # short"
    )
    assert '"data.add" = "f7"' in written
    assert read_config(home) == {
        "train.minutes": 3.0,
        "train.preset": "classic",
        "keymap.data.add": "f7",
        "tracking.project": 'a "b" \\ [c]',
    }
    set_config(home, "tracking.project", None)
    set_config(home, "train.preset", None)
    set_config(home, "keymap.data.add", "f6")
    assert set(MINE.splitlines()) <= set(file(home).read_text().splitlines())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train.minuets", "5"], "train.minutes"),
        (["train.minutes", "many"], "at least 0.2 and at most 600"),
        (["train.minutes", "0"], "at least 0.2"),
        (["train.minutes", "nan"], "cannot be"),
        (["query.vim", "maybe"], "on, off"),
        (["tracking.mode", "loud"], "offline, online"),
        (["app.theme", "okabe"], "okabe-ito, okabe-ito-day"),
        (["app.theme", "\x1b7"], "There are ansi-dark"),
        (["keymap.data.add", "g,,"], "needs keys"),
        (["keymap.data.no_such", "g"], "No action"),
        (["keymap.data.add", "x"], "would mean"),
    ],
)
def test_what_will_not_do_is_refused(home: Home, words: list[str], said: str) -> None:
    assert said in mynah("config", "set", *words, home=home.root, code=3).err
    assert not file(home).exists()


@pytest.mark.parametrize(
    "broken",
    [
        "[train\n",
        "minutes = 3\n",
        "[train]\nminutes = 'x'\n",
        "[query]\nvim = 1\n",
        "[other]\na = 1\n",
        "\0",
    ],
)
def test_a_damaged_file_is_named_and_left_alone(home: Home, broken: str) -> None:
    file(home).write_text(broken)
    with pytest.raises(InputRefused, match=r"config\.toml"):
        read_config(home)
    with pytest.raises(InputRefused, match=r"config\.toml"):
        set_config(home, "train.minutes", "5")
    assert file(home).read_text() == broken
    chosen, problem = known_config(home)
    assert (chosen, "config.toml" in problem) == ({}, True)


def test_a_byte_order_mark_at_the_start_is_nothing(home: Home) -> None:
    home.root.mkdir(exist_ok=True)
    file = home.root / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf# mine\ntrain.minutes = 3\n")
    assert read_config(home) == {"train.minutes": 3.0}
    set_config(home, "query.vim", "on")
    assert read_config(home) == {"train.minutes": 3.0, "query.vim": "on"}
    assert file.read_bytes().startswith(b"\xef\xbb\xbf# mine\n")


def test_it_goes_before_what_the_app_remembers(home: Home) -> None:
    home.settings.write_text(json.dumps(
        {"theme": "nord", "keymap": {"data.add": "f6", "train.start": "f7"},
         "tracking": {"project": "old", "entity": "me"}}
    ))  # fmt: skip
    for name, value in (("app.theme", "dracula"), ("keymap.data.add", "f8"),
                        ("train.minutes", "7"), ("tracking.project", "new")):  # fmt: skip
        set_config(home, name, value)
    state = State(home)
    assert (state.recall(), state.config_problem) == ("standard", "")
    assert (state.theme, state.new_run.minutes) == ("dracula", 7.0)
    assert own_keys(state.keys_set())[0] == {"data.add": "f8", "train.start": "f7"}
    state.remember()
    kept = json.loads(home.settings.read_text())
    assert kept["keymap"]["data.add"] == "f6", "each file keeps its own"
    asked = tracking_asked(home, "wandb")
    assert (asked.project, asked.entity) == ("new", "me")


def test_a_theme_of_ones_own_can_be_set(home: Home) -> None:
    home.themes.mkdir()
    (home.themes / "dusk.toml").write_text('primary = "#7fb4ca"')
    mynah("config", "set", "app.theme", "dusk", home=home.root)
    assert read_config(home) == {"app.theme": "dusk"}


def test_settings_that_are_chosen_at_once_are_all_kept(home: Home) -> None:
    names = [f"keymap.x{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: set_config(home, name, "f6"), names))
    assert sorted(read_config(home)) == names
