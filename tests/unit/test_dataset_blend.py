"""Epochs: fair shares, fresh draws, accounts interleaved; and the seed's own blend."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dataset.blend import SEPARATOR, classic_order
from core.dataset.blend import epoch_order as order_of_epoch
from core.dataset.shares import MOST_REPEATS, classic_shares, expected_shares
from tests.oracles import classic as oracle


def epoch_order(
    rows: pl.DataFrame, *, token_counts: Sequence[int] | None = None, **options: Any
) -> list[int]:
    """The order of a frame's rows (columns handle, text); characters and an end mark are tokens."""
    names = rows["handle"].unique(maintain_order=True).cast(pl.String).to_list()
    if rows["handle"].dtype == pl.Enum:
        names = rows["handle"].dtype.categories.to_list()
    authors = np.array([names.index(handle) for handle in rows["handle"]], dtype=np.int64)
    sizes = token_counts or [len(text) + 1 for text in rows["text"]]
    return order_of_epoch(names, authors, np.array(sizes, dtype=np.int64), **options).tolist()


def classic_text(accounts: Sequence[Sequence[str]], seed: int, epochs: int = 4) -> str:
    """The training text as huggingtweets made it: `classic_order` with the texts put in."""
    order = classic_order([list(map(len, tweets)) for tweets in accounts], seed, epochs)
    texts = [text for tweets in accounts for text in tweets]
    return SEPARATOR + SEPARATOR.join(texts[tweet] for tweet in order) + SEPARATOR


def train(**accounts: int) -> pl.DataFrame:
    handles = [handle for handle, count in accounts.items() for _ in range(count)]
    return pl.DataFrame({"handle": handles, "text": ["123456789"] * len(handles)})


def test_one_account_is_a_plain_permutation() -> None:
    rows = train(a=50)
    first = epoch_order(rows, seed=1, epoch=0)
    assert sorted(first) == list(range(50))
    assert first == epoch_order(rows, seed=1, epoch=0)
    assert first != epoch_order(rows, seed=1, epoch=1)
    assert first != epoch_order(rows, seed=2, epoch=0)
    assert epoch_order(rows, seed=1, epoch=0, weights={"a": 5}) == first
    assert epoch_order(rows[:0], seed=1, epoch=0) == []


def test_small_accounts_are_shown_as_much_as_large_ones() -> None:
    rows = train(a=100, b=40)
    drawn: Counter[int] = Counter()
    for epoch in range(20):
        times = Counter(epoch_order(rows, seed=3, epoch=epoch))
        assert all(times[row] == 1 for row in range(100))
        assert {times[row] for row in range(100, 140)} == {2, 3}
        assert sum(times[row] for row in range(100, 140)) == 100
        drawn.update(row for row in range(100, 140) if times[row] == 3)
    assert len(drawn) == 40  # the extra time is drawn anew each epoch


def test_repeats_are_bounded_and_weights_count() -> None:
    times = Counter(epoch_order(train(a=1000, b=10), seed=1, epoch=0))
    assert sum(times[row] for row in range(1000, 1010)) == 10 * MOST_REPEATS
    times = Counter(epoch_order(train(a=100, b=100), seed=1, epoch=0, weights={"a": 3, "b": 1}))
    assert sum(times[row] for row in range(100)) == 300
    assert sum(times[row] for row in range(100, 200)) == 100


def test_shares_are_of_tokens_where_they_are_counted() -> None:
    rows = train(a=100, b=100)
    counts = [10] * 100 + [20] * 100
    times = Counter(epoch_order(rows, seed=1, epoch=0, token_counts=counts))
    assert sum(times[row] for row in range(100)) == 200


def test_the_smallest_remainder_is_shown_too() -> None:
    order = epoch_order(train(a=3, b=2), seed=1, epoch=0, token_counts=[1] * 5)
    assert sorted(Counter(order).values()) == [1, 1, 1, 1, 2]


