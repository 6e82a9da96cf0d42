"""Answers in the app: learned in Train, asked for in Sample."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.widgets import Input

from core.home import Home
from core.runs.folder import all_runs
from core.sampling.store import stored_samples
from tests.functional.test_app_sample import WAIT, samples, set_knobs
from tests.functional.walk import Heard, runs_there, screen, settled, status, until
from tests.unit.talking import ASKED, home_that_answers
from tui.app import MynahApp
from tui.sample.generating import SamplingEnded
from tui.sample.prompt_field import PromptField
from tui.widgets.field import ButtonField, SwitchField
from tui.widgets.panel import Panel


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_that_answers(tmp_path_factory)


@pytest.fixture
def answering(talking: Path, home: Home) -> Home:
    shutil.rmtree(home.root, ignore_errors=True)
    shutil.copytree(talking, home.root)
    return home


async def test_a_tweet_is_typed_and_answered(answering: Home) -> None:
    app, heard = MynahApp(answering, section="sample"), Heard()
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await runs_there(pilot)
        set_knobs(app, count=2, max_tokens=8, seed=7)
        panel = app.screen.query_one("#prompt-panel", Panel)
        prompt = app.screen.query_one(PromptField)
        assert (panel.title, panel.status) == ("Prompt", "A answers a tweet")
        await pilot.press("A")
        assert (panel.title, panel.status) == ("Tweet to answer", "A begins with it")
        assert app.focused is prompt
        prompt.value = ""
        await pilot.press("enter")
        await pilot.pause()
        assert any("There is no tweet to answer." in toast for toast in heard.toasts)
        await pilot.press("h", "i", "space", "f", "o", "g", "enter")
        await until(pilot, lambda: heard.of(SamplingEnded), WAIT)
        await settled(pilot)
        assert "2 samples" in status(pilot, "#generated-panel")
        (run,) = all_runs(answering)
        assert [one.sample.reply_to for one in stored_samples(run)] == ["hi fog"] * 2
        assert not any(one.text.startswith("hi fog") for one in samples(app).samples)

        # going on from an answer begins with its words again
        await pilot.press("i")
        await pilot.pause()
        assert (panel.title, prompt.answers) == ("Prompt", False)
        assert prompt.value == " ".join(samples(app).samples[0].text.split())


async def test_a_run_of_plain_tweets_says_that_it_has_not_learned(trained_home: Home) -> None:
    app, heard = MynahApp(trained_home, section="sample"), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await runs_there(pilot)
        assert app.screen.query_one("#prompt-panel", Panel).status == ""
        await pilot.press("A")
        await pilot.pause()
        assert any("has not learned to answer" in toast for toast in heard.toasts)
        assert app.screen.query_one("#prompt-panel", Panel).title == "Prompt"
        assert app.screen.query_one("#prompt", Input).value == "My dream is"


async def test_train_says_how_many_answers_there_are(answering: Home) -> None:
    app = MynahApp(answering, section="train")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.state.new_run.advice)
        form = app.screen.query_one("#train-form")
        more = next(one for one in form.query(ButtonField) if one.key == "more")
        more.focus()
        await pilot.press("enter")
        switch = next(one for one in form.query(SwitchField) if one.key == "answers")
        assert switch.display
        assert not switch.value
        switch.focus()
        await pilot.press("enter")
        said = f"{ASKED} of the"
        await until(pilot, lambda: any(said in line for line in app.state.new_run.advice))
        await settled(pilot)
        assert said in screen(pilot)
        assert app.state.new_run.overrides() == {"answers": True}
        app.state.new_run.preset = "classic"
        assert app.state.new_run.overrides() == {}
