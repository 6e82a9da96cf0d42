"""5 Sample: what opens over it for one sample, on a sample that is stored and needs no model."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from core.home import Home
from core.runs.folder import Run, all_runs
from core.sampling.favourites import keep_favourite
from core.sampling.nearest import NearTweet
from core.sampling.request import Copy, SampleRequest
from core.sampling.request import Sample as Generated
from core.sampling.store import StoredSample, as_stored
from core.sampling.voices import tuned_voice
from tests.functional.walk import Heard, assert_safe, runs_there, screen, settled, until
from tui.app import MynahApp
from tui.dialogs.ask import Ask
from tui.dialogs.decide import Decide
from tui.sample.sample_keys import Shown
from tui.sample.sample_list import Sample
from tui.sample.why import NearestFound

SIZES = [(80, 24), (120, 40)]
LONG = "My dream is " + "a lamp that remembers every name it was ever given, " * 5


async def one_sample(
    pilot: Pilot[None], home: Home, text: str = "My dream is tea."
) -> StoredSample:
    """As if the model of the newest run had just written it."""
    await runs_there(pilot)
    run = Run(next(one.folder for one in all_runs(home) if (one.folder / "model").is_dir()))
    made = Generated(0, 7, "My dream is", text.strip(), 9, "eos", Copy("new", 2, None), 0)
    stored = as_stored(tuned_voice(run), "abc", SampleRequest(seed=7), made)
    section: Any = pilot.app.screen
    section._shown = [Shown(0, 0, stored)]
    section.stand_beside([run.id])
    section.listing.set_samples([Sample(stored.text, "My dream is", verdict="new")])
    section.listing.focus()
    await pilot.pause()
    return stored


@pytest.mark.parametrize("text", ["My dream is tea.", LONG], ids=["short", "long"])
@pytest.mark.parametrize("size", SIZES)
async def test_the_picture_is_seen_before_it_is_saved(
    told_home: Home, size: tuple[int, int], text: str
) -> None:
    app = MynahApp(told_home, section="sample")
    async with app.run_test(size=size) as pilot:
        await one_sample(pilot, told_home, text)
        await pilot.press("P")
        await until(pilot, lambda: "▀▀▀▀" in screen(pilot))
        preview = app.screen.query_one("#picture-preview", Static)
        await until(pilot, lambda: preview.size.height > 5)
        dialog, answer = app.screen.query_one("#dialog"), app.screen.query_one("#answer", Input)
        # all of it is in the window, and so is the line below it
        assert app.screen.region.contains_region(dialog.region)
        assert dialog.region.contains_region(preview.region)
        assert answer.region.y >= preview.region.bottom
        assert answer.region.bottom < dialog.region.bottom
        strips = [preview.render_line(y) for y in range(preview.size.height)]
        inks = {str(segment.style) for strip in strips for segment in strip}
        assert len(inks) > 20, "letters have many shades"
        # 1,200 pixels wide: a cell is as wide as half of it is high
        wide = max(len(strip.text.strip()) for strip in strips)
        assert 0.15 < 2 * preview.size.height / wide < 1.2
        assert_safe(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_what_is_too_long_for_a_picture_says_so_in_its_place(told_home: Home) -> None:
    app = MynahApp(told_home, section="sample")
    async with app.run_test(size=(80, 24)) as pilot:
        await one_sample(pilot, told_home, "word " * 300)
        await pilot.press("P")
        await until(pilot, lambda: "That is too long for a picture." in screen(pilot))


async def replaced_only_after_a_yes(pilot: Pilot[None], key: str, there: Path) -> None:
    """``key`` asks for a file's name, and gets one that holds ``mine``."""
    for answer in ("escape", "y"):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        pilot.app.screen.query_one("#answer", Input).value = str(there)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, Decide))
        assert "Replace what is there?" in screen(pilot)
        assert there.read_text() == "mine"
        await pilot.press(answer)
        await settled(pilot)
        assert (there.read_text() == "mine") == (answer == "escape")


async def test_a_picture_that_is_there_is_replaced_after_a_yes(
    told_home: Home, tmp_path: Path
) -> None:
    there = tmp_path / "there.svg"
    there.write_text("mine")
    app = MynahApp(told_home, section="sample")
    async with app.run_test(size=(80, 24)) as pilot:
        await one_sample(pilot, told_home)
        await replaced_only_after_a_yes(pilot, "P", there)
        assert "AI-generated" in there.read_text("utf-8")


async def test_favourites_replace_a_file_after_a_yes(home: Home, tmp_path: Path) -> None:
    keep_favourite(home, "a-run", "a lamp", SampleRequest(seed=3), Copy("new", 1, None))
    there = tmp_path / "there.txt"
    there.write_text("mine")
    app = MynahApp(home, section="sample")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("f")
        await until(pilot, lambda: "1 favourite " in screen(pilot))
        await replaced_only_after_a_yes(pilot, "e", there)
        assert "a lamp" in there.read_text("utf-8")


@pytest.mark.parametrize("size", SIZES)
async def test_why_shows_when_a_tweet_was_written_and_why_it_was_kept(
    told_home: Home, size: tuple[int, int]
) -> None:
    when = datetime(2019, 5, 3, tzinfo=timezone.utc)
    kept = "kept by the recipe standard: none of its rules drops it"
    near = NearTweet("123", "keeper", when, "tea [red]first[/red]", 0.5, ("tea",), kept)
    app = MynahApp(told_home, section="sample")
    async with app.run_test(size=size) as pilot:
        stored = await one_sample(pilot, told_home)
        await pilot.press("h")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await settled(pilot)
        app.post_message(NearestFound(stored.id, [near]))
        await until(pilot, lambda: "tea [red]first[/red]" in screen(pilot))
        for words in ("03 May 2019", "@keeper", "123", kept, "shared: tea"):
            assert words in screen(pilot)


@pytest.mark.skipif(sys.platform == "win32", reason="a script as editor")
async def test_a_prompt_is_edited_in_the_persons_own_editor(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = 'open(sys.argv[1], "a").write("\\nis [b]tea[/b]\\n")'
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"'{sys.executable}' -c 'import sys; {write}'")
    heard = Heard()
    app = MynahApp(home, section="sample")
    monkeypatch.setattr(app, "suspend", nullcontext)  # no terminal to hand over
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await settled(pilot)
        prompt: Any = app.screen.query_one("#prompt")
        prompt.text = "My dream"
        prompt.focus()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: prompt.value == "My dream ⏎ is [b]tea[/b]")
        assert prompt.text.split() == ["My", "dream", "is", "[b]tea[/b]"]
        assert "is [b]tea[/b]" in screen(pilot)
        assert app.focused is prompt
        monkeypatch.setenv("EDITOR", "/nowhere/edit")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: any("cannot be started" in one for one in heard.toasts))
        assert prompt.value == "My dream ⏎ is [b]tea[/b]", "nothing is lost"
