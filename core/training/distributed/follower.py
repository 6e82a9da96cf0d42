"""Every rank of a run but the first: it waits for what rank 0 says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import torch
import torch.distributed as dist

from core.training.distributed.begin import Begin
from core.training.distributed.group import END, Group, failed_key, here_key
from core.training.distributed.ranks import Step

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store


class LeaderGone(Exception):
    """Rank 0 has ended, or cannot be reached."""


class Follower(Group):
    """Every rank but 0; ``store`` is where the ranks meet."""

    def __init__(
        self, rank: int, size: int, store: Store, *, local_rank: int, local_size: int
    ) -> None:
        super().__init__(rank, size, local_size)
        self.local_rank = local_rank
        self._store: Store = store

    def join(self) -> Begin:
        """Waits for rank 0 to begin; raises LeaderGone."""
        with self._exchange():
            self._store.set(here_key(self.rank), "here")
            self._join(self._store)
            _, size, _, _ = self._head()
            message = torch.empty(int(size), dtype=torch.uint8)
            dist.broadcast(message, src=0)
        return msgspec.json.decode(bytes(message.tolist()), type=Begin)

    def sum_on(self, device: torch.device) -> None:
        """Gradients lie on ``device``; called before anything that may fail on this rank alone."""
        with self._exchange():
            self._sum_on(device)

    def take(self, weights: list[torch.Tensor]) -> None:
        """Rank 0's values of what learns."""
        self._give(weights)

    def steps(self) -> Iterator[Step]:
        """Each step as rank 0 begins it; raises LeaderGone."""
        while True:
            with self._exchange():
                what, rows, size, rate = self._head()
                if what == END:
                    break
                content = torch.empty(int(size), dtype=torch.int32)
                dist.broadcast(content, src=0)
            numbers = content.tolist()
            lengths, at = numbers[: int(rows)], int(rows)
            found = []
            for length in lengths:
                found.append(numbers[at : at + length])
                at += length
            yield Step(found, rate)
        dist.destroy_process_group()

    def fail(self, reason: str) -> None:
        """Leaves word for rank 0."""
        with suppress(RuntimeError):
            self._store.set(failed_key(self.rank), reason)

    def _lost(self, error: RuntimeError) -> LeaderGone:
        return LeaderGone(str(error))
