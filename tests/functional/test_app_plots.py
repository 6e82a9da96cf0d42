"""Plots: what the chosen tweets are like, account by account."""

from __future__ import annotations

import pytest

from core.curation.profile import profile
from core.curation.recipe import load_recipe
from core.home import Home
from tests.functional.walk import assert_safe, screen, settled
from tui.app import MynahApp
from tui.profile.panels import summary


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_plots_go_through_the_accounts_and_close(
    sample_home: Home, size: tuple[int, int]
) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        *each, together = profile(sample_home, app.state.chosen, load_recipe("standard"))
        await pilot.press("p")
        await settled(pilot)
        assert summary(together) in screen(pilot)
        assert "Months" in screen(pilot)
        for one in reversed(each):
            await pilot.press("left")
            await settled(pilot)
            assert f"@{one.handle}" in screen(pilot)
            assert summary(one) in screen(pilot)
        assert_safe(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen.query("#recipe-form")


async def test_plots_follow_the_recipe_as_it_stands(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.state.recipe is not None
        app.change_recipe(app.state.recipe.replace(min_words=9))
        await settled(pilot)
        assert app.state.curation is not None
        kept = app.state.curation.total.kept
        await pilot.press("p")
        await settled(pilot)
        assert f"{kept:,} kept of" in screen(pilot)


async def test_plots_without_tweets_say_so(home: Home) -> None:
    app = MynahApp(home, section="filter")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("p")
        await settled(pilot)
        assert "No tweets yet" in screen(pilot)
