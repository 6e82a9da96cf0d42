"""The owner's side of the sampling process: start it, ask it, stop it, be rid of it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from core.children.start import child_environment, start_child
from core.errors import InputRefused, MynahError, ServiceRefused, WrongUsage
from core.sampling.learned import Learned
from core.sampling.request import (
    Deltas,
    Done,
    Finished,
    Ready,
    Restarted,
    Sample,
    SampleEvent,
    SampleRequest,
)

_GRACE = 1.0  # seconds that each step of ending the child may take
_ERRORS = {error.exit_code: error for error in (WrongUsage, InputRefused, ServiceRefused)}


class _Child:
    """One process with its two listeners: events into a queue, stderr into the last 40 lines."""

    def __init__(self, arguments: list[str]) -> None:
        asked, ask = os.pipe()
        answers, answer = os.pipe()
        errors, complain = os.pipe()
        self._orders = os.fdopen(ask, "wb", buffering=0)
        self._answers = os.fdopen(answers, encoding="utf-8")
        self._errors = os.fdopen(errors, encoding="utf-8", errors="replace")
        try:
            self.process = start_child(
                "core.sampling.child",
                *arguments,
                environment=child_environment(),
                files=(asked, answer, complain),
            )
        except BaseException:
            for stream in (self._orders, self._answers, self._errors):
                stream.close()
            raise
        finally:
            for end in (asked, answer, complain):
                os.close(end)
        self.events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.ready: Ready | None = None
        self._last_words: deque[str] = deque(maxlen=40)
        self._writing = threading.Lock()
        self._listeners = [
            threading.Thread(target=listen, daemon=True)
            for listen in (self._hear_events, self._hear_errors)
        ]
        for listener in self._listeners:
            listener.start()

    def _hear_events(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._answers:
                try:
                    received = json.loads(line)
                except ValueError:  # half a line, from a child that was killed
                    continue
                if received["event"] == "ready":
                    self.ready = Ready(**_fields(received))
                self.events.put(received)
        self.events.put(None)

    def _hear_errors(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._errors:
                if line.strip():
                    self._last_words.append(line.rstrip())

    def send(self, **order: Any) -> None:
        """One line to the child; one that is gone hears nothing."""
        line = (json.dumps(order) + "\n").encode()
        with self._writing, contextlib.suppress(OSError, ValueError):
            self._orders.write(line)

    def end(self) -> None:
        """Gone within a few seconds, asked kindly first."""
        with self._writing, contextlib.suppress(OSError):
            self._orders.close()
        for insist in (None, self.process.terminate, self.process.kill):
            if insist is not None:
                insist()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_GRACE)
                break
        for listener in self._listeners:
            listener.join(_GRACE)
        for stream in (self._answers, self._errors):
            with contextlib.suppress(OSError):
                stream.close()

    def lives_on(self) -> bool:
        """Whether it can take another request: its model is loaded and it still runs."""
        return self.ready is not None and self.process.poll() is None

    def why_gone(self) -> MynahError:
        """What to say of a child that ended by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_GRACE)
        self._listeners[1].join(_GRACE)
        code = self.process.returncode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        said = " / ".join(list(self._last_words)[-3:])
        why = f"It ended with {how}" + (f", and said last: {said}." if said else ".")
        if code == -9:
            why += " Most often that is the system running out of memory."
        return MynahError(
            "The process that generates is gone.", why, "Generate again to start a new one."
        )


