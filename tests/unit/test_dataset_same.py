"""The same tweets and options give the same bytes: in another process, on another day."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.corpus.store import Corpus
from core.curation.recipe import load_recipe
from core.curation.stream import curated_batches
from core.dataset.options import FORMATS, ExportOptions
from core.dataset.verify import verify
from core.dataset.write import export_batches, export_tweets
from core.files import sha256_of
from core.home import Home
from core.runs.launch import create_run
from core.runs.settings import RunRequest, settings_for
from tests.oracles.corpus import tweets
from tests.oracles.datasets import export
from tests.oracles.one_frame import curate
from tests.unit.cli import ROOT, environment, home_with_samples
from tests.unit.export_all import BLENDS, HANDLES, RECIPES, save_recipes
from tests.unit.test_dataset_files import STANDARD, many


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Home:
    shutil.copytree(home_with_samples(tmp_path_factory), tmp_path / "home")
    return Home.at(tmp_path / "home")


def sums(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_five_recipes_and_three_blends_in_every_format_twice(home: Home, tmp_path: Path) -> None:
    save_recipes(home)
    made = []
    for name, threads, hash_seed in (("one", "1", "1"), ("two", "2", "12345")):
        more = {"POLARS_MAX_THREADS": threads, "PYTHONHASHSEED": hash_seed}
        made.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.unit.export_all", home.root, tmp_path / name],
                env=environment(**more),
                cwd=ROOT,
            )
        )
    assert [process.wait(120) for process in made] == [0, 0]
    one, two = sums(tmp_path / "one"), sums(tmp_path / "two")
    assert one == two
    manifests = list((tmp_path / "one").rglob("*.json"))
    assert len(manifests) == 2 * (len(RECIPES) + len(BLENDS))
    written = {name.split("/")[0].split(".")[-1] for name in one}
    assert set(FORMATS) - written == set(), "every format is among them"
    data = {name: sha256 for name, sha256 in one.items() if not name.endswith("manifest.json")}
    assert len(set(data.values())) > len(manifests), "they are not all the same file"
    for path in manifests:
        assert verify(path).ok, verify(path).problems


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
@pytest.mark.parametrize("more", [{}, {"split": 0.2, "weights": {"a": 1.0, "b": 3.0}}])
def test_where_a_batch_ends_changes_nothing(
    tmp_path: Path, format_: Any, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.dataset.formats.PARQUET_ROWS", 64)
    monkeypatch.setattr("core.dataset.rows.PICKED", 50)
    rows = many(200).sort("handle", "created_at")
    options = ExportOptions(format_, seed=5, **more)
    found = set()
    for size in (7, 64, 1000):
        result = export_batches(
            rows.iter_slices(size),
            tmp_path / str(size) / "x",
            handles=["a", "b"],
            recipe=STANDARD,
            options=options,
        )
        found.add(tuple(file.sha256 for file in result.files))
    assert len(found) == 1
    if format_ == "parquet" and not more:
        whole = pl.read_parquet(tmp_path / "7" / "x")
        assert whole["tweet_id"].to_list() == rows["tweet_id"].to_list()


@pytest.mark.parametrize("format_", FORMATS)
def test_the_corpus_in_batches_and_one_frame_give_the_same(
    home: Home, tmp_path: Path, format_: Any
) -> None:
    recipe = load_recipe("standard")
    frame = curate(tweets(Corpus(home.corpus), HANDLES), recipe)
    whole = export(frame, tmp_path / "whole" / "x", format=format_, recipe=recipe, seed=2)
    options = ExportOptions(format_, seed=2)
    streamed = export_tweets(home, HANDLES, recipe, tmp_path / "streamed" / "x", options)
    assert whole.files == streamed.files
    assert whole.manifest.read_bytes() == streamed.manifest.read_bytes()


def test_a_run_learns_from_what_an_export_writes(home: Home, tmp_path: Path) -> None:
    """From the same stream, with a recipe that nobody has saved."""
    recipe = load_recipe("standard").replace(min_words=6)
    settings = settings_for("fast", "scratch", seed=3)
    batches = curated_batches(Corpus(home.corpus), HANDLES, recipe, rows=500, explain=False)
    run = create_run(home, RunRequest(HANDLES, recipe, settings), batches)
    options = ExportOptions("parquet", split=settings.valid_fraction, seed=3)
    export_tweets(home, HANDLES, recipe, tmp_path / "x.parquet", options)
    for part in ("train", "valid"):
        there = (tmp_path / f"x.{part}.parquet").read_bytes()
        assert (run.dataset / f"{part}.parquet").read_bytes() == there
    for given in (run.folder, run.dataset / "manifest.json"):
        assert verify(given).ok, verify(given).problems
    manifest = json.loads((run.dataset / "manifest.json").read_text())
    assert manifest["recipe"]["rules"] == recipe.rules
    assert run.record().dataset == sha256_of(run.dataset / "manifest.json")
