"""What a tracker is told of a run, and what never leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.runs.folder import STALE_NOTE
from core.runs.history import TrainingSample
from core.tracking.outgoing import Artifact, Outgoing
from tests.unit.tracked_runs import RIVAL, TWEETS, add_model, start, tracked_run


def all_of(out: Outgoing) -> str:
    """Everything that would go out, as one text."""
    made = [out.raw_dataset(), out.train_dataset(), out.pretrained_model()]
    model = out.finetuned_model("finished")
    parts: list[Any] = [out.preprocess_config(), out.train_config(), out.outcome("failed")]
    for one in [*made, *([model] if model else [])]:
        parts += [one.name, one.type, one.metadata, one.texts]
        parts += [path.read_bytes().decode("latin-1") for path in one.files.values()]
    return json.dumps(parts)


def test_names_are_those_of_huggingtweets(tmp_path: Path) -> None:
    out = Outgoing(tracked_run(tmp_path))
    assert out.run_name("train") == "@zoe-adam-train", "in the order the accounts were named in"
    made = [out.raw_dataset(), out.train_dataset(), out.pretrained_model()]
    assert [(one.name, one.type) for one in made] == [
        ("tweets-adam-zoe", "raw-dataset"),
        ("dataset-adam-zoe", "train-dataset"),
        ("smollm2", "pretrained-model"),
    ]
    assert out.finetuned_model("finished") is None
    add_model(out.run)
    model = out.finetuned_model("finished")
    assert model is not None
    assert (model.name, model.type) == ("adam-zoe", "finetuned-model")


def test_a_blend_of_many_has_names_that_fit_and_differ(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    record = json.loads(run.record_file.read_text())
    names = []
    for last in ("a", "b"):
        handles = [f"account_{n:03d}" for n in range(40)] + [last]
        run.record_file.write_text(json.dumps(record | {"handles": handles}))
        names.append(Outgoing(run).raw_dataset().name)
    assert names[0] != names[1]
    assert max(map(len, names)) < 128


def test_the_config_has_settings_versions_and_what_the_process_found(tmp_path: Path) -> None:
    out = Outgoing(tracked_run(tmp_path))
    out.take([start(resumed_from=None, somewhere="/home/x")])
    config = out.train_config()
    assert config["handle"] == "zoe, adam"
    assert (config["lr"], config["seed"], config["weights"]) == (0.002, 7, {"zoe": 2.0})
    assert (config["parameters"], config["device"]) == (1000, "cpu (2 threads)")
    assert config["torch version"] == "2.13.0"
    assert "somewhere" not in config
    assert out.preprocess_config()["recipe"] == "standard"


@pytest.mark.parametrize("base", ["/home/somebody/models/mine", "models/mine", "./mine"])
def test_of_a_base_on_this_machine_only_its_own_name_goes_out(tmp_path: Path, base: str) -> None:
    out = Outgoing(tracked_run(tmp_path, base=base, base_source=""))
    assert out.train_config()["base"] == "mine"
    assert out.pretrained_model().name == "mine"
    assert base not in all_of(out)


def test_a_base_of_the_hub_keeps_its_name(tmp_path: Path) -> None:
    out = Outgoing(tracked_run(tmp_path, base="org/model", base_source="org/model"))
    assert out.train_config()["base"] == "org/model"
    assert out.pretrained_model().name == "org-model"


def test_no_tweet_no_path_no_word_of_a_recipe_and_no_message_goes_out(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    add_model(run)
    out = Outgoing(run)
    why = "OSError: [Errno 28] /home/somebody/runs"
    out.take([start(), {"kind": "warning", "text": why}, {"kind": "end", "reason": why,
              "model_dir": str(run.model), "valid_loss_after": 3.5}])  # fmt: skip
    text = all_of(out)
    for private in (*TWEETS, RIVAL, "private-archive", "/home", str(tmp_path), "weights of the"):
        assert private not in text
    assert "3.5" in text
    counts = json.loads(out.raw_dataset().texts["counts.json"])
    assert counts["adam"]["downloaded"] == 9
    assert "sources" not in counts["adam"]


def test_texts_and_weights_go_out_when_they_are_asked_for(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    add_model(run)
    out = Outgoing(run, tweets=True, model=True)
    assert out.train_dataset().files == {"train.parquet": run.dataset / "train.parquet"}
    assert out.raw_dataset().files == {}
    model = out.finetuned_model("finished")
    assert model is not None
    assert set(model.files) == {"config.json", "model.safetensors"}
    (run.folder / STALE_NOTE).write_text('{"tweets": 1}')  # while it is tracked
    assert out.train_dataset().files == {}
    model = out.finetuned_model("finished")
    assert model is not None
    assert model.files == {}
    assert out.examples([TrainingSample(4, TWEETS[0])]).withheld == 1


def test_without_weights_a_model_is_names_sizes_and_sha256(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    add_model(run)
    model = Outgoing(run).finetuned_model("finished")
    assert isinstance(model, Artifact)
    files = json.loads(model.texts["files.json"])
    assert files["model.safetensors"]["bytes"] == 20
    assert len(files["config.json"]["sha256"]) == 64


def examples(run: Any, *texts: str, tweets: bool = False) -> tuple[list[str], int]:
    found = Outgoing(run, tweets=tweets).examples([TrainingSample(4, text) for text in texts])
    return [one.text for one in found.shown], found.withheld


def test_an_example_that_gives_a_tweet_back_stays_here(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    near = f"so {TWEETS[1]} again"
    assert examples(run, "a new thing", TWEETS[0], near) == (["a new thing"], 2)
    assert examples(run, "a new thing", TWEETS[0], tweets=True) == (["a new thing", TWEETS[0]], 0)
    assert examples(run) == ([], 0)


@pytest.mark.parametrize("damage", ["gone", "not parquet"])
def test_without_the_tweets_to_compare_with_no_example_goes_out(
    tmp_path: Path, damage: str
) -> None:
    run = tracked_run(tmp_path)
    path = run.dataset / "train.parquet"
    path.unlink() if damage == "gone" else path.write_bytes(b"no")
    assert examples(run, "a new thing") == ([], 1)


def test_a_run_without_a_manifest_has_no_counts(tmp_path: Path) -> None:
    run = tracked_run(tmp_path)
    (run.dataset / "manifest.json").unlink()
    assert json.loads(Outgoing(run).raw_dataset().texts["counts.json"]) == {}
    assert Outgoing(run, tweets=True).train_dataset().files == {}
