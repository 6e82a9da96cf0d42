"""The filter's table from batches: the same as from one frame, and honest where it estimates."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation.counts import EXACT, AccountStats, Counts, TokenEstimate
from core.curation.recipe import load_recipe
from core.errors import InputRefused, Interrupted
from core.home import Home
from core.workflow.data import sample_archives, stats
from tests.oracles.corpus import sample_authors
from tests.oracles.frames import frame, hostile_frames, in_order
from tests.oracles.one_frame import account_stats, curate

STANDARD, CLASSIC = load_recipe("standard"), load_recipe("classic")


def lengths(texts: list[str]) -> list[int]:
    """Stands for a tokenizer: two characters a token."""
    return [len(text) // 2 + 1 for text in texts]


def tallied(rows: pl.DataFrame, size: int, exact: int = EXACT) -> list[AccountStats]:
    counts = dict(rows.group_by("handle").len().sort("handle").iter_rows())
    found = Counts(counts)
    tokens = TokenEstimate(counts, lengths, exact=exact)
    ordered = in_order(rows)
    for start in range(0, ordered.height, size):
        found.add(ordered[start : start + size])
        tokens.add(ordered[start : start + size])
    return found.stats({"a": "Ann"}, tokens=tokens)


@settings(max_examples=30, deadline=None)
@given(hostile_frames(), st.integers(1, 30), st.sampled_from([STANDARD, CLASSIC]))
def test_batches_count_as_one_frame(rows: pl.DataFrame, size: int, recipe: object) -> None:
    curated = curate(rows, recipe)  # type: ignore[arg-type]
    handles = sorted(set(rows["handle"]))
    whole = account_stats(curated, names={"a": "Ann"}, count_tokens=lengths, handles=handles)
    assert tallied(curated, size) == whole


@settings(max_examples=30, deadline=None)
@given(hostile_frames(max_size=60), st.integers(1, 70), st.integers(1, 70), st.integers(1, 60))
def test_an_estimate_does_not_depend_on_the_batches(
    rows: pl.DataFrame, one: int, other: int, exact: int
) -> None:
    curated = curate(rows, STANDARD)
    assert tallied(curated, one, exact) == tallied(curated, other, exact)


def test_an_estimate_is_marked_and_near() -> None:
    texts = [f"number {n} " + "and so on " * (n % 30 + 1) for n in range(20_000)]
    curated = curate(frame(texts, handle=["a", "b"] * 10_000), STANDARD)
    counted = tallied(curated, 6_000, exact=20_000)
    guessed = tallied(curated, 6_000, exact=2_000)
    for known, about in zip(counted, guessed, strict=True):
        assert not known.tokens_about
        assert about.tokens_about
        assert known.tokens is not None
        assert about.tokens is not None
        assert about.tokens != known.tokens
        assert about.tokens == pytest.approx(known.tokens, rel=0.02)
        others = dataclasses.replace(
            about, tokens=known.tokens, blocks=known.blocks, tokens_about=False
        )
        assert others == known


def test_beyond_an_accounts_share_few_texts_are_counted() -> None:
    asked: list[str] = []

    def counting(texts: list[str]) -> list[int]:
        asked.extend(texts)
        return [len(text.split()) for text in texts]

    estimate = TokenEstimate({"someone": 4_000}, counting, exact=1_000)
    texts = [f"this is number {n}" for n in range(4_000)]
    estimate.add(curate(frame(texts), STANDARD))
    assert asked[:1_001] == texts[:1_001], "its share, and the first one beyond it at least"
    assert 1_100 < len(asked) < 1_200, "of the rest one in twenty"
    tokens, about = estimate.of("someone")
    assert about
    assert tokens == pytest.approx(4_000 * 5, rel=0.01)


def test_small_accounts_are_counted_whole() -> None:
    texts = [f"this is number {n} of many" for n in range(3_000)]
    who = ["small"] * 15 + ["large"] * 2_985
    large, small = tallied(curate(frame(texts, handle=who), STANDARD), 1_000, exact=100)
    assert (large.tokens_about, small.tokens_about) == (True, False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return sample_authors(tmp_path_factory.mktemp("home"))


def test_everybody_with_names_and_progress(home: Home) -> None:
    seen: list[tuple[str, int, int]] = []
    found = stats(home, [], "standard", progress=lambda *said: seen.append(said))
    assert [one.handle for one in found] == sorted(one.handle for one in found)
    assert len(found) == len(sample_archives())
    assert all(one.name != one.handle for one in found)
    total = sum(one.downloaded for one in found)
    assert seen == [("curating", total, total), ("counting", total, total)]
    assert [one.handle for one in stats(home, [found[2].handle, found[0].handle], "standard")] == [
        found[2].handle,
        found[0].handle,
    ]


def test_what_cannot_be_counted(home: Home, tmp_path: object) -> None:
    with pytest.raises(InputRefused, match="no tweets of @nobody"):
        stats(home, ["nobody"], "standard")
    with pytest.raises(InputRefused, match="corpus is empty"):
        stats(Home.at(str(tmp_path)), [], "standard")
    with pytest.raises(Interrupted):
        stats(home, [], "standard", cancelled=lambda: True)
