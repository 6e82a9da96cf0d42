"""Progress of long work, reported at a bounded rate, and the request to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.errors import Interrupted

Cancelled = Callable[[], bool]

# seconds between two reports of one phase
_EVERY: Final = 0.1


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` (None: unknown) in ``phase``, at ``rate`` a second (0: not known yet).

    ``left`` is the time that the phase still takes at that rate, in seconds; None when unknown.
    """

    phase: str
    done: int
    total: int | None
    rate: float = 0.0

    @property
    def left(self) -> float | None:
        if self.total is None or self.rate <= 0:
            return None
        return max(self.total - self.done, 0) / self.rate


class Reporter:
    """Passes progress on at a bounded rate, and turns the request to stop into Interrupted.

    ``stopped`` gives the error to raise; ``every`` the seconds between two reports of a phase.
    """

    def __init__(
        self,
        progress: Callable[[Progress], None] | None,
        cancelled: Cancelled | None,
        stopped: Callable[[], Interrupted],
        *,
        every: float = _EVERY,
    ) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self._stopped = stopped
        self._every = every
        self._phase: str | None = None
        self._start = self._last = 0.0

    @property
    def cancelled(self) -> Cancelled | None:
        """What says that the work is to stop."""
        return self._cancelled

    def check(self) -> None:
        """Raises Interrupted when the work is to stop."""
        if self._cancelled and self._cancelled():
            raise self._stopped()

    def show(self, phase: str, done: int, total: int | None) -> None:
        """Reports a count. Raises Interrupted when the work is to stop."""
        self.check()
        now = time.monotonic()
        if phase != self._phase:
            self._phase, self._start, self._last = phase, now, 0.0
        if self._progress and now - self._last >= self._every:
            self._last = now
            rate = done / (now - self._start) if now > self._start else 0.0
            self._progress(Progress(phase, done, total, rate))
