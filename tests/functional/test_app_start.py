"""First steps: an empty home, the sample authors, and getting from section to section."""

from __future__ import annotations

import pytest
from textual.widgets import Input, TextArea

from core.home import Home
from core.workflow.data import import_paths
from tests.functional.walk import Heard, screen, settled, status, until
from tui.actions import with_keys
from tui.app import MynahApp
from tui.sample.sample_list import SampleList
from tui.sample.screen import NO_MODEL
from tui.section.screen import Section
from tui.text.nothing_there import why_no_tweets
from tui.widgets.progress_line import ProgressLine
from tui.widgets.row_list import RowList

SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_home_shows_one_sentence_and_leaves_nothing_behind(
    home: Home, size: tuple[int, int]
) -> None:
    app = MynahApp(home)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        seen = " ".join(screen(pilot).replace("│", " ").split())
        assert why_no_tweets(app.state, in_data=True) in seen
        for section in "2345":
            await pilot.press("escape", section)
            await settled(pilot)
            if section == "4" and size == SIZES[1]:
                assert "None yet." in screen(pilot)
                await pilot.press("s")
                await settled(pilot)
                assert app.state.runs == []
        assert len(app.screen.query_one("#samples", SampleList)) == 0
        assert with_keys(NO_MODEL) in " ".join(screen(pilot).replace("│", " ").split())
        assert not home.root.exists()
    assert not home.root.exists(), "looking at an empty home leaves no trace"


async def test_d_brings_in_the_samples_and_walks_on_to_filter(home: Home) -> None:
    from core.workflow.data import DEMO_HANDLE, sample_archives, stats

    app, heard = MynahApp(home), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        line, panel = (
            app.screen.query_one(f"#{one}") for one in ("import-progress", "tweets-panel")
        )
        assert isinstance(line, ProgressLine)
        room = panel.region.width
        line.start("Importing")
        await pilot.pause()
        assert panel.region.width == room, "the line takes no room from the panels above it"
        line.clear()
        await pilot.press("d")
        await until(pilot, lambda: app.section == "filter", 60)
        await settled(pilot)
        assert any(toast.startswith("Tweets are in") for toast in heard.toasts)
        assert len(app.state.accounts or []) == len(sample_archives()) == 3
        assert app.state.chosen == [DEMO_HANDLE], "one voice is learnt better in a short time"
        assert DEMO_HANDLE in screen(pilot).splitlines()[0]
        app.choose([account.handle for account in app.state.accounts or []])
        await settled(pilot)
        counted = stats(home, [], "standard")
        total = sum(one.downloaded for one in counted), sum(one.kept for one in counted)
        assert status(pilot, "#stats-panel") == f"{total[1]:,} kept of {total[0]:,}"
        shown = screen(pilot)
        for one in counted:
            assert f"{one.downloaded:,}" in shown
            assert f"{one.kept:,}" in shown
            # nothing is counted twice and nothing is lost
            dropped = one.retweets + one.short + sum(one.dropped.values())
            assert one.kept + dropped == one.downloaded
        assert not line.is_busy
        assert "Next: 4 trains" in shown


@pytest.mark.slow
async def test_keys_tabs_and_clicks_lead_to_sections_that_keep_what_one_did(
    sample_home: Home,
) -> None:
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for key, section in zip(
            "12345", ("data", "filter", "query", "train", "sample"), strict=True
        ):
            await pilot.press("escape", key)
            await pilot.pause()
            assert app.section == section
            assert isinstance(app.screen, Section)
            assert section == app.screen.SECTION
        await pilot.press("ctrl+tab")
        assert app.section == "data"
        await pilot.press("ctrl+shift+tab")
        assert app.section == "sample"
        # the label, from the left: " 1 Data  2 Filter  3 Query "
        for at, section in ((2, "data"), (12, "filter"), (22, "query")):
            await pilot.click("#tabs", offset=(at, 0))
            await pilot.pause()
            assert app.section == section

        # and each keeps what one did there
        await pilot.press("escape", "1")
        await settled(pilot)
        await pilot.press("j", "j", "j", "2")
        await settled(pilot)
        await pilot.press("w", "j", "j", "3")
        await settled(pilot)
        app.screen.query_one(TextArea).load_text("SELECT 41 + 1 AS answer")
        await pilot.press("f5")
        await settled(pilot)
        assert "42" in screen(pilot)
        await pilot.press("escape", "5", "p", "end", *"now", "escape", "4", "1")
        await settled(pilot)
        assert app.screen.query_one("#tweets", RowList).cursor == 3
        await pilot.press("2")
        await settled(pilot)
        assert status(pilot, "#changed-panel").endswith("edited")
        assert app.screen.query_one("#changed", RowList).cursor == 2
        await pilot.press("3")
        await settled(pilot)
        assert app.screen.query_one(TextArea).text == "SELECT 41 + 1 AS answer"
        assert "42" in screen(pilot)
        await pilot.press("escape", "5")
        await settled(pilot)
        assert app.screen.query_one("#prompt", Input).value == "My dream isnow"


async def test_what_was_chosen_is_remembered(sample_home: Home) -> None:
    first = MynahApp(sample_home)
    async with first.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        first.choose(["second_breakfast_club"])
        await settled(pilot)
        await pilot.press("ctrl+q")
    second = MynahApp(sample_home)
    async with second.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert second.state.chosen == ["second_breakfast_club"]
        assert "@second_breakfast_club" in screen(pilot).splitlines()[0]


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"chosen": 3}', '{"chosen": [{}], "recipe": 7}']
)
async def test_damaged_settings_hurt_nobody(sample_home: Home, damage: str) -> None:
    sample_home.settings.write_text(damage)
    app = MynahApp(sample_home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert len(app.state.chosen) == 3
        assert app.state.curation is not None


@pytest.mark.slow
async def test_no_key_breaks_an_empty_app(home: Home) -> None:
    app = MynahApp(home)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        for section in "12345":
            await pilot.press("escape", section)
            await pilot.press("y", "v", "f", "escape", "x", "l", "escape", "space", "enter")
            await pilot.press("escape", "w", "u", "g", "m", "escape", "escape")
            await pilot.pause()
        assert app.failures == []
        assert not home.root.exists()


async def test_the_sample_authors_come_in_beside_ones_own_tweets_after_a_yes(home: Home) -> None:
    archive = home.root.parent / "mine.csv"
    archive.write_text("text\nI am here\nand I stay\n")
    import_paths(home, [archive], handle="mine")
    app = MynahApp(home)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("d")
        await settled(pilot)
        assert "Bring in the three sample authors, too?" in screen(pilot)
        assert "@keeper_of_the_light" in screen(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert len(app.state.accounts or []) == 1
        await pilot.press("d", "y")
        await until(pilot, lambda: len(app.state.accounts or []) == 4, 60)
        await settled(pilot)
        assert app.state.chosen == ["mine"]
