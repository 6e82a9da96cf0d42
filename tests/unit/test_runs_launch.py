"""Who takes a run up, and who is refused; how long and with what a process is asked to stop."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputRefused, Interrupted, MynahError
from core.locks import held_lock
from core.processes import process_times, this_machine
from core.runs import launch
from core.runs.folder import Run
from core.runs.launch import stop_run, work_here
from core.runs.record import Decisions
from core.runs.settings import settings_for
from tests.unit.test_runs_follow import alive, make_run

DECIDED = Decisions(
    device="cpu", arithmetic="float32", threads=1, batch_tokens=8, row_tokens=8, eval_tokens=8,
    steps=5, steps_a_round=5,
)  # fmt: skip


def a_run(home: Path, name: str = "a", **more: Any) -> Run:
    settings = settings_for("fast", "scratch").to_json()
    gone = {"pid": os.getpid(), "pid_start": 1.0, "pid_since_boot": 0.0}
    return make_run(home, name, **{"settings": settings, "state": "stopped", **gone, **more})


def test_this_process_takes_a_run_up(tmp_path: Path) -> None:
    run = a_run(tmp_path, reason="It waits.", ended="2026-01-01")
    run.stop_mark.touch()
    assert work_here(run) is False
    record = run.record()
    assert (record.pid, record.machine, record.reason) == (os.getpid(), this_machine(), "")
    assert record.pid_start == process_times(os.getpid())
    assert (record.state, record.ended, record.now) == ("queued", None, False)
    assert record.resumed is not None
    assert not run.stop_mark.exists()
    with pytest.raises(InputRefused, match="a is still going"):
        work_here(run)
    assert work_here(a_run(tmp_path, "b", decisions=vars_of(DECIDED), now=True)) is True
    assert Run(run.folder.parent / "b").record().now is True


def vars_of(decided: Decisions) -> dict[str, Any]:
    import msgspec

    return dict(msgspec.to_builtins(decided))


def test_what_cannot_be_taken_up_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "TERM_SECONDS", 0.05)
    with pytest.raises(InputRefused, match="finished has finished") as refused:
        work_here(a_run(tmp_path, "finished", state="finished"))
    assert refused.value.next_step.endswith("`mynah train --from finished`.")
    with pytest.raises(InputRefused, match="odd cannot be resumed"):
        work_here(a_run(tmp_path, "odd", settings={}))
    held = a_run(tmp_path, "held")
    with held_lock(held.lock), pytest.raises(InputRefused, match="held is still going"):
        work_here(held)


def test_a_run_that_does_not_go_is_not_stopped(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    stop_run(run)
    assert not run.stop_mark.exists()
    elsewhere = a_run(tmp_path, "b", machine="elsewhere", pid=1, pid_start=1.0, state="running")
    elsewhere.heartbeat.touch()
    with pytest.raises(MynahError, match="b cannot be stopped from here"):
        stop_run(elsewhere)


@pytest.mark.skipif(sys.platform == "win32", reason="where no SIGINT reaches it")
def test_a_process_is_asked_ever_more_firmly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_run(tmp_path, state="running")
    alive(run)
    waited: list[float] = []
    sent: list[int] = []
    gone_after: list[int] = [99]

    def gone(run: Run, record: Any, seconds: float, cancelled: Any) -> bool:
        waited.append(seconds)
        return len(waited) >= gone_after[0]

    monkeypatch.setattr(launch, "_gone", gone)
    monkeypatch.setattr(launch.os, "kill", lambda pid, number: sent.append(number))
    monkeypatch.setattr(launch, "process_age", lambda pid: 60.0)
    with pytest.raises(MynahError, match="a does not end"):
        stop_run(run, 7.0)
    assert sent == [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]
    assert waited == [7.0, launch.TERM_SECONDS, launch.KILL_SECONDS]
    assert run.stop_mark.exists(), "it may still see it"
    for age, first in ((3.0, [7.0]), (None, [])):
        monkeypatch.setattr(launch, "process_age", lambda pid, age=age: age)
        waited.clear()
        sent.clear()
        gone_after[0] = 2
        stop_run(run, 7.0)
        assert waited[: len(first)] == first
        assert sent == [signal.SIGINT, *([] if first else [signal.SIGTERM])], (
            "one that is young sees the mark before it hears a signal"
        )
        assert not run.stop_mark.exists()


def test_who_waits_for_a_stop_may_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(tmp_path, state="running")
    alive(run)
    monkeypatch.setattr(launch.os, "kill", lambda pid, number: None)
    with pytest.raises(Interrupted, match="a was asked to stop"):
        stop_run(run, cancelled=lambda: True)
    assert run.stop_mark.exists()
