"""Drawing a token: the right distribution, and no row minds the others."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from core.sampling.decoding.draw import draw, penalised, standing

GRID = 6_000
WORDS = 100
OFF = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}


def reference(
    logits: torch.Tensor, temperature: float, top_k: int, top_p: float, min_p: float = 0.0
) -> torch.Tensor:
    """Probabilities as transformers' ``generate`` makes them."""
    scores = TemperatureLogitsWarper(temperature)(None, logits[None])
    if top_k:
        scores = TopKLogitsWarper(top_k)(None, scores)
    if top_p < 1:
        scores = TopPLogitsWarper(top_p)(None, scores)
    if min_p > 0:
        scores = MinPLogitsWarper(min_p)(None, scores)
    return scores.softmax(-1)[0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
@pytest.mark.parametrize("top_k", [0, 1, 7, 5000])
@pytest.mark.parametrize("top_p", [0.3, 0.95, 1.0])
@pytest.mark.parametrize("min_p", [0.0, 0.1, 1.0])
def test_frequencies_are_those_of_transformers(temperature, top_k, top_p, min_p):
    logits = torch.randn(WORDS, generator=torch.Generator().manual_seed(1)) * 3
    uniforms = (torch.arange(GRID, dtype=torch.float64) + 0.5) / GRID
    knobs = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p}
    drawn = draw(logits.expand(GRID, -1), uniforms, **knobs)
    frequency = torch.bincount(drawn, minlength=WORDS) / GRID
    expected = reference(logits, temperature, min(top_k, WORDS), top_p, min_p)
    # An evenly spaced grid meets every probability to within one step of it.
    assert (frequency - expected).abs().max() < 1.5 / GRID


def test_a_flat_nucleus_wider_than_the_first_look():
    vocabulary = 20_000
    logits = torch.randn(vocabulary, generator=torch.Generator().manual_seed(2)) * 0.1
    expected = reference(logits, 1.0, 0, 0.9)
    uniforms = torch.linspace(0, 1 - 1e-9, 200, dtype=torch.float64)
    drawn = draw(logits.expand(200, -1), uniforms, **OFF | {"top_p": 0.9})
    assert (expected[drawn] > 0).all()
    assert len(drawn.unique()) > 195
    peaked = torch.stack([logits, logits.clone()])
    peaked[1, 77] = 30.0  # one row compares at once, the other needs the whole vocabulary
    both = draw(peaked, uniforms[[100, 100]], **OFF | {"top_p": 0.9})
    assert both.tolist() == [drawn[100].item(), 77]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    rows=st.integers(1, 12),
    vocabulary=st.integers(2, 1500),
    temperature=st.sampled_from([0.0, 0.2, 1.0, 3.0]),
    top_k=st.sampled_from([0, 3, 50]),
    top_p=st.sampled_from([0.1, 0.9, 1.0]),
    min_p=st.sampled_from([0.0, 0.05]),
)
def test_a_row_alone_draws_the_same(seed, rows, vocabulary, temperature, top_k, top_p, min_p):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, vocabulary, generator=generator) * 4
    uniforms = torch.rand(rows, generator=generator, dtype=torch.float64)
    asked = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p}
    together = draw(logits, uniforms, **asked)
    alone = [draw(logits[i : i + 1], uniforms[i : i + 1], **asked).item() for i in range(rows)]
    assert together.tolist() == alone


@pytest.mark.parametrize("top_p", [0.9, 1.0])
@pytest.mark.parametrize("top_k", [0, 2, 4])
def test_the_ends_of_the_unit_interval_never_draw_what_is_banned(top_k, top_p):
    logits = torch.tensor([[-torch.inf, 1.0, 2.0, -torch.inf]]).repeat(2, 1)
    ends = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    drawn = draw(logits, ends, **OFF | {"top_k": top_k, "top_p": top_p})
    assert set(drawn.tolist()) <= {1, 2}


def test_temperature_0_takes_the_likeliest():
    logits = torch.tensor([[0.1, 0.3, 0.2]])
    uniforms = torch.tensor([0.999], dtype=torch.float64)
    assert draw(logits, uniforms, **OFF | {"temperature": 0}).tolist() == [1]


@pytest.mark.parametrize(
    ("knobs", "expected"),
    [
        ({}, [0, 1, 1, 2, 3, 3]), ({"top_p": 0.95}, [1, 1, 3, 3, 2, 0]),
        ({"top_p": 0.69}, [1, 1, 1, 3, 3, 3]), ({"top_k": 2}, [1, 1, 1, 3, 3, 3]),
        ({"top_k": 3}, [1, 1, 3, 3, 2, 2]), ({"min_p": 0.6}, [1, 1, 1, 3, 3, 3]),
        ({"top_k": 4}, [1, 1, 3, 3, 2, 0]), ({"top_p": 0.95, "min_p": 0.4}, [1, 1, 3, 3, 2, 2]),
    ],
)  # fmt: skip
def test_the_same_number_takes_the_same_token_in_every_version(knobs, expected):
    """In the order of the vocabulary where nothing is cut away by rank, else likeliest first."""
    logits = torch.tensor([0.1, 0.4, 0.2, 0.3]).log().expand(6, -1)
    uniforms = torch.tensor([0.05, 0.35, 0.45, 0.65, 0.85, 0.95], dtype=torch.float64)
    assert draw(logits, uniforms, **OFF | knobs).tolist() == expected


def test_the_penalty_is_that_of_transformers():
    logits = torch.randn(3, 40, generator=torch.Generator().manual_seed(1))
    seen = [[3, 3, 7], [0], [39, 1, 2, 3]]
    expected = [
        RepetitionPenaltyLogitsProcessor(1.3)(torch.tensor([ids]), row[None].clone())[0]
        for ids, row in zip(seen, logits, strict=True)
    ]
    assert torch.equal(penalised(logits, seen, 1.3), torch.stack(expected))


def test_how_a_token_stands_among_the_others():
    logits = torch.tensor([[0.5, 0.2, 0.3], [0.1, 0.8, 0.1]]).log()
    probabilities, ranks = standing(logits, torch.tensor([2, 1]))
    assert probabilities == pytest.approx([0.3, 0.8])
    assert ranks == [2, 1]
