"""The processes of one run: messages of rank 0, and the sum of all gradients.

Rank 0 is the process that holds the run's lock, measures, decides and writes. It sends the rows of
each step to the others; each makes the gradient of its share of them, the sum of all is that of one
process, and from there on all make the same update. torch.distributed alone does this: a step is
one message and one sum.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
import torch.distributed as dist

from core.models.four_bit import numbers_of
from core.training.data import Row
from core.training.distributed.ranks import Ranks

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

# Rank 0 may measure for long, or be suspended, before it says what comes next. A process that is
# gone is noticed at once, because its sockets are closed.
_MESSAGE_TIMEOUT: Final = timedelta(days=30)
# All begin a step together: one that has not made its share by then is lost.
_STEP_TIMEOUT: Final = timedelta(minutes=10)
# Gradients are summed in parts, so that few of them are in memory twice.
_PART_NUMBERS: Final = 8 << 20

# Of a frozen weight each number so far apart is summed: all of them take a second of SmolLM2.
_SUMMED: Final = 97
# How far the sums of the same numbers may lie apart on two kinds of processor.
_SAME: Final = 1e-6

# The exit code of a rank that ends because others have: it says nothing about itself.
LEADER_GONE_CODE: Final = 75

BEGIN, STEP, END = range(3)


class Group(Ranks):
    """What leader and followers share: a place to meet, messages, sums."""

    def __init__(self, rank: int, size: int, local_size: int) -> None:
        self.rank, self.size, self.local_size = rank, size, local_size
        self._store: Store | None = None
        self._gradients: dist.ProcessGroup | None = None
        self._device = torch.device("cpu")

    def share(self, rows: Sequence[Row]) -> Sequence[Row]:
        # rows come sorted by length: so each rank has short and long ones
        return rows[self.rank :: self.size]

    def sum(self, weights: list[torch.Tensor], loss: torch.Tensor) -> torch.Tensor:
        total = loss.reshape(1)
        with self._exchange():
            dist.all_reduce(total, group=self._gradients)
        for part in _parts(weights):
            flat = torch.cat([_gradient(weight).reshape(-1) for weight in part])
            with self._exchange():
                dist.all_reduce(flat, group=self._gradients)
            sizes = [weight.numel() for weight in part]
            for weight, summed in zip(part, torch.split(flat, sizes), strict=True):
                weight.grad = summed.view_as(weight)
        return total.reshape(())

    def _join(self, store: Store) -> None:
        dist.init_process_group(
            "gloo", store=store, rank=self.rank, world_size=self.size, timeout=_MESSAGE_TIMEOUT
        )

    def _say(self, what: int, *numbers: float) -> None:
        # float64 has whole numbers to 2^53, and the learning rate to the bit
        head = torch.zeros(4, dtype=torch.float64)
        head[: 1 + len(numbers)] = torch.tensor([what, *numbers], dtype=torch.float64)
        dist.broadcast(head, src=0)

    def _head(self) -> list[float]:
        """What rank 0 said: what, and up to three numbers."""
        head = torch.empty(4, dtype=torch.float64)
        dist.broadcast(head, src=0)
        numbers: list[float] = head.tolist()
        return numbers

    def _sum_on(self, device: torch.device) -> None:
        self._device = device
        self._gradients = dist.new_group(
            backend="nccl" if device.type == "cuda" else "gloo", timeout=_STEP_TIMEOUT
        )

    def _give(self, weights: list[torch.Tensor]) -> None:
        """Rank 0's values of what learns to all."""
        with torch.no_grad(), self._exchange():
            for weight in weights:
                sent = weight.detach().contiguous()
                dist.broadcast(sent, src=0, group=self._gradients)
                weight.copy_(sent)

    @contextmanager
    def _exchange(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # what torch.distributed raises when somebody is gone
            raise self._lost(error) from error

    def _lost(self, error: RuntimeError) -> Exception:
        raise NotImplementedError


def on_this_machine() -> None:
    """The processes meet on the loopback interface: nobody else can reach them there."""
    name = {"linux": "lo", "darwin": "lo0"}.get(sys.platform)
    if name:
        os.environ["GLOO_SOCKET_IFNAME"] = name


def meeting_place(file: Path) -> Store:
    """A store in ``file``, which is made, for processes on one machine."""
    return dist.FileStore(str(file), -1)  # type: ignore[attr-defined]


def frozen_sum(model: torch.nn.Module) -> float:
    """The sum of a part of each weight that does not learn, by which two bases are told apart; of a
    packed one that of its bytes, as shares of 1, and of their scales.
    """
    sums = [
        numbers.flatten()[::_SUMMED].cpu().sum(dtype=torch.float64)
        / (1 if numbers.is_floating_point() else 255)
        for weight in model.parameters()
        if not weight.requires_grad
        for numbers in numbers_of(weight)
    ]
    return float(torch.stack(sums).sum()) if sums else 0.0


def same_sum(one: float, other: float) -> bool:
    """Whether two sums are of the same frozen weights."""
    return abs(one - other) <= _SAME * max(abs(one), abs(other))


def _parts(weights: list[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """``weights`` in groups of about _PART_NUMBERS numbers."""
    part: list[torch.Tensor] = []
    size = 0
    for weight in weights:
        if part and size + weight.numel() > _PART_NUMBERS:
            yield part
            part, size = [], 0
        part.append(weight)
        size += weight.numel()
    yield part


def _gradient(weight: torch.Tensor) -> torch.Tensor:
    """Zeros where this rank had no row of the step."""
    return torch.zeros_like(weight) if weight.grad is None else weight.grad


def here_key(rank: int) -> str:
    return f"here/{rank}"


def failed_key(rank: int) -> str:
    return f"failed/{rank}"
