"""Which process, on which machine, whether it is still there, and the cores that it may use."""

from __future__ import annotations

import hashlib
import os
import platform
import time
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


def since_boot(pid: int) -> float | None:
    """When process ``pid`` began, in seconds since its machine did; None where that is not known.

    Unlike `process_times`, which Linux counts back from the clock of the moment, it is the same
    after the clock was set.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        # proc_pid_stat(5): the name, field 2, is in brackets; starttime is field 22
        return float(stat.rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def process_age(pid: int) -> float | None:
    """Seconds since process ``pid`` began, or None when there is none, or that is not told."""
    began = since_boot(pid)
    if began is not None and hasattr(time, "CLOCK_BOOTTIME"):
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began)
    started = process_times(pid)
    return max(0.0, time.time() - started) if started else None


@dataclass(frozen=True)
class Owner:
    """A process that owns something on a disk: machine, process id, and its start, in seconds since
    the machine's (Linux) or since 1970.
    """

    machine: str
    pid: int
    began: int

    @classmethod
    def this_process(cls) -> Owner:
        pid = os.getpid()
        return cls(this_machine(), pid, round(since_boot(pid) or process_times(pid) or 0.0))

    def may_live(self) -> bool:
        """False only where this process is known to be gone: of another machine nothing is known.

        A process id that went to another process since is told by when that one began.
        """
        if self.machine != this_machine():
            return True
        began = process_times(self.pid)
        if began is None:
            return False
        # earlier versions wrote seconds since 1970 on Linux, too
        starts = (began, since_boot(self.pid) or began)
        return began == 0.0 or any(abs(start - self.began) <= 1.0 for start in starts)


@dataclass(frozen=True)
class Memory:
    """Bytes that processes on this machine, or in this container, can have: now, and in all."""

    free: int
    total: int


def machine_memory() -> Memory:
    """What is free counts what the system gives back at once, such as copies of files, and swap."""
    import psutil

    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    free, total = memory.available + swap.free, memory.total + swap.total
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        stat = dict(
            line.split()
            for line in (group / "memory.stat").read_text(encoding="ascii").splitlines()
        )
        given_back = int(stat.get("inactive_file", 0))
        free, total = min(free, max(0, limit - used + given_back)), min(total, limit)
    except (OSError, ValueError):  # there is no limit, or another system
        pass
    return Memory(free, total)


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


def usable_threads() -> int:
    """Of a process that computes: one for each usable core, or fewer where OMP_NUM_THREADS says."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    cores = usable_cores()
    return min(cores, int(asked)) if asked.isdigit() and int(asked) else cores
