"""Reading a run from its folder: the lines of its journal, its state, whether its process lives."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused
from core.json_lines import parse_json_line, read_json_lines
from core.processes import process_times, since_boot, this_machine
from core.runs.folder import ENDED, STALE_NOTE, Run
from core.runs.positions import number
from core.runs.record import RunRecord
from core.runs.tracked import tracking_folder

SLICE_RECORDS: Final = 2000
SLICE_SECONDS: Final = 0.05

# Seconds without a heartbeat after which a process on another machine counts as gone.
SILENCE_SECONDS: Final = 600.0
# A process that lives, or starts another, gives a sign of life within so many seconds.
LAUNCH_SECONDS: Final = 5.0

# Two heartbeats of a process.
BEATS_SECONDS: Final = 4.0

# A file that was written less than so many nanoseconds ago may be written again within the tick of
# the clock that its time is taken from.
_FRESH: Final = 1_000_000_000

_CHUNK: Final = 1 << 16
# The end of a journal, in which its latest lines are.
_TAIL_BYTES: Final = 1 << 16
_KINDS_OF_STATE: Final = ("queued", "phase", "start", "train", "eval", "checkpoint", "end")


@dataclass(frozen=True)
class RunUpdate:
    """What is new in a run's folder since the last look.

    ``records`` are lines of metrics.jsonl, ``samples`` of samples.jsonl. ``more`` says that the
    slice was full and another look now would find more. ``state``: queued (it has no process yet,
    or waits for its device), starting, running, stopping, finished, stopped, failed, dead (its
    process is gone and wrote no end).
    """

    records: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    state: str
    more: bool


FileState = tuple[int, int, int] | None


def file_state(path: Path) -> FileState:
    """Equal to an earlier one only if the file is the same still, or a folder lists the same files.

    None: there is nothing.
    """
    try:
        stat = path.stat()
    except OSError:
        return None
    now, written = time.time_ns(), stat.st_mtime_ns
    return now if abs(now - written) < _FRESH else written, stat.st_size, stat.st_ino


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
            if self.path.stat().st_size == self.offset:
                return found, False
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
                        record = parse_json_line(line)
                        if record is not None:
                            found.append(record)
                        elif line.strip():
                            self.broken += 1
        except OSError:
            pass
        return found, False


class RunReader:
    """Follows one run. It shares nothing with the process but the folder."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._metrics = LineTail(run.metrics)
        self._samples = LineTail(run.samples)
        self._last: dict[str, Any] = {}
        self._record: RunRecord | None = None
        self._record_file = run.record_file
        self.beside = run.folder / STALE_NOTE, tracking_folder(run)
        """The places of what a summary tells besides the record and the lines."""
        self.record_state: FileState = None

    def record(self) -> RunRecord:
        """run.json, parsed again only when it was replaced; raises InputRefused."""
        state = file_state(self._record_file)
        if self._record is None or state != self.record_state:
            self._record, self.record_state = None, state
            self._record = self.run.record()
        return self._record

    def poll(self) -> RunUpdate:
        """A slice of what is new: at most 2,000 records or about 50 ms."""
        # Before the lines are read: a process that ends in between must not look dead.
        try:
            record = self.record()
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

    A process id that another process has now is recognised by the time when that one started.
    A run without a process lives as long as the one that starts its own.
    """
    if record.pid is None:
        starting = record.starter is not None and record.starter.may_live()
        return starting or _seconds_since_beat(run) < LAUNCH_SECONDS
    if record.machine not in (None, this_machine()):
        return _seconds_since_beat(run) < SILENCE_SECONDS
    now_there = process_times(record.pid)
    if now_there is None:
        return False
    began, since = record.pid_start, record.pid_since_boot
    if began is None or now_there == 0.0 or abs(now_there - began) < 1.0:
        return True
    # the clock was set: the start of a process in its terms moves along
    there = None if since is None else since_boot(record.pid)
    return there is not None and since is not None and abs(there - since) < 0.05


def _seconds_since_beat(run: Run) -> float:
    """Or until it, where the clock was set back since, or that of another machine is ahead."""
    for path in (run.heartbeat, run.record_file):
        try:
            return abs(time.time() - path.stat().st_mtime)
        except OSError:
            continue
    return float("inf")


def after_all_lines(run: Run) -> float:
    """The time now, but later than each line of the journal: the clock may have been set back."""
    lines = read_json_lines(run.metrics, tail=_TAIL_BYTES)
    times = [at + 0.001 for line in lines if isinstance(at := line.get("time"), (int, float))]
    return max([time.time(), *times])


def beats_elsewhere(run: Run, record: RunRecord) -> bool:
    """Whether a process on another machine, whose clock may be another, gives a sign of life."""
    if record.pid is None or record.machine in (None, this_machine()):
        return False

    def beat() -> int | None:
        with suppress(OSError):
            return run.heartbeat.stat().st_mtime_ns
        return None

    before = beat()
    time.sleep(BEATS_SECONDS)
    return beat() != before


def last_of_state(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The last of ``records`` that says what the process does; empty when none does."""
    return next((one for one in reversed(records) if one.get("kind") in _KINDS_OF_STATE), {})


def run_state(run: Run, record: RunRecord, last: dict[str, Any], *, alive: bool) -> str:
    """The state by ``record`` (run.json), the last line of metrics and whether the process lives.

    A line after an end revives the run, and so does `resume_run` before there is one.
    """
    if record.state in ENDED:
        return record.state
    # The last line comes a moment before run.json says the same.
    at = number(last.get("time"))
    resumed_since = (record.resumed or 0.0) > (0.0 if math.isnan(at) else at)
    if last.get("kind") == "end" and not resumed_since:
        return str(last.get("state", "failed"))
    if not alive:
        return "dead"
    if run.stop_mark.exists():
        return "stopping"
    if last.get("kind") in ("start", "train", "eval", "checkpoint"):
        return "running"
    if last.get("kind") == "queued" and not resumed_since:
        return "queued"
    if last.get("kind") == "phase":
        return "running" if last.get("doing") == "saving" else "starting"
    return "queued" if record.pid is None else "starting"
