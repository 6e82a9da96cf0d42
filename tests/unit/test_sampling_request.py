"""What may be asked of a model, and how it is written down."""

from __future__ import annotations

import json

import pytest

from core.errors import WrongUsage
from core.sampling.request import Copy, Sample, SampleRequest, TokenProbability


def test_a_request_of_an_older_version_is_read():
    written = {
        "prompt": "a", "n": 2, "max_tokens": 9, "temperature": 1.0, "top_p": 0.9, "top_k": 3,
        "seed": 4, "allow_copies": True,
    }  # fmt: skip
    request = SampleRequest(**written)
    assert (request.min_p, request.repetition_penalty) == (0.0, 1.0)
    assert (request.banned, request.stops, request.probabilities) == ((), (), False)


def test_a_request_and_a_sample_cross_the_pipe_as_json():
    request = SampleRequest("x", min_p=0.1, banned=(" Moist ", "so\ud83d"), stops=(" #", " #"))
    assert request.banned == ("Moist", "so?")
    assert request.stops == (" #",)
    assert SampleRequest(**json.loads(json.dumps(request.to_json()))) == request
    tokens = (TokenProbability(" a", 0.25, 2), TokenProbability("b", 1.0, 1))
    made = Sample(0, 1, "", "ab", 2, "eos", Copy("new", 0, None), 0, tokens)
    assert Sample.from_json(json.loads(json.dumps(made.to_json()))) == made
    plain = Sample(0, 1, "", "ab", 2, "eos", Copy("new", 0, None), 0)
    assert "probabilities" not in plain.to_json()
    assert Sample.from_json(plain.to_json()) == plain


@pytest.mark.parametrize(
    "fields",
    [
        {"min_p": -0.1},
        {"min_p": 1.1},
        {"min_p": float("nan")},
        {"repetition_penalty": 0.0},
        {"repetition_penalty": float("inf")},
        {"banned": ("",)},
        {"banned": (" ",)},
        {"stops": ("",)},
        {"stops": ("x" * 201,)},
        {"banned": tuple(map(str, range(1001)))},
    ],
)
def test_what_makes_no_sense_is_refused(fields):
    with pytest.raises(WrongUsage):
        SampleRequest(**fields)
