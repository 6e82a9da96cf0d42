"""What a GPU does with a fine-tune and with samples, in 8 minutes at most.

    python -m benchmarks.gpu [--device cuda|cpu|mps] [--seconds N] [--only train sample ...]

It needs torch, transformers, peft, numpy, psutil and safetensors, and nothing else of mynah's
dependencies: no Polars, no DuckDB, no network. The models have the shapes of GPT-2 and SmolLM2 and
random weights. Off CUDA two small ones stand for them, with a twentieth of the time for each
figure (``--real`` for the real ones), because what is proved there is that every rung runs.
Progress goes to stderr; stdout ends with one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import sys
import time
import warnings
from collections.abc import Callable

# before anything imports the hub's client: nothing here may ask the network
os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"

import numpy
import peft
import psutil
import safetensors
import torch
import transformers

from benchmarks.gpu.attention import attention
from benchmarks.gpu.report import Figures, Report
from benchmarks.gpu.sample import sampling
from benchmarks.gpu.shapes import listed_peak, measured_peak
from benchmarks.gpu.start import started
from benchmarks.gpu.train import out_of_memory, resume, training
from core import __version__
from core.training.device import arithmetic, choose_device, device_name, set_up

GROUPS: dict[str, Callable[[Report], None]] = {
    "start": lambda report: start(report),
    "resume": resume,
    "memory": out_of_memory,
    "sample": sampling,
    "attention": attention,
    "train": training,
}


def start(report: Report) -> None:
    """From the start of a process to its first step."""
    report.rung("start", lambda: dict(started(str(report.device), small=report.small)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto", help="auto, cuda, cuda:1, mps, cpu")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure")
    parser.add_argument("--minutes", type=float, default=8.0, help="after which nothing is begun")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--real", action="store_true", help="the real shapes, on a processor too")
    given = parser.parse_args()
    began = time.monotonic()
    transformers.logging.set_verbosity_error()
    warnings.filterwarnings("ignore")
    device = choose_device(given.device)
    small = device.type != "cuda" and not given.real
    # small products are no faster on several threads
    set_up(device, 1 if small else None)
    torch.manual_seed(1)
    # the last rung that is begun takes its time, too
    until = began + max(0.0, 60 * given.minutes - 20)
    seconds = given.seconds / 20 if small else given.seconds
    report = Report(device, arithmetic(device), seconds, until, small)
    peak: Figures = {}
    interrupt_after(60 * given.minutes)
    # the libraries print; and whoever interrupts it gets what was measured until then
    with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(KeyboardInterrupt):
        peak = peak_of(report)
        for name in GROUPS:
            if name in given.only:
                GROUPS[name](report)
    interrupt_after(0)
    states = [rung["state"] for rung in report.rungs]
    print(
        json.dumps(
            {
                "benchmark": "mynah gpu",
                "version": __version__,
                "device": machine(report),
                "settings": {"seconds": seconds, "minutes": given.minutes, "small": small},
                "peak": peak,
                "rungs": report.rungs,
                "counts": {state: states.count(state) for state in ("done", "skipped", "failed")},
                "seconds": round(time.monotonic() - began, 1),
            }
        )
    )


def interrupt_after(seconds: float) -> None:
    """As ctrl+c would, and as SIGTERM does from here on; 0: not at all."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, seconds)


def peak_of(report: Report) -> Figures:
    """Operations a second that a share is of: as listed, or else as measured."""
    name = device_name(report.device)
    listed = listed_peak(name) if report.on_cuda else None
    found: Figures = {"listed": listed}
    kinds = {"bfloat16": torch.bfloat16, "float32": torch.float32}

    def products() -> Figures:
        found.update({kind: measured_peak(report, dtype) for kind, dtype in kinds.items()})
        return dict(found)

    report.rung("peak", products)
    # off CUDA the arithmetic that a run would use there
    used = "bfloat16" if report.on_cuda else str(report.dtype).removeprefix("torch.")
    report.peak = listed or found.get(used, 0.0)
    return found | {"used": report.peak, "source": "data sheet" if listed else f"{used} products"}


def machine(report: Report) -> Figures:
    """The device, and what it was measured with."""
    modules = (torch, transformers, peft, numpy, psutil, safetensors)
    found: Figures = {
        "kind": report.device.type,
        "name": device_name(report.device),
        "arithmetic": str(report.dtype).removeprefix("torch."),
        "cores": psutil.cpu_count(logical=False),
        "memory": psutil.virtual_memory().total,
        "python": platform.python_version(),
        "versions": {module.__name__: module.__version__ for module in modules},
    }
    if report.on_cuda:
        properties = torch.cuda.get_device_properties(report.device)
        found["device_memory"] = properties.total_memory
        found["capability"] = f"{properties.major}.{properties.minor}"
        found["cuda"] = torch.version.cuda
    return found


if __name__ == "__main__":
    main()
