"""Near duplicates: nothing is dropped that is not alike, and little that is alike is missed."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.corpus.store import Corpus
from core.curation import near_duplicates
from core.curation.near_duplicates import bands_for, shingle_hashes
from core.curation.recipe import load_recipe
from core.curation.stream import curated_batches
from tests.oracles.frames import frame, hostile_frames, in_order
from tests.oracles.one_frame import curate
from tests.shared import fill

if TYPE_CHECKING:
    from numpy.typing import NDArray

STANDARD = load_recipe("standard")
SIZE = 5  # characters of a piece: recipes and reports say how alike tweets are, measured so


def pieces(text: str) -> set[str]:
    text = text.lower()
    return {text[at : at + SIZE] for at in range(max(len(text) - SIZE, 0) + 1)}


def alike(one: str, other: str) -> float:
    mine, theirs = pieces(one), pieces(other)
    return 100 * len(mine & theirs) / len(mine | theirs)


@cache
def compared(count: int) -> NDArray[np.float64]:
    """The similarity of all pairs of the first ``count`` texts."""
    sets = [pieces(text) for text in written(count)]
    number = {piece: n for n, piece in enumerate(sorted(set().union(*sets)))}
    has = np.zeros((count, len(number)), np.float32)
    for row, some in zip(has, sets, strict=True):
        row[[number[piece] for piece in some]] = 1
    both = (has @ has.T).astype(np.float64)
    sizes = has.sum(1)
    return 100 * both / (sizes[:, None] + sizes - both)


def written(count: int, seed: int = 1) -> list[str]:
    """Sentences of made-up words; each third repeats an earlier one with a word changed."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmno", k=rng.randint(2, 9))) for _ in range(900)]
    texts: list[str] = []
    for n in range(count):
        if n % 3 == 2:
            said = rng.choice(texts).split()
            said[rng.randrange(len(said))] = rng.choice(words)
        else:
            said = rng.choices(words, k=rng.randint(4, 25))
        texts.append(" ".join(said))
    return texts


def explained(rows: pl.DataFrame, percent: int) -> int:
    """Checks every near duplicate against the tweet that its trigger names; how many there are."""
    by_id = {row["tweet_id"]: row for row in rows.to_dicts()}
    near = rows.filter(pl.col("reason") == "near_duplicate").to_dicts()
    for row in near:
        found = re.fullmatch(r"like (\d+), (\d+) %", row["trigger"])
        assert found
        stays = by_id[found[1]]
        assert stays["kept"]
        assert stays["handle"] == row["handle"]
        much = alike(stays["clean_text"], row["clean_text"])
        assert int(much) == int(found[2])
        assert much >= percent
    return len(near)


@pytest.mark.parametrize("percent", [50, 60, 70, 80, 90])
def test_against_comparing_all_pairs(percent: int) -> None:
    texts = written(600)
    rows = curate(frame(texts), STANDARD.replace(near_duplicates=percent))
    similarity = compared(600)
    stays: list[int] = []
    for mine in range(600):
        if not (similarity[mine, stays] >= percent).any():
            stays.append(mine)
    dropped = explained(rows, percent) + rows["reason"].eq("duplicate").sum()
    assert dropped == pytest.approx(len(texts) - len(stays), rel=0.03, abs=1)
    assert dropped > 0


def test_a_word_changed_and_the_earliest_stays() -> None:
    texts = [
        "Good morning from the harbour, the gulls are loud today",
        "something else altogether is going on here",
        "good morning from the harbour, the gulls are proud today",
        "Good morning from the harbour, the gulls are loud TODAY",
    ]
    rows = curate(frame(texts), STANDARD.replace(near_duplicates=70))
    assert rows["reason"].to_list() == [None, None, "near_duplicate", "duplicate"]
    assert rows["trigger"][2] == "like 1, 80 %"
    rows = curate(frame(texts), STANDARD.replace(near_duplicates=70, drop_duplicates=False))
    assert rows["reason"].to_list() == [None, None, "near_duplicate", "near_duplicate"]
    assert rows["trigger"][3] == "like 1, 100 %"


def test_off_is_off_and_accounts_are_apart() -> None:
    texts = ["the gulls are loud today, again", "the gulls are loud today, again!"]
    assert curate(frame(texts), STANDARD)["kept"].all()
    near = STANDARD.replace(near_duplicates=80)
    assert curate(frame(texts), near)["kept"].to_list() == [True, False]
    everybody = [text for text in written(30) for _ in range(3)]
    kept = curate(frame(everybody, handle=["a", "b", "c"] * 30), near)["kept"].to_list()
    assert kept[0::3] == kept[1::3] == kept[2::3]
    assert kept[0::3].count(True) == curate(frame(written(30)), near)["kept"].sum()


