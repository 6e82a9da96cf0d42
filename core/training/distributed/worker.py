"""A rank that follows: it computes its share of each step, and writes nothing but the log.

    python core/children/launch.py core.training.distributed.worker RUN_FOLDER RANK SIZE STORE

is started by rank 0, whose end is the end of its stdin; `core.training.distributed.torchrun` starts
one on other machines.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from pathlib import Path

import torch

import core
from core.errors import InputRefused, MynahError, kind_and_line
from core.models import scratch
from core.models.load import load_model, quiet
from core.models.prepare import prepare as prepare_base
from core.runs.folder import Run, base_of
from core.training import device as devices
from core.training.adapter import base_model, learner_of, recompute_layers
from core.training.checkpoint import load_checkpoint
from core.training.distributed.follower import Follower, LeaderGone
from core.training.distributed.group import (
    LEADER_GONE_CODE,
    frozen_sum,
    meeting_place,
    on_this_machine,
    same_sum,
)
from core.training.step import BatchStep


def work(run: Run, ranks: Follower) -> int:
    """Follows rank 0 until it has no more steps; returns the exit code of the process."""
    try:
        follow(run, ranks)
    except LeaderGone as error:
        print(f"rank {ranks.rank} ends: rank 0 is gone ({error})", file=sys.stderr)  # noqa: T201
        return LEADER_GONE_CODE
    except MynahError as error:
        ranks.fail(str(error))
        print(f"rank {ranks.rank}: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except BaseException as error:
        ranks.fail(kind_and_line(error))
        traceback.print_exc()
        return 1
    return 0


def follow(run: Run, ranks: Follower) -> None:
    """Makes the same model as rank 0 and the same updates; raises LeaderGone, MynahError."""
    record = run.record()
    settings = record.train_settings
    if settings is None:
        raise InputRefused("The settings of this run cannot be read.")
    quiet()
    threads = devices.cores_of_each(ranks.local_size)
    torch.set_num_threads(threads)
    folder = prepare_base(base_of(run, record))
    # while rank 0 loads it; a base in 4 bits is packed on the device that rank 0 decides on
    loaded = load_model(folder) if folder and not settings.four_bit else None
    begin = ranks.join()
    decisions = begin.decisions
    dtype = getattr(torch, decisions.arithmetic)
    device = torch.device(decisions.device)
    if device.type == "cuda":
        device = torch.device("cuda", ranks.local_rank)
        torch.cuda.set_device(device)
    devices.set_up(device, threads, exact=settings.arithmetic == "float32")
    ranks.sum_on(device)
    if begin.version != core.__version__:
        raise InputRefused(
            f"This machine has mynah {core.__version__}, and rank 0 {begin.version}.",
            "They may not compute the same.",
            "Install the same version on all machines.",
        )
    if folder and loaded is None:
        loaded = base_model(folder, settings, device=device, dtype=dtype)
    model, stored = loaded or (
        scratch.model_of(settings.base, begin.vocabulary, begin.separator),
        torch.float32,
    )
    learner = learner_of(model, stored, settings, device=device, dtype=dtype)
    if learner.parameters != begin.parameters or not same_sum(frozen_sum(model), begin.frozen_sum):
        raise InputRefused(
            f"The base {settings.base} is not the same as that of rank 0.",
            "The weights that do not learn differ.",
            "Copy the base's folder, and give it with --base.",
        )
    if begin.checkpoint:
        load_checkpoint(run.checkpoints / begin.checkpoint, model, learner.optimizer)
    ranks.take(learner.weights)
    if decisions.recompute:
        recompute_layers(model)
    take_step = BatchStep(
        learner.score,
        learner.optimizer,
        learner.weights,
        clip=settings.clip,
        device=device,
        dtype=dtype,
        batch_tokens=decisions.batch_tokens,
        ranks=ranks,
        recompute=lambda: recompute_layers(model),
    )
    for step in ranks.steps():
        for group in learner.optimizer.param_groups:
            group["lr"] = step.rate
        take_step(step.rows)


def main() -> int:
    folder, rank, size, store = sys.argv[1:5]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 decides
    threading.Thread(target=_leave_with_leader, name="leader", daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(max(0, 5 - os.nice(0)))  # as its leader, from which it may have it already
    on_this_machine()
    ranks = Follower(
        int(rank), int(size), meeting_place(Path(store)), local_rank=int(rank), local_size=int(size)
    )
    return work(Run(Path(folder)), ranks)


def _leave_with_leader() -> None:
    """Stdin is a pipe that rank 0 holds open while it lives, and nobody writes to."""
    os.read(0, 1)
    os._exit(LEADER_GONE_CODE)


if __name__ == "__main__":
    sys.exit(main())
