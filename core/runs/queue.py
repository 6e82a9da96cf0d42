"""Runs on the same device go one after the other: whose turn it is, and waiting for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from core.errors import InputRefused
from core.files import write_bytes_whole
from core.home import Home
from core.json_lines import parse_json
from core.locks import Locked, held_lock
from core.processes import this_machine
from core.runs.events import Journal
from core.runs.folder import Run
from core.runs.follow import is_alive
from core.runs.record import RunRecord

# Seconds between two looks at the queue: so long a stop takes, and a free device stays unused.
LOOK_SECONDS: Final = 0.5
# A look at the queue takes some milliseconds; whoever holds its lock for so long is stuck.
_LOCK_SECONDS: Final = 5.0


class TakenOut(Exception):
    """A run was asked to stop while it waited for its turn."""


class Ticket(msgspec.Struct, frozen=True):
    """What a run leaves in the queue of a device until it ends.

    ``asked`` is when it was created or resumed, ``began`` when its process did (seconds since
    1970); ``going`` whether it has its turn.
    """

    run: str
    asked: float
    began: float
    going: bool = False

    @property
    def place(self) -> tuple[float, float, str]:
        """Who asked first goes first; run.json has only the second in which a run was created."""
        return self.asked, self.began, self.run


class Turn:
    """The place of one run in the queue of its device; a context, at whose end it is given up.

    The queue is a folder of the home with a file for each run, and a lock that is held while one
    looks. It counts only what is alive, so nothing has to be cleared up after a killed process.
    """

    def __init__(self, run: Run, journal: Journal, cancelled: Callable[[], bool]) -> None:
        self._run, self._journal, self._cancelled = run, journal, cancelled
        self._file: Path | None = None
        self._written: Ticket | None = None

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, *_: object) -> None:
        """A process of its own keeps its place until it is gone, and its memory with it."""
        with suppress(OSError, InputRefused):
            if self._file is not None and self._run.record().pid != os.getpid():
                self._file.unlink(missing_ok=True)

    def wait(self, device: str) -> float:
        """Returns when no other run goes on ``device`` and none has asked for it before.

        A run that is to start now waits for nobody, but others wait for it. Each run that this one
        waits for is written into the journal. Returns the seconds that it took; raises TakenOut.
        """
        began, named = time.monotonic(), ""
        try:
            while ahead := self.waits_for(device) or "":
                if ahead != named:
                    self._journal.write("queued", waits_for=ahead, device=device)
                    named = ahead
                if self._cancelled():
                    raise TakenOut
                time.sleep(LOOK_SECONDS)
        except (OSError, Locked) as error:
            self._journal.warning(f"The queue of {device} cannot be used: {error}. It begins now.")
        if not named:
            return 0.0
        self._journal.phase("its turn has come")
        return time.monotonic() - began

    def waits_for(self, device: str) -> str | None:
        """The run right before this one on ``device``; None from when it has its turn.

        Raises OSError, and Locked when somebody else looks for too long.
        """
        home = Home(self._run.folder.absolute().parents[1])
        queue = home.locks / f"train-{this_machine()}-{device}"
        self._file = queue / f"{self._run.id}.json"
        record = self._run.record()
        mine = Ticket(self._run.id, _asked(record), record.pid_start or 0.0)
        with held_lock(queue / "lock", seconds=_LOCK_SECONDS):
            others = [ticket for ticket in _tickets(queue, home) if ticket.run != mine.run]
            ahead = [ticket for ticket in others if ticket.going or ticket.place < mine.place]
            going = record.now or not ahead
            ticket = msgspec.structs.replace(mine, going=going)
            if ticket != self._written or not self._file.exists():
                write_bytes_whole(self._file, msgspec.json.encode(ticket))
                self._written = ticket
        if going:
            return None
        return max(ahead, key=lambda ticket: (not ticket.going, ticket.place)).run


def _tickets(queue: Path, home: Home) -> Iterator[Ticket]:
    """Those of the runs that are alive; the others are removed."""
    for path in queue.glob("*.json"):
        try:
            ticket = msgspec.convert(parse_json(path.read_bytes()), Ticket)
            run = Run(home.runs / ticket.run)
            record = run.record()
            same = (record.pid_start or 0.0) == ticket.began
            if same and is_alive(run, record):
                yield ticket
                continue
        except (ValueError, InputRefused):
            pass
        path.unlink(missing_ok=True)


def _asked(record: RunRecord) -> float:
    try:
        created = datetime.fromisoformat(record.created).timestamp()
    except ValueError:
        created = 0.0
    return max(created, record.resumed or 0.0)
