"""The page of settings: each is listed, changed where it stands, and holds at once."""

from __future__ import annotations

from textual.widgets import Static

from core.config import SETTINGS, read_config, set_config
from core.home import Home
from tests.functional.walk import assert_safe, screen, settled, until
from tui.app import MynahApp
from tui.settings.screen import SettingsScreen
from tui.widgets.field_form import FieldForm


async def test_settings_are_changed_where_they_stand(told_home: Home) -> None:
    set_config(told_home, "tracking.project", "[red]\x1bgull")
    app = MynahApp(told_home, section="train")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("comma")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await settled(pilot)
        shown = screen(pilot)
        assert all(setting.name in shown for setting in SETTINGS)
        assert "config.toml" in str(app.screen.query_one("#setting-note", Static).content)
        assert "tracking.project (shipped: nothing)" in shown
        assert_safe(pilot)

        await pilot.press("right")  # the first theme there is
        await until(pilot, lambda: app.theme == "ansi-dark")
        await pilot.press(
            "down", "enter", "down", "right", "down", "enter", "ctrl+u", *"7", "enter"
        )
        await settled(pilot)
        assert read_config(told_home) == {
            "app.theme": "ansi-dark", "app.restore": "off", "train.preset": "quality",
            "train.minutes": 7.0, "tracking.project": "[red]\x1bgull",
        }  # fmt: skip
        assert "train.minutes (shipped: 2)" in screen(pilot)
        await pilot.press("u", "down", "u")
        await settled(pilot)
        assert not {"train.minutes", "tracking.project"} & set(read_config(told_home))
        assert app.state.new_run.minutes == 2.0
        await pilot.press("escape")
        await settled(pilot)
        form = app.screen.query_one("#train-form", FieldForm)
        assert (form.values["preset"], form.values["minutes"]) == ("quality", 2.0)
        assert app.failures == []


async def test_other_keys_hold_at_once_and_what_will_not_do_is_said(told_home: Home) -> None:
    app = MynahApp(told_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("comma", "end", "enter", "g", "enter")
        await settled(pilot)
        assert "Keys of app.data" in screen(pilot)
        await pilot.press("ctrl+u", "2", "enter")
        await settled(pilot)
        assert "2 would mean" in screen(pilot)
        await pilot.press("enter", "g", "enter", "ctrl+u", *"f6", "enter")
        await settled(pilot)
        assert read_config(told_home) == {"keymap.app.data": "f6"}
        assert "keymap.app.data (shipped: 1)" in screen(pilot)
        await pilot.press("enter", "ctrl+u", "3", "enter")
        await settled(pilot)
        assert "3 would mean" in screen(pilot)
        assert read_config(told_home) == {"keymap.app.data": "f6"}
        await pilot.press("escape", "escape", "f6")
        await until(pilot, lambda: app.section == "data")
        await pilot.press("comma", "end", "up", "u")
        await settled(pilot)
        assert read_config(told_home) == {}
        assert "keymap" not in screen(pilot)
        assert app.failures == []


async def test_a_damaged_file_is_named_and_left_alone(told_home: Home) -> None:
    file = told_home.root / "config.toml"
    file.write_text("[train\n")
    app = MynahApp(told_home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("comma")
        await settled(pilot)
        assert "is not valid TOML" in screen(pilot)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert "[x] app.restore" in screen(pilot)
        assert file.read_text() == "[train\n"
