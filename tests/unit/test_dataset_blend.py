"""Epochs: fair shares, fresh draws, accounts interleaved; and the seed's own blend."""

from __future__ import annotations

import random
from collections import Counter
from itertools import groupby

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dataset import classic_text, epoch_order
from core.dataset.blend import MOST_REPEATS, SEPARATOR
from tests.oracles import classic as oracle


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


@settings(max_examples=60, deadline=None)
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


accounts = st.lists(
    st.lists(st.text("abc 😀", min_size=1, max_size=12), min_size=1, max_size=12),
    min_size=1,
    max_size=3,
)


@settings(max_examples=100, deadline=None)
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
