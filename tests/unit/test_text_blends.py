"""Shares in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.dataset.shares import expected_shares
from core.numbers import percent
from core.runs.shares import AuthorShare
from tui.text.blends import expected_sentences, in_lines, shares_so_far, short_shares, who_learns


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.5, "50 %"), (1.0, "100 %"), (0.0996, "10 %"), (0.042, "4.2 %"), (0.0003, "0.03 %"),
     (0, "0 %"), (None, "–")],
)  # fmt: skip
def test_a_share_has_two_digits(share: float | None, said: str) -> None:
    assert percent(share) == said


def test_what_is_expected_is_said_before() -> None:
    shares = expected_shares({"a": 900, "b": 500}, {})
    assert expected_sentences(shares) == [
        "expected: @a 50 %, @b 50 %, each tweet of @b shown 1.8 times per epoch"
    ]
    assert expected_sentences(shares[:1]) == []
    assert expected_sentences(shares, counted=False)[0].startswith("expected by characters: @a")
    assert who_learns(shares) == ["@a 50 %", "@b 50 % (×1.8)"]
    first, why = expected_sentences(expected_shares({"a": 9000, "b": 100}))
    assert first == "expected: @a 96 %, @b 4.3 %"
    assert why.startswith("@b is too small for 50 %: each of its tweets would be shown 90.0 times")
    many = expected_shares({f"h{i}": 100 + i for i in range(9)})
    assert who_learns(many)[-1] == "and 5 more"


def test_what_was_learned_from_stands_beside_the_plan() -> None:
    def run(*shares: tuple[float | None, float | None]) -> dict[str, AuthorShare]:
        return {f"h{i}": AuthorShare(*share) for i, share in enumerate(shares)}

    both = run((0.5, 0.52), (0.5, 0.48))
    assert shares_so_far(both) == "52/48 % (plan 50/50)"
    assert short_shares(both) == "52/48 %"
    early = run((0.5, None), (0.5, None))
    assert (shares_so_far(early), short_shares(early)) == ("plan 50/50 %", "")
    many = run(*[(0.2, 0.2)] * 4, (0.2, 0.204))
    assert shares_so_far(many) == "within 0.4 points of the plan"
    assert short_shares(many) == ""
    assert shares_so_far(run((1.0, 1.0))) == shares_so_far(run((None, 0.5), (0.5, 0.5))) == ""


@given(
    st.lists(st.text("ab@ %", min_size=1, max_size=20).map(str.strip).filter(bool), max_size=8),
    st.integers(0, 40),
)
def test_lines_break_between_items_only(items: list[str], width: int) -> None:
    lines = in_lines(items, width).split("\n")
    assert " ".join(lines) == ", ".join(items)
    assert all(len(line) <= width or ", " not in line for line in lines)
