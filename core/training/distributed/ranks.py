"""What a training asks of the processes that share its steps; here: that there is only one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch

from core.training.data import Row
from core.training.device import device_name

if TYPE_CHECKING:
    from core.runs.folder import Run
    from core.training.distributed.begin import Begin


class Step(NamedTuple):
    """The rows of one step, of all ranks, and its learning rate."""

    rows: list[Row]
    rate: float


class Ranks:
    """A run of one process, which exchanges nothing."""

    rank = 0
    size = 1
    local_size = 1
    """Processes on this machine."""

    def __enter__(self) -> Ranks:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def start(self, run: Run, device: torch.device) -> None:
        """Starts the other processes of this machine, which then load the base beside this one.

        Raises InputRefused where they could not share a run on ``device``.
        """

    def begin(self, begin: Begin, weights: list[torch.Tensor]) -> None:
        """Waits until all are there, and gives them what learns; raises MynahError."""

    def step(self, rows: list[Row], rate: float) -> None:
        """All make this step; raises MynahError when one of them is gone."""

    def end(self) -> None:
        """There are no more steps: the others leave."""

    def share(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Those of a step's rows that this process computes."""
        return rows

    def sum(self, weights: list[torch.Tensor], loss: torch.Tensor) -> torch.Tensor:
        """Adds the gradients of all ranks up, in place; returns the sum of their losses."""
        return loss

    def named(self, device: torch.device) -> str:
        """For people: ``NVIDIA H200``, ``2 processes, each cpu (1 thread)``."""
        name = device_name(device)
        return name if self.size == 1 else f"{self.size} processes, each {name}"
