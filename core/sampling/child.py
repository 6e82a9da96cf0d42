"""The process that holds a model: newline JSON in on stdin, newline JSON out on stdout.

    python -m core.sampling.child MODEL_DIR [--train PARQUET] [--lines] [--answering JSON]
        [--device D] [--dtype T]

In:   {"op": "generate", "id": 1, "request": {fields of SampleRequest}}
      {"op": "stop", "id": 1}          ends it with what it has
      {"op": "close"}                  as does the end of stdin: the process leaves at once
Out:  {"event": "ready", ...}          once; then for every generate, each with its id,
      {"event": "deltas", "items": [[index, text], ...]}, "restarted", "done" with a "sample", and
      at last "finished" or "error" with what, why and next
      {"event": "error", "id": null, ...} when no model could be loaded, after which it ends
Whatever else a library prints goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from core.errors import InputRefused, MynahError, WrongUsage, kind_and_line
from core.models.answering import Answering
from core.processes import usable_threads
from core.sampling.request import Deltas, Done, Restarted, SampleRequest

if TYPE_CHECKING:
    from core.sampling.engine import Engine, EngineEvent
    from core.sampling.rows import CheckCopy

_FLUSH_EVERY = 0.04  # seconds: 25 times a second is as fast as text is read
_REFUSED = 3


def main(arguments: list[str] | None = None) -> None:
    """Serves until stdin closes. The owner's Ctrl+C is not for this process: it is told to stop."""
    parser = argparse.ArgumentParser(prog="core.sampling.child")
    parser.add_argument("model_dir", type=Path)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--answering", default="null")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--dtype", default="auto")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked, wire = _take_pipes()
    service = _Service(wire)
    threading.Thread(target=service.read, args=(asked,), daemon=True).start()
    try:
        began = time.monotonic()
        engine, check, tweets = _load(options)
        service.send(
            event="ready",
            device=str(engine.loaded.device),
            dtype=engine.loaded.arithmetic,
            parameters=engine.loaded.parameters,
            seconds=round(time.monotonic() - began, 3),
            tweets=tweets,
        )
    except Exception as error:  # the owner is told, whatever it was
        service.send_error(None, error)
        sys.exit(_REFUSED)
    while True:
        service.serve(engine, check)


def _take_pipes() -> tuple[IO[str], IO[str]]:
    """stdin and stdout for the protocol alone; prints go to stderr, reads meet an empty file."""
    asked = os.fdopen(os.dup(0), "r", encoding="utf-8", errors="replace")
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return asked, wire


def _load(options: argparse.Namespace) -> tuple[Engine, CheckCopy, int | None]:
    check: CheckCopy | None = None
    tweets, unescape = None, False
    if options.train is not None:
        from core.sampling.copies import CopyIndex

        try:
            index = CopyIndex.from_parquet(options.train)
        except Exception as error:
            raise InputRefused(
                f"The training tweets in {options.train} cannot be read.",
                kind_and_line(error),
                "Without them no copy can be told from something new. Train the run again.",
            ) from error
        check, tweets, unescape = index.check, len(index), not index.has_entities
    import torch
    import transformers

    from core.sampling.engine import Engine, unchecked

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(usable_threads())
    engine = Engine.of(
        options.model_dir,
        options.device,
        options.dtype,
        lines=options.lines,
        unescape=unescape,
        answering=msgspec.json.decode(options.answering, type=Answering | None),
    )
    return engine, check or unchecked, tweets


class _Service:
    """Requests wait here while another is served; a stop reaches the one that is being served."""

    def __init__(self, wire: IO[str]) -> None:
        self._wire = wire
        self._sending = threading.Lock()
        self._waiting: queue.Queue[tuple[Any, dict[str, Any]]] = queue.Queue()
        self._stopped: set[Any] = set()

    def read(self, asked: Iterable[str]) -> None:
        """Runs in a thread of its own, so that a stop arrives in the middle of a sample."""
        for line in asked:
            try:
                order = json.loads(line)
                operation, number = order["op"], order.get("id")
                if operation == "generate":
                    self._waiting.put((number, dict(order["request"])))
                elif operation == "stop":
                    self._stopped.add(number)
                elif operation == "close":
                    break
                else:
                    raise ValueError(f"there is no op {operation!r}")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.send_error(None, WrongUsage("The order was not understood.", f"{error}."))
        # There is nothing to save, and whoever would read what follows is gone.
        os._exit(0)

    def serve(self, engine: Engine, check: CheckCopy) -> None:
        """Waits for one request and answers it."""
        number, fields = self._waiting.get()
        began, drawn_before, samples = time.monotonic(), engine.tokens_drawn, 0
        try:
            request = SampleRequest(**fields)
            events = engine.generate(request, check=check, stopping=lambda: number in self._stopped)
            samples = self._pass_on(number, events)
        except Exception as error:  # one bad request must not end the process
            self.send_error(number, error)
            return
        finally:
            self._stopped.discard(number)
        seconds = time.monotonic() - began
        tokens = engine.tokens_drawn - drawn_before
        self.send(
            event="finished",
            id=number,
            samples=samples,
            tokens=tokens,
            seconds=round(seconds, 3),
            tokens_per_second=round(tokens / seconds, 2) if seconds else 0.0,
        )

    def _pass_on(self, number: Any, events: Iterable[EngineEvent]) -> int:
        """Sends events, text in batches; the number of samples done."""
        samples = 0
        waiting: list[tuple[int, str]] = []
        sent = 0.0
        for event in events:
            now = time.monotonic()
            if isinstance(event, Deltas):
                waiting += event.items
                if now - sent < _FLUSH_EVERY:
                    continue
            if waiting:
                self.send(event="deltas", id=number, items=waiting)
                waiting, sent = [], now
            if isinstance(event, Restarted):
                self.send(event="restarted", id=number, index=event.index, reason=event.reason)
            elif isinstance(event, Done):
                samples += 1
                self.send(event="done", id=number, sample=event.sample.to_json())
        if waiting:
            self.send(event="deltas", id=number, items=waiting)
        return samples

    def send_error(self, number: Any, error: Exception) -> None:
        """A MynahError as it is; anything else by its name, with the traceback on stderr."""
        if isinstance(error, MynahError):
            what, why, next_step = error.what, error.why, error.next_step
        else:
            import traceback

            traceback.print_exception(error, file=sys.stderr)
            what, why = "Generating failed.", kind_and_line(error)
            next_step = "Try fewer samples or fewer tokens, or another run."
        code = error.exit_code if isinstance(error, MynahError) else 1
        self.send(event="error", id=number, what=what, why=why, next=next_step, code=code)

    def send(self, **event: Any) -> None:
        line = json.dumps(event)
        with self._sending:
            try:
                self._wire.write(line + "\n")
                self._wire.flush()
            except OSError:  # the owner is gone
                os._exit(0)


if __name__ == "__main__":
    main()
