"""The state of a run, whether its process lives, and the lines of a file that grows."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from core.processes import Owner, process_times, this_machine
from core.runs import follow
from core.runs.folder import Run
from core.runs.follow import (
    LineTail,
    RunReader,
    after_all_lines,
    beats_elsewhere,
    file_state,
    is_alive,
    last_of_state,
    run_state,
)
from core.runs.record import RunRecord
from tests.unit.test_runs_follow import make_run


@pytest.mark.parametrize(
    ("record", "last", "alive", "state"),
    [
        ({"state": "finished"}, {"kind": "train"}, True, "finished"),
        ({"state": "queued"}, {"kind": "end", "state": "stopped", "time": 5.0}, True, "stopped"),
        ({}, {"kind": "end", "time": 5.0}, False, "failed"),
        ({"resumed": 6.0, "pid": 1}, {"kind": "end", "state": "stopped", "time": 5.0}, True,
         "starting"),
        ({"resumed": 5.0}, {"kind": "end", "state": "stopped", "time": 5.0}, True, "stopped"),
        ({"resumed": 4.0}, {"kind": "end", "state": "stopped", "time": 5.0}, True, "stopped"),
        ({"resumed": 6.0}, {"kind": "end", "state": "stopped", "time": 5.0}, False, "dead"),
        ({}, {"kind": "end", "state": "stopped"}, True, "stopped"),
        ({"pid": 1}, {"kind": "train", "time": 5.0}, False, "dead"),
        ({"pid": 1}, {"kind": "start", "time": 5.0}, True, "running"),
        ({"pid": 1}, {"kind": "train", "time": 5.0}, True, "running"),
        ({"pid": 1}, {"kind": "eval", "time": 5.0}, True, "running"),
        ({"pid": 1}, {"kind": "checkpoint", "time": 5.0}, True, "running"),
        ({"pid": 1}, {"kind": "queued", "time": 5.0}, True, "queued"),
        ({"pid": 1, "resumed": 6.0}, {"kind": "queued", "time": 5.0}, True, "starting"),
        ({"pid": 1}, {"kind": "phase", "doing": "saving"}, True, "running"),
        ({"pid": 1}, {"kind": "phase", "doing": "loading"}, True, "starting"),
        ({"pid": 1}, {}, True, "starting"),
        ({}, {}, True, "queued"),
    ],
)  # fmt: skip
def test_the_state_by_record_and_last_line(
    tmp_path: Path, record: dict[str, Any], last: dict[str, Any], alive: bool, state: str
) -> None:
    run, found = Run(tmp_path), RunRecord(**record)
    assert run_state(run, found, last, alive=alive) == state
    run.stop_mark.touch()
    goes_on = state in ("queued", "starting", "running")
    assert run_state(run, found, last, alive=alive) == ("stopping" if goes_on else state)


def test_the_last_line_that_says_what_a_process_does() -> None:
    lines = [{"kind": "train", "step": 1}, {"kind": "train", "step": 2}, {"kind": "system"}, {}]
    assert last_of_state(lines) == {"kind": "train", "step": 2}
    assert last_of_state(lines[2:]) == {}


def aged(path: Path, seconds: float) -> None:
    path.touch()
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_process_elsewhere_lives_while_its_heart_beats(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    elsewhere = RunRecord(pid=1, machine="elsewhere")
    aged(run.record_file, 30.0)
    assert is_alive(run, elsewhere), "before its first beat run.json says when"
    aged(run.heartbeat, 590.0)
    assert is_alive(run, elsewhere)
    aged(run.heartbeat, 610.0)
    assert not is_alive(run, elsewhere)
    aged(run.heartbeat, -590.0)
    assert is_alive(run, elsewhere), "its clock is ahead"
    assert not is_alive(Run(tmp_path / "nobody"), elsewhere)


def test_a_run_without_a_process_lives_as_long_as_who_starts_it(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    aged(run.heartbeat, 0.0)
    assert is_alive(run, RunRecord())
    aged(run.heartbeat, 60.0)
    assert not is_alive(run, RunRecord())
    assert is_alive(run, RunRecord(starter=Owner.this_process()))
    assert not is_alive(run, RunRecord(starter=Owner(this_machine(), os.getpid(), 1)))


def test_a_process_is_known_by_its_start_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, pid = make_run(tmp_path, "a"), os.getpid()
    own = process_times(pid)
    assert own is not None
    for machine in (None, this_machine()):
        assert is_alive(run, RunRecord(pid=pid, machine=machine)), "of before starts were written"
        assert is_alive(run, RunRecord(pid=pid, machine=machine, pid_start=own + 0.5))
        assert not is_alive(run, RunRecord(pid=pid, machine=machine, pid_start=own + 1.5))
        assert not is_alive(run, RunRecord(pid=pid, machine=machine, pid_start=own - 1.5))
    monkeypatch.setattr(follow, "process_times", {7: 0.0, 8: None}.get)
    assert is_alive(run, RunRecord(pid=7, pid_start=own)), "one that the system keeps to itself"
    assert not is_alive(run, RunRecord(pid=8, pid_start=own))
    monkeypatch.setattr(follow, "process_times", lambda pid: own + 3600)
    monkeypatch.setattr(follow, "since_boot", lambda pid: 500.0)
    for since, alive in ((500.02, True), (500.5, False), (499.5, False), (None, False)):
        record = RunRecord(pid=pid, pid_start=own, pid_since_boot=since)
        assert is_alive(run, record) is alive
    monkeypatch.setattr(follow, "since_boot", lambda pid: None)
    assert not is_alive(run, RunRecord(pid=pid, pid_start=own, pid_since_boot=500.0))


def test_only_another_machine_is_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, "a")
    pauses: list[float] = []
    monkeypatch.setattr(follow.time, "sleep", pauses.append)
    aged(run.heartbeat, 30.0)
    for record in (RunRecord(machine="elsewhere"), RunRecord(pid=1),
                   RunRecord(pid=1, machine=this_machine())):  # fmt: skip
        assert not beats_elsewhere(run, record)
    assert pauses == [], "nobody waits for what is known"
    elsewhere = RunRecord(pid=1, machine="elsewhere")
    assert not beats_elsewhere(run, elsewhere), "it is silent"
    monkeypatch.setattr(follow.time, "sleep", lambda seconds: aged(run.heartbeat, 0.0))
    assert beats_elsewhere(run, elsewhere)
    monkeypatch.setattr(follow.time, "sleep", lambda seconds: run.heartbeat.unlink())
    assert beats_elsewhere(run, elsewhere)


def test_a_resume_comes_after_every_line(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    before = time.time()
    assert before <= after_all_lines(run) <= time.time()
    tomorrow = round(time.time() + 86_400, 3)
    lines = [{"time": "?"}, {"time": tomorrow}, {"time": tomorrow - 50}, {}]
    run.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert tomorrow < after_all_lines(run) < tomorrow + 0.5


def test_a_file_is_known_again_once_it_has_rested(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert file_state(path) is None
    aged(path, 0.2)
    assert file_state(path) != file_state(path), "it may be written in the same tick again"
    aged(path, 60.0)
    there = file_state(path)
    assert file_state(path) == there
    os.utime(path, (1e9, 1e9))
    assert file_state(path) != there
    aged(path, 60.0)
    path.write_text("more")
    os.utime(path, ns=(there[0], there[0]) if there else None)
    assert file_state(path) != there, "of another size"


def test_a_tail_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    tail, later = LineTail(path), time.monotonic() + 60
    assert tail.read(9, later) == ([], False), "nothing is there yet"
    assert (tail.offset, tail.broken) == (0, 0)
    path.write_text('{"n":1}\n{"n":2}\n{"n":3}\n')
    assert tail.read(2, later) == ([{"n": 1}, {"n": 2}], True)
    assert tail.offset == 16
    assert tail.read(2, later) == ([{"n": 3}], False)
    assert tail.read(2, later) == ([], False)
    path.write_text('{"n":4}\n')
    assert tail.read(2, later) == ([{"n": 4}], False), "another file under the same name"
    long = {"n": 5, "text": "x" * 200_000}
    with path.open("a") as file:
        file.write(json.dumps(long) + "\n" + '{"n":6}\n')
    assert tail.read(2, later) == ([long, {"n": 6}], False)


def test_a_reader_reads_the_record_again_only_when_it_is_another(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a", state="stopped")
    aged(run.record_file, 60.0)
    reader = RunReader(run)
    first = reader.record()
    assert reader.record() is first
    run.update_record(name="the lamp")
    assert reader.record().name == "the lamp"
    run.record_file.write_text("{")
    assert reader.poll().state == "queued", "what is damaged says nothing of an end"
