"""What a run decides at its first start, and one that resumes it uses again: device, arithmetic,
threads, batch size, steps."""

from __future__ import annotations

from typing import Final

import torch

from core.runs.events import Journal
from core.runs.record import Decisions
from core.runs.settings import TrainSettings
from core.training import device as devices
from core.training.distributed.ranks import Ranks
from core.training.evaluate import affordable_tokens, tokens_within
from core.training.loss import Scorer
from core.training.tweets import RunTweets

# A run on a GPU takes so many steps at least, so that small accounts get enough of them.
STEPS_WANTED: Final = 150
LARGEST_BATCH: Final = 4096
CPU_BATCH: Final = 256


def device_of(settings: TrainSettings, before: Decisions | None, journal: Journal) -> torch.device:
    """The device as before, if that is there still."""
    device: torch.device
    if before is None:
        device = devices.choose_device(settings.device)
        return device
    if before.device in devices.devices_here():
        return torch.device(before.device)
    device = devices.choose_device("auto")
    journal.warning(
        f"The run began on {before.device}, which is not here now; it goes on on {device.type}."
    )
    return device


def arithmetic_of(
    device: torch.device, before: Decisions | None, settings: TrainSettings
) -> torch.dtype:
    """The type to multiply in: the settings', or as before, where the device is; it may be
    measured else.
    """
    dtype: torch.dtype
    if settings.arithmetic == "float32":
        dtype = torch.float32
    elif before is not None and before.device == device.type:
        dtype = getattr(torch, before.arithmetic)
    else:
        dtype = devices.arithmetic(device)
    return dtype


def threads_of(
    device: torch.device, before: Decisions | None, journal: Journal, ranks: Ranks
) -> int | None:
    """PyTorch's threads on a CPU: as before, if there are still as many cores for each process."""
    if device.type != "cpu":
        return None
    cores = devices.cores_of_each(ranks.local_size)
    if before is None or before.threads is None or before.processes != ranks.size:
        return cores
    if before.threads == cores:
        return cores
    if before.threads < cores:
        return before.threads
    journal.warning(f"The run began with {before.threads} threads; there are {cores} cores now.")
    return cores


def decide(
    before: Decisions | None,
    settings: TrainSettings,
    data: RunTweets,
    device: torch.device,
    dtype: torch.dtype,
    threads: int | None,
    parameters: int,
    score: Scorer,
    processes: int = 1,
) -> Decisions:
    arithmetic = str(dtype).removeprefix("torch.")
    if before is not None:
        # the batches stay as they were whatever the device, or the position in them means nothing
        batch_tokens, eval_tokens = before.batch_tokens, before.eval_tokens
        steps, steps_a_round = before.steps, before.steps_a_round
        steps = min(steps, settings.max_steps or steps)
    else:
        batch_tokens = settings.batch_tokens or _batch_tokens(
            device.type, data.epoch_tokens, settings
        )
        eval_tokens = settings.eval_tokens or affordable_tokens(parameters, device.type)
        if settings.minutes is not None and not settings.eval_tokens:
            rows = [row for tweet in data.valid.rows for row in tweet]
            with devices.in_arithmetic(device, dtype):
                most = tokens_within(settings.minutes, score, rows, device)
            eval_tokens = min(eval_tokens, most)
        steps_a_round = len(data.plan(batch_tokens).batches(0, data.order(0)))
        steps = max(1, round(settings.epochs * steps_a_round / data.epochs_a_round))
        steps = min(steps, settings.max_steps or steps)
    return Decisions(
        device=device.type,
        arithmetic=arithmetic,
        threads=threads,
        batch_tokens=batch_tokens,
        row_tokens=data.row_tokens,
        eval_tokens=eval_tokens,
        steps=steps,
        steps_a_round=steps_a_round,
        processes=processes,
    )


def _batch_tokens(device_type: str, epoch_tokens: int, settings: TrainSettings) -> int:
    """On a CPU small steps teach most for the time; a GPU wants large ones, but enough of them."""
    if device_type == "cpu":
        return CPU_BATCH
    wanted = int(settings.epochs * epoch_tokens / STEPS_WANTED)
    return min(max(wanted, CPU_BATCH), LARGEST_BATCH)
