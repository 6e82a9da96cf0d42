"""The training process: ``python -m core.training.child RUN_FOLDER [--resume]``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

from core.errors import MynahError
from core.runs.events import Journal
from core.runs.folder import Run


class StopRequest:
    """Whether somebody asked this process to save and leave."""

    def __init__(self, run: Run) -> None:
        self._mark = run.stop_mark
        self._asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    @property
    def asked(self) -> bool:
        return self._asked or self._mark.exists()


class LeaveAtOnce(BaseException):
    """SIGTERM: there is no time to save."""


def _leave_at_once(number: int, frame: FrameType | None) -> None:
    raise LeaveAtOnce


def main() -> int:
    run = Run(Path(sys.argv[1]))
    stop = StopRequest(run)
    signal.signal(signal.SIGINT, stop.ask)
    signal.signal(signal.SIGTERM, _leave_at_once)
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)  # the terminal in front of the person comes first
    journal = Journal(run)
    try:
        journal.phase("loading PyTorch")
        from core.training.fit import train

        train(run, journal, stop, resume="--resume" in sys.argv[2:])
    except LeaveAtOnce:
        journal.end("stopped", "It was told to leave at once; its last checkpoint is kept.")
    except MynahError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the log of this process
        journal.end("failed", str(error))
        return error.exit_code
    except BaseException as error:
        traceback.print_exc()
        first_line = (str(error).strip().splitlines() or [""])[0]
        journal.end("failed", f"{type(error).__name__}: {first_line}")
        return 1
    finally:
        journal.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
