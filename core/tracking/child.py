"""The process that follows a run: ``python -m core.tracking.child RUN_FOLDER --to NAME``.

What it was asked for stands in the run's folder, in ``tracking/NAME.json``.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import msgspec

from core.errors import InputRefused, Interrupted, MynahError, kind_and_line
from core.locks import held_lock
from core.runs.folder import Run
from core.runs.tracked import read_tracked, tracking_folder, write_tracked
from core.tracking.follower import follow
from core.tracking.options import without_keys


def lock_of(run: Run, to: str) -> Path:
    """Held by the process that brings ``run`` into the tracker ``to``."""
    return tracking_folder(run) / f"{to}.lock"


def work(run: Run, to: str, stop: threading.Event) -> int:
    """Follows ``run`` and writes down how that ended; returns the exit code of the process."""
    # one that followed the run before it was resumed may still be at its last words
    with held_lock(lock_of(run, to)):
        asked = read_tracked(run, to)
        if asked is None:
            return InputRefused.exit_code
        try:
            follow(run, asked, cancelled=stop.is_set)
            return 0
        except Interrupted as error:
            return error.exit_code
        except MynahError as error:
            return _failed(run, to, str(error), error.exit_code)
        except Exception as error:
            # no traceback: W&B's errors may quote what was sent, key and all
            return _failed(run, to, kind_and_line(error), MynahError.exit_code)


def _failed(run: Run, to: str, reason: str, code: int) -> int:
    reason = without_keys(reason)
    print(reason, file=sys.stderr)  # noqa: T201 - the log of this process
    if done := read_tracked(run, to):
        write_tracked(run, msgspec.structs.replace(done, state="failed", reason=reason, owner=None))
    return code


def main() -> int:
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)  # the training, and the terminal in front of the person, come first
    stop = threading.Event()

    def leave(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    return work(Run(Path(sys.argv[1])), sys.argv[sys.argv.index("--to") + 1], stop)


if __name__ == "__main__":
    sys.exit(main())
