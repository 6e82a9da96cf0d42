"""4 Train: the settings behind "more", a run that goes on from another, overlaid runs by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.home import Home
from core.runs.folder import Run
from core.runs.settings import Continued
from tests.functional.walk import Heard, assert_safe, mynah, screen, settled, until
from tui.app import MynahApp
from tui.state import NewRun
from tui.train.run_fields import presets_own
from tui.widgets.field_form import FieldForm
from tui.widgets.row_list import RowList

pytestmark = pytest.mark.usefixtures("no_process_stays")


async def at_rest(pilot: Any) -> None:
    await settled(pilot)
    await until(pilot, lambda: mynah(pilot).state.runs is not None)
    await settled(pilot)


def row(app: MynahApp, index: int) -> str:
    listing = app.screen.query_one("#runs", RowList)
    return " ".join(text for text, _ in listing.rows.row(index))


def test_a_preset_has_no_rank_where_every_weight_learns() -> None:
    assert presets_own(NewRun(base="smollm2", preset="fast"))["lora_rank"] == 64
    assert presets_own(NewRun(base="smollm2", preset="fast"))["four_bit"] is False
    for base, preset in (("smollm2", "classic"), ("scratch", "fast")):
        new = NewRun(base=base, preset=preset, own={"four_bit": True})
        assert not {"lora_rank", "four_bit"} & presets_own(new).keys()
        assert new.overrides() == {}
    assert NewRun(base="smollm2", own={"four_bit": True}).overrides() == {"four_bit": True}
    assert NewRun(own={"lora_rank": 8}).overrides() == {"lora_rank": 8, "lora_alpha": 8}


async def test_settings_behind_more_hold_for_the_next_run(
    sample_home: Home, next_run: Callable[..., None]
) -> None:
    next_run(max_steps=2, eval_tokens=128)
    app = MynahApp(sample_home, section="train", poll_seconds=0.1)
    async with app.run_test(size=(120, 40)) as pilot:
        await at_rest(pilot)
        app.choose(["orbit_grandmother"])
        await settled(pilot)
        app.state.new_run.base = "scratch"
        app.new_run_changed.publish(app.state.new_run)
        await settled(pilot)
        total = app.state.curation
        assert total is not None
        shown = screen(pilot)
        assert f"{total.total.kept:,} of {total.total.downloaded:,} tweets" in shown
        assert "recipe standard" in shown
        form = app.screen.query_one("#train-form", FieldForm)
        lr: Any = form.field("lr")
        assert not lr.display
        form.field("more").focus()
        await pilot.press("enter", "down")
        assert app.focused is lr
        assert lr.value == 0.004, "as the preset has it for this base"
        assert not form.field("lora_rank").display
        await pilot.press("right", "down", "right", "right")
        await settled(pilot)
        assert app.state.new_run.own == {"lr": pytest.approx(0.006), "epochs": 9.0}
        await pilot.press("left", "left")
        await settled(pilot)
        assert set(app.state.new_run.own) == {"lr"}, "the preset's own is none of one's own"
        form.field("more").focus()
        await pilot.press("enter")
        assert not lr.display
        assert "[ more (1 set) ]" in screen(pilot)
        await pilot.press("s")
        await until(pilot, lambda: app.state.runs)
        settings = Run((app.state.runs or [])[0].folder).record().settings
        assert settings["lr"] == pytest.approx(0.006)
        assert settings["epochs"] == 8.0


async def test_a_changed_recipe_is_told(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="train")
    async with app.run_test(size=(120, 40)) as pilot:
        await at_rest(pilot)
        assert app.state.recipe is not None
        app.change_recipe(app.state.recipe.replace(min_words=9))
        await settled(pilot)
        assert "recipe standard (changed)" in " ".join(screen(pilot).split())


async def test_f_makes_a_new_run_from_the_weights_of_one(
    trained_home: Home, next_run: Callable[..., None]
) -> None:
    app, heard = MynahApp(trained_home, section="train", poll_seconds=0.1), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await at_rest(pilot)
        (first,) = app.state.runs or []
        await pilot.press("f")
        await until(pilot, lambda: len(app.state.runs or []) == 2)
        await settled(pilot)
        made = (app.state.runs or [])[0]
        assert made.continues == first.run
        record = Run(made.folder).record()
        assert record.continues == Continued(first.run, "scratch")
        assert record.settings["minutes"] == 2.0
        assert record.settings["max_steps"] is None
        assert any(f"the weights of {first.run}" in toast for toast in heard.toasts)
        assert " + orbit_grandmother" in row(app, 0)
        assert f"scratch + {first.run.rsplit('-', 1)[-1]}" in screen(pilot)
        await pilot.press("f")
        await until(pilot, lambda: any("Nothing to go on from" in toast for toast in heard.toasts))
        assert_safe(pilot)
        assert app.failures == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["small", "large"])
async def test_an_overlaid_run_wears_its_stroke_and_is_named(
    told_home: Home, size: tuple[int, int]
) -> None:
    app = MynahApp(told_home, section="train")
    async with app.run_test(size=size) as pilot:
        await at_rest(pilot)
        assert "╌╌" not in row(app, 1)
        app.screen.query_one("#runs", RowList).cursor = 1
        if size[0] == 80:
            await pilot.press("space")  # shows the runs first
        await pilot.press("space")
        app.screen.query_one("#runs", RowList).cursor = 0
        if size[0] == 80:
            await pilot.press("right_square_bracket")
        await settled(pilot)
        assert "╌╌" in row(app, 1)
        assert "╌╌" not in row(app, 0)
        (legend,) = [line for line in screen(pilot).splitlines() if "held out 3.45" in line]
        assert "╌╌ beef" in legend
        (other,) = [run for run in app.state.runs or [] if run.run.endswith("beef")]
        assert f"{other.valid_loss:.2f}" in legend.partition("beef")[2], "it is not smoothed"
        assert "more" not in legend
        app.screen.query_one("#runs", RowList).cursor = 1
        await settled(pilot)
        assert "╌╌" in row(app, 1), "it is laid over, also under the cursor"