def test_classic_with_an_account_that_says_nothing() -> None:
    assert sorted(classic_order([[0, 0], [5]], seed=1, epochs=2)) == [0, 0, 1, 1, 2, 2]
    assert classic_order([], seed=1, epochs=2) == []
    assert Counter(classic_order([[1], [5]], seed=1, epochs=1)) == {0: 5, 1: 1}


def test_accounts_are_interleaved() -> None:
    rows = train(a=300, b=300, c=300)
    order = epoch_order(rows, seed=5, epoch=0)
    runs = [len(list(run)) for _, run in groupby(rows["handle"][row] for row in order)]
    assert max(runs) <= 6
    for start in range(0, 900, 90):
        part = Counter(rows["handle"][row] for row in order[start : start + 90])
        assert min(part[handle] for handle in "abc") >= 20


def test_the_order_does_not_depend_on_how_accounts_are_sorted() -> None:
    rows = train(a=20, b=7)
    turned = rows[list(range(20, 27)) + list(range(20))]
    back = list(range(20, 27)) + list(range(20))
    assert [back[row] for row in epoch_order(turned, seed=1, epoch=0)] == epoch_order(
        rows, seed=1, epoch=0
    )


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 40), min_size=1),
    st.integers(0, 5),
    st.data(),
)
def test_every_row_floor_or_ceil_times(
    sizes: dict[str, int], epoch: int, data: st.DataObject
) -> None:
    rows = train(**sizes)
    counts = data.draw(st.lists(st.integers(1, 60), min_size=rows.height, max_size=rows.height))
    weights = {handle: data.draw(st.floats(0.1, 10)) for handle in sizes}
    times = Counter(epoch_order(rows, seed=1, epoch=epoch, weights=weights, token_counts=counts))
    for handle in sizes:
        own = [times[row] for row in range(rows.height) if rows["handle"][row] == handle]
        assert 1 <= min(own) <= max(own) <= MOST_REPEATS
        assert max(own) - min(own) <= 1


def shown_tokens(rows: pl.DataFrame, counts: list[int], order: list[int]) -> dict[str, int]:
    handles = rows["handle"].to_list()
    tokens: Counter[str] = Counter()
    for row in order:
        tokens[handles[row]] += counts[row]
    return dict(tokens)


blends = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 40), min_size=1)


@settings(max_examples=40, deadline=None)
@given(blends, st.integers(0, 5), st.data())
def test_an_epoch_holds_the_shares_that_were_expected(
    sizes: dict[str, int], epoch: int, data: st.DataObject
) -> None:
    rows = train(**sizes)
    counts = data.draw(st.lists(st.integers(1, 60), min_size=rows.height, max_size=rows.height))
    weights = {handle: data.draw(st.floats(0.1, 10)) for handle in sizes}
    order = epoch_order(rows, seed=2, epoch=epoch, weights=weights, token_counts=counts)
    shown = shown_tokens(rows, counts, order)
    whole = shown_tokens(rows, counts, list(range(rows.height)))
    shares = expected_shares(whole, weights)
    assert [share.handle for share in shares] == sorted(sizes)
    for share in shares:
        # a tweet is shown or not: half of one too many or too few
        assert abs(shown[share.handle] - share.shown) <= max(counts) / 2
    once = [share for share in shares if share.needed == pytest.approx(1)]
    assert once, "the account that is largest for its weight"
    times = Counter(order)
    handles = rows["handle"].to_list()
    for share in once:
        assert {times[row] for row in range(rows.height) if handles[row] == share.handle} == {1}
    assert sum(share.share for share in shares) == pytest.approx(1)
    if not any(share.capped for share in shares):
        total = sum(weights.values())
        for share in shares:
            assert share.share == pytest.approx(weights[share.handle] / total)


@given(blends, st.randoms(use_true_random=False))
def test_expected_shares_do_not_depend_on_the_order_of_handles(
    tokens: dict[str, int], mixer: random.Random
) -> None:
    turned = list(tokens.items())
    mixer.shuffle(turned)
    weights = dict.fromkeys(turned[0][0], 2.5)
    assert expected_shares(dict(turned), weights) == expected_shares(tokens, weights)


