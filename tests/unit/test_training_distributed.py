"""Several processes train as one does, and end together; real processes, real sockets."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from test_runs_memory import folder_of, small
from toy_runs import create_toy, edit_record, follow, lines_of, prepare_toy, start_toy

from core.errors import InputRefused, WrongUsage
from core.processes import process_times, usable_cores
from core.runs.folder import Run, checkpoint_folders
from core.runs.launch import resume_run, stop_run
from core.runs.settings import settings_for
from core.training.device import check_processes
from tests.unit.cli import home_with_samples, mynah

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["toy_runs", "core.training.finish", "core.training.setup"])

# Steps of one row, which only one of two processes computes, are among them.
SMALL: dict[str, Any] = {"max_steps": 10, "batch_tokens": 32, "eval_tokens": 64}
DIES_AT = 6

Losses = dict[int, tuple[float, float]]


def _train(folder: Path, resume: bool, dies_at: int | None) -> None:
    """Rank 0, which writes a line for each step; it may kill itself before one."""
    from core.training import fit, setup
    from core.training.child import work
    from core.training.signals import StopRequest
    from core.training.step import BatchStep

    fit.LOG_SECONDS = 0.0  # type: ignore[misc]
    setup.GLIMPSE_TOKENS = 2  # type: ignore[misc] - what it writes is not looked at
    if dies_at is not None:
        take, left = BatchStep.__call__, dies_at

        def counted(self: BatchStep, *args: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return take(self, *args)

        BatchStep.__call__ = counted  # type: ignore[method-assign]
    run = Run(folder)
    work(run, StopRequest(run), resume=resume)


def _torchrun(folder: Path, port: int, printed: Path) -> None:
    """The command of that name for one of two machines that train the run in ``folder``."""
    from torch.distributed.run import main

    with printed.open("wb") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    os.chdir(printed.parent)
    os.environ |= {"PYTHONPATH": str(Path(__file__).parents[2]), "GLOO_SOCKET_IFNAME": "lo"}
    main(
        ["--nnodes", "2", "--nproc-per-node", "1", "--rdzv-backend", "c10d",
         "--rdzv-endpoint", f"127.0.0.1:{port}", "--local-addr", "127.0.0.1",
         "-m", "core.training.distributed.torchrun", str(folder)]
    )  # fmt: skip


def _losses(run: Run, *, resume: bool = False, dies_at: int | None = None) -> Losses:
    """Loss and norm of the gradient of each step that a process for ``run`` makes."""
    before = len(lines_of(run))
    process = forks.Process(target=_train, args=(run.folder, resume, dies_at))
    process.start()
    process.join(120)
    assert process.exitcode == (0 if dies_at is None else -signal.SIGKILL), run.record().reason
    lines = [line for line in lines_of(run)[before:] if line["kind"] == "train"]
    return {line["step"]: (line["loss"], line["grad_norm"]) for line in lines}


def _workers(run: Run) -> list[int]:
    """The processes of ``run`` but rank 0: they print into its log."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "fd" / "2").readlink() == run.log.resolve():
                found.append(int(entry.name))
    return [pid for pid in found if pid != run.record().pid]


def _gone(pids: list[int]) -> bool:
    """Whether all of them end within seconds."""
    until = time.monotonic() + 20
    while any(process_times(pid) is not None for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _same(found: Losses, expected: Losses) -> None:
    for step, (loss, norm) in found.items():
        assert loss == pytest.approx(expected[step][0], rel=1e-5), f"step {step}"
        assert norm == pytest.approx(expected[step][1], rel=1e-4), f"step {step}"


def _largest_difference(run: Run, other: Run) -> float:
    found, expected = (load_file(one.model / "model.safetensors") for one in (run, other))
    return max(float((found[name] - expected[name]).abs().max()) for name in expected)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Losses]:
    run = create_toy(tmp_path_factory.mktemp("one"), **SMALL)
    return run, _losses(run)


@pytest.mark.slow
def test_two_processes_train_as_one_does(one: tuple[Run, Losses], tmp_path: Path) -> None:
    run = create_toy(tmp_path, nproc=2, **SMALL)
    losses = _losses(run)
    assert list(losses) == list(one[1]) == list(range(1, 11))
    _same(losses, one[1])
    assert _largest_difference(run, one[0]) < 1e-5
    result, alone = run.record().result, one[0].record().result
    assert result is not None
    assert alone is not None
    assert result.valid_loss_after == pytest.approx(alone.valid_loss_after, rel=1e-5)
    assert result.tokens_by_author == alone.tokens_by_author
    assert "2 processes" in (result.device or "")
    assert "process" not in (alone.device or "")
    assert not list(run.folder.glob("ranks-*"))


