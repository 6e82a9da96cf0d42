"""Work in the background: it ends, it says so, it starts once, and leaving the app ends it."""

from __future__ import annotations

import errno
import os
import pty
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.message import Message

from core.home import Home
from core.processes import process_times, this_machine
from core.query.saved import keep_query
from core.runs.folder import Run
from core.runs.summary import list_runs
from tests.fakes.x_api import WALKER, FakeX
from tests.functional.test_app_fetch import type_handle
from tests.functional.walk import Heard, screen, settled, status, until
from tui.app import MynahApp
from tui.data.add_tweets import AddTweets
from tui.data.screen import DataSection
from tui.job import Attempt, Counted, Failed, Job, Report, Unexpected
from tui.widgets.progress_line import ProgressLine

ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range % 7 = 3"


@dataclass
class Ended(Report):
    what: str
    error: Exception | None = None


def wait_for(attempt: Attempt) -> None:
    """Work that ends only when it is told to; the limit is for a test that has gone wrong."""
    give_up = time.monotonic() + 60
    while not attempt.cancelled() and time.monotonic() < give_up:
        time.sleep(0.005)


# ── a job ────────────────────────────────────────────────────────────────────────────────────


async def test_a_second_start_is_refused_until_the_first_has_ended(home: Home) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(message_hook=heard) as pilot:
        await settled(pilot)
        job, go_on = Job(app, "counting sheep"), threading.Event()

        def work(_: Attempt) -> Report:
            go_on.wait(60)
            return Ended("first")

        assert job.start(work)
        assert job.busy
        assert not job.start(lambda _: Ended("second"))
        go_on.set()
        await settled(pilot)
        assert not job.busy
        assert job.start(lambda _: Ended("third"))
        await settled(pilot)
        assert [ended.what for ended in heard.of(Ended)] == ["first", "third"]


async def test_the_newest_start_wins_and_the_older_answer_is_thrown_away(home: Home) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(message_hook=heard) as pilot:
        await settled(pilot)
        job, late = Job(app, "counting sheep", newest_wins=True), threading.Event()

        def slow(_: Attempt) -> Report:
            late.wait(60)
            return Ended("old")

        job.start(slow)
        job.start(lambda _: Ended("new"))
        await until(pilot, lambda: heard.of(Ended))
        late.set()
        await pilot.pause(0.2)
        await settled(pilot)
        assert [ended.what for ended in heard.of(Ended)] == ["new"]
        assert not job.busy


