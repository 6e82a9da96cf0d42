"""From the start of a process to its first step: ``-m benchmarks.gpu.start DEVICE small|real``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

BEGAN = time.perf_counter()

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Prints what each part took, in seconds, as one JSON object."""
    took = {}
    last = BEGAN

    def done(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        took[name], last = round(now - last, 3), now

    import torch

    done("import torch")
    import transformers  # noqa: F401
    from peft import get_peft_model  # noqa: F401

    from benchmarks.gpu.report import Report
    from benchmarks.gpu.shapes import equal_rows, shapes
    from benchmarks.gpu.train import Learner
    from core.training.device import arithmetic, set_up

    done("import transformers and peft")
    device = torch.device(sys.argv[1])
    small = sys.argv[2] == "small"
    set_up(device, 1 if small else None)
    report = Report(device, arithmetic(device), 0.0, float("inf"), small)
    torch.zeros(1, device=device) @ torch.zeros(1, device=device)
    report.wait()
    done("the device")
    shape = shapes(report)[-1]
    learner = Learner(report, shape, "lora")
    report.wait()
    done("a model on it")
    batch = equal_rows(256 if small else 4096, shape.vocabulary)
    for name in ("the first step", "the second step"):
        float(learner.step(batch)[0])
        done(name)
    took["all"] = round(time.perf_counter() - BEGAN, 3)
    print(json.dumps(took))


def started(device: str, *, small: bool) -> dict[str, float]:
    """`main` in a process of its own, and ``process``: all of it by the clock of this one."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu.start", device, "small" if small else "real"],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it says nothing"])[-1])
    took: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return took | {"process": round(time.perf_counter() - began, 3)}


if __name__ == "__main__":
    main()