@pytest.mark.slow
def test_two_processes_hold_the_same_base_in_4_bits(tmp_path: Path) -> None:
    torch.manual_seed(0)
    base = folder_of(small("llama", 2).to(torch.bfloat16), tmp_path / "base")
    settings = {**SMALL, "base": base, "four_bit": True, "arithmetic": "float32", "lora_rank": 8}
    one = create_toy(tmp_path / "one", **settings)
    expected, two = _losses(one), create_toy(tmp_path / "two", nproc=2, **settings)
    found = _losses(two)
    assert list(found) == list(range(1, 11))
    _same(found, expected)
    assert _largest_difference(two, one) < 1e-2  # of weights near 1, in bfloat16


@pytest.mark.slow
def test_rank_0_is_killed_and_one_process_goes_on_where_two_were(
    one: tuple[Run, Losses], tmp_path: Path
) -> None:
    run = create_toy(tmp_path, nproc=2, checkpoint_seconds=0.0, **SMALL)
    losses = _losses(run, dies_at=DIES_AT)
    assert checkpoint_folders(run.checkpoints)
    assert list(losses) == list(range(1, DIES_AT))
    assert _gone(_workers(run))
    edit_record(run, settings=run.record().settings | {"nproc": 1})
    losses |= _losses(run, resume=True)
    assert list(losses) == list(range(1, 11))
    _same(losses, one[1])
    assert _largest_difference(run, one[0]) < 1e-5


def test_a_stop_ends_all_and_so_does_the_death_of_one(tmp_path: Path) -> None:
    run = start_toy(tmp_path, nproc=2, epochs=500)
    follow(run, until=lambda records: any(r["kind"] == "train" for r in records))
    workers = _workers(run)
    assert len(workers) == 1
    stop_run(run)
    records, state = follow(run)
    assert state == "stopped", run.log.read_text()
    assert (run.model / "model.safetensors").is_file()
    (kept,) = checkpoint_folders(run.checkpoints)
    assert _gone(workers)

    resume_run(run)
    new = len(records)
    follow(run, until=lambda records: any(r["kind"] == "train" for r in records[new:]))
    (worker,) = _workers(run)
    os.kill(worker, signal.SIGKILL)
    records, state = follow(run)
    assert state == "failed"
    assert "Rank 1 was ended by signal 9." in records[-1]["reason"]
    assert f"mynah resume {run.id}" in records[-1]["reason"]
    assert kept in checkpoint_folders(run.checkpoints)
    assert not list(run.folder.glob("ranks-*"))


@pytest.mark.slow
def test_torchrun_starts_a_run_on_two_machines_that_share_its_folder(tmp_path: Path) -> None:
    run = prepare_toy(tmp_path, epochs=100_000, minutes=0.02)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    printed = [tmp_path / f"agent{number}" for number in range(2)]
    agents = [forks.Process(target=_torchrun, args=(run.folder, port, file)) for file in printed]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join(120)
    assert [agent.exitcode for agent in agents] == [0, 0], [file.read_text() for file in printed]
    result = run.record().result
    assert result is not None
    assert result.state == "finished", result.reason
    decisions = run.record().decisions
    assert decisions is not None
    assert 0 < (result.steps or 0) < decisions.steps
    assert decisions.processes == 2
    assert "2 processes" in (result.device or "")


def test_what_cannot_be_shared_is_refused(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    with pytest.raises(WrongUsage, match="one block"):
        settings_for("classic", "scratch", nproc=2)
    with pytest.raises(InputRefused, match=f"--nproc {usable_cores()}"):
        check_processes(usable_cores() + 1, torch.device("cpu"))
    home = shutil.copytree(home_with_samples(tmp_path_factory), tmp_path / "home")
    asked = ("train", "keeper_of_the_light", "--base", "scratch", "--device", "cpu")
    refused = mynah(*asked, "--nproc", "1000", home=home, code=3)
    assert "1000 processes cannot train here" in refused.err
    ready = mynah(*asked, "--nproc", "1000", "--torchrun", "--json", home=home)
    assert "--nproc-per-node 1000" in ready.err
    assert ready.json()["state"] == "stopped"