async def test_a_bug_is_shown_once_logged_and_ends_the_job(home: Home) -> None:
    app, heard = MynahApp(home), Heard()
    async with app.run_test(message_hook=heard) as pilot:
        await settled(pilot)
        job = Job(app, "counting sheep")
        job.start(lambda _: print(1 // 0), lambda error: Ended("broken", error))
        await until(pilot, lambda: heard.of(Ended))
        await settled(pilot)
        assert not job.busy
        assert isinstance(heard.of(Ended)[0].error, Unexpected)
        assert len(heard.of(Failed)) == 1
        assert len(app.failures) == 1
        assert "ZeroDivisionError" in home.log.read_text()
        app.show_error(heard.of(Ended)[0].error)
        assert len(app.failures) == 1, "the section need not know whether it was shown"
        # a full disk is none
        job.start(_fill_the_disk, lambda error: Ended("full", error))
        await until(pilot, lambda: len(heard.of(Ended)) == 2)
        assert str(heard.of(Ended)[1].error) == "a.csv cannot be used: no space left on device."
        assert len(heard.of(Failed)) == 1


def _fill_the_disk(_: Attempt) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a.csv")


async def test_leaving_the_app_stops_every_job(home: Home) -> None:
    app, begun, ended = MynahApp(home), threading.Event(), threading.Event()
    async with app.run_test() as pilot:
        await settled(pilot)
        for name in ("one", "two"):
            Job(app, name).start(wait_for)
        job = Job(app, "three")

        def work(attempt: Attempt) -> None:
            begun.set()
            wait_for(attempt)
            if attempt.cancelled():
                ended.set()

        job.start(work)
        await until(pilot, begun.is_set)
        await pilot.press("ctrl+q")
    assert ended.wait(30)
    assert all(job.stopping or not job.busy for job in app.jobs)


# ── leaving while something runs ─────────────────────────────────────────────────────────────


def read_until(terminal: int, wanted: str, seconds: float = 60) -> None:
    seen, give_up = b"", time.monotonic() + seconds
    while wanted.encode() not in seen:
        assert time.monotonic() < give_up, seen[-3000:].decode(errors="replace")
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536)


def leave(terminal: int, process: subprocess.Popen[bytes], seconds: float) -> None:
    """ctrl+q, and read what the terminal gets until the process is gone."""
    os.write(terminal, b"\x11")
    give_up = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < give_up:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:  # the other side is closed
                break
    process.wait(max(1.0, give_up - time.monotonic()))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_the_process_ends_while_an_endless_query_runs(sample_home: Home) -> None:
    keep_query(sample_home, "Endless", ENDLESS)
    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "--home", str(sample_home.root)],
        stdin=inner, stdout=inner, stderr=inner, close_fds=True, start_new_session=True,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"},
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    os.close(inner)
    try:
        read_until(terminal, "Accounts")
        os.write(terminal, b"3")
        read_until(terminal, "Endless")
        os.write(terminal, b"\r")
        read_until(terminal, "running… 1 s")
        leave(terminal, process, 20)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(120)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
async def test_leaving_does_not_wait_for_a_run_that_is_slow_to_stop(told_home: Home) -> None:
    trainer = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == b"deaf\n"
        run = list_runs(told_home)[0]
        Run(run.folder).update_record(
            pid=trainer.pid, pid_start=process_times(trainer.pid), machine=this_machine()
        )
        app = MynahApp(told_home, section="train")
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            app.training.stop(run)
            await until(pilot, lambda: Run(run.folder).stop_mark.exists())
            await pilot.press("ctrl+q")
            await until(pilot, lambda: not any(job.busy for job in app.jobs), 20)
        assert trainer.poll() is None, "it saves, and leaves by itself"
    finally:
        trainer.kill()
        trainer.wait()


# ── what a person meets ──────────────────────────────────────────────────────────────────────


def run_folders(home: Home) -> list[Path]:
    return [one for one in home.runs.iterdir() if one.is_dir()] if home.runs.exists() else []


@pytest.mark.usefixtures("no_process_stays")
async def test_s_pressed_three_times_starts_one_training(sample_home: Home) -> None:
    sample_home.settings.write_text('{"chosen": ["orbit_grandmother"]}')
    app, heard = MynahApp(sample_home, section="train", poll_seconds=0.1), Heard()
    async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
        await settled(pilot)
        app.state.new_run.base, app.state.new_run.minutes = "scratch", 0.2
        app.choose(["keeper_of_the_light"])  # whose tweets are not read yet
        for _ in range(3):  # faster than a run can start
            app.post_message(events.Key("s", "s"))
        await until(pilot, lambda: app.state.runs, 60)
        await settled(pilot)
        assert len(run_folders(sample_home)) == 1
        assert sum("A run is starting" in toast for toast in heard.toasts) == 2
        assert app.state.runs is not None
        assert app.state.runs[0].handles == ["keeper_of_the_light"]


HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


