"""What may be asked of a model, and how it is written down."""

from __future__ import annotations

import json
from typing import Any

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


def test_what_is_asked_for_when_nothing_is_said() -> None:
    request = SampleRequest()
    assert (request.prompt, request.n, request.seed, request.reply_to) == ("", 10, None, "")
    assert (request.allow_copies, request.probabilities) == (False, False)
    assert "reply_to" not in request.to_json()
    assert SampleRequest(reply_to=" Tea\nnow ").to_json()["reply_to"] == "Tea now"
    assert SampleRequest(seed=0).seeded().seed == 0
    drawn = SampleRequest().seeded()
    assert drawn.seed is not None
    assert SampleRequest(seed=drawn.seed) == drawn


@pytest.mark.parametrize(
    ("field", "taken", "refused", "limits"),
    [
        ("n", (1, 10_000), (0, 10_001, True, 1.0), "It is a whole number, from 1 to 10,000."),
        ("max_tokens", (1, 1024), (0, 1025), "It is a whole number, from 1 to 1,024."),
        ("top_k", (0, 1, 10**9), (-1, False), "It is a whole number, 0 or more."),
        ("seed", (0, 1, 2**63 - 1), (-1, 2**63), "It is a whole number, from 0 to "),
        ("temperature", (0, 0.5, 9), (-0.1, float("nan"), float("inf")), "It is a number of 0 or"),
        ("top_p", (0.001, 1), (0, 1.001, float("nan")), "It is a share above 0 and up to 1."),
        ("min_p", (0, 0.5, 1), (-0.001, 1.001), "It is a share from 0 to 1."),
        ("repetition_penalty", (0.5, 9), (0, -0.5, float("nan")), "It is a number above 0."),
        ("prompt", ("a" * 10_000,), ("a" * 10_001,), "At most 10,000 can be taken."),
        ("reply_to", ("a" * 10_000,), ("a" * 10_001,), "At most 10,000 can be taken."),
        ("banned", (["x" * 200], map(str, range(1000))), (["x" * 201], map(str, range(1001))),
         "Each has 1 to 200 characters, and there are 1,000 at most."),
        ("stops", (["x" * 200], map(str, range(1000))), (["x" * 201], map(str, range(1001)), [""]),
         "Each has 1 to 200 characters, and there are 1,000 at most."),
    ],
)  # fmt: skip
def test_the_limits_are_those_that_a_refusal_names(
    field: str, taken: Any, refused: Any, limits: str
) -> None:
    for value in taken:
        SampleRequest(**{field: value})
    for value in refused:
        with pytest.raises(WrongUsage) as caught:
            SampleRequest(**{field: value})
        assert caught.value.why.startswith(limits), value


def test_a_copy_is_written_with_all_that_it_shares() -> None:
    assert Copy("new", 0, None).to_json() == {
        "verdict": "new", "longest": 0, "tweet_id": None, "share": 0.0, "tweet_ids": [],
        "shared": [],
    }  # fmt: skip
    verdicts = {kind: Copy(kind, 0, None).of_a_tweet for kind in ("verbatim", "near", "new")}
    assert verdicts == {"verbatim": True, "near": True, "new": False}
    answered = Sample(0, 1, "", "ab", 2, "eos", Copy("new", 0, None), 0, reply_to="tea?")
    assert answered.to_json()["reply_to"] == "tea?"
    assert Sample.from_json(answered.to_json()) == answered
