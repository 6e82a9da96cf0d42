"""Whether the process of a run is still there."""

from __future__ import annotations

import hashlib
import platform
import time
from typing import Any, Final

from core.training.run import Run

# Where the process cannot be looked up (another machine), silence has to tell.
SILENCE_SECONDS: Final = 600.0
# Between a run's folder and its process lies the start of the process.
LAUNCH_SECONDS: Final = 30.0


def this_machine() -> str:
    """A name for this machine that does not give away its name."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def process_times(pid: int) -> float | None:
    """When process ``pid`` began (seconds since 1970), or None when there is none."""
    import psutil  # type: ignore[import-untyped,unused-ignore]

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time())
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return 0.0


def is_alive(run: Run, record: dict[str, Any]) -> bool:
    """Whether the process named in ``record`` (run.json) lives and is the same one still.

    A number that has gone to another process since is told by when that one began.
    """
    pid, began = record.get("pid"), record.get("pid_start")
    if pid is None:
        return _seconds_since_beat(run) < LAUNCH_SECONDS
    if record.get("machine") not in (None, this_machine()):
        return _seconds_since_beat(run) < SILENCE_SECONDS
    now_there = process_times(int(pid))
    if now_there is None:
        return False
    return began is None or now_there == 0.0 or abs(now_there - float(began)) < 1.0


def _seconds_since_beat(run: Run) -> float:
    for path in (run.heartbeat, run.record_file):
        try:
            return time.time() - path.stat().st_mtime
        except OSError:
            continue
    return float("inf")