class Sampler:
    """A model in a process of its own, which dies with this one.

    ``generate`` is for one thread at a time; ``stop`` and ``close`` may come from any other.
    """

    def __init__(
        self,
        model_dir: Path,
        train_parquet: Path | None = None,
        device: str = "auto",
        *,
        dtype: str = "auto",
        learned: Learned | None = None,
    ) -> None:
        """``train_parquet`` (columns text, tweet_id) is what copies are looked for in.

        ``learned``: in what form the model learned tweets; None: one line each, and no answers.

        Nothing starts yet. ``device`` and ``dtype`` are as in ``decoding.loading.load``.
        """
        self.model_dir = Path(model_dir)
        self.train_parquet = train_parquet
        self._arguments = [str(self.model_dir.absolute()), "--device", device, "--dtype", dtype]
        self._learned = learned or Learned()
        if self._learned.lines:
            self._arguments.append("--lines")
        if self._learned.answering is not None:
            form = msgspec.json.encode(self._learned.answering).decode()
            self._arguments += ["--answering", form]
        if train_parquet is not None:
            self._arguments += ["--train", str(Path(train_parquet).absolute())]
        self._child: _Child | None = None
        self._loaded = 0
        self._changing = threading.Lock()
        self._number = 0
        self._current: int | None = None
        self._stop_asked = threading.Event()

    @classmethod
    def for_run(
        cls,
        run_folder: Path,
        device: str = "auto",
        *,
        dtype: str = "auto",
        model_dir: Path | None = None,
    ) -> Sampler:
        """The model of a run and the tweets it learned from; raises InputRefused without a model.

        ``model_dir``: another model in its place, such as its base, to be sampled as the run is.
        A run whose frozen tweets are gone can be sampled; its copies stay unchecked.
        """
        model_dir = model_dir or Path(run_folder) / "model"
        if not (model_dir / "config.json").is_file():
            raise InputRefused(
                f"The run {Path(run_folder).name} has no model yet.",
                "A model is written when a training ends or is stopped.",
                "`mynah runs` shows how far each run is.",
            )
        tweets = Path(run_folder) / "dataset" / "train.parquet"
        return cls(
            model_dir,
            tweets if tweets.is_file() else None,
            device,
            dtype=dtype,
            learned=Learned.of(Path(run_folder)),
        )

    def __enter__(self) -> Sampler:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the child, while there is one."""
        child = self._child
        return child.process.pid if child is not None and child.process.poll() is None else None

    @property
    def ready(self) -> Ready | None:
        """What the child said when its model was loaded; None before."""
        return self._child.ready if self._child is not None else None

    def start(self) -> None:
        """Begin to load the model, in the background; nothing when that was done before.

        One that was written anew meanwhile, by a run that was resumed, is loaded anew.
        """
        with self._changing:
            written = self.written()
            if self._child is not None:
                if self._child.process.poll() is None and written == self._loaded:
                    return
                self._child.end()
            self._child, self._loaded = _Child(self._arguments), written

    def written(self) -> int:
        """When the model was written; 0 where there is none."""
        try:
            return (self.model_dir / "config.json").stat().st_mtime_ns
        except OSError:
            return 0

    def generate(self, request: SampleRequest) -> Iterator[SampleEvent]:
        """Events until Finished; starts the child when there is none. Blocks while it waits.

        The first generation begins with Ready. After ``stop`` the samples that have begun come as
        Done with what they have; a stop before the model is loaded finishes at once. ``close``
        ends the iterator. Leaving it early stops the generation.
        Raises MynahError when the child dies (a new call starts another), InputRefused or
        WrongUsage when it cannot do what was asked; at once for a tweet that it cannot answer.
        """
        self._stop_asked.clear()
        return self._events_of(self._learned.asked(request.seeded()))

    def _events_of(self, request: SampleRequest) -> Iterator[SampleEvent]:
        self.start()
        child = self._child
        if child is None:  # closed at this very moment
            return
        self._number += 1
        number = self._current = self._number
        child.send(op="generate", id=number, request=request.to_json())
        if self._stop_asked.is_set():
            child.send(op="stop", id=number)
        over = False
        try:
            while not over:
                if child.ready is None and self._stop_asked.is_set():
                    yield Finished(0, 0, 0.0, 0.0)
                    return
                try:
                    received = child.events.get(timeout=0.1)
                except queue.Empty:
                    continue
                if received is None:
                    if child is not self._child:
                        return
                    raise child.why_gone()
                event = _event(received, number)
                over = isinstance(event, Finished)
                if event is not None:
                    yield event
        except MynahError:
            over = True
            if not child.lives_on():
                self._forget(child)
            raise
        finally:
            self._current = None
            if not over:
                child.send(op="stop", id=number)

    def _forget(self, child: _Child) -> None:
        with self._changing:
            if self._child is child:
                self._child = None
        child.end()

    def stop(self) -> None:
        """End the running generation with what it has; nothing when none is running."""
        child, number = self._child, self._current
        self._stop_asked.set()
        if child is not None and number is not None:
            child.send(op="stop", id=number)

    def close(self) -> None:
        """End the child, within seconds whatever it is doing. A later generate starts another."""
        child = self._child
        if child is not None:
            self._forget(child)


def _fields(received: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in received.items() if key not in ("event", "id")}


def _event(received: dict[str, Any], number: int) -> SampleEvent | None:
    """What the child said, if it is for this generation; raises what it could not do."""
    kind = received.get("event")
    fields = _fields(received)
    if kind == "ready":
        return Ready(**fields)
    if received.get("id") not in (number, None):
        return None  # the rest of a generation that was left early
    if kind == "error":
        error = _ERRORS.get(fields["code"], MynahError)
        raise error(fields["what"], fields["why"], fields["next"])
    if kind == "deltas":
        return Deltas([(index, text) for index, text in fields["items"]])
    if kind == "restarted":
        return Restarted(**fields)
    if kind == "done":
        return Done(Sample.from_json(fields["sample"]))
    if kind == "finished":
        return Finished(**fields)
    return None