def test_short_tweets_and_other_scripts() -> None:
    texts = [
        "i love you",
        "i love him",
        "i love her",
        "今日は天気がいいですね",
        "今日は天気がいいですよ",
        "ab",
        "ac",
    ]
    near = STANDARD.replace(near_duplicates=70, min_words=0)
    kept = curate(frame(texts), near)["kept"].to_list()
    assert kept == [True, True, True, True, False, True, True]


def test_of_a_chain_those_stay_that_are_not_like_what_stays() -> None:
    """Each is like the one before, the last like nothing that was there at the beginning."""
    words = [f"w{n:03}x" for n in range(60)]
    texts = [" ".join(words[n : n + 20]) for n in range(40)]
    for size in (40, 7):
        rng = random.Random(size)
        places = list(range(40))
        rng.shuffle(places)
        rows = curate(
            frame([texts[place] for place in places]), STANDARD.replace(near_duplicates=75)
        )
        explained(rows, 75)
        stay = rows.filter("kept")["clean_text"].to_list()
        assert 5 <= len(stay) <= 25


def test_thousands_alike_take_no_longer_than_thousands() -> None:
    texts = [f"buy one get one free, today only, code {n}" for n in range(6_000)]
    rows = curate(frame(texts), STANDARD.replace(near_duplicates=70))
    assert rows["kept"].sum() == 1
    assert explained(rows, 70) == 5_999


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=hostile_frames(), size=st.integers(1, 30), percent=st.integers(1, 100))
def test_batches_give_what_one_frame_gives(
    tmp_path: Path, rows: pl.DataFrame, size: int, percent: int
) -> None:
    corpus = fill(Corpus(tmp_path / "tweets.duckdb"), rows)
    recipe = STANDARD.replace(near_duplicates=percent, most_per_author=3, min_words=0)
    whole = in_order(curate(rows, recipe))
    parts = list(curated_batches(corpus, ["a", "b"], recipe, rows=size))
    assert pl.concat([whole.clear(), *parts]).equals(whole)


def test_many_rows_in_batches(tmp_path: Path) -> None:
    texts = written(1_500, seed=2)
    rows = frame(texts, handle=["a", "b", "b"] * 500)
    corpus = fill(Corpus(tmp_path / "tweets.duckdb"), rows)
    recipe = STANDARD.replace(near_duplicates=70, most_per_author=600)
    whole = in_order(curate(rows, recipe))
    assert {"near_duplicate", "cap"} <= set(whole["reason"])
    for size in (97, 5_000):
        assert pl.concat(curated_batches(corpus, ["a", "b"], recipe, rows=size)).equals(whole)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=6))
def test_numbers_stand_for_pieces(texts: list[str]) -> None:
    hashes, starts = shingle_hashes(pl.Series(texts, dtype=pl.String))
    assert len(starts) == len(texts) + 1
    assert starts[-1] == len(hashes)
    seen: dict[str, int] = {}
    for row, text in enumerate(pl.Series(texts, dtype=pl.String).str.to_lowercase()):
        mine = hashes[int(starts[row]) : int(starts[row + 1])].tolist()
        padded = text.ljust(SIZE, "\0")
        for at, number in enumerate(mine):
            assert seen.setdefault(padded[at : at + SIZE], number) == number
        assert len(mine) == len(padded) - SIZE + 1
    assert len(set(seen.values())) == len(seen)


@pytest.mark.parametrize("percent", range(10, 101))
def test_pairs_at_the_threshold_meet(percent: int) -> None:
    slots, bands = bands_for(percent)
    assert 1 <= slots * bands <= 48
    assert 1 - (1 - (percent / 100) ** slots) ** bands >= 0.989


def test_how_alike_two_texts_are() -> None:
    """Pieces in both of those in either: abcdefg has three, abcdefgh four, abcdefghi five."""
    texts = pl.Series(["abcdefghi", "ABCDEFGH", "abcdefg", "abc", "ab", "something else"])

    def percents(least: int) -> list[int]:
        some, others = np.array([1, 0, 2, 2, 3, 4, 5]), np.array([0, 1, 1, 0, 3, 3, 3])
        return near_duplicates.alike(texts, some, others, least).tolist()

    assert percents(1) == [80, 80, 75, 60, 100, 0, 0]
    assert percents(60) == [80, 80, 75, 60, 100, 0, 0]
    assert percents(61) == [80, 80, 75, 0, 100, 0, 0]
    assert percents(80) == [80, 80, 0, 0, 100, 0, 0]
    assert percents(81) == [0, 0, 0, 0, 100, 0, 0]
    # four of six are 66.7 %
    two = pl.Series(["abcdefghi", "bcdefghij"])
    for least, found in ((66, 66), (67, 0)):
        assert near_duplicates.alike(two, np.array([0]), np.array([1]), least).tolist() == [found]
