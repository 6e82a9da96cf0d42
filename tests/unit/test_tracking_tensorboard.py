"""Event files are read back with TensorBoard's own reader, which checks every checksum."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from core.errors import Interrupted
from core.runs.folder import Run
from core.runs.tracked import Tracked, read_tracked
from core.tracking.follower import follow
from tests.unit.tracked_runs import append, end, measure, resume, say, start, tracked_run, train


def read(run: Run) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder(run)), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    return found


def folder(run: Run) -> Path:
    return run.folder / "tracking" / "tensorboard"


def losses(run: Run, tag: str = "train/loss") -> list[tuple[int, float, float]]:
    return [(e.step, e.wall_time, round(e.value, 5)) for e in read(run).Scalars(tag)]


def track(run: Run) -> Tracked:
    return follow(run, read_tracked(run, "tensorboard") or Tracked(to="tensorboard"))


def track_so_far(run: Run) -> None:
    with pytest.raises(Interrupted):
        follow(run, read_tracked(run, "tensorboard") or Tracked(to="tensorboard"),
               cancelled=lambda: True)  # fmt: skip


def expected(*steps: int, first: int = 2) -> list[tuple[int, float, float]]:
    """Each step at its own second, as `append` writes them."""
    return [
        (step, 1_772_360_100.0 + first + i, round(5 - step / 10, 5)) for i, step in enumerate(steps)
    ]


def test_events_are_the_journal(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), measure(0, "before"), *map(train, range(1, 200)), measure(199, "after"))
    say(run, 199, "first text", "second [bold] text")
    end(run)
    done = track(run)
    assert losses(run) == expected(*range(1, 200))
    assert losses(run, "eval/loss") == [
        (0, 1_772_360_101.0, 4.0), (199, 1_772_360_301.0, round(4 - 199 / 20, 5)),
    ]  # fmt: skip
    (text,) = read(run).Tensors("samples/2")
    assert (text.step, text.tensor_proto.string_val) == (199, [b"generated: second [bold] text"])
    assert read(run).SummaryMetadata("samples/2").plugin_data.plugin_name == "text"
    assert b'"lr": 0.002' in read(run).Tensors("config")[0].tensor_proto.string_val[0]
    assert (done.state, done.rows, done.step, done.url) == ("finished", 201, 199, str(folder(run)))


def test_doing_it_again_adds_nothing(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, range(1, 9)))
    end(run)
    track(run)
    files = {path.name: path.read_bytes() for path in folder(run).iterdir()}
    track(run)
    assert {path.name: path.read_bytes() for path in folder(run).iterdir()} == files


def test_what_a_killed_process_wrote_beyond_its_position_is_written_once(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, range(1, 5)))
    track_so_far(run)
    known = read_tracked(run, "tensorboard")
    append(run, *map(train, range(5, 9)))
    track_so_far(run)
    # as if the process had died before it could write down that it has them
    (run.folder / "tracking" / "tensorboard.json").write_bytes(_json(known))
    append(run, *map(train, range(9, 12)))
    end(run)
    track(run)
    assert losses(run) == expected(*range(1, 12), first=1)


def _json(tracked: Tracked | None) -> bytes:
    import msgspec

    return msgspec.json.encode(tracked)


def test_a_cut_record_at_the_end_is_cut_away(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, range(1, 5)))
    track_so_far(run)
    (file,) = folder(run).iterdir()
    with file.open("ab") as events:
        events.write(b"\x55\x00\x00\x00\x00\x00\x00\x00half")
    append(run, *map(train, range(5, 9)))
    end(run)
    track(run)
    assert losses(run) == expected(*range(1, 9), first=1)


def test_a_run_that_was_stopped_and_resumed_has_each_step_once(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, range(1, 7)))
    say(run, 6, "early")
    end(run, "stopped")
    track(run)
    resume(run)
    append(run, start(resumed_from=4), *(train(n, 0.0) for n in (5, 6)), *map(train, (7, 8)))
    say(run, 6, "early")
    say(run, 8, "late")
    end(run)
    done = track(run)
    assert [(step, loss) for step, _, loss in losses(run)] == [
        (n, 5 - n / 10) for n in range(1, 9)
    ], "what was measured first stands"
    said = [event.tensor_proto.string_val[0] for event in read(run).Tensors("samples/1")]
    assert said == [b"generated: early", b"generated: late"]
    assert (done.rows, done.samples) == (8, 2)


def test_a_run_whose_process_is_gone_is_followed_no_longer(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, (1, 2)))
    run.update_record(pid_start=1.0)
    assert track(run).state == "finished"
    assert losses(run) == expected(1, 2, first=1)


def test_files_that_somebody_removed_are_written_from_the_beginning(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, range(1, 5)))
    track_so_far(run)
    for path in folder(run).iterdir():
        path.unlink()
    append(run, train(5))
    end(run)
    track(run)
    assert losses(run) == expected(*range(1, 6), first=1)


def test_nothing_tells_the_name_of_the_machine(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), train(1))
    end(run)
    track(run)
    (file,) = folder(run).iterdir()
    assert socket.gethostname() not in file.name
    assert socket.gethostname().encode() not in file.read_bytes()
    assert str(os.getpid()) not in file.name
