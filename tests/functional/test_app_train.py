"""4 Train: a real trainer in a process of its own, followed through its folder alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.home import Home
from core.processes import process_times, this_machine
from core.runs.folder import Run
from core.runs.tracked import all_tracked
from tests.functional.walk import Heard, assert_safe, runs_there, screen, settled, status, until
from tui.app import MynahApp
from tui.sample.sample_list import SampleList
from tui.state import State
from tui.train.loss_plot import LossPlot
from tui.widgets.row_list import RowList

pytestmark = pytest.mark.usefixtures("no_process_stays")
FIXTURE = "20260301-1015-keeper-c0de"


def points(run: Run) -> int:
    """How many points of the train curve stand in the file."""
    lines = run.metrics.read_bytes().split(b"\n")[:-1]
    return sum(json.loads(line).get("kind") == "train" for line in lines)


def plan_scratch(app: MynahApp, minutes: float) -> None:
    """One author and a model from nothing: the least that is still a real training."""
    app.state.new_run.base = "scratch"
    app.state.new_run.minutes = minutes


def state_of(state: State) -> str:
    return state.runs[0].state if state.runs else ""


@pytest.mark.slow
async def test_start_watch_ask_before_a_second_stop_and_talk(
    sample_home: Home, next_run: Callable[..., None]
) -> None:
    next_run(eval_tokens=256, eval_seconds=1.0)  # soon heard
    sample_home.settings.write_text('{"chosen": ["orbit_grandmother"]}')
    app, heard = MynahApp(sample_home, section="train", poll_seconds=0.1), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        plan_scratch(app, 10.0)
        app.state.new_run.own["batch_tokens"] = 1024  # soon measured
        app.state.new_run.track = "tensorboard"
        await pilot.press("s")
        await until(pilot, lambda: app.state.runs)
        await pilot.press("s", "s", "s")
        await settled(pilot)
        assert "still going" in screen(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert len(app.state.runs or []) == 1
        run = Run(app.state.runs[0].folder)  # type: ignore[index]
        plot = app.screen.query_one("#loss", LossPlot)
        history = lambda: app.state.histories[run.id]  # noqa: E731
        await until(pilot, lambda: len(history().train_steps) > 3, 90)
        before = len(history().train_steps)
        await until(pilot, lambda: len(history().train_steps) > before, 60)
        await until(pilot, lambda: "train" in plot.series_names)
        assert status(pilot, "#now-panel") == "running"
        await until(pilot, lambda: len(app.screen.query_one("#says", SampleList)) > 0, 90)
        assert history().samples
        assert "It says (generated)" in screen(pilot)
        assert_safe(pilot)
        await pilot.press("1")  # the status follows, and leads back
        await pilot.pause()
        await until(pilot, lambda: "orbit_grandmother" in screen(pilot).splitlines()[0])
        await pilot.click("#job-status")
        await pilot.pause()
        assert app.section == "train"
        await pilot.press("x")
        await until(pilot, lambda: state_of(app.state) == "stopped", 60)
        await pilot.pause()
        await until(pilot, lambda: any("has stopped" in toast for toast in heard.toasts))
        assert status(pilot, "#now-panel") == "stopped"
        await until(pilot, lambda: "(measured)" in str(app.state.new_run.advice))
        await settled(pilot)
        assert len(history().train_steps) == points(run), "the whole curve stays"
        await until(pilot, lambda: all_tracked(run)[0].state == "finished")
        assert all_tracked(run)[0].rows > points(run), "those of the held-out tweets too"
        assert re.search(r"tracked +tensorboard", screen(pilot))
        await pilot.press("enter")
        await settled(pilot)
        assert app.section == "sample"
        assert app.failures == []
        await pilot.press("ctrl+q")  # whatever woke in Sample ends with the app


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
async def test_a_training_outlives_the_app_and_a_killed_one_is_told(sample_home: Home) -> None:
    sample_home.settings.write_text('{"chosen": ["orbit_grandmother"]}')
    first = MynahApp(sample_home, section="train", poll_seconds=0.1)
    async with first.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        plan_scratch(first, 3.0)
        await pilot.press("s")
        await until(pilot, lambda: first.state.runs)
        run = Run(first.state.runs[0].folder)  # type: ignore[index]
        await until(pilot, lambda: first.state.histories[run.id].train_steps, 90)
        await pilot.press("ctrl+q")
    pid = run.record().pid
    os.kill(pid, 0)  # raises when it is gone
    second, heard = MynahApp(sample_home, section="train", poll_seconds=0.1), Heard()
    async with second.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        await until(pilot, lambda: state_of(second.state) == "running")
        seen = points(run)
        history = second.state.histories[run.id]
        await until(pilot, lambda: len(history.train_steps) >= seen > 0)
        os.kill(pid, signal.SIGKILL)
        await until(pilot, lambda: state_of(second.state) == "dead", 15)
        await settled(pilot)
        assert any("presumed dead" in toast for toast in heard.toasts)
        assert status(pilot, "#now-panel") == "dead"
        assert len(history.train_steps) == points(run) >= seen, "the curve is kept"
        assert "train" in second.screen.query_one("#loss", LossPlot).series_names
        await pilot.press("x")  # nothing to stop, and it says so
        await settled(pilot)
        assert any("not going" in toast for toast in heard.toasts)
        await pilot.press("enter")
        await settled(pilot)
        assert second.section == "train", "there is no model to talk to"
        assert second.failures == []


async def test_too_few_tweets_are_refused_and_no_run_is_left(home: Home, tmp_path: Path) -> None:
    from core.workflow.data import import_paths

    table = tmp_path / "few.csv"
    table.write_text("id,author,text\n1,gull,one small cry of mine\n", "utf-8")
    import_paths(home, [table])
    app, heard = MynahApp(home, section="train"), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await until(pilot, lambda: "1 tweet is too few to learn" in screen(pilot))
        assert not app.failures, "before anything is started"
        assert "→ Too few tweets to learn from: 2 has the recipe" in screen(pilot)
        await pilot.press("2")
        await until(pilot, lambda: "→ Too few tweets to learn from" in screen(pilot))
        await until(pilot, lambda: "▲ 1 tweet is too few to learn" in screen(pilot))
        await pilot.press("4")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "panel 2 of 2" in screen(pilot))
        assert "→ Too few tweets to learn from" in screen(pilot), "where the form is turned away"
        assert "1 tweet is too few to learn" in screen(pilot), "in place of a key that starts one"
        plan_scratch(app, 1.0)
        await pilot.press("s")
        await until(pilot, lambda: app.failures)
        await pilot.pause()
        assert any("too few" in toast for toast in heard.toasts)
        assert "Freezing the dataset" not in screen(pilot), "it does not start"
        assert not list(home.runs.glob("*"))


async def test_damaged_runs_do_not_hide_the_others(told_home: Home) -> None:
    good = told_home.runs / FIXTURE
    for name, damage in (("half", b'{"id": "ha'), ("list", b"[]"), ("empty", b""), ("null", b"{}")):
        folder = told_home.runs / f"20250101-0000-{name}"
        shutil.copytree(good, folder)
        (folder / "run.json").write_bytes(damage)
    metrics = good / "metrics.jsonl"
    whole = points(Run(good))
    metrics.write_bytes(
        b'\xff\xfe\n{"kind": "train"\n[1, 2]\n' + metrics.read_bytes() + b'{"kind": "train", "st'
    )
    app = MynahApp(told_home, section="train", poll_seconds=0.1)
    async with app.run_test(size=(120, 40)) as pilot:
        await runs_there(pilot)
        assert FIXTURE in [run.run for run in app.state.runs or []]
        assert len(app.state.histories[FIXTURE].train_steps) == whole
        listing = app.screen.query_one("#runs", RowList)
        for index in range(len(listing.rows)):
            listing.cursor = index
            await pilot.press("space", "l")
            await pilot.pause()
            assert_safe(pilot)
            await pilot.press("escape")
        assert app.failures == []
        # the half line is finished by whoever writes it: not lost, not doubled
        with metrics.open("ab") as file:
            file.write(b'ep": 400, "loss": 4.2}\n')
        await until(pilot, lambda: len(app.state.histories[FIXTURE].train_steps) == whole + 1)


async def test_a_run_that_is_deleted_goes_away(told_home: Home) -> None:
    app = MynahApp(told_home, section="train", poll_seconds=0.1)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: len(app.state.runs or []) == 2)
        shutil.rmtree(told_home.runs / FIXTURE)
        await until(pilot, lambda: len(app.state.runs or []) == 1)
        await settled(pilot)
        assert len(app.screen.query_one("#runs", RowList).rows) == 1


async def test_the_cursor_stays_on_its_run_when_another_is_added(told_home: Home) -> None:
    app = MynahApp(told_home, section="train", poll_seconds=0.1)
    async with app.run_test(size=(120, 40)) as pilot:
        await runs_there(pilot)
        await pilot.press("j", "space", "k", "L", "m")
        await pilot.pause()
        plot = app.screen.query_one("#loss", LossPlot)
        assert plot.log_y
        assert len(plot.series_names) == 3, "train, held out, and the run laid over"
        await pilot.press("space", "L")


async def test_a_resize_while_a_curve_is_shown(told_home: Home) -> None:
    app = MynahApp(told_home, section="train", poll_seconds=0.1)
    async with app.run_test(size=(200, 50)) as pilot:
        await runs_there(pilot)
        for size in ((80, 24), (200, 50), (40, 12), (20, 6), (120, 40)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            assert_safe(pilot)
            assert all(len(line) <= size[0] * 2 for line in screen(pilot).splitlines())
        assert app.failures == []
        assert "held out" in screen(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["small", "large"])
async def test_a_run_whose_tweets_were_forgotten_says_so(
    told_home: Home, size: tuple[int, int]
) -> None:
    note = {"handles": ["keeper_of_the_light"], "tweet_ids": [], "tweets": 900, "at": "2026-03-02"}
    app = MynahApp(told_home, section="train", poll_seconds=0.1)
    async with app.run_test(size=size) as pilot:
        await runs_there(pilot)
        assert "▲" not in screen(pilot)
        (told_home.runs / FIXTURE / "stale.json").write_text(json.dumps(note))
        await until(pilot, lambda: any(run.stale for run in app.state.runs or []))
        listing = app.screen.query_one("#runs", RowList)
        listing.cursor = next(n for n, run in enumerate(app.state.runs or []) if run.run == FIXTURE)
        await pilot.pause()
        rows = [" ".join(cell[0] for cell in listing.rows.row(n)) for n in range(2)]
        assert [row.count("▲") for row in rows] == [
            int(run.run == FIXTURE) for run in app.state.runs or []
        ]
        assert "stale" in screen(pilot)
        assert "900 tweets" in screen(pilot)
        with Run(told_home.runs / FIXTURE).metrics.open("a") as journal:
            journal.write('{"kind": "warning", "text": "There are 2 cores now."}\n')
        await until(pilot, lambda: "▲ warning" in screen(pilot))
        assert "There are 2 cores" in screen(pilot)


async def test_a_section_that_is_out_of_view_draws_when_it_comes_back(
    told_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow, fed = LossPlot.follow, []

    def counted(plot: LossPlot, name: str, *points: Any, **options: Any) -> None:
        fed.append(name)
        follow(plot, name, *points, **options)

    monkeypatch.setattr(LossPlot, "follow", counted)
    run = Run(told_home.runs / FIXTURE)
    app = MynahApp(told_home, section="train", poll_seconds=0.1)
    async with app.run_test(size=(120, 40)) as pilot:
        await runs_there(pilot)
        listing = app.screen.query_one("#runs", RowList)
        listing.cursor = next(n for n, one in enumerate(app.state.runs or []) if one.run == FIXTURE)
        await until(pilot, lambda: fed)
        await pilot.press("1")
        await settled(pilot)
        fed.clear()
        points = len(app.state.histories[FIXTURE].train_steps)
        with run.metrics.open("a") as file:
            file.write('{"kind": "train", "step": 400, "loss": 4.2}\n')
        await until(pilot, lambda: len(app.state.histories[FIXTURE].train_steps) > points)
        await settled(pilot)
        assert fed == []
        await pilot.press("4")
        await until(pilot, lambda: "train" in fed)
        assert app.screen.query_one("#loss", LossPlot).values_at(400)["train"] < 4.3
        assert app.failures == []


async def test_nothing_is_imported_for_the_next_run_while_one_goes_on(
    told_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed: list[str] = []
    monkeypatch.setattr("core.workflow.training.warm_up", lambda: warmed.append("warm"))
    run = Run(told_home.runs / FIXTURE)
    ended = run.metrics.read_bytes()
    run.update_record(
        state="running", pid=os.getpid(), pid_start=process_times(os.getpid()),
        machine=this_machine(),
    )  # fmt: skip
    run.metrics.write_text('{"kind": "train", "step": 1, "loss": 4.2}\n')
    app = MynahApp(told_home, section="train", poll_seconds=0.1)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.state.live_run)
        await settled(pilot)
        assert warmed == []
        run.metrics.write_bytes(ended)
        run.update_record(state="finished", pid=None)  # it is this process
        await until(pilot, lambda: warmed)
        await settled(pilot)
        assert warmed == ["warm"]
