"""Runs as they are: real processes, real files, a model from nothing and a few steps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from toy_runs import create_toy, follow, one_core, start_toy, toy_tweets, train_here

from core.children.start import child_environment
from core.errors import InputRefused, Interrupted
from core.home import Home
from core.processes import process_times, this_machine
from core.runs.folder import checkpoint_folders, find_run
from core.runs.launch import resume_run, start_run, stop_run
from core.runs.settings import RunRequest, settings_for
from core.runs.summary import RunsFollower, list_runs, run_result, run_summary

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stops runs with POSIX signals")


def test_a_run_from_start_to_a_model_that_transformers_loads(tmp_path: Path) -> None:
    run = start_toy(tmp_path, max_steps=6, batch_tokens=128)
    records, state = follow(run)
    assert state == "finished", run.log.read_text()

    steps = [record["step"] for record in records if record["kind"] == "train"]
    assert steps == sorted(set(steps))
    assert steps[-1] == 6
    start = next(record for record in records if record["kind"] == "start")
    assert start["steps"] == 6
    assert start["train_tweets"] + start["valid_tweets"] == 60
    phases = [record["phase"] for record in records if record["kind"] == "eval"]
    assert phases[:2] == ["before", "after"]
    assert records[-1]["kind"] == "end"

    result = run_result(run)
    assert set(result) == set(
        "run base steps tokens tokens_per_second train_loss valid_loss_before valid_loss_after "
        "state model_dir device shares tracked memorised_train memorised_held_out "
        "valid_tweets memory_needed peak_memory".split()
    )
    assert (result["run"], result["base"], result["state"]) == (run.id, "scratch", "finished")
    assert result["valid_loss_after"] < result["valid_loss_before"]
    assert Path(result["model_dir"]) == run.model
    (summary,) = list_runs(Home.at(tmp_path))
    assert summary.has_model
    assert summary.names == {"keeper": "The Keeper"}
    assert summary.ended is not None

    record = run.record()
    assert record.settings["seed"] == 1
    assert record.recipe.name == "standard"
    assert (run.dataset / "manifest.json").is_file()
    samples = [json.loads(line) for line in run.samples.read_text().splitlines()]
    assert all(sample["generated"] is True for sample in samples)
    config = (run.model / "config.json").read_text()
    assert str(tmp_path) not in config, "no path of this machine in what may be published"

    from transformers import pipeline

    with one_core():
        (wrote,) = pipeline("text-generation", model=str(run.model))("the lamp", max_new_tokens=5)
    assert wrote["generated_text"].startswith("the lamp")


def test_a_run_that_is_stopped_resumed_and_killed(tmp_path: Path) -> None:
    run = start_toy(tmp_path, epochs=500)
    follow(run, until=lambda records: any(r["kind"] == "train" for r in records))
    stop_run(run)
    records, state = follow(run)
    assert state == "stopped"
    stopped_at = records[-1]["steps"]
    assert 0 < stopped_at < 500
    assert (run.model / "model.safetensors").is_file()
    assert [path.name for path in checkpoint_folders(run.checkpoints)] == [f"step-{stopped_at:07d}"]
    assert not run.stop_mark.exists()

    resume_run(run)
    records, _ = follow(
        run,
        until=lambda records: any(
            r["kind"] == "train" and r["step"] > stopped_at + 2 for r in records
        ),
    )
    again = [record for record in records if record["kind"] == "start"][-1]
    assert again["resumed_from"] == stopped_at
    os.kill(run.record().pid, signal.SIGKILL)
    records, state = follow(run)
    assert state == "dead"
    steps = [record["step"] for record in records if record["kind"] == "train"]
    assert steps == sorted(steps)
    assert steps[-1] > stopped_at
    stop_run(run)  # nothing to do, and it says nothing
    (summary,), histories, _ = RunsFollower(Home.at(tmp_path), only=run.id).poll()
    assert summary.state == "dead"
    assert summary.reason
    assert len(histories[run.id].train_losses) > 0


def test_a_stop_that_nobody_waits_for_still_holds(tmp_path: Path) -> None:
    run = create_toy(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        pid = process.pid
        run.update_record(pid=pid, pid_start=process_times(pid), machine=this_machine())
        with pytest.raises(Interrupted):
            stop_run(run, cancelled=lambda: True)
        assert run.stop_mark.exists(), "a process so young has not looked for it yet"
        process.kill()


def test_a_second_run_waits_until_the_first_is_gone_and_one_can_leave_the_queue(
    tmp_path: Path,
) -> None:
    first = start_toy(tmp_path, epochs=500)
    follow(first, until=lambda records: any(r["kind"] == "start" for r in records))
    pid = first.record().pid or 0
    os.kill(pid, signal.SIGSTOP)  # it is there, and leaves the machine to others
    try:
        second = start_toy(tmp_path, max_steps=2)
        follow(second, until=lambda records: any(r["kind"] == "queued" for r in records))
        assert (run_summary(second).state, run_summary(second).waits_for) == ("queued", first.id)
        third = create_toy(tmp_path, max_steps=2)
        third.stop_mark.touch()
        lines = train_here(third)
        assert [line["kind"] for line in lines] == ["phase", "queued", "end"]
        end = lines[-1]
        assert (end["state"], end["reason"]) == ("stopped", "It was taken out of the queue.")
        assert not third.model.exists()
        assert run_summary(second).state == "queued"
    finally:
        os.kill(pid, signal.SIGKILL)
    records, state = follow(second)
    assert state == "finished", second.log.read_text()
    (queued,) = [record for record in records if record["kind"] == "queued"]
    (turn,) = [record for record in records if record.get("doing") == "its turn has come"]
    (start,) = [record for record in records if record["kind"] == "start"]
    # the time that it waited is not the run's
    waited = turn["time"] - queued["time"]
    assert start["seconds"] + waited < start["time"] - (second.record().pid_start or 0) + 1


def test_sigterm_leaves_at_once_and_says_so(tmp_path: Path) -> None:
    run = start_toy(tmp_path, epochs=500)
    follow(run, until=lambda records: any(r["kind"] == "train" for r in records))
    os.kill(run.record().pid, signal.SIGTERM)
    records, state = follow(run)
    assert state == "stopped"
    assert "at once" in records[-1]["reason"]
    assert checkpoint_folders(run.checkpoints) == []


def test_a_time_limit_ends_a_blend_of_two_accounts_long_before_its_steps(tmp_path: Path) -> None:
    import polars as pl

    both = pl.concat([toy_tweets(40, "keeper"), toy_tweets(20, "gull")])
    both = both.with_columns(tweet_id=pl.col("handle") + pl.col("tweet_id"))
    run = start_toy(tmp_path, tweets=both, epochs=100_000, minutes=0.05)
    records, state = follow(run)
    assert state == "finished"
    trained = [record for record in records if record["kind"] == "train"]
    assert trained, "however short the limit, something is learned"
    assert trained[-1]["step"] < trained[-1]["steps"]
    assert list_runs(Home.at(tmp_path))[0].handles == ["gull", "keeper"]


def test_too_few_tweets_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="too few"):
        start_toy(tmp_path, tweets=toy_tweets(4))
    assert list_runs(Home.at(tmp_path)) == []
    with pytest.raises(InputRefused):
        find_run(Home.at(tmp_path), "latest")


def test_nothing_secret_is_handed_to_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("X_BEARER_TOKEN", "WANDB_API_KEY", "HF_TOKEN", "MY_PASSWORD"):
        monkeypatch.setenv(name, f"value of {name}")
    alone, online = child_environment(), child_environment(needs_network=True)
    assert not any(value.startswith("value of") for value in alone.values())
    given = [name for name, value in online.items() if value.startswith("value of")]
    assert given == ["HF_TOKEN"], "only what the hub needs, only when it is asked"
    assert alone["HF_HUB_OFFLINE"] == "1"


@pytest.mark.slow
def test_smollm2_learns_a_voice(tmp_path: Path) -> None:
    from core.curation.recipe import load_recipe
    from core.models.catalogue import default_base
    from tests.oracles.one_frame import curate

    if default_base() != "smollm2":
        pytest.skip("the weights of SmolLM2 are not at hand")
    recipe = load_recipe("standard", None)
    curated = [curate(toy_tweets(80), recipe)]
    settings = settings_for(
        "fast", "smollm2", max_steps=6, batch_tokens=128, eval_tokens=256, device="cpu"
    )
    run = start_run(Home.at(tmp_path), RunRequest(["keeper"], recipe, settings), curated)
    assert follow(run, limit=300)[1] == "finished", run.log.read_text()
    result = run_result(run)
    assert result["valid_loss_after"] < result["valid_loss_before"] - 0.3


def test_a_run_on_a_gpu_and_its_resumption(tmp_path: Path) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
    run = start_toy(tmp_path, epochs=2000, device="cuda", batch_tokens=256)
    follow(run, until=lambda records: any(r["kind"] == "train" for r in records))
    stop_run(run)
    records, state = follow(run)
    assert state == "stopped", run.log.read_text()
    resume_run(run)
    records, _ = follow(
        run, until=lambda seen: any(r["kind"] == "train" for r in seen[len(records) :])
    )
    stop_run(run)
    assert follow(run)[1] == "stopped", run.log.read_text()
    assert run_result(run)["device"] not in ("", "cpu")
