"""W&B offline, read back from its own file; W&B online, as a server on this machine got it."""

from __future__ import annotations

import getpass
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputRefused, Interrupted, ServiceRefused
from core.runs.folder import Run
from core.runs.tracked import Tracked, read_tracked, tracking_folder, write_tracked
from core.tracking.follower import follow
from core.tracking.launch import track
from tests.fakes.wandb_api import KEY, WandbServer, wandb_server
from tests.unit.cli import ROOT
from tests.unit.tracked_runs import (
    NAME,
    RIVAL,
    TWEETS,
    add_model,
    append,
    artifacts,
    config,
    end,
    history,
    measure,
    measured,
    offline_parts,
    records,
    resume,
    say,
    shown,
    start,
    summary,
    tracked_run,
    train,
)

OTHERS = "a-key-that-is-not-ours"
MACHINE, USER = "machine-of-the-test", "user-of-the-test"
PRIVATE = [*TWEETS, RIVAL, KEY, OTHERS, MACHINE, USER, "private-archive", "weights of"]
# where they are long enough to stand in no other word
PRIVATE += [name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 6]


@pytest.fixture(autouse=True)
def _wandb_of_the_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The tracker sets W&B's variables in what is its own process; here that is ours."""
    for name in ("DIR", "DATA_DIR", "CACHE_DIR", "CONFIG_DIR", "ERROR_REPORTING", "PROJECT"):
        monkeypatch.setenv(f"WANDB_{name}", "")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("SOMEBODYS_TOKEN", OTHERS)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HOSTNAME", MACHINE)
    monkeypatch.setattr(socket, "gethostname", lambda: MACHINE)
    monkeypatch.setattr(platform, "node", lambda: MACHINE)
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, USER)
    yield
    import wandb

    wandb.teardown()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WandbServer]:
    with wandb_server() as fake:
        monkeypatch.setenv("WANDB_BASE_URL", fake.url)
        yield fake


def offline(run: Run, **more: Any) -> Tracked:
    before = read_tracked(run, "wandb")
    return follow(run, before or Tracked(to="wandb", mode="offline", project="p", **more))


def online(run: Run, **more: Any) -> Tracked:
    before = read_tracked(run, "wandb")
    return follow(run, before or Tracked(to="wandb", mode="online", project="p", **more))


def rows_of(run: Run) -> list[tuple[str, int, float, float]]:
    return [shown(row) for part in offline_parts(run) for row in history(part)]


def whole(run: Run) -> Run:
    """A run with all that a run has."""
    append(run, start(), measure(0, "before"), *map(train, (2, 4)), measure(4), train(8))
    append(run, measure(8, "after"))
    say(run, 4, "a new thing", TWEETS[2])
    add_model(run)
    end(run)
    return run


