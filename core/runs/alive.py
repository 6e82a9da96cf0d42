"""Whether the process of a run is still there."""

from __future__ import annotations

import time
from typing import Final

from core.processes import process_times, this_machine
from core.runs.folder import Run
from core.runs.record import RunRecord

# Where the process cannot be looked up (another machine), silence has to tell.
SILENCE_SECONDS: Final = 600.0
# Between a run's folder and its process lies the start of the process.
LAUNCH_SECONDS: Final = 30.0


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
