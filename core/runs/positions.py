"""Where the points of a run's curves lie: after which step, how many tokens, how much work."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


class WorkClock:
    """Seconds that a run had been at work when a line of its journal was written.

    Some lines say it (``seconds``, over all processes of the run); for the others it is counted
    from those by the wall clock, so that the time between a stop and a resume is left out.
    """

    def __init__(self) -> None:
        self._said = self._at = math.nan

    def of(self, line: Mapping[str, Any]) -> float | None:
        """None where no line so far has said it, or this one has no time."""
        seconds, time = number(line.get("seconds")), number(line.get("time"))
        if not math.isnan(seconds):
            if not math.isnan(time):
                self._said, self._at = seconds, time
            return seconds
        passed = time - self._at
        return None if math.isnan(passed) else self._said + max(0.0, passed)


def done_again(step: int, resumed_from: int) -> bool:
    """Whether what a journal has of ``step`` is measured once more by a run that goes on after
    ``resumed_from``; one that begins again at 0 measures the base again, too.
    """
    return step > resumed_from or resumed_from == 0


@dataclass
class Positions:
    """The points of one curve: optimiser steps, tokens learned from, seconds at work."""

    steps: list[int] = field(default_factory=list)
    tokens: array[float] = field(default_factory=lambda: array("d"))
    seconds: array[float] = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, step: int, tokens: float, seconds: float) -> None:
        self.steps.append(step)
        self.tokens.append(tokens)
        self.seconds.append(seconds)

    def take_back(self, resumed_from: int) -> None:
        """Removes what a run that goes on after that step does again."""
        while self.steps and done_again(self.steps[-1], resumed_from):
            for values in (self.steps, self.tokens, self.seconds):
                values.pop()


def number(value: object) -> float:
    """NaN for what is none, or larger than any."""
    try:
        return float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:
        return math.nan


# The fields of a journal's lines that are numbers.
_FIGURES: Final = frozenset(
    """
    step steps tokens tokens_per_second done seconds seconds_left loss lr grad_norm epoch time took
    valid_loss valid_tweets train_tweets train held_out tweets resumed_from batch_tokens parameters
    trained_parameters error bits_per_byte
    """.split()
)
_MOST: Final = float(1 << 63)


def sound(record: dict[str, Any]) -> dict[str, Any]:
    """A line of a journal without the figures that are none: a damaged file, or another program,
    may have anything there. A line whose kind is no word has no fields.
    """
    for name, value in record.items():
        if name in _FIGURES:
            if value is not None and (
                not isinstance(value, (int, float)) or not -_MOST < value < _MOST
            ):
                break
        elif name == "kind" and not isinstance(value, str):
            return {}
    else:
        return record
    return {name: value for name, value in record.items() if _is_sound(name, value)}


def _is_sound(name: str, value: object) -> bool:
    if name == "kind":
        return isinstance(value, str)
    return name not in _FIGURES or (isinstance(value, (int, float)) and -_MOST < value < _MOST)
