"""How far a run has come, and the learning rate that belongs there."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from core.runs.settings import Schedule

# Nothing is measured in what is left after this share of a run: its end measures anyway.
LAST_MEASURE: Final = 0.9
# What a step takes is the mean over those of the last so many seconds, and so many at least.
_RECENT_SECONDS: Final = 30.0
_RECENT_STEPS: Final = 15


def learning_rate(done: float, *, peak: float, warmup: float, schedule: Schedule) -> float:
    """The rate when the share ``done`` (0 to 1) of a run is behind it.

    It rises in a straight line to ``peak`` over ``warmup``, then falls to 0: in a straight line
    too, or as half a cosine (Loshchilov and Hutter 2017, SGDR, equation 5, without restarts).
    """
    if done < warmup:
        # Not from 0: a first step that changes nothing would be a wasted one.
        return peak * max(done, 0.1 * warmup) / warmup
    along = (min(done, 1.0) - warmup) / (1.0 - warmup)
    if schedule == "linear":
        return peak * (1.0 - along)
    return peak * 0.5 * (1.0 + math.cos(math.pi * along))


class Pace:
    """What the steps of this process take, and what lies between them; all in seconds."""

    def __init__(self) -> None:
        self.learned = 0.0
        """Seconds that went into steps."""
        self._at_pause = self._paused = 0.0
        self._count = self._pauses = 0
        self._expected = (0.0, 1.0)
        # (seconds of steps, number of steps) after each of the last ones, and before them
        self._marks = deque([(0.0, 0)])

    def expect(self, pause: float, every: float) -> None:
        """A pause of so long after each ``every`` seconds of steps, until there has been one."""
        self._expected = pause, every

    def step(self, seconds: float) -> None:
        """One more step, which took so long."""
        self.learned += seconds
        self._count += 1
        self._marks.append((self.learned, self._count))
        while (
            self._marks[1][0] < self.learned - _RECENT_SECONDS
            and self._marks[1][1] <= self._count - _RECENT_STEPS
        ):
            self._marks.popleft()

    def pause(self, seconds: float) -> None:
        """So long went into a measurement, samples or a checkpoint."""
        self._pauses += self._at_pause < self.learned  # else it belongs to the one just before
        self._paused += seconds
        self._at_pause = self.learned

    @property
    def seconds_a_step(self) -> float | None:
        """Lately; None before the first step."""
        (since, first), (until, last) = self._marks[0], self._marks[-1]
        return (until - since) / (last - first) if last > first else None

    def pausing(self, seconds: float) -> float:
        """What will go into pauses during so many seconds of steps.

        They come at even distances, so that half a one less than their share is to be expected
        right after one, and half a one more right before.
        """
        share, since, half = self._pausing()
        return max(0.0, share * (seconds + since) - half)

    def learning_within(self, seconds: float) -> float:
        """Seconds of steps that fit into the last ``seconds`` of a run, with the pauses between
        them: its last share of steps (see LAST_MEASURE) has none.
        """
        share, since, half = self._pausing()
        # seconds = steps + pausing(steps with pauses), where the steps with pauses are
        # LAST_MEASURE * (learned + steps) - learned
        without = (1 - LAST_MEASURE) * self.learned
        steps = (seconds + half - share * (since - without)) / (1 + share * LAST_MEASURE)
        return max(0.0, min(steps, seconds))

    def _pausing(self) -> tuple[float, float, float]:
        """Seconds of pause to one of steps; of steps since the last pause; half of one pause."""
        if self._pauses:
            share, half = self._paused / self._at_pause, self._paused / self._pauses / 2
        else:
            pause, every = self._expected
            share, half = pause / every, pause / 2
        return share, self.learned - self._at_pause, half


class Course:
    """The course of a run: by steps, and by time where there is a limit.

    ``budget`` is the seconds that the whole run may take, loading included; ``began`` is when they
    began to count (in terms of ``clock``; None: now). ``start`` is called when the first step is
    about to be made; what is measured and saved after the last step must fit into ``reserve``
    seconds. When loading has eaten up nearly all of the budget, a quarter of it is still given to
    learning: a run that learned nothing would be time lost altogether. The rate falls with
    whichever of steps and time is further along, so that a run cut by time ends as quietly as one
    that is not; the time is that of its steps alone, as ``pace`` has it, or the rate would fall
    while nothing is learned.
    """

    def __init__(
        self,
        steps: int,
        budget: float | None = None,
        *,
        began: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.steps = steps
        self._clock = clock
        self._began = clock() if began is None else began
        self._budget = budget
        self._end = None if budget is None else self._began + budget
        self._started = self._began
        self._reserve = 0.0
        self._done_before = self._by_time = 0.0
        self.pace = Pace()

    @property
    def budget(self) -> float | None:
        """Seconds that the run may take in all; None without a limit."""
        return self._budget

    def start(self, *, reserve: float = 0.0, done: float = 0.0) -> None:
        """``done``: the share that was behind when a resumed run left off."""
        self._started = self._clock()
        self._reserve = reserve
        self._done_before = min(done, 0.999)
        if self._end is not None and self._budget is not None:
            learning = self._budget / 4 * (1 - self._done_before)
            self._end = max(self._end, self._started + reserve + learning)

    @property
    def seconds(self) -> float:
        """Since the run's time began to count."""
        return self._clock() - self._began

    def done(self, step: int) -> float:
        """The share of the run that is behind, 0 to 1, before step number ``step`` (from 0)."""
        by_steps = step / self.steps
        if self._end is None:
            return min(1.0, by_steps)
        learned = self.pace.learned
        still = self.pace.learning_within(self._end - self._reserve - self._clock())
        share = learned / (learned + still) if still else 1.0
        by_time = self._done_before + share * (1.0 - self._done_before)
        # what is still to come is an estimate, which may grow; the rate does not rise again
        self._by_time = max(self._by_time, by_time)
        return min(1.0, max(by_steps, self._by_time))

    def run_seconds(self, step: int) -> float | None:
        """What the run takes in all, start and end included; None while nothing is known."""
        left = self.seconds_left(step)
        return None if left is None else self.seconds + left

    def seconds_left(self, step: int, *, end: float = 0.0) -> float | None:
        """Until the process ends; None while nothing is known.

        ``end`` is what comes after the last step, if more than the reserve.
        """
        left, end = [], max(end, self._reserve)
        seconds_a_step = self.pace.seconds_a_step
        if seconds_a_step is not None:
            steps = max(0, self.steps - step)
            with_pauses = max(0.0, LAST_MEASURE * self.steps - step)
            between = self.pace.pausing(with_pauses * seconds_a_step) if with_pauses else 0.0
            left.append(steps * seconds_a_step + between + end)
        if self._end is not None:
            left.append(max(0.0, self._end - self._reserve - self._clock()) + end)
        return min(left) if left else None
