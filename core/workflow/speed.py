"""How many tokens a second a base learns on this machine, measured for about a second.

Runs as a child (``core.runs.advise.measure_speed``): PRESET BASE DEVICE are its arguments, and one
JSON object on stdout is its answer.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Final

from core.errors import MynahError
from core.runs.memory import CPU_BATCH, GPU_BATCH
from core.runs.settings import TrainSettings, settings_for

# Steps are measured for so long; of a slow machine it is one.
_SECONDS: Final = 1.0
# Lengths of English tweets in tokens, end mark included: batches of them have the usual padding.
_LENGTHS: Final = (8, 14, 18, 22, 26, 30, 34, 40, 48, 60)


@dataclass(frozen=True)
class Speed:
    """``share`` is the part of the processor's time that the steps got: 1 on an idle machine."""

    tokens_per_second: float
    share: float


def measure(settings: TrainSettings) -> Speed:
    """The speed of training steps as ``settings`` would make them.

    Raises MynahError for a base that cannot be loaded, or that there is no memory for.
    """
    import torch

    from core.models import scratch
    from core.models.catalogue import resolve
    from core.models.load import context_of, quiet
    from core.models.prepare import prepare
    from core.models.shape import shape_of
    from core.training import device as devices
    from core.training.adapter import base_model, learner_of
    from core.training.data import rows_within
    from core.training.decide import Room, arithmetic_of
    from core.training.step import BatchStep

    quiet()
    device = devices.choose_device(settings.device)
    dtype = arithmetic_of(device, None, settings)
    devices.set_up(device, devices.cores_of_each(1) if device.type == "cpu" else None)
    base = resolve(settings.base)
    folder = prepare(base)
    Room(settings, shape_of(replace(base, folder=folder)), device, dtype).check()
    if folder is None:
        model = scratch.model_of(settings.base, scratch.VOCABULARY, 0)
        stored = torch.float32
    else:
        model, stored = base_model(folder, settings, device=device, dtype=dtype)
    learner = learner_of(model, stored, settings, device=device, dtype=dtype)
    batch_tokens = settings.batch_tokens or (CPU_BATCH if device.type == "cpu" else GPU_BATCH)
    step = BatchStep(
        learner.score,
        learner.optimizer,
        learner.weights,
        clip=settings.clip,
        device=device,
        dtype=dtype,
        batch_tokens=batch_tokens,
    )
    if settings.packing == "blocks":  # a block a step, of one text
        context = context_of(folder) if folder else scratch.CONTEXT
        block = rows_within(context, settings.row_tokens)
        batch = _batch(block, int(model.config.vocab_size), lengths=(block,))
    else:
        batch = _batch(batch_tokens, int(model.config.vocab_size))
    tokens = sum(len(row) - 1 for row in batch)
    step(batch)[0].item()  # the first one makes room, and does not count
    began, worked, steps = time.monotonic(), time.process_time(), 0
    while steps == 0 or time.monotonic() - began < _SECONDS:
        step(batch)[0].item()  # waits for the device
        steps += 1
    took = time.monotonic() - began
    threads = torch.get_num_threads() if device.type == "cpu" else 1
    return Speed(steps * tokens / took, (time.process_time() - worked) / (took * threads))


def _batch(
    batch_tokens: int, vocabulary: int, *, lengths: tuple[int, ...] = _LENGTHS
) -> list[list[int]]:
    """Rows of any tokens that with their padding fit a step."""
    rng = random.Random(1)  # noqa: S311 - no secret
    rows: list[list[int]] = []
    for length in sorted(lengths * (1 + batch_tokens // sum(lengths))):
        if rows and (len(rows) + 1) * length > batch_tokens:
            break
        rows.append([rng.randrange(vocabulary) for _ in range(length + 1)])
    return rows


def main() -> int:
    preset, base, device = sys.argv[1:4]
    with suppress(AttributeError, OSError):  # not on Windows
        os.nice(10)  # whoever else wants the processor goes first
    try:
        speed = measure(settings_for(preset, base, device=device))
    except MynahError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(asdict(speed)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
