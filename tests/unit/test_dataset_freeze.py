"""Frozen datasets: the same bytes for the same tweets, a fair split, nothing taken on trust."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation.groups import Groups
from core.curation.near_duplicates import alike
from core.curation.recipe import Recipe, load_recipe
from core.curation.rules import ALIKE
from core.dataset.answers import Answers
from core.dataset.frozen import check_enough, load_frozen
from core.dataset.manifest import Manifest, sealed, text_of
from core.dataset.split import held_out, keys_of
from core.dataset.verify import verify
from core.errors import InputRefused, WrongUsage
from core.forgetting import _held
from tests.oracles.datasets import export, freeze
from tests.oracles.frames import different_texts, frame, in_order
from tests.oracles.one_frame import curate

STANDARD = load_recipe("standard")


def tweets(per_handle: dict[str, int]) -> pl.DataFrame:
    handles = [handle for handle, count in per_handle.items() for _ in range(count)]
    texts = different_texts(len(handles), min(per_handle))
    return frame(texts, handle=handles)


def valid_mask(
    rows: pl.DataFrame, *, seed: int, valid_fraction: float, at_once: int = 10_000
) -> pl.Series:
    groups = Groups(lambda: rows.iter_slices(at_once))
    return held_out(keys_of(rows, seed=seed), groups, valid_fraction)


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
        "kept_chars": 100 * 55,
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
from core.curation.near_duplicates import alike
from core.curation.recipe import load_recipe
from core.curation.rules import ALIKE
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


@pytest.mark.parametrize("changed", [False, True])
def test_the_recipe_of_a_dataset_comes_back(tmp_path: Path, changed: bool) -> None:
    saved = Recipe("calm", min_words=5, saved_hash="another" if changed else "")
    saved = saved if changed else replace(saved, saved_hash=saved.hash)
    freeze(curate(tweets({"a": 100}), saved), tmp_path, recipe=saved, seed=7)
    found = load_frozen(tmp_path).manifest.recipe
    assert (found.name, found.hash, found.rules) == ("calm", saved.hash, saved.rules)
    assert found.changed == saved.changed == changed


def test_what_is_held_out_is_shared_by_largest_remainder() -> None:
    rows = tweets({"a": 101, "b": 100, "c": 100, "d": 64})
    mask = valid_mask(rows, seed=3, valid_fraction=0.1)
    # 36 of 365 rows: 9.96, 9.86, 9.86 and 6.31
    found = dict(rows["handle"].filter(mask).value_counts().rows())
    assert found == {"a": 10, "b": 10, "c": 10, "d": 6}


@settings(max_examples=30, deadline=None)
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
    shuffled = in_order(rows.sample(fraction=1.0, shuffle=True, seed=1))
    again = valid_mask(shuffled, seed=seed, valid_fraction=fraction, at_once=7)
    assert set(shuffled["tweet_id"].filter(again)) == set(rows["tweet_id"].filter(mask))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_no_near_copy_and_no_tweet_of_a_thread_is_on_both_sides(seed: int) -> None:
    """Of half the texts there are one to three near copies, and copies of those; a few threads."""
    dice = random.Random(seed)
    texts = different_texts(150, "split")
    for _ in range(250):
        text = dice.choice(texts)
        at = dice.randrange(len(text))
        texts.append(text[:at] + dice.choice("xyz 7") + text[at:])
    answered = [str(dice.randint(1, 400)) if dice.random() < 0.1 else None for _ in texts]
    rows = in_order(frame(texts, reply_to_id=answered, handle=[dice.choice("ab") for _ in texts]))
    mask = valid_mask(rows, seed=seed, valid_fraction=0.2)
    assert mask.sum() >= 60
    assert mask.equals(valid_mask(rows, seed=seed, valid_fraction=0.2, at_once=31))
    plain = [re.sub(r"\d+", "0", " ".join(text.lower().split())) for text in rows["text"]]
    held, learned = mask.arg_true().to_list(), (~mask).arg_true().to_list()
    for one in held:
        every = pl.Series([plain[one], *(plain[other] for other in learned)])
        places = np.arange(1, len(every))
        assert not alike(every, places, np.zeros_like(places), ALIKE).any(), plain[one]
    names = rows.select("handle", "tweet_id", "reply_to_id")
    for column in ("tweet_id", "reply_to_id"):
        for other in ("tweet_id", "reply_to_id"):
            some = names.filter(mask).drop_nulls(column)
            rest = names.filter(~mask).drop_nulls(other)
            on = {"left_on": ["handle", column], "right_on": ["handle", other]}
            assert some.join(rest, **on).is_empty()


def test_new_tweets_move_few_old_ones() -> None:
    old, more = tweets({"a": 1000}), tweets({"a": 1050})
    held_out = set(old["tweet_id"].filter(valid_mask(old, seed=1, valid_fraction=0.1)))
    still = set(more["tweet_id"].filter(valid_mask(more, seed=1, valid_fraction=0.1)))
    assert len(held_out & still) >= 90


OLD = Path(__file__).parents[1] / "fixtures" / "frozen-0.1.0"


def test_a_dataset_that_version_0_1_0_froze_still_opens(tmp_path: Path) -> None:
    data = load_frozen(OLD)
    assert data.train.columns == ["handle", "tweet_id", "created_at", "text"]
    assert (data.train.height, data.valid.height) == (70, 20)
    assert data.manifest.weights == {"gull": 2.0}
    assert data.manifest.sha256 == (
        "dc7a5049e217ad2065b656321476e944bbac390f885d8c6c40a3e956e3b82b37"
    ), "the name that run.json has for it"
    found = verify(OLD)
    assert found.ok, found.problems
    assert found.holds == "the frozen dataset of a run of @gull, @keeper"
    shutil.copytree(OLD, tmp_path / "dataset")
    manifest = tmp_path / "dataset" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"kept": 60', '"kept": 61'))
    assert "@keeper: 60 were downloaded" in verify(tmp_path).problems[0]
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(InputRefused, match="format is 2"):
        load_frozen(tmp_path / "dataset")


def test_a_run_and_an_export_are_written_alike(tmp_path: Path) -> None:
    """The same rows in the same order, the same split, the same bytes."""
    rows = tweets({"a": 120, "b": 80})
    manifest = frozen(tmp_path / "run", rows)
    made = export(
        curate(rows, STANDARD),
        tmp_path / "x.parquet",
        format="parquet",
        recipe=STANDARD,
        split=0.1,
        seed=7,
    )
    for part in ("train", "valid"):
        there = (tmp_path / f"x.{part}.parquet").read_bytes()
        assert (tmp_path / "run" / f"{part}.parquet").read_bytes() == there
    exported = json.loads(made.manifest.read_text())
    for name in ("recipe", "seed", "split", "handles", "source_files", "manifest_version"):
        assert manifest.content[name] == exported[name]


def test_a_changed_manifest_of_a_run_shows(tmp_path: Path) -> None:
    frozen(tmp_path / "dataset", tweets({"a": 99}), weights={"a": 2})
    manifest = tmp_path / "dataset" / "manifest.json"
    good = manifest.read_text()
    assert verify(tmp_path).ok, verify(tmp_path).problems
    for change in (
        ('"seed": 7', '"seed": 8'),
        ('"a": 2.0', '"a": 3.0'),
        ('"kept": 99', '"kept": 9'),
    ):
        manifest.write_text(good.replace(*change))
        assert manifest.read_text() != good
        assert "its own sha256 differs" in verify(tmp_path).problems[0]
        with pytest.raises(InputRefused, match="its own sha256"):
            load_frozen(tmp_path / "dataset")
    told = json.loads(good)
    told["handles"]["a"]["kept"] = 9
    manifest.write_text(text_of(sealed(told)))
    assert any("@a: 99 were downloaded" in problem for problem in verify(tmp_path).problems)


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


def sides(folder: Path) -> tuple[set[str], set[str]]:
    data = load_frozen(folder)
    return set(data.train["tweet_id"]), set(data.valid["tweet_id"])


def test_tweets_that_differ_in_a_number_are_on_one_side(tmp_path: Path) -> None:
    copies = [f"day {i} of drawing a bird in the morning" for i in range(300)]
    frozen(tmp_path / "alone", frame(copies))
    train, valid = sides(tmp_path / "alone")
    assert (len(train), len(valid)) == (300, 0), "one group, larger than what may be held out"

    texts = [*different_texts(200), *copies[:60]]
    manifest = frozen(tmp_path / "both", frame(texts))
    train, valid = sides(tmp_path / "both")
    assert len(valid) == 26, "the share that was asked"
    assert {str(i) for i in range(201, 261)} <= train
    assert manifest.content["held_out"] == {
        "fraction": 0.1,
        "seed": 7,
        "alike": 80,
    }


def test_a_thread_is_on_one_side_whatever_the_order(tmp_path: Path) -> None:
    """Forty threads of five tweets: each answers the one before it."""
    answered = [None if i % 5 == 0 else str(i) for i in range(200)]
    rows = frame(different_texts(200), reply_to_id=answered)
    first = frozen(tmp_path / "1", rows)
    second = frozen(tmp_path / "2", rows.sample(fraction=1.0, shuffle=True, seed=3))
    assert first.sha256 == second.sha256
    _, valid = sides(tmp_path / "1")
    assert len(valid) == 20
    for start in range(0, 200, 5):
        thread = {str(i + 1) for i in range(start, start + 5)}
        assert thread <= valid or not thread & valid
    other = frozen(tmp_path / "3", rows, seed=8)
    assert sides(tmp_path / "3")[1] != valid, "the seed draws"
    assert other.sha256 != first.sha256


def test_near_copies_of_two_accounts_are_on_one_side(tmp_path: Path) -> None:
    texts = different_texts(100)
    rows = frame(texts * 2, handle=["a"] * 100 + ["b"] * 100)
    spelled = [text if i < 100 else f"{text} 1" for i, text in enumerate(texts * 2)]
    rows = rows.with_columns(text=pl.Series(spelled))
    frozen(tmp_path, rows)
    _, valid = sides(tmp_path)
    assert len(valid) == 20
    assert {int(one) % 100 for one in valid if int(one) > 100} == {
        int(one) % 100 for one in valid if int(one) <= 100
    }


def test_a_run_knows_whose_words_are_joined_to_another_tweet(tmp_path: Path) -> None:
    """Of a thread that is one text, the later tweets have no row, and yet were learned from."""
    recipe = STANDARD.replace(threads="join")
    rows = frame(
        different_texts(40), reply_to_id=[None if i % 4 == 0 else str(i) for i in range(40)]
    )
    curated = curate(rows, recipe)
    manifest = freeze(curated, tmp_path / "dataset", recipe=recipe, seed=1)
    assert manifest.content["files"]["joined.parquet"]["rows"] == 30
    joined = pl.read_parquet(tmp_path / "dataset" / "joined.parquet")
    assert sorted(map(int, joined["tweet_id"])) == [i + 1 for i in range(40) if i % 4]
    assert verify(tmp_path).ok, verify(tmp_path).problems
    train, valid = sides(tmp_path / "dataset")
    assert len(train | valid) == 10
    held = _held(tmp_path / "dataset", "tweet_id", ["2"], {})
    assert held is not None
    assert held.of_these == 1
    (tmp_path / "dataset" / "joined.parquet").unlink()
    assert verify(tmp_path).problems == ["joined.parquet is missing."]


def test_how_few_tweets_and_answers_are_too_few(tmp_path: Path) -> None:
    check_enough(10, 99, "mine")
    check_enough(1, 99, "mine", 1)
    for kept, said in ((9, "^9 tweets are too few"), (2, "^2 tweets are"), (1, "^1 tweet is too")):
        with pytest.raises(InputRefused, match=said):
            check_enough(kept, 99, "mine")
    with pytest.raises(InputRefused, match="keeps none of the 1,234 tweets"):
        check_enough(0, 1_234, "mine")
    curated = curate(tweets({"a": 100}), STANDARD)
    for found in (49, 50):
        answers = Answers([])
        answers.found = found
        with suppress(InputRefused):
            freeze(curated, tmp_path / str(found), recipe=STANDARD, seed=1, answers=answers)
    assert [path.name for path in tmp_path.iterdir() if any(path.iterdir())] == ["50"]
