"""A run that is killed at any moment, and taken up again, ends with the same numbers to the bit."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy_runs import create_toy, lines_of, train_here

from core.runs.folder import Run
from core.runs.record import Result

ASKED: dict[str, Any] = {
    "max_steps": 5,
    "batch_tokens": 128,
    "eval_tokens": 64,
}

# Where the process dies: what is called there, and at which of its calls.
POINTS = {
    "start-up, before the tweets are read": ("core.training.setup.RunTweets.__init__", 1),
    "start-up, before the plan is written down": ("core.runs.folder.Run.update_record", 1),
    "the first measurement": ("core.training.evaluate.HeldOut.measure", 1),
    "the first step": ("core.training.step.BatchStep._gradient", 1),
    "a step, before its update": ("torch.nn.utils.clip_grad_norm_", 3),
    "a step, after its update": ("torch.optim.Optimizer.zero_grad", 3),
    "an evaluation": ("core.training.evaluate.HeldOut.measure", 4),
    "a checkpoint, its weights written": ("torch.save", 3),
    "a checkpoint, before it appears": ("core.files.force_to_disk", 9),
    "the final save": ("core.training.finish.save_files", 1),
    "the end, before it is written down": ("core.runs.events.Journal.end", 1),
}

forks = multiprocessing.get_context("forkserver")
# all that a process imports on its way, the last two when it takes its first step
forks.set_forkserver_preload(
    ["toy_runs", "core.training.finish", "transformers.models.llama.modeling_llama",
     "torch._dynamo", "torch.utils._sympy.functions"]
)  # fmt: skip


def _die_at(name: str, call: int) -> None:
    """The process kills itself at that call of what ``name`` stands for."""
    import pkgutil

    owner_name, _, attribute = name.rpartition(".")
    owner = pkgutil.resolve_name(owner_name)
    real: Callable[..., Any] = getattr(owner, attribute)
    left = call

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(owner, attribute, counted)


def _train(folder: Path, point: tuple[str, int] | None, resume: bool) -> None:
    import torch

    from core.training import fit, setup

    torch.set_num_threads(1)
    setup.GLIMPSE_TOKENS = 2  # type: ignore[misc] - what it writes meanwhile is not looked at
    fit._Every.now = lambda _: True  # after each step a line, a checkpoint and a measurement
    if point is not None:
        _die_at(*point)
    train_here(Run(folder), resume=resume)


def _in_a_process(run: Run, point: tuple[str, int] | None = None, *, resume: bool = False) -> int:
    process = forks.Process(target=_train, args=(run.folder, point, resume))
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def _outcome(run: Run) -> tuple[dict[str, Any], bytes]:
    """The last word on each step and measurement, and the model's file."""
    last: dict[str, Any] = {}
    for line in lines_of(run):
        if line["kind"] == "train":
            last[f"step {line['step']}"] = line["loss"], line["grad_norm"], line["lr"]
        elif line["kind"] == "eval":
            last[f"{line['phase']} {line['step']}"] = line["valid_loss"]
    result = run.record().result
    assert isinstance(result, Result)
    assert result.state == "finished", result.reason
    last["end"] = result.steps, result.tokens, result.valid_loss_after, result.best_step
    return last, (run.model / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], bytes]:
    run = create_toy(tmp_path_factory.mktemp("undisturbed"), **ASKED)
    assert _in_a_process(run) == 0
    return _outcome(run)


@pytest.mark.slow
@pytest.mark.parametrize("where", POINTS)
def test_killed_there_and_taken_up_again(
    where: str, undisturbed: tuple[dict[str, Any], bytes], tmp_path: Path
) -> None:
    run = create_toy(tmp_path, **ASKED)
    assert _in_a_process(run, POINTS[where]) == -signal.SIGKILL
    assert run.record().state not in ("finished", "stopped", "failed")
    assert _in_a_process(run, resume=True) == 0
    losses, weights = _outcome(run)
    assert losses == undisturbed[0]
    assert weights == undisturbed[1]