def following(run: Run, mode: str) -> subprocess.Popen[bytes]:
    """A tracker in a process of its own, to be killed."""
    (run.folder / "tracking").mkdir(exist_ok=True)
    write_tracked(run, Tracked(to="wandb", mode=mode, project="p"))
    return subprocess.Popen(
        [sys.executable, "-m", "core.tracking.child", str(run.folder), "--to", "wandb"],
        cwd=ROOT, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def kill(child: subprocess.Popen[bytes], when: Callable[[], object]) -> None:
    """Once ``when`` is true, the tracker and W&B's own process die as in a power cut."""
    import psutil

    give_up = time.monotonic() + 60
    while not when():
        assert child.poll() is None
        assert time.monotonic() < give_up
        time.sleep(0.05)
    helpers = psutil.Process(child.pid).children(recursive=True)
    for pid in (child.pid, *(one.pid for one in helpers)):
        os.kill(pid, signal.SIGKILL)
    child.wait()


# ── offline ──────────────────────────────────────────────────────────────────────────────


def test_an_offline_run_is_the_journal(tmp_path: Path) -> None:
    run = whole(tracked_run(tmp_path))
    done = offline(run)
    (part,) = offline_parts(run)
    rows = history(part)
    assert [shown(row) for row in rows] == measured(run)
    assert [row["_step"] for row in rows] == list(range(len(rows)))
    assert rows[1]["train/learning_rate"] == 0.002
    assert config(part)["lr"] == 0.002
    assert config(part)["parameters"] == 1000
    assert summary(part)["state"] == "finished"
    assert summary(part)["valid_loss_after"] == 3.5
    (table,) = part.parent.rglob("*.table.json")
    assert json.loads(table.read_text()) == {
        "columns": ["Input", "Prediction", "Step", "Generated"],
        "data": [["", "a new thing", 4, True]],
    }
    assert summary(part)["examples_withheld"] == 1
    assert (done.state, done.rows, done.step) == ("finished", 6, 8)

    (prepared,) = offline_parts(run, "preprocess")
    opened = next(one.run for one in records(prepared) if one.WhichOneof("record_type") == "run")
    assert (opened.display_name, opened.job_type) == ("@zoe-adam-preprocess", "preprocess")
    assert opened.run_id == f"{NAME}-preprocess"
    first, then = artifacts(prepared), artifacts(part)
    assert {name: found[:2] for name, found in (first | then).items() if found[0] != "run_table"} \
        == {
            "tweets-adam-zoe": ("raw-dataset", True),
            "dataset-adam-zoe": ("train-dataset", True),
            "smollm2": ("pretrained-model", True),
            "adam-zoe": ("finetuned-model", False),
        }  # fmt: skip
    assert first["dataset-adam-zoe"][1] is False, "made by the one, used by the other"
    assert json.loads(then["adam-zoe"][2]["files.json"])["model.safetensors"]["bytes"] == 20


def test_no_file_holds_a_tweet_a_secret_or_the_name_of_machine_or_user(tmp_path: Path) -> None:
    run = whole(tracked_run(tmp_path))
    offline(run)
    files = [path for path in (run.folder / "tracking").rglob("*") if path.is_file()]
    assert len(files) > 10
    for path in files:
        content = path.read_bytes()
        for text in PRIVATE:
            assert text.encode() not in content, (path, text)


def test_texts_and_weights_are_there_when_asked_for(tmp_path: Path) -> None:
    run = whole(tracked_run(tmp_path))
    offline(run, upload_tweets=True, upload_model=True)
    (part,) = offline_parts(run)
    files = artifacts(part)["dataset-adam-zoe"][2]
    assert files["train.parquet"] == (run.dataset / "train.parquet").read_bytes()
    assert artifacts(part)["adam-zoe"][2]["model.safetensors"] == b"weights of the model"
    (table,) = part.parent.rglob("*.table.json")
    assert TWEETS[2] in table.read_text()


def test_a_tracker_killed_in_the_middle_and_started_again_has_each_step_once(
    tmp_path: Path,
) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), measure(0, "before"), *map(train, (1, 2, 3)))

    def has_them() -> bool:
        now = read_tracked(run, "wandb")
        return now is not None and now.rows == 4

    kill(following(run, "offline"), has_them)
    append(run, *map(train, (4, 5)), measure(5, "after"))
    end(run)
    offline(run)
    assert len(offline_parts(run)) == 1
    assert rows_of(run) == measured(run)


def test_a_run_that_was_stopped_and_resumed_has_each_step_once(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, (1, 2, 3, 4)))
    end(run, "stopped")
    offline(run)
    first = measured(run)
    assert rows_of(run) == first
    resume(run)
    append(run, start(resumed_from=2), *(train(n, 0.0) for n in (3, 4)))
    again = len(measured(run))
    append(run, *map(train, (5, 6)))
    end(run)
    offline(run)
    assert rows_of(run) == first + measured(run)[again:]
    assert {one.run.run_id for one in records(offline_parts(run)[0])} - {""} == {f"{NAME}-train"}


def test_leaving_in_the_middle_keeps_what_there_is(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, (1, 2, 3)))
    with pytest.raises(Interrupted, match="goes on from there"):
        follow(run, Tracked(to="wandb", mode="offline", project="p"), cancelled=lambda: True)
    assert rows_of(run) == measured(run)
    left = read_tracked(run, "wandb")
    assert left is not None
    assert left.in_words == "wandb (offline): stopped"


@pytest.mark.slow
def test_what_was_synced_goes_on_where_it_was(tmp_path: Path, server: WandbServer) -> None:
    """By W&B's own `wandb sync`, which fulfils what was used as well."""
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, (1, 2)))
    with pytest.raises(Interrupted):
        follow(run, Tracked(to="wandb", mode="offline", project="p"), cancelled=lambda: True)
    sync(run)
    append(run, train(3))
    end(run, "stopped")
    offline(run)
    sync(run)
    resume(run)
    append(run, start(resumed_from=3), *map(train, (4, 5)))
    add_model(run)
    end(run)
    offline(run)
    assert len(offline_parts(run)) == 3
    sync(run)
    there = server.runs[f"{NAME}-train"]
    assert [shown(row) for row in there.rows] == measured(run)
    assert there.rows_sent == 5
    assert set(there.used) == {"dataset-adam-zoe", "smollm2"}
    assert "adam-zoe" in there.logged
    assert set(server.runs[f"{NAME}-preprocess"].used) == {"tweets-adam-zoe"}
    assert online_again(run, server) == 5


