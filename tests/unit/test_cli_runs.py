"""train, runs, watch, stop, resume, sample, demo: real runs of a model from nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.safe_text import printable
from core.sampling.request import Copy, Sample
from tests.unit.cli import HANDLES, home_with_a_run, home_with_samples, mynah
from tui.cli.runs.sample import show_samples

TRAINED = {"run", "base", "steps", "tokens", "tokens_per_second", "train_loss",
           "valid_loss_before", "valid_loss_after", "valid_tweets", "memorised_train",
           "memory_needed", "peak_memory",
           "memorised_held_out", "state", "model_dir", "device", "shares", "tracked"}  # fmt: skip
LISTED = {"run", "handles", "base", "state", "step", "steps", "train_loss", "valid_loss",
          "started", "ended", "shares", "stale", "sweep", "trial", "tracked", "bytes", "name",
          "note", "tags", "waits_for", "continues"}  # fmt: skip
SAMPLED = {"prompt", "text", "tokens", "stopped", "copy"}


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return home_with_a_run(tmp_path_factory)


def the_run(home: Path) -> dict[str, Any]:
    (found,) = mynah("runs", "--json", home=home).json()
    assert isinstance(found, dict)
    return found


def test_a_finished_run_in_runs_and_watch(home: Path) -> None:
    listed = the_run(home)
    assert set(listed) == LISTED
    assert (listed["handles"], listed["base"]) == (HANDLES[:1], "scratch")
    assert (listed["state"], listed["step"], listed["steps"]) == ("finished", 5, 5)
    result = mynah("watch", "latest", "--json", home=home).json()
    assert set(result) == TRAINED
    assert (result["run"], result["state"], result["steps"]) == (listed["run"], "finished", 5)
    assert result["valid_loss_after"] < result["valid_loss_before"]
    assert Path(result["model_dir"], "config.json").is_file()
    shown = mynah("watch", "latest", home=home)
    assert listed["run"] in shown.text
    assert "finished" in shown.text
    assert not shown.err
    assert listed["run"] in mynah("runs", home=home).text


def test_many_runs_without_names_are_told_how_to_get_one(home: Path, tmp_path: Path) -> None:
    hint = "`mynah runs rename RUN NAME` gives a run a name"
    assert hint not in mynah("runs", home=home).err
    shutil.copytree(home, tmp_path / "home")
    (first,) = (tmp_path / "home" / "runs").iterdir()
    for name in ("20200101-0000-a-aaaa", "20200102-0000-b-bbbb"):
        shutil.copytree(first, first.with_name(name))
    assert hint in mynah("runs", home=tmp_path / "home").err
    mynah("runs", "rename", "20200101", "gull", home=tmp_path / "home")
    assert hint not in mynah("runs", home=tmp_path / "home").err


def test_watch_once_is_a_snapshot(home: Path) -> None:
    listed = the_run(home)
    said = mynah("watch", "latest", "--once", home=home)
    assert not said.err
    first, ended, *rest = said.text.splitlines()
    assert first == f"Run {listed['run']} learns from @{HANDLES[0]}, on the base scratch."
    assert ended.startswith("It has finished after 5 steps")
    assert any("less than the" in sentence and "of the start" in sentence for sentence in rest)
    assert not any("\x1b" in sentence for sentence in said.text)


def test_watch_once_as_json_is_the_whole_curve(home: Path) -> None:
    found = mynah("watch", "latest", "--once", "--json", home=home).json()
    result = mynah("watch", "latest", "--json", home=home).json()
    assert {name: found[name] for name in result} == result
    assert set(found) - set(result) == {
        "handles", "step", "steps_planned", "done", "doing", "waits_for", "seconds",
        "seconds_left", "reason", "notes", "warnings", "samples", "curve",
    }  # fmt: skip
    assert (found["step"], found["done"], found["seconds_left"]) == (5, 1.0, None)
    metrics = (home / "runs" / found["run"] / "metrics.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in metrics]
    for name, kind in (("train", "train"), ("held_out", "eval"), ("memorisation", "memorisation")):
        points, written = found["curve"][name], [line for line in lines if line["kind"] == kind]
        assert [point["step"] for point in points] == [line["step"] for line in written]
        seconds = [point["seconds"] for point in points]
        assert seconds == sorted(seconds)
        for point, line in zip(points, written, strict=True):
            own = set(point) - {"step", "seconds"}
            assert {key: point[key] for key in own} == {key: line[key] for key in own}
    point = found["curve"]["train"][-1]
    assert {"loss", "lr", "grad_norm", "tokens", "tokens_per_second"} <= set(point)
    assert found["curve"]["held_out"][0]["phase"] == "before"


def test_stopping_what_has_ended_is_harmless(home: Path) -> None:
    before = the_run(home)
    ended = mynah("stop", "latest", home=home)
    assert not ended.out
    assert "already finished" in ended.err
    assert mynah("stop", "latest", "--json", home=home).json()["state"] == "finished"
    assert the_run(home) == before
    assert "finished" in mynah("resume", "latest", home=home, code=3).err


def test_a_run_by_id_by_the_beginning_of_it_and_by_latest(home: Path, tmp_path: Path) -> None:
    run = the_run(home)["run"]
    for name in ("latest", run, run[:-1], run[:4]):
        assert mynah("watch", name, "--json", home=home).json()["run"] == run
    assert run in mynah("watch", "1999", home=home, code=3).err
    twins = tmp_path / "home"
    shutil.copytree(home / "runs" / run, twins / "runs" / run)
    shutil.copytree(home / "runs" / run, twins / "runs" / f"{run}2")
    ambiguous = mynah("watch", run[:8], home=twins, code=3).err
    assert run in ambiguous
    assert f"{run}2" in ambiguous
    assert mynah("watch", run, "--json", home=twins).json()["run"] == run


def test_sample(home: Path, tmp_path: Path) -> None:
    given = (
        "sample",
        "latest",
        "-n",
        "3",
        "--max-tokens",
        "12",
        "--seed",
        "3",
        "--prompt",
        "The sea",
    )
    samples = mynah(*given, "--json", home=home).json()
    assert len(samples) == 3
    run = the_run(home)["run"]
    for one in samples:
        assert set(one) >= SAMPLED
        assert set(one["copy"]) >= {"verdict", "longest", "tweet_id"}
        assert one["copy"]["verdict"] in ("new", "near", "verbatim")
        assert one["stopped"] in ("eos", "newline", "length")
        assert one["text"].startswith("The sea")
        assert one["tokens"] <= 12
        assert (one["generated"], one["run"]) == (True, run)
    label, *lines = mynah(*given, home=home).text.splitlines()
    assert label == f"generated by {run} (seed 3); not written by a person"
    cut_off = {"length": " …"}
    texts = [f"  {printable(one['text'])}{cut_off.get(one['stopped'], '')}" for one in samples]
    assert lines == texts, "the same seed, the same samples"
    stored = mynah(
        "sql",
        "SELECT text, seed, index, model_hash FROM samples WHERE id IS NOT NULL ORDER BY ALL",
        "--format",
        "jsonl",
        home=home,
    ).text.splitlines()
    assert len(stored) == 6, "both times"
    assert {json.loads(line)["text"] for line in stored} == {one["text"] for one in samples}
    assert len({json.loads(line)["model_hash"] for line in stored}) == 1
    output = tmp_path / "samples.jsonl"
    assert mynah(*given, "-o", output, home=home).text == ""
    written = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert sorted(written, key=lambda one: one["index"]) == samples
    refused = mynah(*given, "-o", output, home=home, code=3).err
    assert "--force" in refused
    assert mynah(*given, "-o", output, "--force", "--exact", home=home).text == ""


def test_a_stored_sample_is_made_again(home: Path) -> None:
    (one, *_) = mynah(
        "sample", "latest", "-n", "2", "--max-tokens", "8", "--json", home=home
    ).json()
    found = mynah("sql", "SELECT id, text FROM samples WHERE id IS NOT NULL", "--format", "jsonl",
                  home=home).text.splitlines()  # fmt: skip
    (sample_id, *_) = [row["id"] for row in map(json.loads, found) if row["text"] == one["text"]]
    told = mynah("sample", "--repeat", sample_id[:12], "--json", home=home)
    (again,) = told.json()
    assert {**again, "copy": None} == {**one, "copy": None} | {
        "repeats": sample_id, "same": True, "model_changed": False
    }  # fmt: skip
    assert "The same text again, from the same model." in told.err
    shown = mynah("sample", "latest", "--repeat", sample_id, home=home).text
    assert printable(one["text"]) in shown
    assert "There is no sample 'zz'" in mynah("sample", "--repeat", "zz", home=home, code=3).err
    mynah("sample", "--repeat", sample_id, "--prompt", "The", home=home, code=2)
    refused = mynah("sample", "--repeat", sample_id, "-n", "20", "--seed", "3", home=home, code=2)
    assert "Leave -n and --seed out." in refused.err
    assert "RUN is missing" in mynah("sample", home=home, code=2).err


def test_prompts_of_a_file_each_have_their_samples(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("The sea\n\n  Tonight  the lamp\n", "utf-8")
    given = "sample", "latest", "-n", "2", "--max-tokens", "8", "--seed", "5", "--json"
    made = mynah(*given, "--prompts", file, home=home).json()
    assert [(one["prompt"], one["index"]) for one in made] == [
        ("The sea", 0), ("The sea", 1), ("Tonight the lamp", 0), ("Tonight the lamp", 1)
    ]  # fmt: skip
    assert made[:2] == mynah(*given, "--prompt", "The sea", home=home).json()
    mynah(*given, "--prompts", file, "--prompt", "The", home=home, code=2)
    file.write_bytes(b"\xff\xfe\n")
    assert "UTF-8" in mynah(*given, "--prompts", file, home=home, code=3).err
    file.write_text("\n", "utf-8")
    assert "no prompt" in mynah(*given, "--prompts", file, home=home, code=3).err


def test_a_copy_is_shown_with_its_tweets_and_the_shared_words(capsysbinary) -> None:
    text = "Gulls at dawn \x1b[1m and gulls at night"
    copy = Copy("near", 4, "17", 0.75, ("17", "18"), ((0, 13), (text.index("and"), len(text))))
    made = [
        Sample(0, 1, "", text, 9, "eos", copy, 0),
        Sample(1, 1, "", "Something else", 2, "eos", Copy("new", 1, "17"), 0),
    ]
    show_samples(made, "a-run", as_json=False)
    _, first, where, second = capsysbinary.readouterr().out.decode().splitlines()
    assert first == "≈ Gulls at dawn ␛[1m and gulls at night"
    assert where == "    75 % in tweets 17 and 18: Gulls at dawn … and gulls at night"
    assert second == "  Something else"


def test_what_cannot_be_trained_on_says_why(home: Path) -> None:
    before = sorted((home / "runs").iterdir())
    unreachable = mynah("train", HANDLES[0], "--base", "nobody/nothing", home=home, code=4).err
    assert "smollm2" in unreachable or "scratch" in unreachable
    assert "standard" in mynah("train", HANDLES[0], "--recipe", "nope", home=home, code=3).err
    assert sorted((home / "runs").iterdir()) == before


@pytest.mark.slow
def test_a_blend_says_its_shares_before_and_after(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    given = "train", HANDLES[1], HANDLES[0], "--base", "scratch", "--epochs", "0.2"
    made = mynah(*given, "--weights", f"@{HANDLES[0].upper()}=3", "--json", home=home)
    assert f"expected by characters: @{HANDLES[0]} 75 %, @{HANDLES[1]} 25 %" in made.err
    assert made.err.index("expected") < made.err.index("has started")
    shares = made.json()["shares"]
    assert shares[HANDLES[0]]["expected"] == pytest.approx(0.75)
    assert shares[HANDLES[0]]["measured"] == pytest.approx(0.75, abs=0.05)
    assert sum(share["measured"] for share in shares.values()) == pytest.approx(1)
    listed = the_run(home)
    assert listed["handles"] == sorted(HANDLES[:2])
    assert listed["shares"] == shares
    shown = mynah("watch", "latest", home=home).text
    assert "of them, expected 75 %" in shown
    assert f"{HANDLES[0]}+{HANDLES[1]} " in mynah("runs", home=home).text

    before = sorted((home / "runs").iterdir())
    for weights, said in (("x", "--weights"), ("gull=2", "@gull"), (f"{HANDLES[0]}=0", "above 0")):
        assert said in mynah(*given, "--weights", weights, home=home, code=2).err
    classic = *given, "--preset", "classic", "--weights", f"{HANDLES[0]}=2"
    assert "no weights" in mynah(*classic, home=home, code=2).err
    assert sorted((home / "runs").iterdir()) == before


def test_detach_watch_stop_and_resume(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    given = "train", "@Keeper_Of_The_Light", "--base", "scratch", "--detach", "--now"
    started = mynah(*given, "--json", home=home).json()
    try:
        assert set(started) == TRAINED
        assert started["state"] in ("queued", "starting", "running")
        assert started["model_dir"] is None
    finally:
        stopped = mynah("stop", "latest", "--json", home=home)
    assert stopped.json()["state"] == "stopped"
    assert "kept" in stopped.err or "no time" in stopped.err
    assert "was stopped before" in mynah("stop", "latest", home=home).err
    run = home / "runs" / started["run"]
    record = json.loads((run / "run.json").read_text())
    assert record["now"] is True
    record["settings"]["max_steps"] = stopped.json()["steps"] + 2
    (run / "run.json").write_text(json.dumps(record))
    went_on = mynah("resume", "latest", "--json", home=home)
    assert (went_on.json()["run"], went_on.json()["state"]) == (started["run"], "finished")
    assert went_on.json()["steps"] == record["settings"]["max_steps"]


def test_a_device_that_is_not_here_is_refused_before_the_run(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine can do what must fail")
    home = tmp_path / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    given = "train", HANDLES[0], "--base", "scratch", "--json"
    assert "no cuda device" in mynah(*given, "--device", "cuda", home=home, code=3).err
    assert not (home / "runs").exists(), "what is refused leaves no run behind"


@pytest.mark.slow
def test_the_demo_does_the_whole_job(tmp_path: Path) -> None:
    home = tmp_path / "home"
    given = "demo", "--headless", "--minutes", "0.05", "--base", "scratch"
    made = mynah(*given, "--json", home=home).json()
    assert set(made) == {"stats", "run", "samples"}
    assert [one["handle"] for one in made["stats"]] == HANDLES
    assert set(made["run"]) == TRAINED
    assert made["run"]["state"] == "finished"
    assert len(made["samples"]) == 6
    assert all(set(one) >= SAMPLED for one in made["samples"])
    assert the_run(home)["run"] == made["run"]["run"]


def test_runs_are_filtered_by_settings_figures_and_words(home: Path) -> None:
    listed = the_run(home)
    matching = f"base:scratch handle:{HANDLES[0]} step=5 -state:failed lr>1e-9"
    shown = mynah("runs", "--filter", matching, home=home)
    assert listed["run"] in shown.text
    assert "1 of 1 runs match" in shown.err
    assert mynah("runs", "--filter", matching, "--json", home=home).json() == [listed]
    none = mynah("runs", "--filter", "step>5", home=home)
    assert not none.out
    assert "0 of 1 runs match" in none.err
    assert mynah("runs", "--filter", "step>5", "--json", home=home).json() == []
    assert "Runs have no colour" in mynah("runs", "--filter", "colour:red", home=home, code=2).err


def test_no_line_of_the_help_breaks_off() -> None:
    lines = mynah("runs", "--help").out.decode().splitlines()
    below = lines[lines.index("Commands:") + 1 :]
    commands = below[: below.index("")]
    assert len(commands) >= 4
    assert all(line.endswith(".") and not line.endswith("...") for line in commands)
