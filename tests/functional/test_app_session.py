"""The app begins where it was left; colours of one's own; windows of any size; the shell."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

import pytest
from textual.widgets import Input, TextArea

from core.config import read_config, set_config
from core.home import Home
from tests.functional.walk import Heard, assert_safe, screen, settled, until
from tui.actions import SECTIONS
from tui.app import MynahApp
from tui.state import State
from tui.text.next_step import next_step


async def leave(pilot: Any) -> None:
    await pilot.press("ctrl+q")
    await until(pilot, lambda: pilot.app._exit)


async def test_section_query_and_prompt_are_there_again(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.section == "data"
        app.choose(["orbit_grandmother"])
        await settled(pilot)
        await pilot.press("3")
        await settled(pilot)
        app.screen.query_one(TextArea).load_text("SELECT 1\n  AS one -- [b]")
        await pilot.press("5", "p", "end", *"now", "escape")
        await settled(pilot)
        await leave(pilot)
    again = MynahApp(sample_home)
    async with again.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert again.section == "sample"
        assert again.state.chosen == ["orbit_grandmother"]
        assert again.screen.query_one("#prompt", Input).value == "My dream isnow"
        await pilot.press("4")
        await settled(pilot)
        await leave(pilot)  # without a look at Query: its text stays nevertheless
    third = MynahApp(sample_home)
    async with third.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert third.section == "train"
        await pilot.press("3")
        await settled(pilot)
        assert third.screen.query_one(TextArea).text == "SELECT 1\n  AS one -- [b]"
    if sys.platform != "win32":
        assert sample_home.session.stat().st_mode & 0o77 == 0, "nobody else can read it"


async def test_a_changed_recipe_is_there_again_and_still_not_saved(sample_home: Home) -> None:
    first = MynahApp(sample_home, section="filter")
    async with first.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert first.state.recipe is not None
        first.change_recipe(first.state.recipe.replace(drop_replies=True, min_words=7))
        await settled(pilot)
        await leave(pilot)
    again = MynahApp(sample_home)
    async with again.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        recipe = again.state.recipe
        assert recipe is not None
        assert (recipe.name, recipe.drop_replies, recipe.min_words) == ("standard", True, 7)
        assert "● changed" in screen(pilot)
        assert again.state.curation is not None
        assert again.state.curation.recipe == recipe, "and it is what is counted"
        await pilot.press("u", "y")
        await settled(pilot)
        assert again.state.recipe == again.state.saved_recipe
        await leave(pilot)
    third = MynahApp(sample_home)
    async with third.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert third.state.recipe is not None
        assert not third.state.recipe.changed, "what was taken back is gone"


@pytest.mark.parametrize("kept", ["[rules]\nmin_words = 'many'", "[rules]\nfrom_2040 = 1", "]"])
async def test_a_kept_recipe_that_cannot_be_read_is_none(sample_home: Home, kept: str) -> None:
    sample_home.session.write_text(json.dumps({"recipe": kept, "recipe_of": "standard"}))
    app = MynahApp(sample_home)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.state.recipe is not None
        assert not app.state.recipe.changed
        assert app.failures == []


async def test_it_can_be_switched_off(sample_home: Home) -> None:
    sample_home.session.write_text('{"section": "train", "prompt": "secret"}')
    set_config(sample_home, "app.restore", "off")
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.section == "data"
        await pilot.press("5")
        await settled(pilot)
        assert app.screen.query_one("#prompt", Input).value == "My dream is"
        await leave(pilot)
    assert not sample_home.session.exists()


@pytest.mark.parametrize("written", ["", "[]", '{"section": "sing", "query": 5}', "\udcff"])
async def test_a_damaged_session_is_none(sample_home: Home, written: str) -> None:
    sample_home.session.write_bytes(written.encode("utf-8", "surrogateescape"))
    app = MynahApp(sample_home)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.section == "data"
        assert app.state.session.get("query") is None


async def test_a_theme_of_ones_own_is_chosen_and_a_damaged_one_told(sample_home: Home) -> None:
    sample_home.themes.mkdir()
    (sample_home.themes / "dusk.toml").write_text('primary = "#123456"\nbackground = "#fffff0"')
    (sample_home.themes / "bad.toml").write_text('primary = "[b]"')
    sample_home.settings.write_text(json.dumps({"theme": "dusk"}))
    app, heard = MynahApp(sample_home), Heard()
    async with app.run_test(message_hook=heard) as pilot:
        await settled(pilot)
        assert app.theme == "dusk"
        assert app.current_theme.primary == "#123456"
        assert heard.toasts == ["A theme is not used: bad.toml: primary is no colour."]
        assert_safe(pilot)


async def test_a_theme_that_is_damaged_once_stays_the_chosen_one(home: Home) -> None:
    home.themes.mkdir(parents=True)
    (home.themes / "dusk.toml").write_text('primary = "#12')
    set_config(home, "app.theme", "dusk")
    app = MynahApp(home)
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.theme == "mynah"
        await leave(pilot)
    assert read_config(home)["app.theme"] == "dusk"


def test_a_recipe_that_was_not_read_yet_is_remembered(home: Home) -> None:
    home.root.mkdir()
    home.settings.write_text(json.dumps({"recipe": "strict"}))
    left_at_once = State(home)
    left_at_once.recall()
    left_at_once.remember()
    assert State(home).recall() == "strict"


@pytest.mark.parametrize(
    ("section", "main"),
    [
        ("data", "goodnight"),
        ("filter", "Tweets downloaded"),
        ("query", "f5 runs the query"),
        ("train", "┤"),
        ("sample", "My dream is"),
    ],
)
async def test_a_low_window_shows_the_main_thing(told_home: Home, section: str, main: str) -> None:
    app = MynahApp(told_home, section=section)
    async with app.run_test(size=(60, 15)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.state.runs is not None)
        await settled(pilot)
        assert main in screen(pilot)
        focused = app.focused
        await pilot.resize_terminal(20, 5)
        await settled(pilot)
        words = " ".join(screen(pilot).split())
        assert words == "20x5 is too small; mynah needs 40x10. ^q quits."
        await pilot.resize_terminal(60, 15)
        await settled(pilot)
        assert main in screen(pilot)
        assert app.focused is focused, "the keys go where they went"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no job control")
async def test_ctrl_z_suspends(sample_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    app = MynahApp(sample_home)
    async with app.run_test() as pilot:
        await settled(pilot)
        monkeypatch.setattr(type(app._driver), "can_suspend", True)
        monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: sent)
        assert sent == [(os.getpid(), signal.SIGTSTP)]
        monkeypatch.undo()


@pytest.mark.parametrize("section", SECTIONS)
def test_the_next_step_names_the_keys_that_hold(section: str) -> None:
    state = State(Home.at("/nowhere"), accounts=[], keymap={"data.samples": "f6"})
    if section != "data":
        assert "f6 for the sample authors" in next_step(state, section)
    state.accounts, state.chosen = [object()], ["keeper"]  # type: ignore[list-item]
    state.keymap = {"app.train": "f4", "train.start": "f9", "data.mark": "m"}
    words = next_step(state, section)
    assert "f4" in words or "f9" in words
    assert len(words) <= 74
