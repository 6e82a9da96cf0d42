"""Keys of one's own, from settings.json."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.home import Home
from tests.functional.walk import Heard, screen, settled, until
from tui.app import MynahApp
from tui.data.add_tweets import AddTweets
from tui.help import HelpScreen
from tui.keymap import own_keys


async def test_a_key_of_ones_own_works_and_is_shown(sample_home: Home) -> None:
    keymap = {"data.add": "f6", "app.quit": "ctrl+d", "app.help": "f7"}
    sample_home.settings.write_text(json.dumps({"keymap": keymap}))
    app, heard = MynahApp(sample_home), Heard()
    async with app.run_test(size=(140, 60), message_hook=heard) as pilot:
        await settled(pilot)
        assert "f6 Add tweets" in screen(pilot).splitlines()[-1]
        await pilot.press("a")
        await pilot.pause()
        assert not isinstance(app.screen, AddTweets), "the key of before means nothing"
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: heard.toasts)
        assert heard.toasts == ["Do you want to leave?: ctrl+d quits."]
        await pilot.press("escape", "f7")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "f6" in screen(pilot)
        app.choose(["orbit_grandmother"])
        await settled(pilot)
        await pilot.press("ctrl+d")
        await until(pilot, lambda: app._exit)
    assert json.loads(sample_home.settings.read_text())["keymap"] == keymap


@pytest.mark.parametrize(
    ("keymap", "words"),
    [
        ({"data.sing": "f6"}, "No action is called data.sing."),
        ({"data.add": 6}, "data.add needs keys"),
        ({"data.add": "a,,b"}, "data.add needs keys"),
        ({"data.add": "d"}, "d would mean data.add and data.samples."),
        ({"data.add": "ctrl+q"}, "ctrl+q would mean data.add and app.quit."),
        (["a"], "keymap is not a table"),
    ],
)
def test_what_cannot_be_used_is_told_and_changes_nothing(keymap: Any, words: str) -> None:
    keys, refused = own_keys({"keymap": keymap})
    assert keys == {}
    assert len(refused) == 1
    assert words in refused[0]


def test_two_actions_may_change_places() -> None:
    swapped = {"data.add": "d", "data.samples": "a"}
    assert own_keys({"keymap": swapped}) == (swapped, [])
    assert own_keys({}) == ({}, [])
