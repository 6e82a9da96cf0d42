"""In a narrow window one panel shows at a time: keys act on it, and on nothing out of sight."""

from __future__ import annotations

import pytest

from core.home import Home
from core.sampling.favourites import favourites
from tests.functional.walk import Heard, runs_there, screen, settled, until
from tui.app import MynahApp
from tui.dialogs.decide import Decide
from tui.section.screen import Section
from tui.widgets.field import Field
from tui.widgets.row_list import RowList

NARROW = (80, 24)


def in_sight(app: MynahApp) -> bool:
    """Whether what has the focus shows; something has it."""
    assert isinstance(app.screen, Section)
    return app.focused is not None and not app.screen.turned_away(app.focused)


@pytest.mark.slow
async def test_the_focus_is_in_the_panel_that_shows(told_home: Home) -> None:
    app = MynahApp(told_home)
    async with app.run_test(size=NARROW) as pilot:
        await runs_there(pilot)
        for section in "12345":
            await pilot.press("escape", section)
            await settled(pilot)
            assert in_sight(app), f"section {section} as it opens"
            for turn in ("left_square_bracket", "left_square_bracket"):
                await pilot.press(turn)
                await settled(pilot)
                await pilot.press("escape", "escape")
                await settled(pilot)
                assert in_sight(app), f"section {section} after esc"


async def test_a_window_that_becomes_narrow_takes_the_focus_along(told_home: Home) -> None:
    app = MynahApp(told_home, section="train")
    async with app.run_test(size=(120, 40)) as pilot:
        await runs_there(pilot)
        assert app.focused is app.screen.query_one("#runs")
        await pilot.resize_terminal(*NARROW)
        await settled(pilot)
        assert in_sight(app)
        await pilot.press("left_square_bracket", "down", "4")
        await settled(pilot)
        assert isinstance(app.focused, Field)
        await pilot.resize_terminal(120, 40)
        await settled(pilot)
        assert isinstance(app.focused, Field), "and wide again, nothing moves"


async def test_esc_in_accounts_lets_nobody_forget_a_tweet_unseen(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        tweets, accounts = (
            app.screen.query_one(f"#{one}", RowList) for one in ("tweets", "accounts")
        )
        await pilot.press("left_square_bracket")
        await settled(pilot)
        await pilot.press("escape", "escape", "down", "x")
        await until(pilot, lambda: isinstance(app.screen, Decide))
        assert (tweets.cursor, accounts.cursor) == (0, 1)
        handle = (app.state.accounts or [])[1].handle
        assert f"Forget @{handle}" in screen(pilot), "the account under the cursor"


@pytest.mark.parametrize(("key", "status"), [("w", "kept only"), ("s", "oldest first")])
async def test_sorting_in_accounts_shows_the_tweets(
    sample_home: Home, key: str, status: str
) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("left_square_bracket")
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert status in screen(pilot)
        assert app.focused is app.screen.query_one("#tweets")


async def test_a_tweet_out_of_sight_is_not_left_out(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        assert app.state.curation is not None
        before = app.state.curation.total.kept
        await pilot.press("left_square_bracket", "o")
        await settled(pilot)
        assert app.focused is app.screen.query_one("#tweets"), "it is shown first"
        assert app.state.curation.total.kept == before
        assert "Left out" not in screen(pilot)


async def test_a_sample_out_of_sight_is_not_kept(trained_home: Home) -> None:
    app = MynahApp(trained_home, section="sample")
    async with app.run_test(size=NARROW) as pilot:
        await runs_there(pilot)
        samples = app.screen.query_one("#samples")
        await pilot.press("left_square_bracket", "v")
        await settled(pilot)
        assert app.focused is samples
        assert favourites(trained_home) == []
        assert not app.screen.turned_away(samples)  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", ["x", "r", "f", "N", "n", "#", "d"])
async def test_a_run_out_of_sight_is_not_changed(told_home: Home, key: str) -> None:
    app, heard = MynahApp(told_home, section="train"), Heard()
    async with app.run_test(size=NARROW, message_hook=heard) as pilot:
        await runs_there(pilot)
        section, runs = app.screen, app.screen.query_one("#runs")
        await pilot.press(key)
        await until(pilot, lambda: app.focused is runs)
        assert "Runs" in screen(pilot)
        assert app.screen is section, "nothing is asked yet"
        assert heard.toasts == []
        await pilot.press(key)
        await until(pilot, lambda: app.screen is not section or heard.toasts)


async def test_train_without_a_run_has_a_cursor_in_both_panels(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        await pilot.press("4")
        await settled(pilot)
        assert in_sight(app)
        await pilot.press("left_square_bracket")
        await settled(pilot)
        first = app.focused
        assert isinstance(first, Field)
        await pilot.press("down")
        await settled(pilot)
        assert isinstance(app.focused, Field)
        assert app.focused is not first


async def test_nothing_shows_beside_a_page_in_a_narrow_window(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=NARROW) as pilot:
        await settled(pilot)
        section = app.screen
        for key in ("a", "i", "x", "e", "question_mark", "comma", "T", "f12"):
            await pilot.press(key)
            await until(pilot, lambda: app.screen is not section and app.screen.query("#dialog"))
            await pilot.pause()
            across = app.screen.query_one("#dialog").region
            assert (across.x, across.width) == (0, NARROW[0]), f"the page of {key}"
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is section)
