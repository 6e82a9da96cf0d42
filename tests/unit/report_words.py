"""Texts, numbers and a sampler that several tests of reports share."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from core.report.intervals import Estimate
from core.report.points import RealTexts
from core.sampling.request import Copy, Deltas, Done, Sample, SampleRequest

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


class Writes:
    """As a `Sampler` that writes these texts, the last of them first."""

    ready = None

    def __init__(self, *texts: str) -> None:
        self._texts = texts
        self.asked: list[SampleRequest] = []

    def __enter__(self) -> Writes:
        return self

    def __exit__(self, *_: object) -> None: ...

    def start(self) -> None: ...

    def generate(self, request: SampleRequest) -> Iterator[Deltas | Done]:
        self.asked.append(request)
        yield Deltas([(0, "some")])
        for at, text in reversed(list(enumerate(self._texts))):
            yield Done(Sample(at, 1, "", text, 9, "eos", Copy("new", 3, None), 0))
