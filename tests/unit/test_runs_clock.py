"""A clock that is set while runs go on: none is lost, started twice, or given another time."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from toy_runs import create_toy, lines_of, train_here

from core.errors import InputRefused
from core.home import Home
from core.processes import Owner, process_age, process_times, since_boot, this_machine
from core.runs.events import Journal
from core.runs.folder import Run
from core.runs.follow import RunReader, is_alive
from core.runs.launch import resume_run, work_here
from core.runs.queue import Turn
from core.training.signals import StopRequest

DAY = 86_400.0
JUMPS = (DAY, -DAY)

needs_boot = pytest.mark.skipif(
    since_boot(os.getpid()) is None, reason="only Linux moves the start of a process"
)


@pytest.fixture(autouse=True)
def a_line_for_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.fit.LOG_SECONDS", 0.0)


class Jumpy(StopRequest):
    """Sets the clock a day forward, back, and right again, each time somebody asks."""

    def __init__(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(run)
        self.jumps = 0
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + (0.0, *JUMPS)[self.jumps % 3])

    @property
    def asked(self) -> bool:
        self.jumps += 1
        return super().asked


def ours(run: Run, **more: Any) -> None:
    """This process is that of ``run``."""
    pid = os.getpid()
    own = {"pid": pid, "pid_start": process_times(pid), "pid_since_boot": since_boot(pid)}
    run.update_record(**{**own, **more})


def of_kind(run: Run, kind: str) -> list[dict[str, Any]]:
    return [line for line in lines_of(run) if line["kind"] == kind]


def test_a_clock_that_jumps_changes_nothing_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small: dict[str, Any] = {
        "max_steps": 8, "batch_tokens": 128, "eval_tokens": 64, "minutes": 60,
    }  # fmt: skip
    calm, jumpy = (create_toy(tmp_path / name, **small) for name in ("calm", "jumpy"))
    calm_end = train_here(calm)[-1]
    stop = Jumpy(jumpy, monkeypatch)
    jumpy_end = train_here(jumpy, stop)[-1]
    assert stop.jumps > 8
    gaps = [line["time"] - calm_end["time"] for line in lines_of(jumpy)]
    assert (max(gaps) > DAY / 2, min(gaps) < -DAY / 2) == (True, True)
    for name in ("state", "steps", "tokens"):
        assert jumpy_end[name] == calm_end[name]
    assert [line["loss"] for line in of_kind(jumpy, "train")] == pytest.approx(
        [line["loss"] for line in of_kind(calm, "train")], rel=1e-5
    )
    assert jumpy_end["valid_loss_after"] == pytest.approx(calm_end["valid_loss_after"], rel=1e-5)
    for line in of_kind(jumpy, "train"):
        assert 0 <= line["seconds"] < DAY / 2
        assert 0 <= line["seconds_left"] < DAY / 2
        assert line["tokens_per_second"] > 0


def test_a_clock_that_jumps_leaves_a_budget_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_toy(tmp_path, minutes=0.02, epochs=100_000, max_steps=100_000, eval_tokens=64)
    end = train_here(run, Jumpy(run, monkeypatch))[-1]
    assert end["state"] == "finished"
    assert 0 < end["steps"] < 100_000
    assert 0 < end["seconds"] < DAY / 2


@needs_boot
@pytest.mark.parametrize("jump", JUMPS)
def test_a_living_run_lives_on_after_a_jump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    """Linux counts the start of a process back from the clock, so that it jumps with it."""
    run, other = (create_toy(tmp_path) for _ in range(2))
    ours(run)
    ours(other, resumed=time.time() + 1)
    me, real = Owner.this_process(), psutil.Process.create_time
    with Turn(run, Journal(run), lambda: False) as turn:
        assert turn.waits_for("cpu") is None
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: real(self) + jump)
        assert is_alive(run, run.record())
        assert me.may_live()
        with pytest.raises(InputRefused, match="still going"):
            resume_run(run)
        second = Turn(other, Journal(other), lambda: False)
        assert second.waits_for("cpu") == run.id, "it keeps its device"


@needs_boot
def test_another_process_under_the_same_id_is_still_told_apart(tmp_path: Path) -> None:
    run = create_toy(tmp_path)
    began = since_boot(os.getpid())
    assert began is not None
    ours(run, pid_start=1.0, pid_since_boot=began)
    assert is_alive(run, run.record())
    ours(run, pid_start=1.0, pid_since_boot=began - 60)
    assert not is_alive(run, run.record())
    me = Owner.this_process()
    assert not replace(me, began=me.began - 60).may_live()
    in_our_time = replace(me, began=round(process_times(os.getpid()) or 0.0))
    assert in_our_time.may_live(), "as earlier versions wrote it"


def test_the_age_of_a_process_does_not_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    before = process_age(os.getpid())
    assert before is not None
    if since_boot(os.getpid()) is None:
        pytest.skip("its start is counted in the clock's own time here, and stays")
    real = time.time
    for jump in JUMPS:
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        after = process_age(os.getpid())
        assert after is not None
        assert 0 <= after - before < DAY / 2


@pytest.mark.slow
def test_a_run_that_is_resumed_after_the_clock_was_set_back_has_not_ended(tmp_path: Path) -> None:
    run = create_toy(tmp_path)
    tomorrow = {"kind": "end", "time": time.time() + DAY, "state": "stopped", "reason": ""}
    run.metrics.write_text(json.dumps(tomorrow) + "\n")
    run.update_record(state="stopped")
    run.heartbeat.touch()
    work_here(run)
    assert RunReader(run).poll().state == "starting"


def test_a_heartbeat_of_tomorrow_is_no_sign_of_life(tmp_path: Path) -> None:
    run = create_toy(tmp_path)
    tomorrow = time.time() + DAY
    for path in (run.heartbeat, run.record_file):
        path.touch()
        os.utime(path, (tomorrow, tomorrow))
    assert not is_alive(run, run.record()), "nothing was ever started"


@pytest.mark.parametrize("jump", JUMPS)
def test_a_run_that_beats_on_another_machine_is_not_started_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    monkeypatch.setattr("core.runs.follow.BEATS_SECONDS", 0.2)
    run = create_toy(tmp_path)
    run.update_record(pid=1, pid_start=1.0, machine="elsewhere", state="running")
    over = threading.Event()

    def beat() -> None:
        at = time.time() + jump
        while not over.wait(0.02):
            at += 0.02
            os.utime(run.heartbeat, (at, at))

    run.heartbeat.touch()
    beating = threading.Thread(target=beat)
    beating.start()
    try:
        with pytest.raises(InputRefused, match="still going"):
            work_here(run)
    finally:
        over.set()
        beating.join()
    long_ago = time.time() - DAY
    os.utime(run.heartbeat, (long_ago, long_ago))
    work_here(run)
    assert run.record().machine == this_machine()
    assert Home.at(tmp_path).runs.is_dir()
