"""Small runs for the training tests: real tweets' shape, a model from nothing, a few steps."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
from torch.optim.optimizer import register_optimizer_step_post_hook

from core.curation.recipe import load_recipe
from core.home import Home
from core.runs.folder import Run
from core.runs.follow import RunReader, RunUpdate, is_alive
from core.runs.launch import create_run, prepare_run, start_run
from core.runs.settings import RunRequest, settings_for
from core.training import setup
from core.training.child import work
from core.training.signals import LeaveAtOnce, StopRequest
from core.tweet import tweet_schema
from tests.oracles.frames import in_order
from tests.oracles.one_frame import curate

ENDED = ("finished", "stopped", "failed", "dead")
WORDS = "the lamp is lit and the fog came in again over a quiet harbour with one gull".split()


def toy_tweets(count: int = 60, handle: str = "keeper") -> pl.DataFrame:
    """Canonical tweets about the sea, all different."""
    rows: dict[str, list[Any]] = {name: [None] * count for name in tweet_schema()}
    first = datetime(2020, 1, 1, tzinfo=timezone.utc)
    for i in range(count):
        words = [WORDS[(i * 7 + j * (1 + i % 3)) % len(WORDS)] for j in range(5 + i % 9)]
        rows["tweet_id"][i] = str(1_000_000 + i)
        rows["handle"][i] = handle
        rows["created_at"][i] = first + timedelta(hours=i)
        rows["text"][i] = f"{' '.join(words)} no. {i}"
        rows["text_escaped"][i] = False
        rows["kind"][i] = "original"
        rows["audience"][i] = "public"
        rows["source"][i] = "text"
        rows["source_file"][i] = "toy.txt"
    return pl.DataFrame(rows, schema=tweet_schema())


def start_toy(home: Path, *, tweets: pl.DataFrame | None = None, **overrides: Any) -> Run:
    """A run in a process of its own."""
    return start_run(Home.at(home), *_asked(tweets, overrides))


def create_toy(home: Path, *, tweets: pl.DataFrame | None = None, **overrides: Any) -> Run:
    """A run that nothing works on yet; see `train_here`."""
    return create_run(Home.at(home), *_asked(tweets, overrides))


def prepare_toy(home: Path, **overrides: Any) -> Run:
    """A run that torchrun is to start."""
    return prepare_run(Home.at(home), *_asked(None, overrides))


def _asked(
    tweets: pl.DataFrame | None, overrides: dict[str, Any]
) -> tuple[RunRequest, list[pl.DataFrame]]:
    recipe = load_recipe("standard", None)
    frame = toy_tweets() if tweets is None else tweets
    handles = frame["handle"].unique().sort().to_list()
    base, preset = overrides.pop("base", "scratch"), overrides.pop("preset", "fast")
    # what settings_for would refuse, for runs that are to go wrong
    beyond = {name: overrides.pop(name) for name in ("lr", "clip") if overrides.get(name, 0) > 1}
    if "method" in overrides:  # adapters on a base that knows nothing
        beyond["method"] = overrides.pop("method")
    settings = settings_for(preset, base, **{"device": "cpu", **overrides})
    settings = replace(settings, **beyond)
    request = RunRequest(handles, recipe, settings, names={"keeper": "The Keeper"})
    return request, [in_order(curate(frame, recipe))]


class StopAfter(StopRequest):
    """Asks the run to stop after so many steps, or leaves at once after so many.

    It counts the optimizer's steps, however often anybody asks.
    """

    def __init__(self, run: Run, steps: float = float("inf"), *, at_once: float = float("inf")):
        super().__init__(run)
        self._steps, self._at_once, self._taken = steps, at_once, 0

    @property
    def asked(self) -> bool:
        if self._taken >= self._at_once:
            raise LeaveAtOnce
        return self._taken >= self._steps

    def count(self, *_: Any) -> None:
        self._taken += 1


def train_here(
    run: Run,
    stop: StopRequest | None = None,
    *,
    resume: bool = False,
    began: float | None = None,
) -> list[dict[str, Any]]:
    """Trains ``run`` in this process; returns the new lines of its metrics."""
    before = len(lines_of(run))
    stop = stop or StopRequest(run)
    count = getattr(stop, "count", lambda *_: None)
    counting = register_optimizer_step_post_hook(count)
    try:
        with in_short():
            work(run, stop, resume=resume, began=began)
    finally:
        counting.remove()
    return lines_of(run)[before:]


@contextmanager
def in_short() -> Iterator[None]:
    """On one core, and with little to show of what the model writes: that is a third of the time
    of a few steps."""
    shown = setup.GLIMPSE_TOKENS
    setup.GLIMPSE_TOKENS = 2  # type: ignore[misc]
    try:
        with one_core():
            yield
    finally:
        setup.GLIMPSE_TOKENS = shown  # type: ignore[misc]


@contextmanager
def one_core() -> Iterator[None]:
    """A small model is no faster on several threads, and much slower where others compute too."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {random.choice(sorted(cores))})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def lines_of(run: Run) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl."""
    if not run.metrics.exists():
        return []
    return [json.loads(line) for line in run.metrics.read_text().splitlines()]


def edit_record(run: Run, **changes: Any) -> None:
    """Changes fields of run.json as they stand there, whatever their type; makes one if need be."""
    found = json.loads(run.record_file.read_bytes()) if run.record_file.exists() else {}
    run.folder.mkdir(parents=True, exist_ok=True)
    run.record_file.write_text(json.dumps(found | changes))


def follow(run: Run, until: Any = None, limit: float = 120.0) -> tuple[list[dict[str, Any]], str]:
    """Reads until the run has ended, or ``until(records)`` holds; returns records and state."""
    reader, records = RunReader(run), []
    give_up = time.monotonic() + limit
    while time.monotonic() < give_up:
        update: RunUpdate = reader.poll()
        records += update.records
        if not update.more and (update.state in ENDED or (until and until(records))):
            while update.state in ENDED and is_alive(run, run.record()):
                time.sleep(0.02)  # it has said its last word, and is on its way out
            return records, update.state
        time.sleep(0.02)
    raise AssertionError(f"still {update.state}: {run.log.read_text()}")
