"""4 Train with several accounts: their weights, what they come to, and what was learned from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.home import Home
from tests.functional.test_app_train import plan_scratch
from tests.functional.walk import Heard, assert_safe, screen, settled, until
from tui.app import MynahApp
from tui.train.weights import WeightsScreen

pytestmark = pytest.mark.usefixtures("no_process_stays")
TWO = '{"chosen": ["second_breakfast_club", "keeper_of_the_light"]}'


@pytest.mark.slow
async def test_weights_change_the_shares_at_once_and_reach_the_run(
    sample_home: Home, next_run: Callable[..., None]
) -> None:
    # 20,000 tokens of both in whole tweets come to the planned shares within three hundredths
    next_run(minutes=None, max_steps=20, batch_tokens=1024, eval_tokens=256)
    sample_home.settings.write_text(TWO)
    app = MynahApp(sample_home, section="train", poll_seconds=0.1)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        plan_scratch(app, 0.1)
        app.training.ask_advice()
        await settled(pilot)
        assert "[ equal ]" in screen(pilot)
        assert "@second_breakfast_club 50 %" in screen(pilot)
        before = screen(pilot)
        await pilot.press("b")
        await pilot.pause()
        assert isinstance(app.screen, WeightsScreen)
        await pilot.press("right")  # from 1 to 2
        await pilot.pause()
        assert "67 %" in screen(pilot)
        assert "33 %" in screen(pilot)
        await pilot.press("enter", *"30", "enter")
        await pilot.pause()
        assert "@keeper_of_the_light is too small for 97 %" in screen(pilot)
        assert_safe(pilot)
        await pilot.press("e")
        await pilot.pause()
        assert "too small" not in screen(pilot)
        await pilot.press("down", "enter", *"0.5", "escape", "left", "escape")
        await settled(pilot)
        assert not isinstance(app.screen, WeightsScreen)
        assert app.state.new_run.weights == {"second_breakfast_club": 0.5}
        assert "[ 1:0.5 ]" in screen(pilot)
        assert "@keeper_of_the_light 67 %" in screen(pilot)
        assert screen(pilot) != before

        await pilot.press("s")
        await until(pilot, lambda: app.state.runs and app.state.runs[0].state == "finished", 90)
        await settled(pilot)
        run = app.state.runs[0]  # type: ignore[index]
        keeper = run.shares["keeper_of_the_light"]
        assert keeper.expected == pytest.approx(2 / 3)
        assert keeper.measured == pytest.approx(2 / 3, abs=0.1)
        assert "(plan 67/33)" in screen(pilot)
        assert app.failures == []


async def test_where_there_is_nothing_to_weigh(sample_home: Home) -> None:
    sample_home.settings.write_text(TWO)
    app, heard = MynahApp(sample_home, section="train"), Heard()
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await settled(pilot)
        await pilot.press("left_square_bracket")
        app.training.change("preset", "classic")
        await settled(pilot)
        assert "as classic" in screen(pilot)
        await pilot.press("b")
        await pilot.pause()
        assert any("classic has no weights" in toast for toast in heard.toasts)
        app.choose(["keeper_of_the_light"])
        await settled(pilot)
        assert not [
            line for line in screen(pilot).splitlines() if "weights" in line and "…" in line
        ]
        await pilot.press("b")
        await pilot.pause()
        assert any("Only one account" in toast for toast in heard.toasts)
        assert not isinstance(app.screen, WeightsScreen)
        assert app.failures == []
