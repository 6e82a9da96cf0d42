"""The rules that compare tweets: duplicates and the cap, on frames and on keys."""

from __future__ import annotations

import hashlib
import random
from datetime import timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation.comparing import KEYS, compares, keys_of
from core.curation.judge import judge
from core.curation.recipe import Recipe, load_recipe
from tests.oracles.frames import START, frame, hostile_frames
from tests.oracles.one_frame import curate

STANDARD = load_recipe("standard")


def first_of_each(rows: pl.DataFrame) -> dict[tuple[str, str], str]:
    """The tweet that stays of each account's words, by a plain loop."""
    stays: dict[tuple[str, str], str] = {}
    late = START + timedelta(days=9_999)
    order = sorted(
        rows.filter(pl.col("reason").is_null() | (pl.col("reason") == "duplicate")).to_dicts(),
        key=lambda row: (row["created_at"] or late, len(row["tweet_id"]), row["tweet_id"]),
    )
    for row in order:
        words = pl.Series([row["clean_text"]]).str.to_lowercase().item()
        stays.setdefault((row["handle"], words), row["tweet_id"])
    return stays


@settings(max_examples=40, deadline=None)
@given(hostile_frames())
def test_the_earliest_of_the_same_words_stays(rows: pl.DataFrame) -> None:
    curated = curate(rows, STANDARD)
    kept = set(curated.filter("kept").select("handle", "tweet_id").iter_rows())
    assert kept == {(handle, one) for (handle, _), one in first_of_each(curated).items()}


@settings(max_examples=30, deadline=None)
@given(hostile_frames(), st.randoms(use_true_random=False), st.integers(0, 4))
def test_the_order_of_the_rows_does_not_matter(
    rows: pl.DataFrame, rng: random.Random, most: int
) -> None:
    recipe = STANDARD.replace(most_per_author=most, near_duplicates=70)
    places = list(range(rows.height))
    rng.shuffle(places)
    mixed = curate(rows[places], recipe)
    assert mixed.equals(curate(rows, recipe)[places])


@settings(max_examples=30, deadline=None)
@given(hostile_frames(), st.integers(0, 4))
def test_accounts_do_not_touch_each_other(rows: pl.DataFrame, most: int) -> None:
    recipe = STANDARD.replace(most_per_author=most, near_duplicates=70)
    together = curate(rows, recipe)
    for handle in ("a", "b"):
        theirs = pl.col("handle") == handle
        assert together.filter(theirs).equals(curate(rows.filter(theirs), recipe))


def test_keys_are_small_and_hold_what_is_left() -> None:
    judged = judge(frame(["one two three", "ok", "four five six"]), STANDARD)
    keys = keys_of(judged, 10)
    assert dict(keys.schema) == KEYS
    assert keys["place"].to_list() == [10, 12]
    assert keys.estimated_size() == 2 * 28


def test_which_recipes_compare_tweets() -> None:
    none = STANDARD.replace(drop_duplicates=False)
    assert not compares(none)
    for change in (
        {"drop_duplicates": True},
        {"threads": "join"},
        {"near_duplicates": 1},
        {"most_per_author": 1},
    ):
        assert compares(none.replace(**change))


def capped(count: int, most: int, recipe: Recipe = STANDARD) -> pl.DataFrame:
    texts = [f"this is number {n}" for n in range(count)]
    return curate(frame(texts), recipe.replace(most_per_author=most))


def test_at_most_so_many_are_kept() -> None:
    for most in (1, 7, 99):
        rows = capped(100, most)
        assert rows["kept"].sum() == most
        assert set(rows.filter(~pl.col("kept"))["reason"]) == {"cap"}
    for most in (0, 100, 101):
        assert capped(100, most)["kept"].all()


def test_the_cap_comes_last_and_counts_only_what_is_kept() -> None:
    texts = ["one two three", "one two three", "ok", "four five six", "seven eight nine"]
    rows = curate(frame(texts), STANDARD.replace(most_per_author=2))
    assert rows["reason"].to_list().count("cap") == 1
    assert (rows["reason"][1], rows["reason"][2]) == ("duplicate", "short")


def test_the_choice_is_even_over_time_and_stays_when_tweets_are_added() -> None:
    few, more = capped(2_000, 500), capped(2_200, 500)
    halves = [few[:1_000]["kept"].sum(), few[1_000:]["kept"].sum()]
    assert min(halves) > 200
    before = set(few.filter("kept")["tweet_id"])
    after = set(more.filter("kept")["tweet_id"])
    new = {str(n) for n in range(2_001, 2_201)}
    assert len(before - after) == len(after & new) < 100
    assert after - new <= before


def test_the_choice_is_the_same_everywhere() -> None:
    by_digest = sorted(range(1, 13), key=lambda n: hashlib.sha256(str(n).encode()).digest())
    chosen = [str(n) for n in sorted(by_digest[:4])]
    assert capped(12, 4).filter("kept")["tweet_id"].to_list() == chosen
