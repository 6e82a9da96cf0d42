"""Running out of memory: which errors say so, in how many parts to go on, and the sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import torch

from core.errors import MynahError
from core.training.data import Row

if TYPE_CHECKING:
    from core.runs.events import Journal

# What RuntimeErrors say that mean it: PyTorch's allocator on a CPU, C++, Apple's GPU, CUDA's
# libraries, oneDNN.
_SIGNS: Final = (
    "can't allocate memory",
    "bad_alloc",
    "out of memory",
    "not enough memory",
    "_alloc_failed",
    "could not create a memory object",
)


class TooLittleMemory(MynahError):
    """The run cannot go on in the memory that there is; the weights that it has are good."""


def out_of_memory(error: BaseException | None) -> bool:
    """Whether ``error``, or what it was raised from, says that an allocation failed."""
    while error is not None:
        if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
            return True
        if isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS):
            return True
        error = error.__cause__
    return False


def too_little(device_type: str, why: str) -> TooLittleMemory:
    """The error for a device of that kind."""
    where, otherwise = {
        "cpu": ("This machine", "end other programs"),
    }.get(device_type, ("The device", "use --device cpu"))
    return TooLittleMemory(
        f"{where} has too little memory for this base.",
        why,
        f"Use a smaller base or the preset fast (LoRA), or {otherwise}.",
    )


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """What fails for want of memory in the block, while ``doing``, raises TooLittleMemory."""
    try:
        yield
    except TooLittleMemory:
        raise
    except Exception as error:
        if not out_of_memory(error):
            raise
        on_gpu = isinstance(error, torch.OutOfMemoryError)
        raise too_little("gpu" if on_gpu else "cpu", f"It ran out while {doing}.") from error


@contextmanager
def dispensable(journal: Journal, what: str) -> Iterator[None]:
    """A block for ``what``, without which the run goes on, with a warning, where memory ends."""
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        journal.warning(f"There was too little memory for {what}. The run goes on without.")


def more_parts(error: Exception, parts: int, batch: Sequence[Row], device: torch.device) -> int:
    """In how many parts to take a batch that did not fit in so many ``parts``.

    Raises ``error`` when it says something else, and TooLittleMemory when each row was a part.
    """
    if not out_of_memory(error):
        raise error
    if parts >= len(batch):
        longest = max(len(row) - 1 for row in batch)
        raise too_little(device.type, f"Not even one row of {longest} tokens fits.") from error
    print(  # noqa: T201 - the log of the training process
        f"out of memory: batches are taken in {2 * parts} parts now", file=sys.stderr
    )
    return 2 * parts


def release(device: torch.device) -> None:
    """Gives what PyTorch keeps for later back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