def sync(run: Run) -> None:
    folders = (run.folder / "tracking" / "wandb").glob("offline-run-*")
    environment = {**os.environ, "WANDB_CONFIG_DIR": str(run.folder)}
    done = subprocess.run(
        [sys.executable, "-m", "wandb", "sync", *map(str, folders)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def online_again(run: Run, server: WandbServer) -> int:
    """How many rows the server has been sent, once the run is tracked online too."""
    (run.folder / "tracking" / "wandb.json").unlink()
    online(run)
    return server.runs[f"{NAME}-train"].rows_sent


# ── online ───────────────────────────────────────────────────────────────────────────────


def test_the_server_gets_the_journal_once(tmp_path: Path, server: WandbServer) -> None:
    run = whole(tracked_run(tmp_path))
    done = online(run)
    there = server.runs[f"{NAME}-train"]
    assert [shown(row) for row in there.rows] == measured(run)
    assert [row["_step"] for row in there.rows] == list(range(6))
    assert (there.display_name, there.job_type, there.project) == ("@zoe-adam-train", "train", "p")
    assert there.settings()["lr"] == 0.002
    assert (there.summary["state"], there.exit_code) == ("finished", 0)
    assert there.summary["examples"]["nrows"] == 1
    assert sorted(there.used) == ["dataset-adam-zoe", "smollm2"]
    assert "adam-zoe" in there.logged
    prepared = server.runs[f"{NAME}-preprocess"]
    assert (prepared.used, prepared.logged) == (["tweets-adam-zoe"], ["dataset-adam-zoe"])
    assert server.artifact("dataset-adam-zoe").type == "train-dataset"
    assert json.loads(server.artifact("tweets-adam-zoe").files["counts.json"])["adam"]["kept"] == 6
    assert done.url == f"{server.url}/somebody/p/runs/{NAME}-train"
    assert server.unknown == []

    online(run)
    assert there.rows_sent == 6, "doing it again sends no row"
    server.artifact("adam-zoe")

    sent = b"\n".join(server.bodies)
    for text in (*PRIVATE, str(tmp_path)):
        assert text.encode() not in sent, text
    for path in run.folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_a_tracker_killed_online_goes_on_where_the_server_is(
    tmp_path: Path, server: WandbServer
) -> None:
    """The server answers no more after three of five rows: two are on their way for ever."""
    run = tracked_run(tmp_path)
    append(run, start(), *map(train, (1, 2, 3, 4, 5)))
    end(run, "stopped")
    server.rows_until_cut = 3
    there = f"{NAME}-train"
    kill(
        following(run, "online"),
        lambda: there in server.runs and len(server.runs[there].history) == 3,
    )
    left = read_tracked(run, "wandb")
    assert left is not None
    assert left.rows == 5, "it had given away all of them"
    staged = Path((tracking_folder(run) / "wandb.staging").read_text())
    assert staged.is_dir()
    server.rows_until_cut = None
    resume(run)
    append(run, start(resumed_from=5), train(6), measure(6, "after"))
    end(run)
    online(run)
    assert not staged.exists(), "it may hold tweets"
    assert not (tracking_folder(run) / "wandb.staging").exists()
    assert [shown(row) for row in server.runs[there].rows] == measured(run)
    assert server.runs[there].rows_sent == 7


def test_a_failed_run_has_failed_there_too(tmp_path: Path, server: WandbServer) -> None:
    run = tracked_run(tmp_path)
    append(run, start(), train(1))
    end(run, "failed", reason=f"OSError: {tmp_path}")
    online(run)
    there = server.runs[f"{NAME}-train"]
    assert (there.summary["state"], there.exit_code) == ("failed", 1)
    assert str(tmp_path).encode() not in b"".join(server.bodies)


def test_a_key_that_is_not_taken_says_what_to_do(
    tmp_path: Path, server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = whole(tracked_run(tmp_path))
    wrong = "0" * 40
    monkeypatch.setenv("WANDB_API_KEY", wrong)
    with pytest.raises(ServiceRefused, match="does not take the key") as refused:
        online(run)
    assert "WANDB_API_KEY" in str(refused.value)
    assert wrong not in str(refused.value)
    assert server.runs == {}
    for path in run.folder.rglob("*"):
        assert not path.is_file() or wrong.encode() not in path.read_bytes(), path


def test_what_is_online_is_not_doubled_by_an_offline_copy(
    tmp_path: Path, server: WandbServer
) -> None:
    run = whole(tracked_run(tmp_path))
    online(run)
    with pytest.raises(InputRefused, match="--mode online"):
        track(run, Tracked(to="wandb", mode="offline", project="p"))
