"""How often the runs are looked at, and when the app is told."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.home import Home
from core.runs.events import Journal
from core.runs.folder import Run
from tests.unit.test_runs_follow import alive, make_run
from tui.job import Failed, Job
from tui.state import State
from tui.train.following import SELDOM, FollowJob, RunsRead

# So long that a look that nobody asked for does not come while a test runs.
NEVER = 1000.0


class Host:
    """What a job needs of the app; reports come in ``told``."""

    def __init__(self, home: Home) -> None:
        self.state = State(home)
        self.jobs: list[Job] = []
        self.told: queue.Queue[Any] = queue.Queue()
        self.threads: list[threading.Thread] = []

    def post_message(self, message: Any) -> bool:
        self.told.put(message)
        return True

    def notify(self, message: str, **options: Any) -> None:
        raise AssertionError(message)

    def run_worker(self, work: Callable[[], None], *args: Any, **options: Any) -> Any:
        self.threads.append(threading.Thread(target=work, daemon=True))
        self.threads[-1].start()

    def next(self) -> Any:
        return self.told.get(timeout=60)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(Home.at(tmp_path))
    yield made
    for job in made.jobs:
        job.stop()
    for thread in made.threads:
        thread.join(60)
        assert not thread.is_alive()


def learn(run: Run, *steps: int) -> None:
    journal = Journal(run)
    for step in steps:
        journal.write("train", step=step, steps=99, loss=2.0, tokens=10, tokens_per_second=5.0)
    journal.close()


def test_the_app_is_told_what_is_new_and_nothing_else(host: Host, tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    alive(run)
    job = FollowJob(host)
    job.begin(NEVER)
    first = host.next()
    assert isinstance(first, RunsRead)
    assert [summary.run for summary in first.summaries] == ["a"]
    for _ in range(5):
        job.poll()  # there is nothing new
    learn(run, *range(1, 30))
    job.poll()
    second = host.next()
    while second.summaries[0].step < 29:
        job.poll()  # it was looked at while the lines were written
        second = host.next()
    assert second.histories["a"].train_steps == list(range(1, 30))
    job.stop()
    host.threads[0].join(60)
    assert host.told.empty()


def test_points_that_keep_coming_share_a_frame_and_a_state_does_not_wait(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that stands still, and that goes on by a look with each."""
    run = make_run(tmp_path, "a")
    alive(run)
    seconds = 0.5
    clock, looks, step = [1000.0], [0], iter(range(1, 1000))
    told: list[tuple[float, int, str]] = []
    job = FollowJob(host)

    def wait(seconds: float) -> bool:
        while not host.told.empty():
            read = host.told.get()
            told.append((clock[0], read.summaries[0].step, read.summaries[0].state))
        clock[0] += seconds
        looks[0] += 1
        learn(run, next(step))
        if looks[0] == 6:
            run.update_record(state="finished")
        if looks[0] == 8:
            Job.stop(job)
        return False

    monkeypatch.setattr("tui.train.following.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(job._wanted, "wait", wait)
    job.begin(seconds)
    host.threads[0].join(60)
    assert [(at - 1000.0, step, state) for at, step, state in told[:5]] == [
        (0.0, 0, "starting"),
        (0.5, 1, "running"),
        (1.5, 3, "running"),
        (2.5, 5, "running"),
        (3.0, 6, "finished"),
    ]


def test_a_look_that_fails_is_told_and_tried_again(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()
    make_run(tmp_path, "a")
    from core.runs.summary import RunsFollower

    look, tries = RunsFollower.poll, [0]

    def fails_at_first(follower: RunsFollower, **options: bool) -> Any:
        tries[0] += 1
        if tries[0] == 1:
            raise OSError("the disk is gone")
        return look(follower, **options)

    monkeypatch.setattr(RunsFollower, "poll", fails_at_first)
    job = FollowJob(host)
    job.begin(NEVER)
    assert isinstance(host.next(), Failed)
    job.poll()
    assert isinstance(host.next(), RunsRead)


@pytest.mark.parametrize(
    ("watched", "state", "looks"),
    [(True, "running", 1), (False, "running", SELDOM), (True, "finished", SELDOM)],
)
def test_looks_are_rare_while_nobody_looks_or_no_run_goes_on(
    host: Host,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    watched: bool,
    state: str,
    looks: int,
) -> None:
    run = make_run(tmp_path, "a")
    alive(run)
    learn(run, 1)
    run.update_record(state=state)
    waits: list[float] = []
    job = FollowJob(host)

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        Job.stop(job)
        return False

    monkeypatch.setattr(job._wanted, "wait", wait)
    job.watch(watched)
    job.begin(0.5)
    host.threads[0].join(60)
    assert waits == [0.5 * looks]