async def test_a_corpus_that_was_held_at_the_start_is_read_when_it_is_free(
    sample_home: Home,
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(sample_home.corpus)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        app, heard = MynahApp(sample_home), Heard()
        async with app.run_test(size=(120, 40), message_hook=heard) as pilot:
            await until(pilot, lambda: app.state.corpus_busy is not None)
            await until(pilot, lambda: str(holder.pid) in screen(pilot))
            assert app.state.accounts is None
            assert len(app.failures) == 1, "F12 shows it"
            holder.communicate()  # it ends when there is nothing more to read
            await until(pilot, lambda: app.state.curation is not None)
            assert len(app.state.accounts or []) == 3
            await settled(pilot)
            assert sum("tries again" in toast for toast in heard.toasts) == 1, "said once"
    finally:
        holder.kill()
        holder.wait()


def break_down(*_: Any, **__: Any) -> Any:
    raise RuntimeError("nobody thought of this")


async def test_a_fetch_that_breaks_is_over(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.fetching.engine.fetch", break_down)
    app = MynahApp(home)
    with FakeX(accounts="small") as x:
        monkeypatch.setenv("MYNAH_X_API_URL", x.url)
        monkeypatch.setenv("MYNAH_X_TOKEN", x.token)
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(pilot)
            await type_handle(pilot, WALKER)
            await pilot.press("enter")
            await until(pilot, lambda: app.failures)
            await settled(pilot)
            assert not app.fetching.busy
            assert not app.screen.query_one("#import-progress", ProgressLine).is_busy
            assert len(app.failures) == 1
            assert "RuntimeError" in app.failures[0]


async def test_plots_that_break_say_so(sample_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.curation.profile.profile", break_down)
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("p")
        await until(pilot, lambda: app.failures)
        await settled(pilot)
        assert "counting…" not in screen(pilot)
        assert "Something broke while looking at the tweets" in screen(pilot)


async def test_samples_that_come_in_leave_an_open_dialog_alone(home: Home) -> None:
    app = MynahApp(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        # in one go: on a slow machine the samples may be in before a second key is handled
        section = app.screen
        assert isinstance(section, DataSection)
        section.action_samples()
        section.action_add_tweets()
        await until(pilot, lambda: isinstance(app.screen, AddTweets))
        await pilot.press(*"half a path")
        await until(pilot, lambda: app.state.curation is not None, 60)
        await settled(pilot)
        assert isinstance(app.screen, AddTweets)
        assert "half a path" in screen(pilot)


async def test_late_advice_does_not_replace_that_of_the_preset_chosen_now(
    sample_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.runs import advise as module

    late, at_work, real = threading.Event(), threading.Event(), module.advise

    def slow(*args: Any, **options: Any) -> Any:
        if options["preset"] == "quality":
            at_work.set()
            late.wait(60)
        return real(*args, **options)

    app = MynahApp(sample_home, section="train")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: app.state.new_run.base)
        app.training.change("base", "scratch")
        app.training.change("preset", "fast")
        await settled(pilot)
        expected = list(app.state.new_run.advice)
        assert expected
        monkeypatch.setattr(module, "advise", slow)
        app.training.change("preset", "quality")
        await until(pilot, at_work.is_set)
        app.training.change("preset", "fast")
        await until(pilot, lambda: app.state.new_run.preset == "fast")
        late.set()
        await settled(pilot)
        await pilot.pause(0.2)
        assert app.state.new_run.advice == expected


async def test_how_far_a_search_is_stands_over_the_list_it_is_for(sample_home: Home) -> None:
    app = MynahApp(sample_home, section="filter")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        search: Job = app.screen._search  # type: ignore[attr-defined]
        app.post_message(Counted(search, 300_000, 1_000_000))
        await settled(pilot)
        assert status(pilot, "#changed-panel") == "searching 300k of 1.0M …"
        app.post_message(Counted(app.counting.curate_job, 300_000, 1_000_000))
        await settled(pilot)
        assert status(pilot, "#stats-panel") == "recounting 300k of 1.0M …"


def test_a_newer_count_replaces_only_one_of_its_own_job(home: Home) -> None:
    app = MynahApp(home)
    one, two = Job(app, "one"), Job(app, "two")
    old: Message = Counted(one, 1, 9)
    assert Counted(one, 2, 9).can_replace(old)
    assert not Counted(two, 2, 9).can_replace(old)
