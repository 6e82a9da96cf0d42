"""Sampling in the background: processes that keep their models, and what they make is stored."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui.job import Attempt, Host, Job, Report
from tui.sample.all_kept import KeptJob
from tui.sample.blind import BlindJob
from tui.sample.picture import PictureJob, PreviewJob
from tui.sample.why import NearestJob

if TYPE_CHECKING:
    from core.errors import MynahError
    from core.sampling.client import Sampler
    from core.sampling.request import SampleEvent, SampleRequest
    from core.sampling.store import Repeated, StoredSample
    from core.sampling.voices import Point, Voice

# Seconds between two reports: text grows 25 times a second.
EVENTS_EVERY: Final = 0.04


class Speaker(NamedTuple):
    """A run's folder, and which of its two models."""

    folder: Path
    point: Point = "tuned"


class Heard(NamedTuple):
    """An event of the speaker with this number; a sample that is done, as it was stored."""

    speaker: int
    event: SampleEvent
    stored: StoredSample | None = None


@dataclass
class Sampled(Report):
    """Events of one generation, in the order they came."""

    generation: int
    events: list[Heard]


@dataclass
class SamplingEnded(Report):
    """``not_stored`` says why samples could not be written to the disk."""

    generation: int
    error: MynahError | None
    not_stored: str = ""


@dataclass
class SampleRepeated(Report):
    """A stored sample was made again; ``repeated`` None: it was stopped, or ``error`` says why."""

    stored: StoredSample
    repeated: Repeated | None
    error: MynahError | None = None


@dataclass
class _Loaded:
    """A process and the model that it has; ``written`` is when that was written."""

    sampler: Sampler
    written: int


class SamplingJob(Job):
    """Reports Sampled and SamplingEnded, or SampleRepeated."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "sampling")
        self.kept = KeptJob(host)
        self.nearest = NearestJob(host)
        self.pictures = PictureJob(host)
        self.previews = PreviewJob(host)
        self.blind = BlindJob(host, self.free)
        self._warm = Job(host, "loading the model")
        self._loaded: dict[Speaker, _Loaded] = {}
        self._speaking: Speaker | None = None
        self._lock = threading.Lock()  # one thread at a time talks to the processes
        self._closed = False
        self.generation = 0

    def run(self, speakers: Sequence[Speaker], request: SampleRequest) -> bool:
        """The same request of each speaker, one after the other; the reports carry the number
        ``generation``. False when one is at work.
        """
        number = self.generation + 1

        def work(attempt: Attempt) -> Report:
            from core.sampling.request import Finished

            not_stored: list[str] = []
            with self._lock:
                self._only(speakers)
                waiting: list[Heard] = []
                last = 0.0
                for heard in self._events(speakers, request, attempt, not_stored):
                    waiting.append(heard)
                    now = time.monotonic()
                    ended = heard.stored is not None or isinstance(heard.event, Finished)
                    if ended or now - last >= EVENTS_EVERY:
                        attempt.report(Sampled(number, waiting))
                        waiting, last = [], now
                if waiting:
                    attempt.report(Sampled(number, waiting))
            return SamplingEnded(number, None, "".join(not_stored[:1]))

        def failed(error: MynahError) -> Report | None:
            return None if self._closed else SamplingEnded(number, error)

        if not self.start(work, failed):
            return False
        self.generation = number
        return True

    def repeat(self, stored: StoredSample, folder: Path, **changes: Any) -> bool:
        """Make a sample of this run again; ``changes`` are fields of its request."""
        speaker = Speaker(folder, stored.model)

        def work(attempt: Attempt) -> Report:
            from core.sampling.store import repeat

            with self._lock:
                self._only([*self._loaded, speaker][-2:])
                loaded = self._for(speaker)
                hashed = self._voice(speaker).hash()  # while the model loads
                again = repeat(stored, loaded.sampler, hashed, **changes)
            return SampleRepeated(stored, again)

        def failed(error: MynahError) -> Report | None:
            return None if self._closed else SampleRepeated(stored, None, error)

        return self.start(work, failed)

    def warm(self, folder: Path) -> None:
        """Load a run's model before it is asked for, so that the first words come sooner."""
        speaker = Speaker(folder)
        if self.busy or self._closed or self._has(speaker):
            return

        def work(_: Attempt) -> None:
            with self._lock:
                if not self._closed:
                    self._only([speaker])
                    self._for(speaker)

        self._warm.start(work)

    def stop(self) -> bool:
        """Ask what runs to end with what it has; True when there was one."""
        if not super().stop():
            return False
        loaded = self._loaded.get(self._speaking) if self._speaking is not None else None
        if loaded is not None:
            loaded.sampler.stop()
        return True

    def free(self) -> None:
        """End the processes, which start again when they are asked."""
        with self._lock:
            self._only([])

    def close(self) -> None:
        """End the processes; bounded, so that quitting never hangs."""
        self._closed = True
        self.blind.stop()
        for loaded in list(self._loaded.values()):
            loaded.sampler.close()
        self._loaded.clear()

    @property
    def pids(self) -> list[int]:
        """Of the processes that hold a model now."""
        found = [loaded.sampler.pid for loaded in self._loaded.values()]
        return [pid for pid in found if pid is not None]

    # ── in the thread ────────────────────────────────────────────────────────────────────

    def _events(
        self,
        speakers: Sequence[Speaker],
        request: SampleRequest,
        attempt: Attempt,
        not_stored: list[str],
    ) -> Iterator[Heard]:
        from core.sampling.store import sample_and_store

        for number, speaker in enumerate(speakers):
            sampler = self._for(speaker).sampler
            if attempt.cancelled():
                return
            voice = self._voice(speaker)
            for event, stored in sample_and_store(voice, sampler, request, not_stored.append):
                yield Heard(number, event, stored)
                if attempt.cancelled():
                    sampler.stop()

    def _only(self, speakers: Sequence[Speaker]) -> None:
        """Memory for these: the processes of all others end."""
        for speaker in [one for one in self._loaded if one not in speakers]:
            self._loaded.pop(speaker).sampler.close()

    def _for(self, speaker: Speaker) -> _Loaded:
        """The process of a speaker, started where there is none; one that was resumed since has
        written another model.
        """
        from core.runs.folder import Run
        from core.sampling.voices import voice_of

        self._speaking = speaker
        loaded = self._loaded.get(speaker)
        if loaded is None or loaded.written != loaded.sampler.written():
            if loaded is not None:
                del self._loaded[speaker]
                loaded.sampler.close()
            sampler = voice_of(Run(speaker.folder), speaker.point).sampler()
            loaded = _Loaded(sampler, sampler.written())
            self._loaded[speaker] = loaded
            if not self._closed:
                sampler.start()
        return loaded

    def _voice(self, speaker: Speaker) -> Voice:
        from core.runs.folder import Run
        from core.sampling.voices import Voice

        folder = self._loaded[speaker].sampler.model_dir
        return Voice(Run(speaker.folder), speaker.point, folder)

    def _has(self, speaker: Speaker) -> bool:
        loaded = self._loaded.get(speaker)
        return loaded is not None and loaded.written == loaded.sampler.written()
