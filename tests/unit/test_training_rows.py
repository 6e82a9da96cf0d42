"""Texts become rows, rows become batches, and nothing is lost or doubled on the way."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputRefused
from core.models.load import separator_of
from core.models.scratch import train_tokenizer
from core.training.data import (
    IGNORE,
    EpochPlan,
    TweetRows,
    batches,
    cut,
    padded_rows,
    padded_width,
    predicted,
    prepare,
    rows_within,
    tensors,
)

ROWS = st.lists(st.lists(st.integers(0, 99), min_size=2, max_size=40), max_size=80)


@given(ROWS, st.integers(8, 200))
def test_each_row_is_in_exactly_one_batch(rows: list[list[int]], batch_tokens: int) -> None:
    made = batches(rows, batch_tokens, random.Random(1))
    assert sorted(row for batch in made for row in batch) == sorted(rows)


@given(ROWS, st.integers(8, 200))
def test_a_batch_holds_at_most_its_tokens_unless_one_row_does(
    rows: list[list[int]], batch_tokens: int
) -> None:
    for batch in batches(rows, batch_tokens, random.Random(1)):
        size = max(padded_width(row) for row in batch) * len(batch)
        assert size <= batch_tokens or len(batch) == 1


def test_batches_are_as_full_as_they_may_be() -> None:
    assert [padded_width([0] * ids) for ids in (2, 9, 10, 17, 18)] == [8, 8, 16, 16, 24]
    short, long = [0] * 9, [0] * 17
    made = batches([short, long, short, short, long, short], 16, random.Random(1))
    assert sorted(map(len, made)) == [1, 1, 2, 2], "two rows of 8, and rows of 16 by themselves"
    # neighbours of 512 are sorted together, and no others
    rows = [[0] * (9 if number % 2 else 17) for number in range(1024)]
    sizes = [len(batch) for batch in batches(rows, 8 * 10**6, random.Random(1))]
    assert sizes == [512, 512]
    shuffled = batches([[number, 0] for number in range(64)], 8, random.Random(1))
    assert shuffled != sorted(shuffled)


def test_few_heights_come_of_any_batches() -> None:
    assert [padded_rows(rows, 16, 256) for rows in (16, 15, 9, 8, 5, 4, 2, 1)] == [
        16, 16, 16, 8, 8, 4, 2, 1,
    ]  # fmt: skip
    assert padded_rows(3, 300, 256) == 3, "of rows that are wider than a batch as many as there are"
    inputs, targets = tensors([[5, 6, 7]], "cpu", batch_tokens=16)
    assert inputs.tolist() == [[5, 6, 0, 0, 0, 0, 0, 0]]
    assert targets.tolist() == [[6, 7, *[IGNORE] * 6]]
    inputs, targets = tensors([[5, 6], [7, 8], [9, 1]], "cpu", batch_tokens=32)
    assert inputs.tolist() == [[5, *[0] * 7], [7, *[0] * 7], [9, *[0] * 7], [0] * 8]
    assert targets.tolist()[3] == [IGNORE] * 8


def test_rows_are_no_longer_than_a_base_reads() -> None:
    assert [rows_within(context, 256) for context in (16, 23, 24, 256, 263, 1024)] == [
        16, 16, 24, 256, 256, 256,
    ]  # fmt: skip
    with pytest.raises(InputRefused, match="reads 15 tokens at most"):
        rows_within(15, 256)


def test_a_row_that_is_only_read_is_left_out_and_others_begin_with_what_is_read() -> None:
    class Letters:
        def __call__(self, texts: list[str], **_: object) -> dict[str, list[list[int]]]:
            return {"input_ids": [[ord(letter) for letter in text] for text in texts]}

    found = prepare(["ab", "é"], Letters(), separator=0, row_tokens=2, answered=[[1, 2, 3, 4], []])
    # of 0 ~1 ~2 | ~2 ~3 ~4 | ~4 a b | b 0 the first two rows teach nothing
    assert found.rows == [[[~4, 97, 98], [98, 0]], [[0, 233, 0]]]
    assert (found.tokens, found.bytes, found.total_tokens) == ([3, 2], [3, 3], 5)
    assert predicted([0, ~1, 97, 0]) == 2
    assert prepare([], None, separator=0, row_tokens=2) == TweetRows([], [], [])


@given(st.lists(st.integers(0, 99), min_size=2, max_size=200), st.integers(1, 50))
def test_cutting_predicts_every_id_once(ids: list[int], row_tokens: int) -> None:
    rows = cut(ids, row_tokens)
    assert [token for row in rows for token in row[1:]] == ids[1:]
    assert all(2 <= len(row) <= row_tokens + 1 for row in rows)


def test_each_tweet_stands_between_two_marks() -> None:
    texts = ["the fog came in", "the lamp is lit"]
    tokenizer = train_tokenizer(texts)
    mark = separator_of(tokenizer)
    tweets = prepare(texts, tokenizer, separator=mark, row_tokens=64)
    for text, rows, tokens in zip(texts, tweets.rows, tweets.tokens, strict=True):
        (row,) = rows
        assert row[0] == row[-1] == mark
        assert tokenizer.decode(row[1:-1]) == text
        assert tokens == len(row) - 1
    assert tweets.bytes == [len(text) + 1 for text in texts]


def test_a_tweet_cannot_end_itself() -> None:
    text = "say <|endoftext|> and go on"
    tokenizer = train_tokenizer([text, "the lamp is lit"])
    mark = separator_of(tokenizer)
    (row,) = prepare([text], tokenizer, separator=mark, row_tokens=64).rows[0]
    assert row.count(mark) == 2
    assert tokenizer.decode(row[1:-1]) == text


@pytest.mark.parametrize("read", [1, 2, 3, 4])
def test_what_is_only_read_is_an_input_and_no_target(read: int) -> None:
    tokenizer = train_tokenizer(["the fog came in", "the lamp is lit"])
    mark = separator_of(tokenizer)
    own: list[int] = tokenizer.encode("the lamp is lit", add_special_tokens=False)
    before = list(range(30, 30 + read))
    for row_tokens in range(1, 12):
        tweets = prepare(
            ["the lamp is lit"], tokenizer, separator=mark, row_tokens=row_tokens, answered=[before]
        )
        (rows,) = tweets.rows
        learned = [token for row in rows for token in row[len(row) - predicted(row) :]]
        assert learned == [*own, mark], "each of its own words is learned, wherever rows are cut"
        assert tweets.tokens == [len(own) + 1]
    ((row,),) = prepare(
        ["the lamp is lit"], tokenizer, separator=mark, row_tokens=64, answered=[before]
    ).rows
    inputs, targets = tensors([row], "cpu")
    size = len(row) - 1
    assert inputs[0, :size].tolist() == [mark, *before, *own]
    assert targets[0, :size].tolist() == [*[IGNORE] * read, *own, mark]


def test_padding_is_never_a_target() -> None:
    inputs, targets = tensors([[5, 6, 7], [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]], "cpu")
    assert inputs.shape == targets.shape == (2, 16)
    assert inputs[0, :2].tolist() == [5, 6]
    assert targets[0, :2].tolist() == [6, 7]
    assert set(targets[0, 2:].tolist()) == {IGNORE}
    assert targets[1, :9].tolist() == [6, 7, 8, 9, 10, 11, 12, 13, 14]


@given(ROWS, st.integers(8, 200))
def test_static_batches_have_few_shapes(rows: list[list[int]], batch_tokens: int) -> None:
    heights: dict[int, set[int]] = {}
    for batch in batches(rows, batch_tokens, random.Random(1)):
        moving, static = tensors(batch, "cpu"), tensors(batch, "cpu", batch_tokens=batch_tokens)
        rows_here, width = static[0].shape
        assert torch.equal(static[0][: len(batch)], moving[0])
        assert torch.equal(static[1][: len(batch)], moving[1])
        assert set(static[1][len(batch) :].flatten().tolist()) <= {IGNORE}
        assert rows_here * width <= batch_tokens or rows_here == 1
        heights.setdefault(width, set()).add(rows_here)
    for width, sizes in heights.items():
        whole = max(1, batch_tokens // width)
        assert sizes <= {whole >> halvings for halvings in range(8)}


def test_blocks_are_one_stream_with_single_marks() -> None:
    texts = ["aa bb", "cc dd ee", "ff"]
    tokenizer = train_tokenizer(texts)
    tweets = prepare(texts, tokenizer, separator=0, row_tokens=1024)
    plan = EpochPlan(tweets, seed=1, batch_tokens=0, row_tokens=4, packing="blocks")
    blocks = [row for batch in plan.batches(0, [2, 0, 1]) for row in batch.rows]
    stream = [0]
    for tweet in (2, 0, 1):
        stream += tweets.rows[tweet][0][1:]
    predicted = sorted(token for row in blocks for token in row[1:])
    assert predicted == sorted(stream[1:])
    assert all(len(row) <= 5 for row in blocks)


def test_the_same_epoch_is_the_same_and_another_is_not() -> None:
    texts = [f"tweet number {i} of many" for i in range(50)]
    tokenizer = train_tokenizer(texts)
    tweets = prepare(texts, tokenizer, separator=0, row_tokens=64)
    plan = EpochPlan(tweets, seed=1, batch_tokens=64, row_tokens=64)
    order = list(range(50))
    assert plan.batches(0, order) == plan.batches(0, order)
    assert plan.batches(0, order) != plan.batches(1, order)


TWEETS = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.integers(1, 9), max_size=9)), min_size=1, max_size=30
)


@given(TWEETS, st.integers(1, 12), st.sampled_from(["tweets", "blocks", "whole blocks"]))
def test_every_predicted_token_is_counted_for_its_author(
    written: list[tuple[int, list[int]]], row_tokens: int, packing: str
) -> None:
    """A tweet of author n is made of ids 10 n + 1 to 10 n + 9, and its end mark, 0, is theirs."""
    rows = [cut([0, *(10 * who + one for one in ids), 0], row_tokens) for who, ids in written]
    tweets = TweetRows(rows, [sum(len(row) - 1 for row in own) for own in rows], [])
    plan = EpochPlan(
        tweets,
        seed=1,
        batch_tokens=24,
        row_tokens=max(row_tokens, 2),
        packing=packing.split()[-1],
        authors=[who for who, _ in written],
        whole_blocks=packing == "whole blocks",
    )
    counted: Counter[int] = Counter()
    for batch in plan.batches(0, range(len(written))):
        predicted = [token for row in batch.rows for token in row[1:]]
        assert sum(batch.tokens.values()) == len(predicted)
        for who, count in batch.tokens.items():
            own = [token for token in predicted if token and token // 10 == who]
            marks = count - len(own)
            assert 0 <= marks <= predicted.count(0)
        counted.update(batch.tokens)
    if packing != "whole blocks":
        assert counted == Counter(
            {
                who: sum(len(ids) + 1 for writer, ids in written if writer == who)
                for who in {who for who, _ in written}
            }
        )


@given(st.lists(st.integers(1, 99), min_size=1, max_size=200), st.integers(2, 40))
def test_whole_blocks_lie_side_by_side_and_the_rest_is_dropped(ids: list[int], size: int) -> None:
    stream = [0, *ids, 0]
    tweets = TweetRows([cut(stream, 7)], [len(stream) - 1], [])
    plan = EpochPlan(tweets, 1, 0, size, "blocks", whole_blocks=True)
    blocks = [batch.rows[0] for batch in plan.batches(0, [0])]
    whole = [stream[at : at + size] for at in range(0, len(stream), size)]
    whole = [block for block in whole if len(block) == size] or [stream]
    assert sorted(blocks) == sorted(whole)


def test_a_row_that_begins_with_the_first_id_unlearned_is_read_from_it() -> None:
    for row, read, learned in (([~0, 5, 6], [0, 5], [5, 6]), ([1, ~0, 6], [1, 0], [IGNORE, 6])):
        inputs, targets = tensors([row], "cpu")
        assert inputs[0, :2].tolist() == read
        assert targets[0, :2].tolist() == learned
