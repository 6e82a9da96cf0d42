"""Following a run's journal into a tracker: what a tracker has to do, and the loop that feeds it.

The journal is the truth. It is read from its beginning each time, gives the same numbered rows each
time, and a tracker is given those that it does not have: so a run can be tracked while it goes on,
afterwards, or in pieces, and every row arrives once.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from core.errors import Interrupted
from core.processes import Owner
from core.runs.folder import GOING, Run
from core.runs.follow import RunReader, RunUpdate
from core.runs.history import RunHistory, TrainingSample
from core.runs.tracked import Tracked, tracking_folder, write_tracked
from core.tracking.options import TRACKERS
from core.tracking.outgoing import Outgoing
from core.tracking.rows import Row, Rows

POLL_SECONDS: Final = 1.0


class Tracker:
    """One run in one tracker. Subclasses write; everything else is the follower's.

    ``done`` says what was asked for, and how far the last process came.
    """

    url: str = ""
    """Where a person can look at it."""

    def __init__(self, outgoing: Outgoing, done: Tracked) -> None:
        self.outgoing = outgoing
        self.done = done

    def open(self) -> tuple[int, int]:
        """Gets ready; returns how many rows and samples the tracker has already.

        A tracker that can tell by itself does so. Else it is what was written down, after each
        call of `write`: only a process that is killed between the two can write rows again.
        """
        return self.done.rows, self.done.samples

    def write(self, rows: Sequence[Row], samples: Sequence[TrainingSample]) -> None:
        """Takes rows, and texts of the model, that it does not have; either may be empty."""
        raise NotImplementedError

    def written(self) -> Mapping[str, int]:
        """Bytes that its files have now, by name, where `open` wants to know that again."""
        return {}

    def close(self, state: str) -> None:
        """``state`` is that of the run: finished, stopped, failed, dead; or running, when only the
        following ends.
        """


def tracker_of(to: str, outgoing: Outgoing, done: Tracked) -> Tracker:
    """The tracker called ``to``, one of TRACKERS."""
    module, name = TRACKERS[to].split(":")
    tracker = getattr(importlib.import_module(module), name)(outgoing, done)
    assert isinstance(tracker, Tracker)  # noqa: S101 - the table above is ours
    return tracker


def follow(run: Run, asked: Tracked, *, cancelled: Callable[[], bool] = lambda: False) -> Tracked:
    """Brings everything that ``run`` writes into the tracker ``asked.to``, until the run has ended.

    Whoever calls holds the tracker's lock. How far it has come stands in the run's folder all the
    while. Raises Interrupted when ``cancelled`` says so, and what the tracker raises.
    """
    outgoing = Outgoing(run, tweets=asked.upload_tweets, model=asked.upload_model)
    tracking_folder(run).mkdir(exist_ok=True)
    owner = Owner.this_process()
    done = msgspec.structs.replace(
        asked, state="following", reason="", owner=(owner.machine, owner.pid, owner.began)
    )
    write_tracked(run, done)
    tracker = tracker_of(asked.to, outgoing, done)
    feed = _Feed(run, outgoing)
    new = feed.read()
    feed.skip(*tracker.open())
    while True:
        rows, samples = feed.missing(new)
        if rows or samples or done.url != tracker.url:
            tracker.write(rows, samples)
            done = msgspec.structs.replace(
                done, rows=feed.rows, samples=feed.samples, step=feed.step,
                url=tracker.url, files=dict(tracker.written()),
            )  # fmt: skip
            write_tracked(run, done)
        if cancelled():
            tracker.close("running")
            done = msgspec.structs.replace(
                done, state="stopped", files=dict(tracker.written()), owner=None
            )
            write_tracked(run, done)
            raise Interrupted(
                f"{run.id} is not followed any more.",
                f"{asked.to} has its first {feed.rows:,} rows.",
                f"`mynah track {run.id} --to {asked.to}` goes on from there.",
            )
        if not new.more:
            if new.state not in GOING:
                break
            time.sleep(POLL_SECONDS)
        new = feed.read()
    tracker.close(new.state)
    done = msgspec.structs.replace(
        done, state="finished", files=dict(tracker.written()), owner=None
    )
    write_tracked(run, done)
    return done


class _Feed:
    """The rows and samples of a run, a slice of its journal at a time."""

    def __init__(self, run: Run, outgoing: Outgoing) -> None:
        self._reader, self._outgoing = RunReader(run), outgoing
        self._made = Rows()
        self._seen: set[tuple[int, str]] = set()
        self.rows = self.samples = self.step = 0

    def read(self) -> RunUpdate:
        """What is new in the run's folder."""
        update = self._reader.poll()
        self._outgoing.take(update.records)
        return update

    def skip(self, rows: int, samples: int) -> None:
        """The first ``rows`` and ``samples`` are there already."""
        self.rows, self.samples = rows, samples

    def missing(self, update: RunUpdate) -> tuple[list[Row], list[TrainingSample]]:
        """The rows and samples of ``update`` that the tracker does not have."""
        rows = self._made.of(update.records)
        history = RunHistory()
        history.take_samples(update.samples)
        samples = []
        for sample in history.samples:
            # a run that is resumed writes the samples after its last checkpoint again
            if (sample.step, sample.text) not in self._seen:
                self._seen.add((sample.step, sample.text))
                samples.append((len(self._seen), sample))
        if rows:
            self.step = rows[-1].step
        new = [row for row in rows if row.number >= self.rows]
        texts = [sample for number, sample in samples if number > self.samples]
        self.rows = max(self.rows, self._made.count)
        self.samples = max(self.samples, len(self._seen))
        return new, texts
