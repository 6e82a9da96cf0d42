"""Which device a run uses, how many threads, and in which arithmetic."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import platform
import re
import sys
import time
from contextlib import AbstractContextManager
from typing import Any, Final

from core.errors import InputRefused, WrongUsage
from core.numbers import plural
from core.processes import usable_cores, usable_threads

_KINDS: Final = ("cpu", "cuda", "mps")
# bfloat16 loses digits; it must be clearly faster to be worth that.
_WORTH_IT: Final = 1.5
# Settings of glibc's mallopt (malloc.h): from how many free bytes on it gives memory back to the
# system, and from what size on a block is the system's own. Its numbers are C ints.
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_MOST_BYTES: Final = 2**31 - 1


def devices_here() -> list[str]:
    """The kinds of device that PyTorch finds, best first."""
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    return [kind for kind, found in there.items() if found]


def choose_device(wanted: str) -> Any:
    """A torch.device (cpu, cuda, cuda:1, mps); ``auto`` takes CUDA, else Apple's GPU, else the CPU.

    Raises InputRefused when the device asked for is not there, WrongUsage for no kind of device.
    """
    import torch

    there = devices_here()
    if wanted == "auto":
        return torch.device(there[0])
    kind = wanted.partition(":")[0]
    if kind not in _KINDS:
        raise WrongUsage(
            f"{wanted!r} is no kind of device.",
            f"There are: auto, {', '.join(_KINDS)}.",
            "Use --device auto.",
        )
    if kind not in there:
        raise InputRefused(
            f"There is no {wanted} device here.",
            f"PyTorch {torch.__version__} finds {', '.join(there)}.",
            "Use --device auto.",
        )
    return torch.device(wanted)


def queue_name(device: Any) -> str:
    """The device as one word for a file, the same in every process on this machine."""
    if device.type != "cuda":
        return str(device.type)
    # the numbers of PyTorch count only what CUDA_VISIBLE_DEVICES leaves
    visible = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    number = device.index or 0
    which = visible[number] if number < len(visible) and visible[number] else str(number)
    return "cuda-" + re.sub(r"[^A-Za-z0-9]+", "-", which)


def device_name(device: Any) -> str:
    """For people: ``NVIDIA H200``, ``cpu (2 threads)``."""
    import torch

    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu ({plural(threads, 'thread')})"
    return f"{device.type} ({platform.machine()})"


def set_up(device: Any, threads: int | None = None, *, exact: bool = False) -> None:
    """Threads on a CPU (None: one for each usable core); on a CUDA device TensorFloat-32 for
    float32, unless ``exact``.
    """
    import torch

    if device.type == "cpu":
        torch.set_num_threads(threads or usable_threads())
        _keep_freed_memory()
    elif device.type == "cuda":
        torch.set_float32_matmul_precision("highest" if exact else "high")
        _never_ask_for_packed_rows()


def _keep_freed_memory() -> None:
    """glibc gives what a large tensor held back to the system at once, and each step gets its
    gradients and activations page by page again: a tenth to a fifth of the time of a step of every
    weight. Here this process keeps it for its next tensor. Other C libraries have no such setting.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for setting in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            mallopt(setting, _MOST_BYTES)


def give_freed_memory_back() -> None:
    """What `_keep_freed_memory` has kept, to the system: after much that was small and in between
    what stays, the next large tensors would not fit into it.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def static_shapes(device: Any) -> bool:
    """Whether a step on ``device`` has few different shapes, and never asks the device which of
    its positions count: CUDA, where the processor runs ahead of the device, and asking is waiting.
    """
    return bool(device.type == "cuda")


def _never_ask_for_packed_rows() -> None:
    """transformers looks at each forward pass whether several texts are in a row, by their
    positions, and so waits for all that the device has yet to do. There never are.
    """
    from transformers import masking_utils

    if hasattr(masking_utils, "find_packed_sequence_indices"):
        masking_utils.find_packed_sequence_indices = lambda position_ids: None


def cores_of_each(processes: int) -> int:
    """Threads of each of so many processes on this machine."""
    # torchrun sets OMP_NUM_THREADS to 1 for its processes, which nobody asked it for
    return usable_threads() if processes == 1 else max(1, usable_cores() // processes)


def check_processes(processes: int, device: Any) -> None:
    """Raises InputRefused where so many processes on ``device`` would be in each other's way."""
    import torch

    room, what = {
        "cpu": (usable_cores(), "processor cores"),
        "cuda": (torch.cuda.device_count(), "CUDA devices"),
    }.get(device.type, (1, f"{device.type} device"))
    if processes > room:
        raise InputRefused(
            f"{processes} processes cannot train here.",
            f"Each needs one of its own, and there are {room} {what}." if room > 1
            else f"Each needs one of its own, and there is 1 {what.removesuffix('s')}.",
            f"The most is --nproc {room}.",
        )  # fmt: skip


def arithmetic(device: Any) -> Any:
    """The torch dtype to multiply in: bfloat16 where it is faster here, else float32.

    On a CPU it is measured (about 50 ms, once a process), because the processor's flags do not
    tell: some that have bfloat16 instructions are half as fast with them.
    """
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type != "cpu" or not _bfloat16_pays():
        return torch.float32
    return torch.bfloat16


@functools.cache
def _bfloat16_pays() -> bool:
    """Whether this processor multiplies bfloat16 clearly faster than float32."""
    import torch

    slow = _seconds_of_products(torch.float32)
    return slow > _WORTH_IT * _seconds_of_products(torch.bfloat16, enough=2 * slow)


def _seconds_of_products(dtype: Any, *, enough: float = float("inf")) -> float:
    """The best of three times for products of the shapes of a small model's layers.

    After a time longer than ``enough`` seconds it is not tried again.
    """
    import torch

    left = torch.ones(256, 576, dtype=dtype)
    right = torch.ones(1536, 576, dtype=dtype).T
    left @ right  # the first prepares what the others use
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(2):
            left @ right
        took = time.perf_counter() - began
        best = min(best, took)
        if took > enough:
            break
    return best


def in_arithmetic(device: Any, dtype: Any) -> AbstractContextManager[Any]:
    """Autocast to ``dtype``, or nothing at all for float32."""
    import torch

    if dtype == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=dtype)


def peak_memory(device: Any) -> int | None:
    """Most bytes held so far: of the GPU on CUDA, of the process elsewhere; None if unknown."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024
