"""How a training process says that it has ended, whatever ended it, and how it is asked to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_runs import lines_of

from core.errors import InputRefused, MynahError
from core.locks import held_lock
from core.runs.folder import Run
from core.runs.queue import TakenOut
from core.runs.record import Result
from core.training import child
from core.training.child import start_of_this_process, work
from core.training.signals import LeaveAtOnce, StopRequest
from tests.unit.test_runs_follow import make_run


def worked(run: Run, train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(child, "train", train)
    return work(run, StopRequest(run), resume=False)


def raising(error: BaseException) -> Callable[..., Any]:
    def train(*_: Any, **__: Any) -> Any:
        raise error

    return train


@pytest.mark.parametrize(
    ("error", "state", "reason", "code"),
    [
        (MynahError("No room.", "It is full.", "Make some."), "failed",
         "No room. It is full. Make some.", 1),
        (InputRefused("No tweets."), "failed", "No tweets.", 3),
        (TakenOut(), "stopped", "It was taken out of the queue.", 0),
        (LeaveAtOnce(), "stopped", "It was told to leave at once; its last checkpoint is kept.", 0),
        (ValueError("\n odd\nand more"), "failed", "ValueError: odd", 1),
        (MemoryError(), "failed", "MemoryError", 1),
    ],
)  # fmt: skip
def test_whatever_ends_it_is_its_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    error: BaseException, state: str, reason: str, code: int,
) -> None:  # fmt: skip
    run = make_run(tmp_path, "a")
    run.checkpoints.mkdir()
    assert worked(run, raising(error), monkeypatch) == code
    end = lines_of(run)[-1]
    assert (end["kind"], end["state"], " ".join(end["reason"].split())) == ("end", state, reason)
    assert run.record().state == state
    assert run.checkpoints.is_dir(), "it can be resumed"
    assert (reason.split()[0] in capsys.readouterr().err) is (state == "failed")


@pytest.mark.parametrize(("state", "code"), [("finished", 0), ("stopped", 0), ("failed", 1)])
def test_a_result_is_told_and_only_a_finished_run_needs_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, code: int
) -> None:
    run = make_run(tmp_path, "a")
    run.checkpoints.mkdir()
    given: dict[str, Any] = {}

    def train(*place: Any, **named: Any) -> Result:
        given.update(named)
        return Result(state=state, steps=3)

    before = time.monotonic()
    assert worked(run, train, monkeypatch) == code
    assert before <= given["began"] <= time.monotonic()
    assert [line["kind"] for line in lines_of(run)] == ["phase", "end"]
    assert run.record().result == Result(state=state, steps=3)
    assert run.checkpoints.is_dir() is (state != "finished")


def test_a_second_process_leaves_a_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, "a")
    monkeypatch.setattr(child, "LOCK_SECONDS", 0.05)
    with held_lock(run.lock):
        assert worked(run, raising(ValueError()), monkeypatch) == InputRefused.exit_code == 3
    assert lines_of(run) == []
    assert "a has a training process already" in capsys.readouterr().err


def test_how_a_process_is_asked_to_stop(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    stop = StopRequest(run)
    try:
        stop.listen()
        assert (stop.asked, stop.final) == (False, False)
        run.stop_mark.touch()
        assert stop.asked
        run.stop_mark.unlink()
        assert not stop.asked
        os.kill(os.getpid(), signal.SIGINT)
        assert (stop.asked, stop.final) == (True, False)
        with pytest.raises(LeaveAtOnce):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.final
        os.kill(os.getpid(), signal.SIGTERM)  # the second is one too many to listen to
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])


def test_a_process_knows_when_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    began = start_of_this_process()
    assert began is not None
    assert began < time.monotonic()
    monkeypatch.setattr(child, "process_age", lambda pid: 5.0)
    assert start_of_this_process() == pytest.approx(time.monotonic() - 5.0, abs=1.0)
    monkeypatch.setattr(child, "process_age", lambda pid: None)
    assert start_of_this_process() is None
