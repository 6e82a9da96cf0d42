"""What a run takes of its machine: processor, memory and GPUs, sampled while it is followed."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from core.locks import Locked, held_lock
from core.processes import this_machine
from core.runs.folder import Run
from core.runs.follow import LineTail
from core.runs.tracked import tracking_folder

EVERY_SECONDS: Final = 10.0
_MIB: Final = 2**20


class SystemLog:
    """``tracking/system.jsonl``: samples of the training process and its machine.

    One process writes it at a time, whichever follows the run first; all of them read it, also
    when the run is tracked again later.
    """

    def __init__(self, run: Run, *, every: float = EVERY_SECONDS) -> None:
        """``every``: seconds between two samples."""
        self._run, self._every = run, every
        self._path = tracking_folder(run) / "system.jsonl"
        self._tail = LineTail(self._path)
        self._held = contextlib.ExitStack()
        self._probe: _Probe | None = None
        self._due = 0.0

    def sample(self) -> None:
        """Appends a sample when one is due, the run has a process here, and nobody else does."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + self._every
        record = self._run.record()
        if record.pid is None or record.machine != this_machine():
            return
        if self._probe is None:
            try:
                self._held.enter_context(held_lock(self._path.with_suffix(".lock"), seconds=0))
            except Locked:
                return
        if self._probe is None or self._probe.pid != record.pid:
            self._probe = _Probe(record.pid)  # a share of the processor is one since the last look
            return
        values = self._probe.values()
        if values:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"time": time.time(), **values}) + "\n")

    def read(self) -> list[tuple[float, Mapping[str, float]]]:
        """The samples since the last look, oldest first: when, and values by name."""
        found: list[tuple[float, Mapping[str, float]]] = []
        more = True
        while more:
            lines, more = self._tail.read(1000, time.monotonic() + 1.0)
            for line in lines:
                when = line.pop("time", None)
                if isinstance(when, float):
                    found.append((when, {f"system/{name}": value for name, value in line.items()}))
        return found

    def close(self) -> None:
        self._held.close()


class _Probe:
    """Looks at one process and at the machine. Shares are percent, memory is MiB, power W."""

    def __init__(self, pid: int) -> None:
        import psutil  # type: ignore[import-untyped,unused-ignore]

        self.pid = pid
        self._psutil = psutil
        self._gpus = _gpus()
        self._process: Any = None
        with contextlib.suppress(psutil.Error):
            self._process = psutil.Process(pid)
            self._process.cpu_percent()
        psutil.cpu_percent()

    def values(self) -> dict[str, float]:
        """By name; empty when the process is gone. ``process_cpu`` is of one core."""
        if self._process is None:
            return {}
        try:
            with self._process.oneshot():
                share = self._process.cpu_percent()
                memory = self._process.memory_info().rss
        except self._psutil.Error:
            return {}
        found = {
            "cpu": self._psutil.cpu_percent(),
            "memory": self._psutil.virtual_memory().percent,
            "process_cpu": share,
            "process_memory": memory / _MIB,
        }
        for index, gpu in enumerate(self._gpus):
            found |= {f"gpu{index}_{name}": value for name, value in gpu.values().items()}
        return found


class _Gpu:
    """One of NVIDIA's, through its driver's own library."""

    def __init__(self, nvml: Any, index: int) -> None:
        self._nvml = nvml
        self._handle = nvml.nvmlDeviceGetHandleByIndex(index)

    def values(self) -> dict[str, float]:
        nvml, handle, found = self._nvml, self._handle, {}
        with contextlib.suppress(nvml.NVMLError):  # not every device knows every figure
            found["use"] = float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        with contextlib.suppress(nvml.NVMLError):
            found["memory"] = nvml.nvmlDeviceGetMemoryInfo(handle).used / _MIB
        with contextlib.suppress(nvml.NVMLError):
            found["power"] = nvml.nvmlDeviceGetPowerUsage(handle) / 1000
        return found


def _gpus() -> list[_Gpu]:
    """Empty where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
        return [_Gpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
