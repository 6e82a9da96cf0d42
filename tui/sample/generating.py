"""Writing samples: one sampler child, which keeps its model for the next request."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.job import Attempt, Host, Job, Report

if TYPE_CHECKING:
    from core.errors import MynahError
    from core.sampling.client import Sampler
    from core.sampling.request import SampleEvent, SampleRequest

# Seconds between two reports: text grows 25 times a second.
EVENTS_EVERY: Final = 0.04


@dataclass
class Sampled(Report):
    """Events of one generation, in the order they came."""

    generation: int
    events: list[SampleEvent]


@dataclass
class SamplingEnded(Report):
    generation: int
    error: MynahError | None


class SamplingJob(Job):
    """Reports Sampled and SamplingEnded."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "sampling")
        self._warm = Job(host, "loading the model")
        self._sampler: Sampler | None = None
        self._folder: Path | None = None
        self._written = 0
        self._lock = threading.Lock()  # one thread at a time talks to the child
        self._closed = False
        self.generation = 0

    def run(self, folder: Path, request: SampleRequest) -> None:
        """Generate; the reports carry the number ``generation``."""
        number = self.generation + 1

        def work(attempt: Attempt) -> Report:
            with self._lock:
                waiting: list[SampleEvent] = []
                last = 0.0
                for event in self._for(folder).generate(request):
                    waiting.append(event)
                    now = time.monotonic()
                    if now - last >= EVENTS_EVERY:
                        attempt.report(Sampled(number, waiting))
                        waiting, last = [], now
                if waiting:
                    attempt.report(Sampled(number, waiting))
            return SamplingEnded(number, None)

        def failed(error: MynahError) -> Report | None:
            self._sampler = None
            return None if self._closed else SamplingEnded(number, error)

        if self.start(work, failed):
            self.generation = number

    def warm(self, folder: Path) -> None:
        """Load the model before it is asked for, so that the first words come sooner."""
        if self.busy or self._closed or self._has(folder):
            return

        def work(_: Attempt) -> None:
            with self._lock:
                if not self._closed:
                    self._for(folder)

        self._warm.start(work)

    def stop(self) -> bool:
        """Ask the running generation to end with what it has; True when there was one."""
        if not super().stop() or self._sampler is None:
            return False
        self._sampler.stop()
        return True

    def close(self) -> None:
        """End the child; bounded, so that quitting never hangs."""
        self._closed = True
        if self._sampler is not None:
            self._sampler.close()
            self._sampler = None

    def _for(self, folder: Path) -> Sampler:
        from core.sampling.client import Sampler

        if self._sampler is None or not self._has(folder):
            if self._sampler is not None:
                self._sampler.close()
            self._folder, self._written = folder, _written(folder)
            self._sampler = Sampler.for_run(folder)
            self._sampler.start()
        return self._sampler

    def _has(self, folder: Path) -> bool:
        """Whether the child has this run's model; one that was resumed writes another."""
        return self._folder == folder and self._written == _written(folder)


def _written(folder: Path) -> int:
    """When the model of a run was written; 0 when it has none."""
    try:
        return (folder / "model" / "config.json").stat().st_mtime_ns
    except OSError:
        return 0
