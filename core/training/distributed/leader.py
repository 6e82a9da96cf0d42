"""Rank 0 of a run: it starts the other processes, tells them what to do, and ends them."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING, Final

import msgspec
import torch
import torch.distributed as dist

from core.children.start import Child, start_child
from core.errors import InputRefused, MynahError, first_line
from core.runs.folder import Run
from core.training.data import Row
from core.training.device import check_processes
from core.training.distributed.begin import Begin
from core.training.distributed.group import (
    BEGIN,
    END,
    LEADER_GONE_CODE,
    STEP,
    Group,
    failed_key,
    here_key,
    meeting_place,
    on_this_machine,
)
from core.training.distributed.ranks import Ranks

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

# Python, PyTorch, a base that is downloaded to each machine.
_START_SECONDS: Final = 1800.0
# For the others, once there is nothing left to do.
_LEAVE_SECONDS: Final = 5.0
# Between two looks at whether all processes live.
_LOOK_SECONDS: Final = 0.5
# How long the last words of a rank may take to arrive after its sockets are closed.
_REASON_SECONDS: Final = 2.0


class Leader(Group):
    """Rank 0.

    ``store``: where the ranks meet if somebody else has started them; None: this process starts
    them, all on this machine. A context: whatever ends it ends the other processes, too.
    """

    def __init__(
        self, size: int, *, local_size: int | None = None, store: Store | None = None
    ) -> None:
        super().__init__(0, size, local_size or size)
        self._store = store
        self._children: list[Child] = []
        self._file: Path | None = None
        self._lifeline: int | None = None
        self._run_id = ""
        self._over = threading.Event()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._lifeline is not None:
            os.close(self._lifeline)  # those that still go on leave
            self._lifeline = None
        for child in self._children:
            try:
                child.wait(_LEAVE_SECONDS)
            except TimeoutExpired:
                child.kill()
        self._children.clear()
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def start(self, run: Run, device: torch.device) -> None:
        if device.type != "cpu":  # processes that share a core are slow, no more
            check_processes(self.local_size, device)
        settings = run.record().train_settings
        if settings is not None and settings.packing == "blocks":
            raise InputRefused(
                f"{self.size} processes cannot share this run.",
                "Each of its steps is one block of text, which only one of them could learn from.",
                "Use the preset fast or quality, or one process.",
            )
        self._run_id = run.id
        if self._store is not None:
            return
        for left in run.folder.glob("ranks-*"):  # of a process that was killed
            left.unlink(missing_ok=True)
        self._file = run.folder / f"ranks-{token_hex(4)}"
        on_this_machine()
        self._store = meeting_place(self._file)
        ears, self._lifeline = os.pipe()
        with run.log.open("ab") as log:
            for rank in range(1, self.size):
                child = start_child(
                    "core.training.distributed.worker",
                    str(run.folder),
                    str(rank),
                    str(self.size),
                    str(self._file),
                    environment=os.environ,
                    files=(ears, log.fileno(), log.fileno()),
                    folder=run.folder,
                )
                self._children.append(child)
        os.close(ears)

    def begin(self, begin: Begin, weights: list[torch.Tensor]) -> None:
        assert self._store is not None  # noqa: S101 - `start` comes first
        self._wait_for_all(self._store)
        with self._exchange():
            self._join(self._store)
            message = torch.frombuffer(bytearray(msgspec.json.encode(begin)), dtype=torch.uint8)
            self._say(BEGIN, len(message))
            dist.broadcast(message, src=0)
            self._sum_on(weights[0].device)
        if weights[0].is_cuda:
            threading.Thread(target=self._call_off, name="ranks", daemon=True).start()
        self._give(weights)

    def step(self, rows: list[Row], rate: float) -> None:
        content = [len(row) for row in rows]
        for row in rows:
            content += row
        with self._exchange():
            self._say(STEP, len(rows), len(content), rate)
            dist.broadcast(torch.tensor(content, dtype=torch.int32), src=0)

    def end(self) -> None:
        self._over.set()
        with suppress(RuntimeError):  # somebody has gone already
            self._say(END)
        dist.destroy_process_group()

    def _wait_for_all(self, store: Store) -> None:
        """Before the group is made, which would wait in vain for one that has died."""
        until = time.monotonic() + _START_SECONDS
        while True:
            missing = [rank for rank in range(1, self.size) if not store.check([here_key(rank)])]
            if not missing:
                return
            if self._reason() or time.monotonic() > until:
                raise self._failed(f"Rank {missing[0]} did not start in time.")
            time.sleep(0.02)

    def _call_off(self) -> None:
        """A GPU waits for the share of a process that has died until it is told not to."""
        while not self._over.wait(_LOOK_SECONDS):
            if self._reason():
                if not self._over.wait(_LEAVE_SECONDS) and self._gradients is not None:
                    self._gradients.abort()
                return

    def _lost(self, error: RuntimeError) -> MynahError:
        until = time.monotonic() + _REASON_SECONDS
        while not self._reason() and time.monotonic() < until:
            time.sleep(0.02)
        return self._failed(f"One of its processes does not answer: {first_line(error)}")

    def _failed(self, otherwise: str) -> MynahError:
        return MynahError(
            "The processes of this run no longer train together.",
            self._reason() or otherwise,
            f"`mynah resume {self._run_id}` goes on from the last checkpoint.",
        )

    def _reason(self) -> str:
        """Why the first of the others that has ended did so; empty when none has."""
        for rank in range(1, self.size):
            with suppress(RuntimeError):  # nor may the store be there any more
                if self._store is not None and self._store.check([failed_key(rank)]):
                    words = self._store.get(failed_key(rank)).decode("utf-8", "replace")
                    return f"Rank {rank} failed: {words}"
        for rank, child in enumerate(self._children, start=1):
            code = child.poll()
            if code is not None and code != LEADER_GONE_CODE:
                how = f"was ended by signal {-code}" if code < 0 else f"has ended with code {code}"
                return f"Rank {rank} {how}."
        return ""


def leader_of(run: Run) -> Ranks:
    """As many processes as the settings of ``run`` say, which the leader then starts."""
    settings = run.record().train_settings
    return Leader(settings.nproc) if settings is not None and settings.nproc > 1 else Ranks()
