"""How a training process is asked to stop, and when it no longer listens."""

from __future__ import annotations

import signal
from types import FrameType

from core.runs.folder import Run


class LeaveAtOnce(BaseException):
    """SIGTERM: there is no time to save."""


class StopRequest:
    """Whether somebody asked this process to save and leave.

    SIGINT, or the mark in the run's folder, asks it to; SIGTERM raises LeaveAtOnce, once, unless
    ``final`` says that how the run ended is decided already.
    """

    def __init__(self, run: Run) -> None:
        self._mark = run.stop_mark
        self._asked = False
        self.final = False

    def listen(self) -> None:
        """Takes the signals of this process; only its main thread can."""
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._leave)

    @property
    def asked(self) -> bool:
        return self._asked or self._mark.exists()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def _leave(self, number: int, frame: FrameType | None) -> None:
        if not self.final:
            self.final = True
            raise LeaveAtOnce
