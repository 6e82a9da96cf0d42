"""Which process, on which machine, whether it is still there, and the cores that it may use."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path


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


@dataclass(frozen=True)
class Owner:
    """A process that owns something on a disk: machine, process id, start (seconds since 1970)."""

    machine: str
    pid: int
    began: int

    @classmethod
    def this_process(cls) -> Owner:
        return cls(this_machine(), os.getpid(), round(process_times(os.getpid()) or 0.0))

    def may_live(self) -> bool:
        """False only where this process is known to be gone: of another machine nothing is known.

        A process id that went to another process since is told by when that one began.
        """
        if self.machine != this_machine():
            return True
        began = process_times(self.pid)
        return began is not None and (began == 0.0 or abs(began - self.began) <= 1.0)


def usable_cores() -> int:
    """Physical cores that this process may use: affinity and a container's quota count too."""
    import psutil

    logical = os.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or logical
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    cores = min(physical, allowed)
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        if quota != "max":
            cores = min(cores, -(-int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return max(1, cores)
