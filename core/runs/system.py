"""What a training process takes of its machine: processor, memory and GPUs."""

from __future__ import annotations

import contextlib
from typing import Any, Final

_MIB: Final = 2**20


class SystemProbe:
    """Looks at this process and at the machine. Shares are percent, memory is MiB, power W.

    The share of a processor is that since the last look, or since the probe was made.
    """

    def __init__(self, *, gpus: bool) -> None:
        """``gpus``: whether to look at NVIDIA's, where their driver's library is installed."""
        import psutil  # type: ignore[import-untyped,unused-ignore]

        self._psutil = psutil
        self._process = psutil.Process()
        self._gpus = _gpus() if gpus else []
        self._process.cpu_percent()
        psutil.cpu_percent()

    def values(self) -> dict[str, float]:
        """By name, rounded to a tenth; ``process_cpu`` is of one core, ``cpu`` of all."""
        with self._process.oneshot():
            share = self._process.cpu_percent()
            memory = self._process.memory_info().rss
        found = {
            "cpu": self._psutil.cpu_percent(),
            "memory": self._psutil.virtual_memory().percent,
            "process_cpu": share,
            "process_memory": memory / _MIB,
        }
        for index, gpu in enumerate(self._gpus):
            found |= {f"gpu{index}_{name}": value for name, value in gpu.values().items()}
        return {name: round(value, 1) for name, value in found.items()}


def has_nvidia_gpu() -> bool:
    """Whether there is one that a driver answers for."""
    return bool(_gpus())


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
    """Empty where there is no driver, or no library for it."""
    try:
        import pynvml
    except ImportError:  # a bare machine that only trains
        return []
    try:
        pynvml.nvmlInit()
        return [_Gpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
