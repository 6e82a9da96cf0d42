"""Several processes train as one does, and end together; real processes, real sockets."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from toy_runs import create_toy, lines_of

from core.processes import process_times
from core.runs.folder import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["toy_runs", "core.training.finish", "core.training.setup"])

SMALL: dict[str, Any] = {"batch_tokens": 128, "eval_tokens": 64}


def _train(folder: Path, resume: bool) -> None:
    """Rank 0, which writes a line for each step."""
    from core.training import fit, setup
    from core.training.child import work
    from core.training.signals import StopRequest

    fit.LOG_SECONDS = 0.0  # type: ignore[misc]
    setup.GLIMPSE_TOKENS = 2  # type: ignore[misc] - what it writes is not looked at
    run = Run(folder)
    work(run, StopRequest(run), resume=resume)


def _finished(run: Run, *, resume: bool = False) -> dict[int, tuple[float, float]]:
    """Loss and norm of the gradient of each step that the process of ``run`` makes."""
    before = len(lines_of(run))
    process = forks.Process(target=_train, args=(run.folder, resume))
    process.start()
    process.join(120)
    result = run.record().result
    assert result is not None
    assert result.state == "finished", result.reason
    lines = lines_of(run)[before:]
    return {
        line["step"]: (line["loss"], line["grad_norm"]) for line in lines if "grad_norm" in line
    }


def _others(run: Run) -> Iterator[int]:
    """The processes that work on ``run``, without rank 0."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"core.training.distributed.worker" in words and os.fsencode(run.folder) in words:
            yield int(entry.name)


def _gone(pids: list[int]) -> bool:
    until = time.monotonic() + 20
    while any(process_times(pid) is not None for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_two_processes_train_as_one_does_and_one_goes_on_where_two_were(tmp_path: Path) -> None:
    one, two = (create_toy(tmp_path, nproc=n, max_steps=10, **SMALL) for n in (1, 2))
    losses, shared = _finished(one), _finished(two)
    assert list(shared) == list(losses) == list(range(1, 11))
    for step, found in shared.items():
        assert found == pytest.approx(losses[step], rel=1e-5), f"step {step}"
    expected, found = (load_file(run.model / "model.safetensors") for run in (one, two))
    assert max(float((found[name] - expected[name]).abs().max()) for name in expected) < 1e-5
    assert not list(two.folder.glob("ranks-*"))
    assert "2 processes" in (two.record().result.device or "")  # type: ignore[union-attr]
    assert "process" not in (one.record().result.device or "")  # type: ignore[union-attr]
    assert list(_others(two)) == []