def test_what_the_limit_of_repeats_takes_from_a_small_account() -> None:
    big, small = expected_shares({"big": 9000, "small": 500}, {"small": 2})
    assert (small.needed, small.times, small.capped) == (36, MOST_REPEATS, True)
    assert (big.times, big.capped, big.shown) == (1, False, 9000)
    assert small.shown == 2000
    assert small.share == pytest.approx(2 / 11)
    assert small.asked == pytest.approx(2 / 3)
    (alone,) = expected_shares({"a": 7, "silent": 0}, {"a": 3})
    assert (alone.share, alone.asked, alone.times) == (1, 1, 1)
    assert expected_shares({}) == []


@settings(max_examples=30, deadline=None)
@given(blends, st.integers(0, 3), st.randoms(use_true_random=False))
def test_rows_of_accounts_in_any_order_give_the_same_epoch(
    sizes: dict[str, int], epoch: int, mixer: random.Random
) -> None:
    rows = train(**sizes).with_columns(pl.int_range(pl.len()).alias("tweet"))
    handles = list(sizes)
    mixer.shuffle(handles)
    turned = pl.concat([rows.filter(pl.col("handle") == handle) for handle in handles])
    here, there = (
        frame["tweet"][epoch_order(frame, seed=4, epoch=epoch, weights={handles[0]: 2})]
        for frame in (rows, turned)
    )
    assert here.to_list() == there.to_list()
    names = pl.Enum([*sorted(sizes, reverse=True), "nobody"])
    compact = rows.with_columns(pl.col("handle").cast(names))
    assert epoch_order(compact, seed=4, epoch=epoch) == epoch_order(rows, seed=4, epoch=epoch)


def test_the_order_is_the_same_everywhere_and_for_ever() -> None:
    rows = train(a=6, b=3)
    assert epoch_order(rows, seed=1, epoch=0) == [3, 8, 7, 4, 6, 2, 0, 8, 1, 6, 5, 7]


def test_classic_gives_the_terser_account_more_tokens() -> None:
    # as many characters; gull writes four tweets where keeper writes one
    shares = classic_shares({"keeper": 100, "gull": 160}, {"keeper": 400, "gull": 200})
    gull, keeper = shares
    assert (gull.handle, gull.times, keeper.times) == ("gull", 2, 1)
    assert gull.share == pytest.approx(320 / 420)
    assert not any(share.capped for share in shares)
    assert classic_shares({"a": 1, "b": 1000}, {"a": 1, "b": 1000})[0].times == 1000, "no limit"


accounts = st.lists(
    st.lists(st.text("abc 😀", min_size=1, max_size=12), min_size=1, max_size=12),
    min_size=1,
    max_size=3,
)


@settings(max_examples=50, deadline=None)
@given(accounts, st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_classic_equals_the_oracle(lists: list[list[str]], seed: int, epochs: int) -> None:
    assert classic_text(lists, seed, epochs) == oracle.blend(lists, seed, epochs)


def test_classic_keeps_its_quirks() -> None:
    ten, four = [f"a{i}" for i in range(10)], [f"b{i}" for i in range(4)]
    text = classic_text([ten, four], seed=random.Random(0).getrandbits(32))
    assert text.startswith(SEPARATOR)
    assert text.endswith(SEPARATOR)
    shown = text.split(SEPARATOR)[1:-1]
    times = Counter(shown)
    assert [times[tweet] for tweet in ten] == [4] * 10
    assert sorted(times[tweet] for tweet in four) == [8, 8, 12, 12]
    assert "".join(tweet[0] for tweet in shown) == ("a" * 10 + "b" * 10) * 4
    assert len(ten) == 10  # the lists given are not touched
    assert classic_text([ten, four], seed=1) != classic_text([four, ten], seed=1)


def test_classic_without_a_single_character_ends() -> None:
    assert classic_text([["", ""], ["abc"]], seed=1, epochs=1).count(SEPARATOR) == 4
    assert classic_text([], seed=1) == SEPARATOR * 2
