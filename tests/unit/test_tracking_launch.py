"""The process beside a run, and `mynah track` in front of a person."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from core.errors import InputRefused, Interrupted, MynahError
from core.locks import held_lock
from core.runs.folder import Run
from core.runs.summary import run_summary
from core.runs.tracked import Tracked, all_tracked, read_tracked, write_tracked
from core.tracking.child import lock_of
from core.tracking.launch import track, track_again, track_with_run, tracker_environment
from tests.unit.cli import mynah
from tests.unit.tracked_runs import append, end, measure, resume, start, tracked_run, train

TO = Tracked(to="tensorboard")


def until(run: Run, state: str, rows: int) -> Tracked:
    """What the tracker has, once it has so much."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        found = read_tracked(run, "tensorboard")
        if found and (found.state, found.rows) == (state, rows):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_it_follows_a_run_to_its_end_and_again_when_that_is_resumed(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), train(1))
    track_with_run(run, TO)
    found = until(run, "following", 1)
    assert found.with_run
    assert run_summary(run).tracked[0].in_words == "tensorboard"
    append(run, train(2), measure(2, "after"))
    end(run, "stopped")
    until(run, "finished", 3)
    resume(run)
    append(run, start(resumed_from=2), train(3))
    end(run)
    assert track_again(run) == ["tensorboard"]
    until(run, "finished", 4)
    assert (run.folder / "tracking" / "tensorboard.log").read_text() == ""


def test_one_that_was_not_started_with_the_run_is_not_started_again(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    (run.folder / "tracking").mkdir()
    write_tracked(run, TO)
    assert track_again(run) == []


def test_a_tracker_that_cannot_start_is_no_trouble_for_the_run(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    (run.folder / "tracking").write_text("in the way")
    track_with_run(run, TO)
    assert all_tracked(run) == []


def test_the_command_gives_the_contracts_object(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), train(1), train(2))
    end(run)
    found = mynah("track", "latest", "--to", "tensorboard", "--json", home=tmp_path)
    folder = str(run.folder / "tracking" / "tensorboard")
    assert found.json() == {
        "run": run.id, "to": "tensorboard", "url": folder, "steps": 2, "state": "finished",
        "mode": "", "rows": 2,
    }  # fmt: skip
    assert f"tensorboard --logdir {folder}" in found.err
    shown = mynah("track", run.id[:8], "--to", "tensorboard", home=tmp_path).text
    assert "steps  2" in shown
    (listed,) = mynah("runs", "--json", home=tmp_path).json()
    assert listed["tracked"] == [
        {"to": "tensorboard", "mode": "", "url": folder, "state": "finished"}
    ]


def test_online_without_a_key_is_refused_before_anything_starts(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    no_key = {"WANDB_API_KEY": "", "HOME": str(tmp_path), "NETRC": ""}
    for command in (["track", "latest", "--to", "wandb"], ["train", "adam", "--tracker", "wandb"]):
        ended = mynah(*command, "--mode", "online", home=tmp_path, code=4, **no_key)
        assert "WANDB_API_KEY" in ended.err
        assert not ended.out
    assert not (run.folder / "tracking").exists()


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    with held_lock(lock_of(run, "tensorboard")), pytest.raises(InputRefused, match="already"):
        track(run, TO)


@pytest.mark.parametrize("asked", [{"upload_tweets": True}, {"upload_model": True}])
def test_what_was_made_of_forgotten_tweets_is_not_uploaded(
    tmp_path: Path, asked: dict[str, bool]
) -> None:
    run = tracked_run(tmp_path)
    (run.folder / "stale.json").write_text(json.dumps({"handles": ["adam"], "tweets": 3}))
    with pytest.raises(InputRefused, match="3 tweets of @adam that you have forgotten"):
        track(run, Tracked(to="wandb", mode="offline", **asked))  # type: ignore[arg-type]
    assert all_tracked(run) == []


def test_leaving_keeps_what_it_has_and_the_run(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), train(1), train(2))

    def enough() -> bool:
        now = read_tracked(run, "tensorboard")
        return now is not None and now.rows == 2

    with pytest.raises(Interrupted, match="goes on from there"):
        track(run, TO, cancelled=enough)
    until(run, "stopped", 2)
    assert run.record().state == "queued"


def test_a_failure_says_why_and_where(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), train(1))
    end(run)
    (run.folder / "tracking").mkdir()
    (run.folder / "tracking" / "tensorboard").write_text("in the way")
    with pytest.raises(MynahError, match=r"could not be tracked\. FileExistsError"):
        track(run, TO)
    found = read_tracked(run, "tensorboard")
    assert found is not None
    assert found.in_words == "tensorboard: failed"


def test_a_run_that_is_deleted_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    run.record_file.unlink()
    write_tracked(run, TO)
    assert not (run.folder / "tracking").exists()


@pytest.mark.parametrize("damage", ["", "[]", '{"rows": "many", "to": "tensorboard"}'])
def test_a_damaged_file_of_a_tracker_hurts_nobody(tmp_path: Path, damage: str) -> None:
    run = tracked_run(tmp_path)
    (run.folder / "tracking").mkdir()
    (run.folder / "tracking" / "tensorboard.json").write_text(damage)
    assert [one.rows for one in all_tracked(run)] in ([], [0])


def test_only_wandb_gets_the_variables_of_wandb_and_nobody_other_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "k")
    monkeypatch.setenv("WANDB_PROJECT", "p")
    monkeypatch.setenv("MYNAH_X_TOKEN", "t")
    assert "MYNAH_X_TOKEN" not in tracker_environment("wandb")
    assert tracker_environment("wandb")["WANDB_API_KEY"] == "k"
    assert not {"WANDB_API_KEY", "WANDB_PROJECT"} & set(tracker_environment("tensorboard"))


def test_a_tracker_whose_process_is_gone_says_so(tmp_path: Path) -> None:
    machine = tracked_run(tmp_path).record().machine or ""
    gone = Tracked(to="wandb", mode="online", state="following", owner=(machine, os.getpid(), 1))
    assert gone.in_words == "wandb (online): its process is gone"
