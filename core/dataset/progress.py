"""How far an export is, told at a bounded rate, and the wish to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from core.errors import Interrupted

if TYPE_CHECKING:
    import polars as pl

_EVERY: Final = 0.1  # seconds between two progress reports

Phase = Literal["curating", "settling", "gathering", "writing"]


@dataclass(frozen=True)
class ExportProgress:
    """``done`` tweets of ``total`` (None: unknown) in this phase, at ``rate`` a second.

    ``left`` is the time that this phase still takes at that rate, in seconds; None when unknown.
    """

    phase: Phase
    done: int
    total: int | None
    rate: float

    @property
    def left(self) -> float | None:
        if self.total is None or self.rate <= 0:
            return None
        return max(self.total - self.done, 0) / self.rate


class Report:
    """Passes progress on, and turns the wish to stop into Interrupted."""

    def __init__(
        self,
        out: Path,
        progress: Callable[[ExportProgress], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._out = out
        self._progress = progress
        self._cancelled = cancelled
        self._phase: Phase | None = None
        self._start = self._last = 0.0

    def show(self, phase: Phase, done: int, total: int | None) -> None:
        """Raises Interrupted when the export is to stop."""
        if self._cancelled and self._cancelled():
            raise stopped(self._out)
        now = time.monotonic()
        if phase != self._phase:
            self._phase, self._start, self._last = phase, now, 0.0
        if self._progress and now - self._last >= _EVERY:
            self._last = now
            rate = done / max(now - self._start, 1e-6) if done else 0.0
            self._progress(ExportProgress(phase, done, total, rate))

    def watch(
        self, frames: Iterable[pl.DataFrame], before: int, total: int
    ) -> Iterator[pl.DataFrame]:
        """The same frames, reported as rows that are being written after ``before`` others."""
        for frame in frames:
            self.show("writing", before, total)
            yield frame
            before += frame.height


def stopped(out: Path) -> Interrupted:
    return Interrupted(f"The export to {out} was stopped.", "What lay there before is as it was.")
