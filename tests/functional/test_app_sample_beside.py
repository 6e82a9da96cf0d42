"""5 Sample: a run and the base that it began with, side by side, with two real models."""

from __future__ import annotations

from typing import Any

from core.home import Home
from core.runs.folder import Run
from core.sampling.store import stored_samples
from core.sampling.voices import tuned_voice
from tests.functional.test_app_sample import WAIT, samples, set_knobs
from tests.functional.walk import runs_there, settled, until
from tests.unit.toy_runs import create_toy, train_here
from tui.app import MynahApp
from tui.widgets.field_form import FieldForm


async def test_a_run_beside_the_base_that_it_began_with(trained_home: Home) -> None:
    (first,) = trained_home.runs.iterdir()
    base = str(first / "model")
    run = create_toy(trained_home.root, base=base, method="full", lr=0.05, max_steps=3)
    train_here(run)
    app = MynahApp(trained_home, section="sample")
    async with app.run_test(size=(140, 40)) as pilot:
        await runs_there(pilot)
        await until(pilot, lambda: len(app.state.runs or []) == 2)
        await settled(pilot)
        form = app.screen.query_one("#voice-form", FieldForm)
        assert form.field("run").value == run.id, "the newest"
        beside: Any = form.field("beside")
        its_base = next(one.value for one in beside.choices if one.label == "its base")
        set_knobs(app, count=2, max_tokens=8, seed=5, beside=its_base)
        await pilot.press("g")
        await until(pilot, lambda: not app.sampling.busy and len(samples(app).samples) == 4, WAIT)
        await settled(pilot)
        stored = stored_samples(run)
        assert sorted(one.model for one in stored) == ["base", "base", "tuned", "tuned"]
        own = {one.text for one in stored if one.model == "tuned"}
        of_base = [one for one in stored if one.model == "base"]
        assert own != {one.text for one in of_base}
        assert {one.model_hash for one in of_base} == {tuned_voice(Run(first)).hash()}
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert {one.label for one in samples(app).samples} == {"base", "keeper"}
