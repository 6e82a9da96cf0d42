"""How much memory a run will need, before it starts, and whether the machine has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused
from core.models.catalogue import Base
from core.models.four_bit import BYTES_A_WEIGHT
from core.models.shape import Shape, shape_of
from core.processes import Memory, machine_memory
from core.runs.system import has_nvidia_gpu

if TYPE_CHECKING:
    from core.runs.settings import TrainSettings

# Tokens of a step at most, where the settings leave that open.
CPU_BATCH: Final = 256
GPU_BATCH: Final = 4096
# Tokens of a measurement's batches at least.
EVAL_BATCH: Final = 1024
# Bytes of logits that are in memory at once, by the kind of device; others: as the CPU.
LOGITS: Final = {"cpu": 64 << 20, "cuda": 1 << 30}
# An estimate may be wrong by so much: what needs more than that beyond what there is is refused.
SURE: Final = 1.2

NEXT_STEP: Final = (
    "Use a smaller base or the preset fast (LoRA), or add --now to try in spite of that."
)
_IN_FOUR_BITS: Final = (
    "Hold the base in 4 bits (--4bit), which would fit, use a smaller base, or add --now to try in "
    "spite of that."
)

# A process with PyTorch and transformers imported, before it has a model.
_IDLE: Final = 430_000_000
# What a run brings besides: code of the model, tokenizer, tweets, buffers of the products.
_BESIDES: Final = 50_000_000
# bitsandbytes, and the compiler of PyTorch that it imports.
_PACKING: Final = 50_000_000
_FLOAT: Final = 4


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes at the peak of a run.

    weights         those of the model, and adapters
    learning        gradient, AdamW's two moments and the best weights so far, of what learns
    activations     what a step keeps for its backward pass; ``recomputed``: where it keeps the
                    input of each layer only, and computes the rest again
    head            logits of a part of the positions, and the gradient of the head; or a layer that
                    is unpacked, which is at another time
    besides         of the process itself; on a GPU none of it is there
    """

    weights: int
    learning: int
    activations: int
    recomputed: int
    head: int
    besides: int

    def total(self, *, recompute: bool = False) -> int:
        activations = self.recomputed if recompute else self.activations
        return self.weights + self.learning + activations + self.head + self.besides

    @property
    def over_idle(self) -> int:
        """`total` beyond what a process has that has only imported the libraries."""
        return self.total() - (_IDLE if self.besides else 0)


