"""Frozen datasets: the same bytes for the same tweets, a fair split, nothing taken on trust."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation.recipe import load_recipe
from core.dataset.frozen import load_frozen
from core.dataset.manifest import Manifest
from core.dataset.split import valid_mask
from core.errors import InputRefused, WrongUsage
from core.tweet import in_order
from tests.oracles.datasets import freeze
from tests.oracles.frames import frame
from tests.oracles.one_frame import curate

STANDARD = load_recipe("standard")


def tweets(per_handle: dict[str, int]) -> pl.DataFrame:
    handles = [handle for handle, count in per_handle.items() for _ in range(count)]
    texts = [f"{handle} says number {i} today" for i, handle in enumerate(handles)]
    return frame(texts, handle=handles)


def frozen(tmp_path: Path, rows: pl.DataFrame, **options: object) -> Manifest:
    chosen = {"seed": 7} | options
    return freeze(curate(rows, STANDARD), tmp_path, recipe=STANDARD, **chosen)  # type: ignore[arg-type]


def test_what_is_frozen(tmp_path: Path) -> None:
    rows = pl.concat([tweets({"a": 200, "b": 100}), frame(["ok", "RT @x: one two"], handle="b")])
    manifest = frozen(tmp_path, rows, weights={"b": 2})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("manifest.json", "train.parquet", "valid.parquet")
    ]
    data = load_frozen(tmp_path)
    assert data.manifest == manifest
    assert data.train.columns == ["handle", "tweet_id", "created_at", "text"]
    assert (data.train.height, data.valid.height) == (270, 30)
    assert dict(data.valid["handle"].value_counts().rows()) == {"a": 20, "b": 10}
    assert not set(data.train["text"]) & set(data.valid["text"])
    written = json.loads((tmp_path / "manifest.json").read_text())
    assert (written["manifest_version"], written["purpose"]) == (1, "training")
    assert written["recipe"] == {
        "name": "standard",
        "hash": STANDARD.hash,
        "rules": STANDARD.rules,
    }
    assert written["weights"] == {"b": 2.0}
    assert written["handles"]["b"] == {
        "downloaded": 102,
        "retweets": 0,
        "short": 1,
        "dropped": {"manual_retweet": 1},
        "kept": 100,
        "kept_chars": 100 * len("b says number 200 today"),
        "first": "2020-01-09T08:00:00+00:00",
        "last": "2020-01-13T11:00:00+00:00",
        "sources": ["x-archive"],
        "train": 90,
        "valid": 10,
    }
    assert written["files"]["train.parquet"]["rows"] == 270


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    rows = tweets({"b": 80, "a": 50})
    first = frozen(tmp_path / "1", rows)
    second = frozen(tmp_path / "2", rows.sample(fraction=1.0, shuffle=True, seed=3))
    assert first == second
    for name in ("train.parquet", "valid.parquet", "manifest.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    assert frozen(tmp_path / "3", rows, seed=8).sha256 != first.sha256


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from tests.oracles.one_frame import curate
from core.curation.recipe import load_recipe
from tests.oracles.datasets import freeze
from tests.unit.test_dataset_freeze import tweets
recipe = load_recipe("standard")
rows = curate(tweets({"b": 80, "a": 50}), recipe)
print(freeze(rows, Path(sys.argv[1]), recipe=recipe, seed=7).sha256)
"""
    seen = set()
    for name in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / name)],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(done.stdout)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("rows", "fraction", "valid"),
    [
        (1000, 0.1, 100),
        (100, 0.1, 20),
        (60, 0.1, 20),
        (30, 0.1, 10),
        (2, 0.1, 0),
        (1, 0.1, 0),
        (9000, 0.1, 400),
        (1000, 0, 0),
    ],
)
def test_how_many_are_held_out(rows: int, fraction: float, valid: int) -> None:
    kept = tweets({"a": rows})
    assert valid_mask(kept, seed=1, valid_fraction=fraction).sum() == valid


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(["one", "ONE ", "two", "three", "four  x", "four x"]), max_size=60),
    st.integers(),
    st.floats(0, 0.5),
)
def test_no_text_is_on_both_sides(texts: list[str], seed: int, fraction: float) -> None:
    rows = frame([f"{text}{i % 17}" for i, text in enumerate(texts)])
    rows = rows.with_columns(
        handle=pl.Series([f"h{i % 3}" for i in range(len(texts))], dtype=pl.String)
    )
    rows = in_order(rows)
    mask = valid_mask(rows, seed=seed, valid_fraction=fraction)
    words = rows["text"].str.to_lowercase().str.replace_all(r"\s+", " ")
    assert not set(words.filter(mask)) & set(words.filter(~mask))
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=1)
    again = valid_mask(shuffled, seed=seed, valid_fraction=fraction)
    assert set(shuffled["tweet_id"].filter(again)) == set(rows["tweet_id"].filter(mask))


def test_new_tweets_move_few_old_ones() -> None:
    old, more = tweets({"a": 1000}), tweets({"a": 1050})
    held_out = set(old["tweet_id"].filter(valid_mask(old, seed=1, valid_fraction=0.1)))
    still = set(more["tweet_id"].filter(valid_mask(more, seed=1, valid_fraction=0.1)))
    assert len(held_out & still) >= 90


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="nothing to learn"):
        frozen(tmp_path, frame(["ok"]))
    with pytest.raises(WrongUsage, match="@c"):
        frozen(tmp_path, tweets({"a": 9}), weights={"c": 1})
    for weight in (0, -1, float("nan"), float("inf")):
        with pytest.raises(WrongUsage, match="above 0"):
            frozen(tmp_path, tweets({"a": 9}), weights={"a": weight})
    with pytest.raises(WrongUsage):
        frozen(tmp_path, tweets({"a": 9}), valid_fraction=0.9)
    assert list(tmp_path.iterdir()) == []


def test_what_was_changed_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no whole dataset"):
        load_frozen(tmp_path)
    frozen(tmp_path, tweets({"a": 99}))
    manifest = tmp_path / "manifest.json"
    good = manifest.read_text()
    manifest.write_text(good.replace('"manifest_version": 1', '"manifest_version": 7'))
    with pytest.raises(InputRefused, match="version 7"):
        load_frozen(tmp_path)
    manifest.write_text(good.replace('"seed": 7', '"seed": 8'))
    with pytest.raises(InputRefused, match="not the one that was written"):
        load_frozen(tmp_path)
    for broken in ("{", "[]", "{}"):
        manifest.write_text(broken)
        with pytest.raises(InputRefused, match="no whole dataset"):
            load_frozen(tmp_path)
    manifest.write_text(good)
    with (tmp_path / "train.parquet").open("ab") as file:
        file.write(b"x")
    with pytest.raises(InputRefused, match=r"train\.parquet"):
        load_frozen(tmp_path)
