"""The flows as the messages that workers send, in their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputRefused
from core.home import Home
from core.workflow.data import sample_archives
from tests.functional.walk import Heard, screen, settled, until
from tui.app import MynahApp
from tui.data.importing import ImportEnded, ImportMoved
from tui.filter.counting import Curated
from tui.job import Failed
from tui.section.notice_lines import NoticeLines

# what follows from the counts, at its own pace
AFTERWARDS = {"Advised", "RowsFound", "CatalogueRead"}


def without_repeats(names: list[str]) -> list[str]:
    return [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]


async def test_an_import(home: Home) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        assert sorted(heard.names()) == ["AccountsLoaded", "BasesFound", "RecipeLoaded"]
        heard.messages.clear()
        app.importing.run([sample_archives()[0]])
        assert app.importing.busy
        app.importing.run([sample_archives()[1]])  # one at a time
        await until(pilot, lambda: app.state.curation is not None)
        await settled(pilot)
        told = without_repeats([name for name in heard.names() if name not in AFTERWARDS])
        after = ["ImportEnded", "AccountsLoaded", "BenchLoaded", "Curated"]
        assert told in (
            ["ImportStarted", "ImportMoved", *after],
            ["ImportStarted", *after],
        )
        [ended] = heard.of(ImportEnded)
        assert ended.error is None
        assert [(r.handle, r.new) for r in ended.results] == [("keeper_of_the_light", 987)]
        moved = heard.of(ImportMoved)
        assert all(one.progress.read <= (one.progress.total or 10**9) for one in moved)


async def test_an_import_that_is_refused(home: Home, tmp_path: Path) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        heard.messages.clear()
        app.importing.run([tmp_path / "nowhere.zip"])
        await until(pilot, lambda: not app.importing.busy)
        await settled(pilot)
        [ended] = heard.of(ImportEnded)
        assert isinstance(ended.error, InputRefused)
        assert ended.error.what
        assert ended.results == []
        assert heard.of(Failed) == [], "a refusal is an answer, not a failure"
        assert app.failures == [str(ended.error)]
        # and of several, those before it stay
        app.importing.run([sample_archives()[0], tmp_path / "nowhere.zip"])
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
        assert [one.handle for one in app.state.accounts or []] == ["keeper_of_the_light"]
        assert len(app.failures) == 2


async def test_what_an_import_brought_in_is_offered_by_the_next(home: Home) -> None:
    archive = sample_archives()[0]
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.importing.run([archive])
        await until(pilot, lambda: app.state.accounts)
        await settled(pilot)
    again = MynahApp(home)
    async with again.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await until(pilot, lambda: archive.name in screen(pilot))


async def test_counting_again(sample_home: Home) -> None:
    app, heard = MynahApp(sample_home, section="filter"), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        heard.messages.clear()
        assert app.state.recipe is not None
        old = app.state.curation
        assert old is not None
        app.change_recipe(app.state.recipe.replace(drop_replies=True))
        app.change_recipe(app.state.recipe.replace(drop_quotes=True))
        await settled(pilot)
        curated = heard.of(Curated)
        assert set(heard.names()) <= {"Curated"} | AFTERWARDS
        assert curated[-1].curation.recipe == app.state.recipe
        assert app.state.curation is curated[-1].curation, "the newest recipe wins"
        assert app.state.before is not None
        first = next(one for one in curated if one.curation.recipe == app.state.recipe)
        assert first.curation.total.kept == app.state.curation.total.kept
        heard.messages.clear()
        app.choose(["second_breakfast_club"])
        await settled(pilot)
        told = without_repeats([name for name in heard.names() if name not in AFTERWARDS])
        assert told == ["BenchLoaded", "Curated"]
        assert app.state.before is None, "a change of accounts is no change of the recipe"
        assert [one.handle for one in app.state.curation.stats] == ["second_breakfast_club"]


async def test_choosing_quickly_ends_with_the_last_choice(sample_home: Home) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        everybody = list(app.state.chosen)
        for _ in range(3):
            for handles in (everybody, everybody[:1], everybody[1:2]):
                app.choose(handles)
                await pilot.pause(0.01)
        await settled(pilot)
        assert app.state.curation is not None
        assert [one.handle for one in app.state.curation.stats] == everybody[1:2]
        assert len(app.state.curation.rows) == app.state.curation.total.downloaded


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_is_short_is_said_in_a_line_that_covers_nothing(
    sample_home: Home, size: tuple[int, int]
) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        before = screen(pilot).splitlines()
        app.notify("The tweet as published.", title="Copied", timeout=60)
        await pilot.pause()
        after = screen(pilot).splitlines()
        changed = [
            at for at, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) > 1
        ]
        assert changed == [size[1] - 2], "the line above the footer"
        assert after[-2].strip() == "Copied: The tweet as published."
        await pilot.press("2")
        await settled(pilot)
        assert "Copied: The tweet as published." in screen(pilot), "it goes along"
        app.notify("This one.", title="A newer one", timeout=0.7)
        await until(pilot, lambda: "A newer one: This one." in screen(pilot))
        await until(pilot, lambda: not list(app._notifications))
        await pilot.pause()
        assert "A newer one" not in screen(pilot)
        assert "Copied" not in screen(pilot)


def covered(app: MynahApp) -> list[str]:
    """Names of widgets that lie under a notice."""
    (lines,) = app.screen.query(NoticeLines)
    assert lines.region.area
    seen = app.screen._compositor.visible_widgets
    return [
        str(one)
        for one, (region, clip) in seen.items()
        if one is not lines
        and not one.query("*")
        and region.intersection(clip).overlaps(lines.region)
    ]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_is_long_takes_lines_of_its_own(
    sample_home: Home, size: tuple[int, int]
) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        app.notify("Short.", title="A warning", severity="warning", timeout=60)
        app.notify("It was said to begin.", timeout=60)
        app.notify("words " * 200 + "end", title="What? [b]No[/b]", severity="error", timeout=60)
        await until(pilot, lambda: "✗ What? [b]No[/b]: words words" in screen(pilot))
        await pilot.pause()
        assert "said to begin" not in screen(pilot), "an error says that it has not"
        assert covered(app) == []
        (lines,) = app.screen.query(NoticeLines)
        assert lines.size.height == {24: 24 // 3, 40: 12}[size[1]]
        shown = screen(pilot)
        # what has no room is cut with a sign, of what was said before, too
        assert ("end" in shown) == (size == (120, 40))
        assert ("words …" in shown) == (size == (80, 24))
        await pilot.press("2")
        await settled(pilot)
        assert covered(app) == []
        assert "✗ What?" in screen(pilot), "it goes along"
        await pilot.click(NoticeLines)
        await until(pilot, lambda: "✗ What?" not in screen(pilot))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("key", ["question_mark", "comma"])
async def test_a_page_makes_room_for_what_is_said(
    sample_home: Home, size: tuple[int, int], key: str
) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        app.notify("Before the page.", title="Said", timeout=60)
        await pilot.press(key)
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await until(pilot, lambda: "Said: Before the page." in screen(pilot))
        await pilot.pause()
        assert covered(app) == []
        assert screen(pilot).count("Before the page.") == 1, "and not behind the page as well"
        app.notify("words " * 40, title="A long one", timeout=60)
        await until(pilot, lambda: "A long one: words" in screen(pilot))
        await pilot.pause()
        assert covered(app) == []
        app.clear_notifications()
        await until(pilot, lambda: "A long one" not in screen(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