def memory_needed(
    shape: Shape,
    settings: TrainSettings,
    *,
    device: str = "cpu",
    batch_tokens: int | None = None,
    short: bool = False,
) -> MemoryNeed:
    """What fine-tuning a base of that shape takes at its peak, in each process.

    ``batch_tokens``: as decided; None: what would be. ``short``: products in bfloat16.
    """
    lora = settings.method == "lora"
    hidden, keys, inner = shape.hidden, shape.keys, shape.inner
    # below the lowest adapter nothing is kept: no gradient goes there
    layers = settings.adapted_layers(shape.layers) if lora else shape.layers
    trained = shape.adapter_parameters(settings.lora_rank, layers) if lora else shape.parameters
    width = 2 if short else _FLOAT
    packed = shape.matrix_parameters if settings.four_bit else 0
    resting = (shape.parameters - packed) * (width if lora else _FLOAT)
    resting += round(packed * BYTES_A_WEIGHT)
    if short and not lora:
        resting += shape.parameters * width  # autocast's copy
    kept = 1 if settings.keep_best or settings.max_memorised is not None else 0
    # numbers that autograd keeps of each position and layer, counted with its hooks
    if shape.gated:
        numbers = (6 if lora else 8) * hidden + 2 * keys + 4 * inner
        numbers += 7 * settings.lora_rank if lora else 0
    else:
        numbers = 6 * hidden + 2 * keys + 2 * inner + (4 * settings.lora_rank if lora else 0)
    tokens = batch_tokens or settings.batch_tokens or (CPU_BATCH if device == "cpu" else GPU_BATCH)
    if settings.packing == "blocks":
        tokens = settings.row_tokens
    tokens = max(1, tokens // settings.nproc)
    matrix = shape.vocabulary * hidden * _FLOAT
    logits = LOGITS.get(device, LOGITS["cpu"])
    measured = 2 * min(logits, EVAL_BATCH * shape.vocabulary * _FLOAT)
    learned = min(logits, tokens * shape.vocabulary * _FLOAT) + (0 if lora else 2 * matrix)
    # the largest matrix is unpacked for its products, and for a moment in two types
    unpacked = hidden * inner * (width + _FLOAT) if settings.four_bit else 0
    return MemoryNeed(
        weights=resting + (trained * _FLOAT if lora else 0),
        learning=trained * _FLOAT * (3 + kept),
        activations=tokens * layers * numbers * width,
        recomputed=tokens * (layers * hidden + numbers) * width,
        head=max(measured, learned, unpacked),
        besides=0
        if device == "cuda"
        else _IDLE + _BESIDES + (_PACKING if settings.four_bit else 0),
    )


def wants_recomputing(need: MemoryNeed, free: int) -> bool:
    """Whether the activations do not fit, but all else does."""
    return need.total() > free >= need.total(recompute=True)


def check_memory(
    need: MemoryNeed, there: int, *, where: str, next_step: str, processes: int = 1
) -> None:
    """Raises InputRefused where each of the ``processes`` of a run needs clearly more than the
    bytes that are ``there`` for it.
    """
    least = need.total(recompute=True)
    if least > SURE * there:
        all_, found = in_gb(least * processes), in_gb(there * processes)
        weights, learning = in_gb(need.weights * processes), in_gb(need.learning * processes)
        of = f" in {processes} processes" if processes > 1 else ""
        raise InputRefused(
            f"This run needs about {all_} of memory{of}, and {where} has {found}.",
            f"{weights} for the weights and {learning} for learning them.",
            next_step,
        )


def estimated(base: Base, settings: TrainSettings) -> int | None:
    """Bytes, of all processes; None where that is not known yet, and the training process looks."""
    need = _need(base, settings)
    return None if need is None else need.total() * settings.nproc


def check_here(base: Base, settings: TrainSettings) -> None:
    """Raises InputRefused where this machine never has what a run needs."""
    need = _need(base, settings)
    if need is not None:
        total = machine_memory().total // settings.nproc
        check_memory(
            need,
            total,
            where="this machine",
            next_step=next_step(settings, total, lambda other: _need(base, other)),
            processes=settings.nproc,
        )


def next_step(
    settings: TrainSettings, there: int, need_of: Callable[[TrainSettings], MemoryNeed | None]
) -> str:
    """What to do where a run with ``settings`` does not fit in the bytes that are ``there``: 4 bits
    are named where they would fit, and chosen by a person alone, for they change what is learned.
    """
    if settings.method == "lora" and not settings.four_bit:
        smaller = need_of(replace(settings, four_bit=True))
        if smaller is not None and smaller.total(recompute=True) <= there:
            return _IN_FOUR_BITS
    return NEXT_STEP


def _need(base: Base, settings: TrainSettings) -> MemoryNeed | None:
    shape = shape_of(base)
    if shape is None or settings.device == "cuda":
        return None
    if settings.device == "auto" and has_nvidia_gpu():
        return None
    return memory_needed(shape, settings)


def warning(needed: int | None, memory: Memory) -> str:
    """A sentence where a run needs more than is free; empty where it does not."""
    if needed is None or needed <= memory.free:
        return ""
    return (
        f"The run needs about {in_gb(needed)} of memory, and {in_gb(memory.free)} is free: "
        "it may become slow, or be ended by the system. Ending other programs helps."
    )


def in_gb(size: int) -> str:
    """``1.3 GB``"""
    return f"{size / 1e9:.1f} GB"
