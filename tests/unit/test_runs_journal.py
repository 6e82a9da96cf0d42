"""What a training process writes of itself: each line, the last word, the heartbeat."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from toy_runs import lines_of

from core.processes import this_machine
from core.runs.events import Journal
from core.runs.record import Result
from core.runs.system import SystemProbe, has_nvidia_gpu
from core.runs.tracked import Tracked, all_tracked, read_tracked, write_tracked
from tests.unit.test_runs_follow import make_run


def test_each_line_has_its_kind_its_time_and_its_fields(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    journal, before = Journal(run), time.time()
    assert run.heartbeat.exists()
    journal.phase("loading")
    journal.note("good")
    journal.warning("bad")
    journal.write("train", loss=math.inf, lr=0.5, step=3)
    journal.sample(3, "the \ud83d lamp")
    journal.end(Result(state="finished", steps=3))
    journal.close()
    journal.note("too late")
    lines = lines_of(run)
    assert all(before <= line.pop("time") <= time.time() for line in lines)
    assert lines == [
        {"kind": "phase", "doing": "loading"},
        {"kind": "note", "text": "good"},
        {"kind": "warning", "text": "bad"},
        {"kind": "train", "loss": None, "lr": 0.5, "step": 3},
        {"kind": "end", "reason": "", "state": "finished", "steps": 3},
    ]
    (sample,) = map(json.loads, run.samples.read_text().splitlines())
    assert before <= sample.pop("time") <= time.time()
    assert sample == {"kind": "sample", "step": 3, "text": "the ? lamp", "generated": True}
    record = run.record()
    assert (record.state, record.reason, record.result) == (
        "finished", "", Result(state="finished", steps=3),
    )  # fmt: skip
    assert record.ended is not None
    assert record.ended.endswith("+00:00")


def test_a_line_that_the_disk_has_no_room_for_is_lost_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, "a")
    journal = Journal(run)
    file = journal._metrics._file

    class Full:
        closed = False

        def __init__(self, room: int | None) -> None:
            self.room = room

        def write(self, content: bytes) -> int:
            if self.room is None:
                raise OSError(28, "No space left on device")
            return file.write(content[: self.room])

    for room in (None, 10):
        journal._metrics._file = Full(room)  # type: ignore[assignment]
        journal.note("lost")
        journal._metrics._file = file
        journal.note(f"kept {room}")
    journal.close()
    assert "a line of the journal is lost" in capsys.readouterr().err
    kept, half, last = (line for line in run.metrics.read_text().splitlines() if line)
    assert [json.loads(kept)["text"], json.loads(last)["text"]] == ["kept None", "kept 10"]
    assert half == '{"kind": "'


def test_a_run_whose_record_is_gone_still_says_how_it_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, "a")
    journal = Journal(run)
    run.record_file.unlink()
    journal.end(Result(state="stopped", reason="asked to"))
    journal.close()
    assert [line["reason"] for line in lines_of(run)] == ["asked to"]
    assert "run.json does not say how the run ended" in capsys.readouterr().err


def test_the_heart_beats_until_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.runs.events.BEAT_SECONDS", 0.01)
    run = make_run(tmp_path, "a")
    journal = Journal(run)
    give_up = time.monotonic() + 30
    for _ in range(2):
        os.utime(run.heartbeat, (1.0, 1.0))
        while run.heartbeat.stat().st_mtime == 1.0 and time.monotonic() < give_up:
            time.sleep(0.01)
        assert run.heartbeat.stat().st_mtime > 1.0
    journal.end(Result(state="finished"))
    os.utime(run.heartbeat, (1.0, 1.0))
    time.sleep(0.1)
    assert run.heartbeat.stat().st_mtime == 1.0
    assert [line["kind"] for line in lines_of(run)] == ["end"], "nobody asked for its figures"
    journal.close()


class Nvml:
    """NVIDIA's library on a machine with two of its GPUs, one of which knows nothing of power."""

    class NVMLError(Exception):
        pass

    def nvmlInit(self) -> None:  # noqa: N802
        pass

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        return type("Use", (), {"gpu": 91 + handle})

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        return type("Memory", (), {"used": 3 * 2**30})

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:  # noqa: N802
        if handle:
            raise self.NVMLError
        return 412_345


def test_what_gpus_do_is_told_in_percent_mib_and_watts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Nvml())
    assert has_nvidia_gpu()
    found = SystemProbe(gpus=True).values()
    assert {name: value for name, value in found.items() if name.startswith("gpu")} == {
        "gpu0_use": 91.0, "gpu0_memory": 3072.0, "gpu0_power": 412.3, "gpu1_use": 92.0,
        "gpu1_memory": 3072.0,
    }  # fmt: skip
    assert not any(name.startswith("gpu") for name in SystemProbe(gpus=False).values())
    monkeypatch.setattr(Nvml, "nvmlDeviceGetCount", lambda self: 0)
    assert not has_nvidia_gpu()

    def broken(self: Nvml) -> int:
        raise self.NVMLError

    monkeypatch.setattr(Nvml, "nvmlDeviceGetCount", broken)
    assert not has_nvidia_gpu()


def test_the_file_of_a_tracker(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    assert all_tracked(run) == []
    write_tracked(run, Tracked(to="wandb", mode="offline", project="p", rows=3))
    write_tracked(run, Tracked(to="tensorboard", url="/x", state="failed", reason="No."))
    board, wandb = all_tracked(run)
    assert (board.to, wandb.to, wandb.rows, wandb.mode) == ("tensorboard", "wandb", 3, "offline")
    assert board.to_json() == {"to": "tensorboard", "mode": "", "url": "/x", "state": "failed"}
    assert [one.in_words for one in (board, wandb)] == ["tensorboard: failed", "wandb (offline)"]
    of_another = Tracked(to="wandb", state="following", owner=("this", 1, 1))
    assert of_another.in_words == "wandb", "on another machine, of which nothing is known"
    gone = Tracked(to="wandb", state="following", owner=(this_machine(), os.getpid(), 1))
    assert gone.in_words == "wandb: its process is gone"
    assert Tracked(to="wandb", state="stopped").in_words == "wandb: stopped"
    fresh = Tracked()
    assert (fresh.rows, fresh.step, fresh.samples, fresh.files) == (0, 0, 0, {})
    assert (fresh.upload_tweets, fresh.upload_model, fresh.with_run) == (False, False, False)
    file = run.folder / "tracking" / "wandb.json"
    assert file.read_bytes().endswith(b"}\n")
    file.write_text('{"rows": "x", "step": 4}')
    assert read_tracked(run, "wandb") == Tracked(to="wandb", step=4)
    for content in ("[]", "{"):
        file.write_text(content)
        assert read_tracked(run, "wandb") is None
    run.record_file.unlink()
    file.unlink()
    write_tracked(run, wandb)
    assert not file.exists(), "a run that was deleted is not made again"
