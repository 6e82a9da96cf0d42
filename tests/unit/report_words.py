"""Texts and numbers that several tests of reports share."""

from __future__ import annotations

from hypothesis import strategies as st

from core.report.intervals import Estimate
from core.report.points import RealTexts

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
TEXTS = st.lists(st.text("ab .,!#@😀A", max_size=30), min_size=1, max_size=12)
SEA = [f"the lamp is lit on night {n} and the fog comes in again" for n in range(60)]
SPACE = [f"Watch LIVE: @station crew {n} launches today! #Launch{n}" for n in range(60)]


def letters(number: int) -> str:
    """A word of its own: digits are hidden with the subject."""
    return "".join("abcdefghij"[int(digit)] for digit in f"{number:03}")


def real_of(author: list[str], others: list[str]) -> RealTexts:
    return RealTexts(["a"], [], [], [], [], author, [], others, ["b"], bundled_impostors=False)


def inside(one: Estimate) -> bool:
    if one.value is None or one.interval is None:
        return True
    return one.interval[0] <= one.value <= one.interval[1]
