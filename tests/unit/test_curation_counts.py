"""The filter's table from batches: the same as from one frame, and honest where it estimates."""

from __future__ import annotations

import dataclasses

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.curation.counts import (
    EXACT,
    AccountCounts,
    AccountStats,
    Counts,
    TokenEstimate,
    total_stats,
)
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


def counted(*groups: tuple[str | None, int, int], unspaced: int = 0) -> AccountStats:
    """What ``ann`` has of (reason, tweets, characters); ``unspaced`` of those that are short."""
    rows = [
        ("ann", reason, tweets, chars, unspaced if reason == "short" else 0)
        for reason, tweets, chars in groups
    ]
    counts = Counts(["ann"])
    counts.add_groups(
        pl.DataFrame(rows, ["handle", "reason", "tweets", "chars", "unspaced"], orient="row")
    )
    (found,) = counts.stats()
    return found


@pytest.mark.parametrize(
    ("chars", "said"),
    [
        # two tweets have one mark of 13 characters between them
        (5_986, "keeps only 2 tweets (5,999 characters). huggingtweets refused fewer than 6,000"),
        (5_987, "keeps 2 tweets (6,000 characters). Under 40,000 a model learns"),
        (39_986, "keeps 2 tweets (39,999 characters). Under 40,000 a model learns"),
        (39_987, ""),
    ],
)
def test_from_how_many_characters_a_person_is_warned(chars: int, said: str) -> None:
    found = counted((None, 2, chars))
    assert found.seed_chars == chars + 13
    assert [said in warning for warning in found.warnings] == [True] * bool(said)


@pytest.mark.parametrize(
    ("short", "kept", "unspaced", "said"),
    [
        (11, 9, 0, "55 % of what @ann wrote counts as short: a smaller least number"),
        (11, 9, 5, "55 % of what @ann wrote counts as short: a smaller least number"),
        (12, 9, 6, "57 % of what @ann wrote counts as short: a smaller least number"),
        (12, 9, 7, "57 % of what @ann wrote counts as short, mostly in a script without spaces"),
        (10, 10, 10, ""),  # half is not most
        (10, 9, 10, ""),  # of 19 tweets little can be said
    ],
)
def test_from_how_many_short_tweets_a_person_is_warned(
    short: int, kept: int, unspaced: int, said: str
) -> None:
    others = (("retweet", 50, 0), (None, kept, 50_000))
    found = counted(("short", short, 9), *others, unspaced=unspaced)
    assert (found.downloaded, found.short, found.retweets) == (short + kept + 50, short, 50)
    assert [said in warning for warning in found.warnings] == [True] * bool(said)


def test_counts_of_parts_are_those_of_the_whole_and_survive_a_file() -> None:
    texts = ["the tide is out", "今日は天気です", "x", "a gull came by", "RT", "so it goes on"]
    rows = frame(
        texts,
        handle=["a", "a", "b", "b", "b", "a"],
        kind=["original"] * 4 + ["retweet", "original"],
        source=["x-archive", "csv", "csv", None, "csv", "x-archive"],
        source_file=["tweets.js", "b.csv", "b.csv", None, "b.csv", "tweets.js"],
    )
    curated = curate(rows, CLASSIC)
    whole, first, second = Counts(origins=True), Counts(origins=True), Counts(["c"], origins=True)
    whole.add(curated)
    first.add(curated[:3])
    second.add(curated[3:])
    first.merge(second)
    assert first.accounts == whole.accounts | {"c": AccountCounts()}
    assert first.source_files == whole.source_files == ["b.csv", "tweets.js"]
    assert whole.to_json()["handles"] == {
        "a": {
            "downloaded": 3,
            "retweets": 0,
            "short": 1,
            "dropped": {},
            "kept": 2,
            "kept_chars": 28,
            "first": "2020-01-01T00:00:00+00:00",
            "last": "2020-01-01T05:00:00+00:00",
            "sources": ["csv", "x-archive"],
        },
        "b": {
            "downloaded": 3,
            "retweets": 1,
            "short": 1,
            "dropped": {},
            "kept": 1,
            "kept_chars": 14,
            "first": "2020-01-01T03:00:00+00:00",
            "last": "2020-01-01T03:00:00+00:00",
            "sources": ["csv"],
        },
    }
    assert whole.accounts["a"].unspaced == 1
    assert whole.kept == {"a": 2, "b": 1}
    again = Counts.from_json(first.to_json())
    assert again.to_json() == first.to_json()
    assert again.accounts["a"].unspaced == 0, "which no file holds"
    plain = Counts()
    plain.add(curated)
    assert (plain.source_files, plain.accounts["a"].first) == ([], None)


