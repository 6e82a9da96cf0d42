"""4 Train: the queue, and keeping runs in order: names, notes, deleting."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time

import pytest
from textual.widgets import Input

from core.home import Home
from core.processes import process_times, this_machine
from core.runs.events import Journal
from core.runs.folder import STALE_NOTE, Run
from core.runs.housekeeping import runs_in_trash
from core.runs.queue import Turn
from core.runs.settings import Continued
from tests.functional.walk import Heard, assert_safe, runs_there, screen, settled, until
from tui.app import MynahApp
from tui.dialogs.ask import Ask
from tui.dialogs.decide import Decide
from tui.widgets.row_list import RowList

FIXTURE = "20260301-1015-keeper-c0de"
SLEEPER = "import time; time.sleep(300)"


def row(app: MynahApp, name: str) -> str:
    """The line of a run in the list."""
    listing = app.screen.query_one("#runs", RowList)
    (number,) = [n for n, run in enumerate(app.state.runs or []) if run.run == name]
    return " ".join(cell[0] for cell in listing.rows.row(number))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.usefixtures("no_process_stays")
async def test_a_second_run_is_asked_about_waits_and_leaves_the_queue(told_home: Home) -> None:
    told_home.settings.write_text('{"chosen": ["orbit_grandmother"]}')
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
    going = Run(told_home.runs / FIXTURE)
    going.update_record(
        state="queued", resumed=time.time(), machine=this_machine(),
        pid=sleeper.pid, pid_start=process_times(sleeper.pid),
    )  # fmt: skip
    journal = Journal(going)
    journal.write("train", step=341, loss=3.4)
    journal.close()
    assert Turn(going, journal, lambda: False).waits_for("cpu") is None
    app, heard = MynahApp(told_home, section="train", poll_seconds=0.1), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.state.live_run)
        app.state.new_run.base = "scratch"
        await pilot.press("s")
        await settled(pilot)
        assert f"{FIXTURE} is still going" in screen(pilot)
        await pilot.press("s", "x", "escape")  # only what it names counts
        await settled(pilot)
        assert len(app.state.runs or []) == 2

        await pilot.press("s", "enter")
        await until(pilot, lambda: len(app.state.runs or []) == 3)
        assert any("joins the queue" in toast for toast in heard.toasts)
        waiting = (app.state.runs or [])[0]
        assert Run(waiting.folder).record().now is False
        await until(pilot, lambda: (app.state.runs or [])[0].waits_for == FIXTURE)
        await settled(pilot)
        assert row(app, waiting.run).split()[0] == "◌"
        assert "waits" in row(app, waiting.run)
        assert f"It waits for {FIXTURE}" in screen(pilot)
        assert "1 running, 1 queued" in screen(pilot)
        assert "keeper_of_the_light" in screen(pilot).splitlines()[0], "who is at work, not in line"
        app.screen.query_one("#runs", RowList).cursor = 0
        await pilot.press("x")
        await until(pilot, lambda: (app.state.runs or [])[0].state == "stopped")
        await settled(pilot)
        assert "taken out of the queue" in " ".join(heard.toasts)

        await pilot.press("s", "n")
        await until(pilot, lambda: len(app.state.runs or []) == 4)
        assert Run((app.state.runs or [])[0].folder).record().now is True
        assert app.failures == []
    sleeper.kill()
    sleeper.wait()


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["small", "large"])
async def test_naming_noting_tagging_and_deleting(told_home: Home, size: tuple[int, int]) -> None:
    app, heard = MynahApp(told_home, section="train", poll_seconds=0.1), Heard()
    async with app.run_test(size=size, message_hook=heard) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.state.runs)
        app.screen.query_one("#runs", RowList).cursor = 0
        run = Run((app.state.runs or [])[0].folder)
        await until(pilot, lambda: app.state.sizes.get(run.id))
        await settled(pilot)
        assert "disk" in screen(pilot)
        if size[0] == 80:
            await pilot.press("N")  # shows the list first: which run it is about
            await settled(pilot)
            assert app.focused is app.screen.query_one("#runs")
        before = screen(pilot).splitlines()[-1]
        await pilot.press("N", *"[red]gull", "enter")
        await until(pilot, lambda: (app.state.runs or [])[0].name)
        await pilot.press("n", *"so [b]loud", "enter")
        await until(pilot, lambda: (app.state.runs or [])[0].note)
        await pilot.press("#", *"#base slow base", "enter")
        await until(pilot, lambda: (app.state.runs or [])[0].tags)
        await settled(pilot)
        assert run.record().tags == ["base", "slow"]
        if size[1] == 40:
            assert "[red]gull #base #slow" in screen(pilot)
        await pilot.press("#", "end", "backspace", *"er", "enter")
        await until(pilot, lambda: run.record().tags == ["base", "sloer"])
        assert run.record().name == "[red]gull"
        assert "[red]gull" in row(app, run.id)
        assert "[red]gull" in screen(pilot)
        if size[1] == 40:
            assert "so [b]loud" in screen(pilot)
        assert screen(pilot).splitlines()[-1] == before, "the footer stays readable"
        await pilot.press("N", "ctrl+u", "enter")
        await until(pilot, lambda: not (app.state.runs or [])[0].name)
        run.update_record(name="[b]me")
        (run.folder / STALE_NOTE).write_text('{"tweets": 1}')

        (run.folder / "since.bin").write_bytes(bytes(7_000_000))  # such as a report
        await pilot.press("d")
        await settled(pilot)
        assert "What goes: model, curve, samples" in screen(pilot)
        assert "7.0 MB" in screen(pilot), "as the trash has it, too"
        assert_safe(pilot)
        await pilot.press("escape", "d")
        await until(pilot, lambda: isinstance(app.screen, Decide))
        await pilot.press("y")
        await until(pilot, lambda: len(app.state.runs or []) == 1)
        assert [there.record().id for there in runs_in_trash(told_home)] == [run.id]
        await until(pilot, lambda: any("T shows the trash" in toast for toast in heard.toasts))
        await pilot.press("T")
        await settled(pilot)
        assert f"▲ stale · [b]me · {run.id}" in " ".join(screen(pilot).split())
        assert "7.0 MB" in screen(pilot)
        assert "7 d" in screen(pilot), "as the question before it said"
        assert_safe(pilot)
        await pilot.press("r")
        await until(pilot, lambda: len(app.state.runs or []) == 2)
        assert run.record().name == "[b]me"
        await settled(pilot)
        assert "The trash is empty." in screen(pilot)
        await pilot.press("escape", "d")
        await until(pilot, lambda: isinstance(app.screen, Decide))
        await pilot.press("y")
        await until(pilot, lambda: len(app.state.runs or []) == 1)
        await pilot.press("T")
        await settled(pilot)
        await pilot.press("X")
        await settled(pilot)
        assert re.search(r"1 run and [\d.]+ MB go for good", screen(pilot))
        await pilot.press("escape", "x", "y")
        await until(pilot, lambda: any("removed for good" in toast for toast in heard.toasts))
        assert runs_in_trash(told_home) == []
        assert app.failures == []


async def test_what_a_delete_takes_away_is_measured_while_keys_work(
    told_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure, measured = threading.Event(), Run.disk_bytes

    def slowly(run: Run) -> int:
        assert measure.wait(30)
        return measured(run)

    app, heard = MynahApp(told_home, section="train"), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await runs_there(pilot)
        monkeypatch.setattr(Run, "disk_bytes", slowly)
        await pilot.press("d", "m")
        await until(pilot, lambda: any("Smoothing" in toast for toast in heard.toasts))
        assert not isinstance(app.screen, Decide)
        measure.set()
        await until(pilot, lambda: isinstance(app.screen, Decide))
        await until(pilot, lambda: "What goes: " in screen(pilot))
        await pilot.press("escape")

        measure.clear()
        await pilot.press("d", "1")
        measure.set()
        await settled(pilot)
        assert app.section == "data"
        assert not isinstance(app.screen, Decide), "nobody waits for the question any more"


async def test_a_run_that_another_is_to_begin_with_is_not_asked_about(told_home: Home) -> None:
    (other,) = {path.name for path in told_home.runs.iterdir()} - {FIXTURE}
    queued = Run(told_home.runs / other)
    queued.metrics.unlink()
    queued.update_record(
        state="queued", result=None, machine=this_machine(), pid=os.getpid(),
        pid_start=process_times(os.getpid()), continues=Continued(FIXTURE, "smollm2"),
    )  # fmt: skip
    app, heard = MynahApp(told_home, section="train", poll_seconds=0.1), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await runs_there(pilot)
        await until(pilot, lambda: any(run.continues for run in app.state.runs or []))
        listing = app.screen.query_one("#runs", RowList)
        listing.cursor = [run.run for run in app.state.runs or []].index(FIXTURE)
        await settled(pilot)
        await pilot.press("d")
        await until(pilot, lambda: any(f"{other} is about to" in toast for toast in heard.toasts))
        assert not isinstance(app.screen, Decide)
        assert Run(told_home.runs / FIXTURE).folder.is_dir()


@pytest.mark.parametrize(
    ("key", "typed", "why"), [("#", "a b,c", "A tag is one word"), ("N", "latest", "latest")]
)
async def test_what_will_not_do_is_asked_for_again_as_it_was_typed(
    told_home: Home, key: str, typed: str, why: str
) -> None:
    app, heard = MynahApp(told_home, section="train"), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await runs_there(pilot)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Ask))
        app.screen.query_one(Input).value = typed
        await pilot.press("enter")
        await until(pilot, lambda: any(why in toast for toast in heard.toasts))
        await settled(pilot)
        assert isinstance(app.screen, Ask)
        assert app.screen.query_one(Input).value == typed
        app.screen.query_one(Input).value = "sea"
        await pilot.press("enter")
        await settled(pilot)
        assert not isinstance(app.screen, Ask)


async def test_a_run_that_is_deleted_does_not_keep_the_next_from_starting(
    told_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Run] = []

    def start(home: Home, *_: object, **__: object) -> Run:
        made.append(Run(home.runs / f"2099010{len(made) + 1}-0000-made-aaaa"))
        shutil.copytree(home.runs / FIXTURE, made[-1].folder)
        return made[-1]

    monkeypatch.setattr("core.workflow.training.start_training", start)
    app = MynahApp(told_home, section="train", poll_seconds=0.1)
    names = lambda: [run.run for run in app.state.runs or []]  # noqa: E731
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("s")
        await until(pilot, lambda: made and made[0].id in names())
        shutil.rmtree(made[0].folder)
        await until(pilot, lambda: made[0].id not in names())
        await pilot.press("s")
        await until(pilot, lambda: len(made) == 2 and made[1].id in names())
