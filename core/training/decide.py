"""What a run decides at its first start, and one that resumes it uses again: device, arithmetic,
threads, batch size, steps."""

from __future__ import annotations

from typing import Final

import torch

from core.models.shape import Shape
from core.processes import machine_memory
from core.runs.events import Journal
from core.runs.memory import (
    CPU_BATCH,
    GPU_BATCH,
    MemoryNeed,
    check_memory,
    memory_needed,
    next_step,
    wants_recomputing,
)
from core.runs.record import Decisions
from core.runs.settings import TrainSettings
from core.training import device as devices
from core.training.distributed.ranks import Ranks
from core.training.evaluate import affordable_tokens, tokens_within
from core.training.loss import Scorer
from core.training.tweets import RunTweets

# A run on a GPU takes so many steps at least, so that small accounts get enough of them.
STEPS_WANTED: Final = 150


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
    if before.threads <= cores:
        return before.threads
    journal.warning(f"The run began with {before.threads} threads; it goes on with {cores}.")
    return cores


class Room:
    """The memory that a run finds when its turn has come, before it loads a model."""

    def __init__(
        self,
        settings: TrainSettings,
        shape: Shape | None,
        device: torch.device,
        dtype: torch.dtype,
        processes: int = 1,
    ) -> None:
        """``shape`` None: nothing is known of what it will need. ``processes``: of the run, on this
        machine.
        """
        self._settings, self._shape, self._device = settings, shape, device
        self._short = dtype != torch.float32
        if device.type == "cuda":  # each has one of its own
            self._sharing, free = 1, int(torch.cuda.mem_get_info(device)[0])
        else:
            import psutil  # type: ignore[import-untyped,unused-ignore]

            # what this process has already is a part of what it needs
            self._sharing = processes
            free = machine_memory().free + psutil.Process().memory_info().rss
        self.free = free // self._sharing
        """Bytes for each process."""

    def check(self) -> None:
        """Raises InputRefused where not even the least that the run needs is there."""
        need = self._need(self._settings)
        if need is not None:
            where = "this machine" if self._device.type == "cpu" else "the device"
            check_memory(
                need,
                self.free,
                where=f"{where} now",
                next_step=next_step(self._settings, self.free, self._need),
                processes=self._sharing,
            )

    def recompute(self, batch_tokens: int) -> bool:
        """Whether steps of so many tokens fit only if they are computed twice."""
        need = self._need(self._settings, batch_tokens)
        return need is not None and wants_recomputing(need, self.free)

    def _need(self, settings: TrainSettings, batch_tokens: int | None = None) -> MemoryNeed | None:
        if self._shape is None:
            return None
        return memory_needed(
            self._shape,
            settings,
            device=self._device.type,
            batch_tokens=batch_tokens,
            short=self._short,
        )


def decide(
    before: Decisions | None,
    settings: TrainSettings,
    data: RunTweets,
    device: torch.device,
    dtype: torch.dtype,
    threads: int | None,
    parameters: int,
    score: Scorer,
    room: Room,
    processes: int,
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
        recompute=(before is not None and before.recompute) or room.recompute(batch_tokens),
    )


def _batch_tokens(device_type: str, epoch_tokens: int, settings: TrainSettings) -> int:
    """On a CPU small steps teach most for the time; a GPU wants large ones, but enough of them."""
    if device_type == "cpu":
        return CPU_BATCH
    wanted = int(settings.epochs * epoch_tokens / STEPS_WANTED)
    return min(max(wanted, CPU_BATCH), GPU_BATCH)