def test_what_an_estimate_is_made_of() -> None:
    """The share is counted, and the rest has what those asked of it have for a character."""
    texts = ["a" * 10] * 20 + ["b" * 30, "c" * 60]
    rows = frame(
        [*texts, "d" * 8],
        handle=["many"] * 22 + ["few"],
        tweet_id=[f"{n}" for n in range(9, 32)],
    ).with_columns(clean_text="text", reason=pl.lit(None, pl.String))
    asked: list[str] = []

    def tokens_of(texts: list[str]) -> list[int]:
        asked.extend(texts)
        return [len(text) // 10 for text in texts]

    estimate = TokenEstimate({"many": 22, "few": 1}, tokens_of, exact=1)
    assert estimate.of("many") == estimate.of("nobody") == (0, False)
    for batch in (rows[:7], rows[7:]):
        estimate.add(batch)
    assert asked == [*texts[:21], "d" * 8]
    # 20 tokens, 3 for each 30 of 90 characters, and an end mark for each of 22 tweets
    assert estimate.of("many") == (20 + 9 + 22, True)
    assert estimate.of("few") == (0 + 1, False)


@pytest.mark.parametrize(("tokens", "blocks"), [(2_047, 1), (2_048, 2)])
def test_blocks_are_of_1024_tokens(tokens: int, blocks: int) -> None:
    curated = curate(frame(["a lamp is lit"], handle="ann"), STANDARD)
    estimate = TokenEstimate({"ann": 1}, lambda _: [tokens - 1])
    estimate.add(curated)
    counts = Counts(["ann", "ben"])
    counts.add(curated)
    ann, ben = counts.stats(tokens=estimate)
    assert (ann.tokens, ann.blocks, ann.seed_chars) == (tokens, blocks, 13)
    assert (ben.tokens, ben.blocks, ben.seed_chars) == (0, 0, 0)
    assert total_stats([ann]).blocks == blocks
    assert ben.warnings == ["Nothing of @ben is kept: there is nothing to learn from."]
    assert "keeps only 1 tweet (" in ann.warnings[0]
    assert not any(one.tokens_about for one in [ann, *counts.stats()])


def test_the_total_of_several_accounts() -> None:
    a = AccountStats("a", "A", 9, 2, 3, 3, {"reply": 1}, 40, 1_500, 1, 66, tokens_about=True)
    b = AccountStats("b", "B", 6, 1, 1, 1, {"reply": 1, "quote": 2}, 10, 1_572, 1, 10)
    c = AccountStats("c", "C", 1, 0, 1, 0, {}, 0, 0, 0, 0)
    total = total_stats([a, b, c])
    assert total == AccountStats(
        "all", "all", 16, 3, 5, 4, {"reply": 2, "quote": 2}, 50, 3_072, 3, 76 + 13,
        tokens_about=True,
    )  # fmt: skip
    assert list(total.dropped) == ["reply", "quote"]
    assert total_stats([b, c]).tokens_about is False
    assert total_stats([c]).seed_chars == 0
    assert total_stats([a, b], block=100).blocks == 30
    assert (total_stats([]).tokens, total_stats([]).blocks) == (None, None)
