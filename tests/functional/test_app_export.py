"""Export: what is shown beforehand is what is written, and esc stops it."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.dataset.verify import verify
from core.home import Home
from tests.functional.walk import Heard, assert_safe, screen, settled, until
from tui.app import MynahApp
from tui.export.screen import ExportScreen
from tui.widgets.field_form import FieldForm


async def opened(pilot: Pilot[None], section: str = "1") -> FieldForm:
    await settled(pilot)
    await pilot.press(section)
    await settled(pilot)
    await pilot.press("e")
    await until(pilot, lambda: isinstance(pilot.app.screen, ExportScreen))
    await settled(pilot)
    return pilot.app.screen.query_one(FieldForm)


async def write(pilot: Pilot[None], out: Path) -> str:
    pilot.app.screen.query_one("#export-path", Input).value = str(out)
    await settled(pilot)
    pilot.app.screen.query_one(FieldForm).field("write").focus()
    await pilot.press("enter")
    await settled(pilot)
    return screen(pilot)


def shown_keys(form: FieldForm) -> set[str]:
    return {field.key for field in form.fields if field.display}


@pytest.mark.parametrize("section", ["1", "2"])
async def test_what_is_shown_is_what_is_written(
    sample_home: Home, tmp_path: Path, section: str
) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, section)
        assert app.state.curation is not None
        kept = app.state.curation.total.kept
        assert f"{kept:,} tweets under the recipe standard, about " in screen(pilot)
        assert_safe(pilot)
        path = app.screen.query_one("#export-path", Input)
        for typed in ("~nobody-of-this-name", "x" * 300, "a\0b"):  # on the way to a path
            path.value = typed
            await pilot.pause()
        out = tmp_path / "my tweets.jsonl"
        said = await write(pilot, out)
        assert f"{kept:,} tweets are written" in said
        sha256 = hashlib.sha256(out.read_bytes()).hexdigest()
        assert sha256[:16] in said
        assert "mynah verify '" in said, "ready to be pasted, spaces and all"
        assert verify(out).ok
        assert len(out.read_text().splitlines()) == kept
        await pilot.press("escape")
        await settled(pilot)
        assert not isinstance(app.screen, ExportScreen)


async def test_what_is_there_is_replaced_after_a_yes(sample_home: Home, tmp_path: Path) -> None:
    app = MynahApp(sample_home)
    manifest = tmp_path / "x.jsonl.manifest.json"
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        manifest.write_text("mine")
        assert "Replace what is there?" in await write(pilot, tmp_path / "x.jsonl")
        await pilot.press("escape")
        await settled(pilot)
        assert [path.read_text() for path in tmp_path.glob("x.*")] == ["mine"]
        await pilot.press("enter", "y")
        await settled(pilot)
        assert "are written" in screen(pilot)
        assert verify(manifest).ok


async def test_it_says_that_the_recipe_was_changed(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert app.state.recipe is not None
        app.change_recipe(app.state.recipe.replace(min_words=9))
        await opened(pilot)
        assert "under the recipe standard as it stands now (changed), about " in screen(pilot)


async def test_the_form_asks_only_what_matters(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        form = await opened(pilot)
        assert shown_keys(form) == {"format", "what", "split", "seed", "blend", "write"}
        await pilot.press("right")  # csv
        await settled(pilot)
        assert "spreadsheet_safe" in shown_keys(form)
        path = app.screen.query_one("#export-path", Input)
        assert path.value.endswith(".csv")
        form.field("what").focus()
        await pilot.press("right")  # all
        await settled(pilot)
        assert shown_keys(form) == {"format", "what", "spreadsheet_safe", "write"}
        assert app.state.curation is not None
        assert f"{app.state.curation.total.downloaded:,} tweets" in screen(pilot)
        form.field("format").focus()
        path.value = "/somewhere/of/mine.x"
        await pilot.press("right", "right")  # parquet, txt
        await settled(pilot)
        assert "what" not in shown_keys(form)
        assert path.value == "/somewhere/of/mine.x", "a path that was typed stays"
        await pilot.press("right")  # hf
        await settled(pilot)
        assert form.values["split"] == 10
        await pilot.press("left")
        await settled(pilot)
        assert form.values["split"] is None
        form.field("split").focus()
        await pilot.press("enter", "1", ".", "5", "enter")
        assert form.values["split"] == 1.5


async def test_a_blend_with_weights_and_a_share_held_out(sample_home: Home, tmp_path: Path) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(80, 24)) as pilot:
        form = await opened(pilot)
        form.set_values({"split": 10, "weight orbit_grandmother": 2.5})
        form.field("blend").focus()
        await pilot.press("space")
        await settled(pilot)
        assert "about " in screen(pilot)
        await write(pilot, tmp_path / "x.jsonl")
        manifest = json.loads((tmp_path / "x.jsonl.manifest.json").read_text())
        assert manifest["split"] == 0.1
        assert manifest["weights"]["orbit_grandmother"] == 2.5
        assert len(manifest["weights"]) == 3
        assert sorted(manifest["files"]) == ["x.train.jsonl", "x.valid.jsonl"]


async def test_esc_stops_and_a_refusal_is_said(
    sample_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import core.dataset.write as tweets

    reading, go_on = threading.Event(), threading.Event()
    really = tweets.curated_batches

    def held_up(*given: Any, **options: Any) -> Any:
        reading.set()
        assert go_on.wait(30)
        yield from really(*given, **options)

    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        with monkeypatch.context() as patch:
            patch.setattr(tweets, "curated_batches", held_up)
            app.screen.query_one("#export-path", Input).value = str(tmp_path / "out" / "x.jsonl")
            app.screen.query_one(FieldForm).field("write").focus()
            await pilot.press("enter")
            await until(pilot, reading.is_set)
            await pilot.press("escape")
            assert isinstance(app.screen, ExportScreen), "it stops first"
            go_on.set()
            await settled(pilot)
        assert "was stopped" in screen(pilot)
        assert list((tmp_path / "out").iterdir()) == []
        said = await write(pilot, tmp_path)
        assert "is a folder" in said
        said = await write(pilot, tmp_path / "out" / "x.jsonl")
        assert "are written" in said, "and then it can be done"


async def test_without_tweets_it_says_what_to_do(home: Home) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        await pilot.press("e")
        await until(pilot, lambda: heard.toasts)
        assert not isinstance(app.screen, ExportScreen)
        assert "nothing to export yet" in heard.toasts[0]
