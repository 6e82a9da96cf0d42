"""Many texts read in one tree of tokens: as each of them read alone, token after token."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from core.sampling.decoding import packed
from core.sampling.decoding.decoder import LeanDecoder
from core.sampling.decoding.packed import PackedReader

VOCABULARY = 7
IDS = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=12)


class Watched(LeanDecoder):
    """Keeps how many tokens were read at once, and of how many logits were made at once."""

    def __init__(self) -> None:
        torch.manual_seed(4)
        config = LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
        )  # fmt: skip
        model = LlamaForCausalLM(config).eval().requires_grad_(False)
        for parameter in model.parameters():
            parameter.data += torch.randn_like(parameter) * 0.3
        super().__init__(model, "float32")
        self.read: list[int] = []
        self.headed: list[int] = []

    def forward(self, ids: torch.Tensor, at: torch.Tensor, attend: Any) -> torch.Tensor:
        self.read.append(len(ids))
        return super().forward(ids, at, attend)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        self.headed.append(len(hidden))
        return super().logits(hidden)

    def after(self, ids: list[int]) -> torch.Tensor:
        """Log probabilities after ``ids``, which are read alone."""
        return self.score(ids)[-1].log_softmax(-1)


@pytest.fixture(scope="module")
def decoder() -> Watched:
    return Watched()


def bounded(decoder: Watched, nodes: int, logits: int) -> pytest.MonkeyPatch:
    """At most so many tokens read at once, and logits of so many."""
    patch = pytest.MonkeyPatch()
    patch.setattr(packed, "_NODES", {"cpu": nodes})
    patch.setattr(packed, "LOGITS", {"cpu": logits * 4 * VOCABULARY})
    decoder.read, decoder.headed = [], []
    return patch


BOUNDS = st.tuples(st.sampled_from([1, 6, 20, 1000]), st.sampled_from([0, 1, 3, 1000]))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(IDS, max_size=7), bounds=BOUNDS)
def test_the_nats_of_texts_are_those_of_each_read_alone(
    decoder: Watched, rows: list[list[int]], bounds: tuple[int, int]
) -> None:
    alone = [
        -sum(float(decoder.after(row[:at])[row[at]]) for at in range(1, len(row))) for row in rows
    ]
    done: list[int] = []
    patch = bounded(decoder, *bounds)
    try:
        assert PackedReader(decoder).nats(rows, done.append) == pytest.approx(alone, abs=1e-4)
    finally:
        patch.undo()
    assert sorted({0, *done}) == [0, *done]
    assert done[-1:] == [len(rows)][: len(rows)]
    largest = max(decoder.read, default=0)
    assert largest <= max(bounds[0], *map(len, rows), 0, 0)
    assert max(decoder.headed, default=0) == min(max(bounds[1], 1), largest)


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(IDS, st.integers(0, 9), IDS), max_size=6), bounds=BOUNDS)
def test_what_follows_is_what_the_likeliest_tokens_are(
    decoder: Watched, pairs: list[tuple[list[int], int, list[int]]], bounds: tuple[int, int]
) -> None:
    """The texts go on with so many likeliest tokens, and then with any."""
    asked, alone = [], []
    for first, size, rest in pairs:
        follows: list[int] = []
        for _ in range(size):
            follows.append(int(decoder.after(first + follows).argmax()))
        follows += rest
        same = 0
        while same < len(follows) and follows[same] == int(
            decoder.after(first + follows[:same]).argmax()
        ):
            same += 1
        asked.append((first, follows))
        alone.append(same)
    done: list[int] = []
    patch = bounded(decoder, *bounds)
    try:
        assert PackedReader(decoder).followed(asked, done.append) == alone
    finally:
        patch.undo()
    assert sorted({0, *done}) == [0, *done]
    assert done[-1:] == [len(asked)][: len(asked)]
    assert max(decoder.headed, default=0) <= max(bounds[1], 1)


def test_what_texts_begin_with_is_read_once(decoder: Watched) -> None:
    rows = [[0, 1, 2, 3, 4], [0, 1, 2, 5, 4], [0, 1, 2, 3, 6], [2, 1, 2, 3, 4], [0, 1, 2, 3, 4]]
    reader = PackedReader(decoder)
    patch = bounded(decoder, 1000, 1000)
    reader.nats(rows, lambda done: None)
    assert decoder.read == [len({tuple(row[:at]) for row in rows for at in range(1, 5)})]
    patch.undo()
    # room for the three that begin alike, which are read after one another
    patch, done = bounded(decoder, 8, 1000), list[int]()
    reader.nats([rows[at] for at in (3, 0, 1, 2)], done.append)
    assert (decoder.read, done) == ([5, 4], [3, 4])
    patch.undo()
