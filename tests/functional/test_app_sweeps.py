"""Sweeps in Train: the plot, the table, what enter, s, x and the brackets do."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.home import Home
from core.sweeps.overview import SweepsReader
from core.sweeps.study import Study
from tests.fixtures.sweeps import GOING, rates, run_of, told_sweep
from tests.functional.walk import SECONDS, Heard, assert_safe, mynah, screen, settled, until
from tui.app import MynahApp
from tui.sweeps.parallel_plot import ParallelPlot
from tui.sweeps.screen import SweepsScreen, TrialList
from tui.widgets.row_list import RowList

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


@pytest.fixture
def swept(home: Home) -> Home:
    told_sweep(home)
    return home


async def opened(pilot: Pilot[Any], trials: int = 12) -> TrialList:
    """The sweeps, with all that their runs have written."""
    app = mynah(pilot)
    await settled(pilot)
    await until(pilot, lambda: app.state.runs is not None)
    await until(pilot, lambda: all(h.step for h in app.state.histories.values()))
    await pilot.press("S")
    await until(pilot, lambda: isinstance(app.screen, SweepsScreen))
    listing = app.screen.query_one(TrialList)
    await until(pilot, lambda: len(listing.rows) == trials)
    await settled(pilot)
    return listing


def numbers(listing: TrialList) -> list[str]:
    return [listing.rows.row(index)[0][0].split()[-1] for index in range(len(listing.rows))]


def plot_of(pilot: Pilot[Any]) -> str:
    plot = pilot.app.screen.query_one(ParallelPlot)
    return "\n".join(plot.render_line(y).text for y in range(plot.content_size.height))


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="compared on one Python only")
@SIZES
def test_picture(
    snap_compare: Any,
    swept: Home,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path / "no-cache"))

    async def before(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await pilot.press("down", "down")
        await settled(pilot)

    app = MynahApp(swept, section="train", poll_seconds=0.1)
    assert snap_compare(app, terminal_size=size, run_before=before)


@SIZES
async def test_all_that_is_known_of_a_sweep_is_in_view(swept: Home, size: tuple[int, int]) -> None:
    app = MynahApp(swept, section="train", poll_seconds=0.1)
    async with app.run_test(size=size) as pilot:
        listing = await opened(pilot)
        shown = screen(pilot)
        assert "9 of 20 trials finished, 1 pruned, 1 failed, 1 at work" in shown
        assert "Rank correlation over 9 trials" in shown
        assert "/home/ada/rates.toml" in shown
        assert "ctrl+c in its terminal stops it" in shown
        for label in ("lr", "batch_tokens", "warmup", "method", "held out", "512┤", "lora┤"):
            assert label in plot_of(pilot)
        best = numbers(listing)[0]
        assert f"▸✦ {best}" in plot_of(pilot), "it is under the cursor, too"
        assert listing.rows.row(0)[0][0] == f"✦ {best}"
        listing.cursor = 1
        await pilot.pause()
        assert f"✦ {best}" in plot_of(pilot)
        assert f"▸ {numbers(listing)[1]}" in plot_of(pilot)
        assert_safe(pilot)
        assert app.failures == []


async def test_any_column_sorts_and_clicks_choose_and_open_a_row(swept: Home) -> None:
    app = MynahApp(swept, section="train", poll_seconds=0.1)
    async with app.run_test(size=(120, 40)) as pilot:
        listing = await opened(pilot)
        losses = [listing.rows.row(index)[6][0] for index in range(9)]
        assert losses == sorted(losses), "by the held-out loss at first, what finished before"
        listing.cursor = 4
        here = numbers(listing)[4]
        await pilot.press("s")
        await pilot.pause()
        assert numbers(listing) == [str(number) for number in range(1, 13)]
        assert numbers(listing)[listing.cursor] == here
        await pilot.press("s")
        await pilot.pause()
        assert numbers(listing) == [str(number) for number in range(12, 0, -1)]
        await pilot.press("right", "right", "s")
        await pilot.pause()
        rates_of = [float(listing.rows.row(index)[2][0]) for index in range(12)]
        assert rates_of == sorted(rates_of)
        assert numbers(listing)[listing.cursor] == here
        assert "lr▲" in screen(pilot)
        title = listing.render_line(0).text.index("warmup")
        await pilot.click(TrialList, offset=(title + 2, 0))
        await pilot.pause()
        warmups = [float(listing.rows.row(index)[4][0]) for index in range(12)]
        assert warmups == sorted(warmups)

        wanted = numbers(listing)[3]
        await pilot.click(TrialList, offset=(20, 4))
        await pilot.pause()
        assert listing.cursor == 3
        assert isinstance(app.screen, SweepsScreen)
        await pilot.click(TrialList, offset=(20, 4))
        await settled(pilot)
        assert not isinstance(app.screen, SweepsScreen)
        cursor = app.screen.query_one("#runs", RowList).cursor
        assert (app.state.runs or [])[cursor].run == run_of(int(wanted))


async def test_enter_opens_the_run_also_one_that_the_filter_hides(swept: Home) -> None:
    app = MynahApp(swept, section="train", poll_seconds=0.1)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"trial=1", "enter")
        await pilot.pause()
        listing = await opened(pilot)
        wanted = numbers(listing)[2]
        await pilot.press("down", "down", "enter")
        await settled(pilot)
        assert app.section == "train"
        runs = app.screen.query_one("#runs", RowList)
        assert len(runs.rows) == 12
        assert (app.state.runs or [])[runs.cursor].run == run_of(int(wanted))
        assert app.focused is runs


async def test_what_the_sweep_writes_appears_and_two_sweeps_take_turns(swept: Home) -> None:
    app = MynahApp(swept, section="train", poll_seconds=0.1)
    async with app.run_test(size=(120, 40)) as pilot:
        listing = await opened(pilot)
        study = Study(swept.sweeps / "rates", rates())
        study.end(GOING, "finished", loss=3.0)
        await until(pilot, lambda: numbers(listing)[0] == str(GOING))
        assert f"✦ {GOING}" in plot_of(pilot)
        assert "10 of 20 trials finished" in screen(pilot)
        spec = rates(name="second", trials=1, space={"lr": rates().space["lr"]})
        (swept.sweeps / "second").mkdir()
        from core.sweeps.study import begin

        begin(swept.sweeps / "second", spec, begun=lambda _: False)
        only = Study(swept.sweeps / "second", spec)
        only.end(only.draw(), "failed", reason="None.")
        await until(pilot, lambda: "[ ] other sweeps" in screen(pilot))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: len(listing.rows) == 1)
        await settled(pilot)
        shown = screen(pilot)
        assert "Sweep: second" in shown
        assert "too few to tell" in shown
        assert "--trials 2" in shown
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: len(listing.rows) == 12)


async def test_it_says_that_it_reads_and_shows_what_was_read_when_opened_again(
    swept: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_read, poll = threading.Event(), SweepsReader.poll

    def when_allowed(reader: SweepsReader) -> Any:
        may_read.wait(SECONDS)
        return poll(reader)

    monkeypatch.setattr(SweepsReader, "poll", when_allowed)
    monkeypatch.setattr("tui.sweeps.screen.LOOK_SECONDS", 0.05)
    app = MynahApp(swept, section="train", poll_seconds=0.1)

    async def press_s() -> None:
        await pilot.press("S")
        await until(pilot, lambda: isinstance(app.screen, SweepsScreen))

    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await press_s()
        app.runs_changed.publish(app.state)
        await pilot.pause()
        assert "reading…" in screen(pilot)
        may_read.set()
        await until(pilot, lambda: len(app.screen.query_one(TrialList).rows) == 12)
        await pilot.press("escape")
        await settled(pilot)
        may_read.clear()
        app.looking_at_sweeps.poll()  # that of the dialog that was just closed
        await press_s()
        may_read.set()
        await until(pilot, lambda: len(app.screen.query_one(TrialList).rows) == 12)


async def test_without_a_sweep_it_says_how_one_is_started(home: Home) -> None:
    app, heard = MynahApp(home, section="train"), Heard()
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await settled(pilot)
        await pilot.press("S")
        await until(pilot, lambda: "No sweep yet" in screen(pilot))
        assert "mynah sweep FILE" in " ".join(screen(pilot).split())
        await pilot.press("s", "enter", "x", "right_square_bracket")
        await until(pilot, lambda: heard.toasts)
        assert "Nothing to stop" in heard.toasts[0]
        await pilot.press("escape")
        await settled(pilot)
        assert not isinstance(app.screen, SweepsScreen)
        assert app.failures == []
