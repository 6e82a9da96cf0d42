"""A new run that goes on from another: its weights, its record, and what is said of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from toy_runs import _asked, create_toy

from core.errors import InputRefused
from core.home import Home
from core.runs.folder import Run, all_runs, base_of, stale_reason
from core.runs.housekeeping import delete_run
from core.runs.launch import create_run, resume_run
from core.runs.record import RunRecord, decode_record, encode_record
from core.runs.settings import Continued
from core.workflow.training import continue_training
from tests.unit.cli import HANDLES, home_with_a_run, mynah


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    shutil.copytree(home_with_a_run(tmp_path_factory), tmp_path / "home")
    return tmp_path / "home"


def test_a_run_goes_on_from_the_weights_of_another(home: Path) -> None:
    (first,) = all_runs(Home.at(home))
    before = (first.model / "model.safetensors").read_bytes()
    ended = mynah("train", "--from", "latest", "--max-steps", "3", "--json", home=home)
    made = ended.json()
    assert f"begins with the weights of {first.id}" in ended.err
    assert (made["state"], made["steps"], made["base"]) == ("finished", 3, "scratch")
    first_loss = mynah("watch", first.id, "--json", home=home).json()["valid_loss_after"]
    assert made["valid_loss_before"] == pytest.approx(first_loss, abs=0.02), "it begins there"
    assert (first.model / "model.safetensors").read_bytes() == before
    run = Run(home / "runs" / made["run"])
    record, earlier = run.record(), first.record()
    assert record.continues == Continued(first.id, "scratch")
    assert record.dataset == earlier.dataset, "the same tweets, and the same held out"
    assert record.base_name == "scratch", "no path of this machine"
    assert (record.handles, record.recipe) == (earlier.handles, earlier.recipe)
    assert decode_record(encode_record(record)) == record

    listed = {one["run"]: one for one in mynah("runs", "--json", home=home).json()}
    assert [listed[one.id]["continues"] for one in (run, first)] == [first.id, None]
    asked = "SELECT continues FROM runs WHERE continues IS NOT NULL"
    assert mynah("sql", asked, "--json", home=home).json() == [{"continues": first.id}]
    assert (record.began_with, earlier.began_with) == (f"run {first.id}", "scratch")
    assert f"scratch, after {first.id}" in mynah("runs", home=home).text
    assert f"goes on from the run {first.id}" in mynah("watch", run.id, "--once", home=home).text
    card = mynah("card", run.id, "--layout", "one", home=home).text
    assert "Began with the weights of" in card
    assert first.id.rsplit("-", 1)[-1] in card
    assert str(home) not in card

    mynah("forget", HANDLES[0], "--yes", home=home)
    assert all((one.folder / "stale.json").exists() for one in (run, first))


def test_what_was_forgotten_is_in_the_weights_of_a_run_that_goes_on(home: Path) -> None:
    """Its own tweets may have been frozen without it."""
    from core.forgetting import _mark_runs

    (first,) = all_runs(Home.at(home))
    later = Run(first.folder.with_name("29990101-0000-later-aaaa"))
    shutil.copytree(first.folder, later.folder)
    for file in ("train.parquet", "valid.parquet"):
        import polars as pl

        path = later.dataset / file
        pl.read_parquet(path).with_columns(handle=pl.lit("somebody")).write_parquet(path)
    later.update_record(continues=Continued(first.id, "scratch"), created="2999-01-01T00:00:00")
    marked, _ = _mark_runs(Home.at(home), "handle", [HANDLES[0]])
    assert set(marked) == {first.id, later.id}
    assert (later.folder / "stale.json").exists()

    (later.folder / "stale.json").unlink()
    delete_run(Home.at(home), first)
    marked, _ = _mark_runs(Home.at(home), "handle", [HANDLES[0]])
    assert later.id in marked, "a deleted run is in its weights as well"


def test_a_run_that_begins_with_stale_weights_is_stale(tmp_path: Path) -> None:
    first = create_toy(tmp_path)
    (first.folder / "stale.json").write_text('{"tweet_ids": ["1"], "tweets": 1}')
    request, tweets = _asked(None, {})
    request = replace(request, continues=Continued(first.id, "scratch"))
    run = create_run(Home.at(tmp_path), request, tweets)
    assert stale_reason(run.folder) == stale_reason(first.folder) is not None


@pytest.mark.slow
def test_the_first_run_is_found_where_the_home_is_and_missed_in_words(tmp_path: Path) -> None:
    first = create_toy(tmp_path)
    first.model.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (first.model / name).write_text("{}")
    first.update_record(state="stopped")
    run = create_toy(tmp_path)
    run.update_record(continues=Continued(first.id, "scratch"), base="/elsewhere", state="stopped")
    assert base_of(run, run.record()).folder == first.model
    delete_run(Home.at(tmp_path), first)
    with pytest.raises(InputRefused, match=f"trash restore {first.id}"):
        resume_run(run)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--from", "latest", "keeper_of_the_light"), "takes accounts from the run"),
        (("--from", "latest", "--recipe", "classic"), "takes --recipe from the run"),
        (("--from", "latest", "--seed", "2"), "takes --seed from the run"),
        (("--from", "latest", "--torchrun"), "starts the run itself"),
        ((), "Missing argument"),
    ],
)
def test_what_makes_no_sense_is_refused(home: Path, given: tuple[str, ...], words: str) -> None:
    assert words in mynah("train", *given, home=home, code=2).err


def test_a_run_without_a_model_cannot_be_gone_on_from(home: Path) -> None:
    (first,) = all_runs(Home.at(home))
    shutil.rmtree(first.model)
    with pytest.raises(InputRefused, match="no model to go on from"):
        continue_training(Home.at(home), first)


def test_a_record_of_before_goes_on_from_nothing() -> None:
    assert decode_record(b"{}").continues is None
    assert decode_record(json.dumps({"continues": 7}).encode()) == RunRecord()
