"""The report of a run in Train: what it shows, how one is made and stopped."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.home import Home
from core.locks import held_lock
from core.report.conclusions import others_in_words
from core.report.last import last_report
from core.runs.folder import Run
from tests.fixtures.reports import MADE, told_report
from tests.functional.walk import Heard, assert_safe, mynah, screen, settled, until
from tui.app import MynahApp
from tui.dialogs.decide import Decide
from tui.dialogs.text import TextScreen
from tui.report.making import ReportEnded, ReportMoved
from tui.report.page import legend_lines
from tui.report.screen import ReportScreen
from tui.widgets.job_status import JobStatus
from tui.widgets.progress_line import ProgressLine
from tui.widgets.row_list import RowList

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
GROUPS = ["Author", "Copying", "Loss", "Variety", "Looks", "Leaks"]


@pytest.fixture(autouse=True)
def _the_same_tomorrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tui.text.numbers.now", lambda: MADE.replace(month=3, day=1))
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path / "no-cache"))


@pytest.fixture
def reported(told_home: Home) -> Run:
    return told_report(told_home)


async def opened(pilot: Pilot[Any]) -> ReportScreen:
    app = mynah(pilot)
    await settled(pilot)
    await until(pilot, lambda: app.state.runs is not None)
    await settled(pilot)
    await pilot.press("R")
    await until(pilot, lambda: isinstance(app.screen, ReportScreen))
    await settled(pilot)
    assert isinstance(app.screen, ReportScreen)
    return app.screen


def words(pilot: Pilot[Any]) -> str:
    """All of the screen, without frames and breaks of lines."""
    return " ".join(screen(pilot).replace("│", " ").split())


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="compared on one Python only")
@SIZES
@pytest.mark.parametrize("group", ["Author", "Copying", "Leaks"])
def test_picture(
    snap_compare: Any, reported: Run, told_home: Home, size: tuple[int, int], group: str
) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await opened(pilot)
        for _ in range(GROUPS.index(group)):
            await pilot.press("right")
        await settled(pilot)

    app = MynahApp(told_home, section="train")
    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.slow
@SIZES
async def test_the_last_report_is_there_at_once_with_all_five_points(
    reported: Run, told_home: Home, size: tuple[int, int]
) -> None:
    app = MynahApp(told_home, section="train")
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        shown = words(pilot)
        assert "made 3 d ago" in shown
        assert "model unchanged since" in shown
        assert "7 of 10 (6 to 8) of its texts sound like @keeper_of_the_light" in shown
        lines = screen(pilot).splitlines()
        for name, value in (
            ("this model", "71 % (64–78)"),
            ("base", "4 % (1–7)"),
            ("unseen", "86 % (81–91)"),
            ("parrot", "90 % (86–94)"),
            ("others", "6 % (2.5–9.5)"),
        ):
            assert any(name in line and value in line for line in lines), name
        assert "200 by @keeper_of_the_light, not trained on: the aim" in shown
        assert "● this model" in shown
        assert "○ parrot" in shown
        for name in GROUPS:
            await pilot.press("right")
            await pilot.pause()
            assert_safe(pilot)
            assert name in screen(pilot)
            if name == GROUPS[0] and size == (120, 40):  # one step to the right of it
                assert_runs_of_words_are_a_table(pilot)
        assert "of its texts sound like" in words(pilot), "the first comes after the last"
        await pilot.press("left_square_bracket", "left")
        await pilot.pause()
        assert "In form it differs from @keeper_of_the_light in: hashtags" in words(pilot)
        assert app.failures == []


def assert_runs_of_words_are_a_table(pilot: Pilot[Any]) -> None:
    lines = screen(pilot).splitlines()
    (head,) = [line for line in lines if "  10  11  12" in line]
    assert head.split()[1:12] == [str(size) for size in range(2, 13)]
    (row,) = [line for line in lines if "unseen" in line and " 38 " in line]
    assert row.split()[3:13] == ["62", "76", "85", "91", "94", "96", "98", "99", "99", "99"]


def test_the_legend_has_the_words_of_the_page_for_others(reported: Run) -> None:
    last = last_report(reported)
    assert last is not None
    for invented, said in (
        (False, "200 real tweets by 2 other accounts"),
        (True, "200 tweets by 2 invented authors that ship with mynah"),
    ):
        lines = legend_lines(replace(last, invented=invented), "author")
        text = "\n".join("".join(words for words, _ in line) for line in lines)
        assert said in text
        assert said.removeprefix("200 ") in others_in_words(2, invented=invented)


async def test_another_model_since_is_said(reported: Run, told_home: Home) -> None:
    (reported.model / "config.json").write_text('{"another": 1}', "utf-8")
    app = MynahApp(told_home, section="train")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "▲ The model has changed since this report." in words(pilot)
        assert "of its texts sound like" in words(pilot)


async def test_leaks_are_listed_and_harmless(reported: Run, told_home: Home) -> None:
    app = MynahApp(told_home, section="train")
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("left")
        await settled(pilot)
        listing = app.screen.query_one("#report-leaks", RowList)
        assert app.focused is listing
        assert len(listing.rows) == 4
        shown = words(pilot)
        assert "9 of 9 ██████" in shown
        assert "7 of 10" in shown
        assert "[red]lamp[/red] [31mis lit‹202E› again" in shown
        assert_safe(pilot)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        await pilot.pause()
        assert "12 of 12 words came back" in screen(pilot)
        assert "‹202E›" in words(pilot)
        assert_safe(pilot)
        await pilot.press("escape", "left")
        await pilot.pause()
        assert not listing.display
        assert app.failures == []


async def test_without_a_report_or_a_model_it_says_what_one_is(told_home: Home) -> None:
    app, heard = MynahApp(told_home, section="train"), Heard()
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        await opened(pilot)
        assert "No report on this run yet." in words(pilot)
        assert "m makes one, in some minutes." in words(pilot)
        await pilot.press("right", "left", "x")
        await until(pilot, lambda: heard.toasts)
        assert "Nothing to stop" in heard.toasts[0]
        await pilot.press("escape")
        await settled(pilot)
        app.screen.query_one("#runs", RowList).cursor = 1
        await pilot.press("R")
        await settled(pilot)
        assert "This run has no model yet." in words(pilot)
        await pilot.press("m")
        await until(pilot, lambda: heard.of(ReportEnded))
        await settled(pilot)
        assert "The run 20260228-2200-orbit_grandmother-beef has no model yet." in words(pilot)
        assert "This run has no model yet." in words(pilot), "nothing is being made any more"


@pytest.mark.slow
async def test_a_report_is_made_at_a_key_while_one_does_something_else(trained_home: Home) -> None:
    app, heard = MynahApp(trained_home, section="train"), Heard()
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        app.making_reports.texts = 20
        await opened(pilot)
        await pilot.press("m")
        await until(pilot, lambda: heard.of(ReportMoved))
        assert "The report is being made." in words(pilot)
        assert "No report on this run yet." not in words(pilot)
        assert app.screen.query_one(ProgressLine).is_busy
        assert "x stops" in screen(pilot)
        await pilot.press("m")
        await until(pilot, lambda: heard.toasts)
        assert "A report is being made already" in heard.toasts[0]
        await pilot.press("escape", "1")
        await pilot.pause()
        assert app.section == "data"
        job = app.screen.query_one(JobStatus)
        assert "report" in screen(pilot).splitlines()[0]
        job.focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        await pilot.press("escape", "4")
        await until(pilot, lambda: heard.of(ReportEnded), 120)
        await pilot.pause()
        assert not app.screen.query_one(JobStatus).has_class("-shown")
        assert heard.of(ReportEnded)[0].error is None
        await until(pilot, lambda: "is made" in heard.toasts[-1])
        await pilot.press("4")
        await opened(pilot)
        assert "made just now" in words(pilot) or " ago" in words(pilot)
        assert "The run began with random weights" in words(pilot)
        assert app.failures == []
    (folder,) = trained_home.runs.iterdir()
    last = last_report(Run(folder))
    assert last is not None
    assert last.n == 20


async def test_a_run_is_not_deleted_while_somebody_makes_a_report_on_it(trained_home: Home) -> None:
    (folder,) = trained_home.runs.iterdir()
    app, heard = MynahApp(trained_home, section="train"), Heard()
    with held_lock(Run(folder).report_lock):
        async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
            await opened(pilot)
            await pilot.press("escape")
            # the first one shows the list of runs, which is turned away
            await pilot.press("d", "d")
            await until(pilot, lambda: isinstance(app.screen, Decide))
            await pilot.press("y")
            await until(pilot, lambda: app.failures)
            await until(pilot, lambda: any("report on" in toast for toast in heard.toasts))
            assert app.failures.pop().startswith("A report on ")
            assert len(app.state.runs or []) == 1
    assert (folder / "run.json").exists()


async def test_a_report_in_the_making_can_be_stopped(trained_home: Home) -> None:
    app, heard = MynahApp(trained_home, section="train"), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await opened(pilot)
        await pilot.press("l")
        await until(pilot, lambda: heard.of(ReportMoved))
        await pilot.press("x")
        await until(pilot, lambda: heard.of(ReportEnded))
        await settled(pilot)
        assert "Stopped. What was drawn is kept" in words(pilot)
        assert "No report on this run yet." in words(pilot)
        assert not app.making_reports.busy
        await pilot.press("m")
        await until(pilot, lambda: len(heard.of(ReportMoved)) > 1)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.making_reports.busy)
    assert app.failures == []


async def test_a_run_without_what_leaked_starts_after_a_yes(
    reported: Run, told_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, heard = MynahApp(told_home, section="train"), Heard()
    started: list[Path] = []
    async with app.run_test(size=(80, 24), message_hook=heard) as pilot:
        monkeypatch.setattr(
            app.dropping_leaks, "drop", lambda folder: started.append(folder) or True
        )
        report = await opened(pilot)
        await pilot.press("left")
        await settled(pilot)
        assert "d new run without these" in screen(pilot)
        await pilot.press("d")
        await until(pilot, lambda: app.screen is not report)
        await settled(pilot)
        assert "Train again without 2 tweets?" in words(pilot)
        assert "They stay in the corpus" in words(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is report)
        assert not started
        await pilot.press("d", "y")
        await until(pilot, lambda: started)
        assert started == [reported.folder]
        assert app.failures == []
