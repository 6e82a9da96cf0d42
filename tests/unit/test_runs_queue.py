"""The queue of a device: who goes, who waits for whom, and who does not count."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.home import Home
from core.processes import process_times, this_machine
from core.runs import queue
from core.runs.events import Journal
from core.runs.folder import Run
from core.runs.queue import TakenOut, Turn
from core.runs.record import RunRecord
from core.runs.summary import list_runs


def make_run(home: Path, name: str, second: int = 0, **more: object) -> Run:
    """A run that was created at that second, and whose process is this one."""
    run = Run(home / "runs" / name)
    run.folder.mkdir(parents=True)
    created = f"2026-01-01T00:00:{second:02d}+00:00"
    run.write_record(
        RunRecord(
            id=name,
            handles=["keeper"],
            base="scratch",
            state="queued",
            created=created,
            machine=this_machine(),
        )
    )
    run.update_record(pid=os.getpid(), pid_start=process_times(os.getpid()), **more)
    return run


def gone(run: Run) -> None:
    """Its process was killed, and another one has its number now."""
    run.update_record(pid_start=1.0)


def turn(run: Run) -> Turn:
    journal = Journal(run)
    journal.close()
    return Turn(run, journal, lambda: False)


def test_who_asked_first_goes_first_and_the_dead_block_nobody(tmp_path: Path) -> None:
    runs = [make_run(tmp_path, name, second) for second, name in enumerate("abcd")]
    a, b, c, d = map(turn, runs)
    assert a.waits_for("cpu") is None
    assert d.waits_for("cpu") == "a"
    assert b.waits_for("cpu") == "a", "it came later, but was asked for before"
    assert d.waits_for("cpu") == "b"
    assert c.waits_for("cpu") == "b"
    assert d.waits_for("cpu") == "c"
    assert turn(make_run(tmp_path, "other")).waits_for("cuda-0") is None, "another device"
    gone(runs[2])
    assert d.waits_for("cpu") == "b"
    gone(runs[0])
    assert d.waits_for("cpu") == "b", "it is not its turn yet"
    assert b.waits_for("cpu") is None
    assert d.waits_for("cpu") == "b"
    gone(runs[1])
    assert d.waits_for("cpu") is None


def test_a_run_of_now_waits_for_nobody_and_others_wait_for_it(tmp_path: Path) -> None:
    first, hasty = make_run(tmp_path, "first"), make_run(tmp_path, "hasty", 9, now=True)
    waiting = turn(make_run(tmp_path, "waiting", 5))
    assert turn(first).waits_for("cpu") is None
    assert waiting.waits_for("cpu") == "first"
    assert turn(hasty).waits_for("cpu") is None
    gone(first)
    assert waiting.waits_for("cpu") == "hasty"
    gone(hasty)
    assert waiting.waits_for("cpu") is None


def test_a_resumed_run_asks_anew(tmp_path: Path) -> None:
    going = turn(make_run(tmp_path, "going"))
    resumed = make_run(tmp_path, "resumed", 1, resumed=4e9)
    assert going.waits_for("cpu") is None
    new = turn(make_run(tmp_path, "new", 2))
    assert new.waits_for("cpu") == "going"
    assert turn(resumed).waits_for("cpu") == "new"


def test_waiting_is_written_once_for_each_run_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LOOK_SECONDS", 0.001)
    first, second = make_run(tmp_path, "first"), make_run(tmp_path, "second", 1)
    run = make_run(tmp_path, "third", 2)
    assert turn(first).waits_for("cpu") is None
    assert turn(second).waits_for("cpu") == "first"
    looks = []

    def stop() -> bool:
        looks.append(list_runs(Home.at(tmp_path))[0])
        if len(looks) == 3:
            gone(second)
        return len(looks) == 6

    journal = Journal(run)
    with pytest.raises(TakenOut), Turn(run, journal, stop) as place:
        place.wait("cpu")
    journal.close()
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    assert [(line["kind"], line["waits_for"]) for line in lines] == [
        ("queued", "second"),
        ("queued", "first"),
    ]
    assert {(look.state, look.waits_for) for look in looks} == {
        ("queued", "second"),
        ("queued", "first"),
    }
    assert looks[0].to_json()["waits_for"] == "second"


def test_a_turn_that_comes_is_told_and_given_up_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "LOOK_SECONDS", 0.001)
    first, run = make_run(tmp_path, "first"), make_run(tmp_path, "second", 1)
    assert turn(first).waits_for("cpu") is None

    def never() -> bool:
        gone(first)
        return False

    journal = Journal(run)
    with Turn(run, journal, never) as place:
        assert place.wait("cpu") > 0
        (summary,) = [one for one in list_runs(Home.at(tmp_path)) if one.run == "second"]
        assert (summary.state, summary.waits_for) == ("starting", None)
        assert place.wait("cpu") == 0, "it has its turn"
    (ticket,) = (tmp_path / "locks").glob("*/second.json")
    run.update_record(pid=None)  # as where a run has no process of its own
    with Turn(run, journal, never) as place:
        place.wait("cpu")
    journal.close()
    assert not ticket.exists()


def test_a_queue_that_cannot_be_kept_holds_nobody_up(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    (tmp_path / "locks").write_text("in the way")
    journal = Journal(run)
    with Turn(run, journal, lambda: False) as place:
        assert place.wait("cpu") == 0
    journal.close()
    assert "queue of cpu" in json.loads(run.metrics.read_text())["text"]


def test_a_damaged_ticket_does_not_count(tmp_path: Path) -> None:
    going = turn(make_run(tmp_path, "going"))
    assert going.waits_for("cpu") is None
    (ticket,) = (tmp_path / "locks").glob("*/going.json")
    ticket.write_text('{"run": 5')
    assert turn(make_run(tmp_path, "next", 1)).waits_for("cpu") is None
