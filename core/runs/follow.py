"""Reading a run from its folder while, and after, its process writes there; whether that lives."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused
from core.processes import process_times, this_machine
from core.runs.folder import ENDED, Run
from core.runs.record import RunRecord

SLICE_RECORDS: Final = 2000
SLICE_SECONDS: Final = 0.05

# Where the process cannot be looked up (another machine), silence has to tell.
SILENCE_SECONDS: Final = 600.0
# Between a run's folder and its process lies the start of the process.
LAUNCH_SECONDS: Final = 30.0

_CHUNK: Final = 1 << 16
_KINDS_OF_STATE: Final = ("phase", "start", "train", "eval", "checkpoint", "end")


@dataclass(frozen=True)
class RunUpdate:
    """What is new in a run's folder since the last look.

    ``records`` are lines of metrics.jsonl, ``samples`` of samples.jsonl. ``more`` says that the
    slice was full and another look now would find more. ``state``: queued, starting, running,
    stopping, finished, stopped, failed, dead (its process is gone and did not say goodbye).
    """

    records: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    state: str
    more: bool


class LineTail:
    """The lines of a file that only grows. A last line without its end is not there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.broken = 0
        """Lines that were no JSON objects: what a killed process left behind."""

    def read(self, records: int, until: float) -> tuple[list[dict[str, Any]], bool]:
        """Up to ``records`` new lines, not much after ``until`` (time.monotonic); and whether
        there are more.
        """
        found: list[dict[str, Any]] = []
        try:
            with self.path.open("rb") as file:
                if file.seek(0, 2) < self.offset:
                    self.offset = 0  # another file under the same name
                file.seek(self.offset)
                rest = b""
                while chunk := file.read(_CHUNK):
                    lines = (rest + chunk).split(b"\n")
                    rest = lines.pop()
                    for line in lines:
                        if len(found) >= records or time.monotonic() > until:
                            return found, True
                        self.offset += len(line) + 1
                        self._take(line, found)
        except OSError:
            pass
        return found, False

    def _take(self, line: bytes, found: list[dict[str, Any]]) -> None:
        if not line.strip():
            return
        try:
            content = json.loads(line)
        except ValueError:
            content = None
        if isinstance(content, dict):
            found.append(content)
        else:
            self.broken += 1


class RunReader:
    """Follows one run. It shares nothing with the process but the folder."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._metrics = LineTail(run.metrics)
        self._samples = LineTail(run.samples)
        self._last: dict[str, Any] = {}

    def poll(self) -> RunUpdate:
        """A slice of what is new: at most 2,000 records or about 50 ms."""
        # Before the lines are read: a process that says goodbye in between must not look dead.
        try:
            record = self.run.record()
        except InputRefused:
            record = RunRecord()
        alive = record.state not in ENDED and is_alive(self.run, record)
        until = time.monotonic() + SLICE_SECONDS
        records, more_records = self._metrics.read(SLICE_RECORDS, until)
        samples, more_samples = self._samples.read(SLICE_RECORDS - len(records), until)
        self._last = last_of_state(records) or self._last
        more = more_records or more_samples
        state = run_state(self.run, record, self._last, alive=alive)
        return RunUpdate(records, samples, state, more)


def is_alive(run: Run, record: RunRecord) -> bool:
    """Whether the process named in ``record`` (run.json) lives and is the same one still.

    A number that has gone to another process since is told by when that one began.
    """
    if record.pid is None:
        return _seconds_since_beat(run) < LAUNCH_SECONDS
    if record.machine not in (None, this_machine()):
        return _seconds_since_beat(run) < SILENCE_SECONDS
    now_there = process_times(record.pid)
    if now_there is None:
        return False
    began = record.pid_start
    return began is None or now_there == 0.0 or abs(now_there - began) < 1.0


def _seconds_since_beat(run: Run) -> float:
    for path in (run.heartbeat, run.record_file):
        try:
            return time.time() - path.stat().st_mtime
        except OSError:
            continue
    return float("inf")


def last_of_state(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The last of ``records`` that says what the process does; empty when none does."""
    return next((one for one in reversed(records) if one.get("kind") in _KINDS_OF_STATE), {})


def run_state(run: Run, record: RunRecord, last: dict[str, Any], *, alive: bool) -> str:
    """The state that ``record`` (run.json), the last line of metrics and the process tell.

    A line after an end revives the run, and so does `resume_run` before there is one.
    """
    if record.state in ENDED:
        return record.state
    # The last line comes a moment before run.json says the same.
    resumed_since = (record.resumed or 0.0) > float(last.get("time") or 0)
    if last.get("kind") == "end" and not resumed_since:
        return str(last.get("state", "failed"))
    if not alive:
        return "dead"
    if run.stop_mark.exists():
        return "stopping"
    if last.get("kind") in ("start", "train", "eval", "checkpoint"):
        return "running"
    if last.get("kind") == "phase":
        return "running" if last.get("doing") == "saving" else "starting"
    return "queued" if record.pid is None else "starting"
