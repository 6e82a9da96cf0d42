"""How much of a run each account gets: by tokens, by characters, in the classic blend."""

from __future__ import annotations

import math

import polars as pl
import pytest

from core.curation.counts import AccountStats
from core.errors import WrongUsage
from core.runs.settings import settings_for
from core.runs.shares import (
    author_shares,
    check_blend,
    planned_shares,
    shares_of_sizes,
    sizes_by_handle,
)

FAST, CLASSIC = settings_for("fast", "scratch"), settings_for("classic", "scratch")


def stats(handle: str, kept: int, chars: int, tokens: int | None) -> AccountStats:
    return AccountStats(handle, handle, kept, 0, 0, kept, {}, chars, tokens, None, chars)


def test_what_an_epoch_would_show_is_what_is_not_held_out() -> None:
    counted = [stats("a", 10, 900, 1000), stats("b", 5, 450, 500)]
    assert [(one.handle, one.tokens) for one in planned_shares(counted, FAST)] == [
        ("a", 900),
        ("b", 450),
    ]
    # where one account is not counted, characters and end marks stand for the tokens of all
    mixed = [stats("a", 10, 900, 1000), stats("b", 5, 450, None)]
    assert [one.tokens for one in planned_shares(mixed, FAST)] == [819, 410]
    nothing = [stats("a", 10, 900, 1000), stats("b", 0, 0, 0)]
    assert [one.handle for one in planned_shares(nothing, FAST)] == ["a"]
    # the classic blend shows as many characters of each, the small account again and again
    small = [stats("a", 100, 20_000, 5000), stats("b", 50, 10_000, 2500)]
    long, short = planned_shares(small, CLASSIC)
    assert short.times == pytest.approx(2 * long.times, rel=0.05)
    assert planned_shares(small, FAST)[1].times == pytest.approx(2.0)
    weighted = planned_shares(small, FAST, {"a": 3, "b": 1})
    assert [one.share for one in weighted] == pytest.approx([0.75, 0.25])


def test_sizes_are_tokens_or_what_stands_for_them() -> None:
    train = pl.DataFrame({"handle": ["a", "b", "a"], "text": ["lamp", "né", "fog"]})
    counted, guessed = sizes_by_handle(train, [5, 6, 7]), sizes_by_handle(train)
    assert sorted(counted.rows()) == [("a", 12, 7), ("b", 6, 2)]
    assert sorted(guessed.rows()) == [("a", 9, 7), ("b", 3, 2)], "with one end mark each"
    shares = {one.handle: one.tokens for one in shares_of_sizes([counted, guessed], FAST)}
    assert shares == {"a": 21, "b": 9}


def test_the_classic_blend_has_no_weights() -> None:
    check_blend(CLASSIC, None)
    check_blend(CLASSIC, {})
    check_blend(FAST, {"a": 2.0})
    with pytest.raises(WrongUsage, match="classic has no weights"):
        check_blend(CLASSIC, {"a": 2.0})


def test_what_was_learned_from_stands_beside_what_was_expected() -> None:
    found = author_shares(["a", "b", "c"], {"a": 0.5, "b": "half"}, {"a": 30, "b": 10, "d": 40})
    assert {handle: (one.expected, one.measured) for handle, one in found.items()} == {
        "a": (0.5, 0.375),
        "b": (None, 0.125),
        "c": (None, 0.0),
    }
    for nothing in ({}, None, {"a": 0}, {"a": math.nan, "b": None}):
        assert author_shares(["a"], None, nothing)["a"].measured is None
