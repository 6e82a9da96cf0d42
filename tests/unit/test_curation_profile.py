"""Profiles: counts that a plain loop over the same rows gives, whatever the batches."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.corpus.store import Corpus
from core.curation.profile import LENGTH_BINS, LENGTH_STEP, Profiler, profile
from core.curation.recipe import load_recipe
from core.errors import InputRefused
from core.home import Home
from core.workflow.data import import_paths
from tests.oracles.corpus import tweets
from tests.oracles.frames import frame, hostile_texts
from tests.oracles.one_frame import curate
from tests.unit.cli import HANDLES, KEEPER

STANDARD = load_recipe("standard")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(hostile_texts, st.sampled_from(["a", "b"])), min_size=1, max_size=12),
    st.integers(1, 5),
)
def test_counts_are_those_of_a_loop_and_batches_do_not_matter(
    rows: list[tuple[str, str]], size: int
) -> None:
    curated = curate(frame([t for t, _ in rows], handle=[h for _, h in rows]), STANDARD)
    whole, parts = Profiler(), Profiler()
    whole.add(curated)
    for start in range(0, curated.height, size):
        parts.add(curated[start : start + size])
    found = whole.profiles(["a", "b"])
    assert [p.to_json() for p in found] == [p.to_json() for p in parts.profiles(["a", "b"])]
    for one in found:
        own = [row for row in curated.to_dicts() if row["handle"] == one.handle]
        kept = [row for row in own if row["kept"]]
        assert (one.tweets, one.kept) == (len(own), len(kept))
        assert one.kinds == Counter(row["kind"] for row in own)
        lengths = [0] * LENGTH_BINS
        for row in kept:
            lengths[min(len(row["clean_text"]) // LENGTH_STEP, LENGTH_BINS - 1)] += 1
        assert one.lengths == lengths
        dated = [row for row in kept if row["created_at"] is not None]
        assert [sum(r["created_at"].hour == h for r in dated) for h in range(24)] == one.hours
        assert sum(kept for _, kept in one.months.values()) == len(dated)
    total = whole.everybody()
    assert total.kept == sum(one.kept for one in found)
    assert total.lengths == [sum(pair) for pair in zip(*(p.lengths for p in found), strict=True)]


def test_months_have_no_holes() -> None:
    times = [datetime(2020, 11, 3, tzinfo=timezone.utc), datetime(2021, 2, 1, tzinfo=timezone.utc)]
    rows = frame(["three plain words", "ok"], created_at=times)
    profiler = Profiler()
    profiler.add(curate(rows, STANDARD))
    assert profiler.profiles()[0].months == {
        "2020-11": (1, 1),
        "2020-12": (0, 0),
        "2021-01": (0, 0),
        "2021-02": (1, 0),
    }


def test_words_are_without_the_usual_ones_links_names_and_tags() -> None:
    texts = [
        "the lamp and the lamp https://t.co/lamp @lamp #Lamp",
        "don't wake the well-known Lamp",
        "it’s a gull, it is a gull",
    ]
    profiler = Profiler()
    profiler.add(curate(frame(texts), STANDARD))
    one = profiler.profiles()[0]
    assert dict(one.words)["lamp"] == 3
    assert dict(one.words)["gull"] == 2
    assert "well-known" in dict(one.words)
    assert not {"the", "and", "it's", "don't", "@lamp", "https"} & set(dict(one.words))
    assert one.hashtags == [("#lamp", 1)]
    assert one.apart == []  # there is nobody to be apart from


def test_words_that_set_an_account_apart() -> None:
    ours = ["the lamp is lit again tonight", "the lamp is out again tonight", "a lamp for the sea"]
    theirs = ["the toast is on again tonight", "the toast is burnt tonight", "a toast for the cat"]
    profiler = Profiler()
    profiler.add(curate(frame(ours + theirs, handle=["a"] * 3 + ["b"] * 3), STANDARD))
    a, b = profiler.profiles(["a", "b"])
    assert (a.apart, b.apart) == ([("lamp", 3)], [("toast", 3)])


def test_replies_are_a_share_of_what_the_account_wrote() -> None:
    rows = frame(["one two three"] * 4, kind=["reply", "original", "original", "retweet"])
    profiler = Profiler()
    profiler.add(curate(rows, STANDARD))
    assert profiler.profiles()[0].replies == pytest.approx(1 / 3)
    only_shared = Profiler()
    only_shared.add(curate(rows.tail(1), STANDARD))
    assert only_shared.profiles()[0].replies == 0.0


def test_profile_of_a_corpus(tmp_path: Path) -> None:
    home = Home(tmp_path)
    import_paths(home, [KEEPER])
    (found,) = profile(home, HANDLES[:1], STANDARD)
    assert found.tweets == 987
    assert found.kept == sum(found.lengths)
    assert next(iter(found.months)) == "2016-03"
    assert pl.Series(found.hours).sum() == found.kept
    dropped = curate(tweets(Corpus(home.corpus), HANDLES[:1]), STANDARD.replace(near_duplicates=80))
    assert found.alike == (dropped["reason"] == "near_duplicate").sum()
    assert found.kept == dropped["kept"].sum() + found.alike
    with pytest.raises(InputRefused, match="no tweets of @nobody"):
        profile(home, ["nobody"], STANDARD)
