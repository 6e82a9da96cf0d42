"""The training process: ``python -m core.training.child RUN_FOLDER [--resume]``."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused, MynahError, kind_and_line
from core.locks import Locked, held_lock
from core.processes import process_age
from core.runs.events import Journal
from core.runs.folder import Run
from core.runs.queue import TakenOut, Turn
from core.runs.record import Result
from core.training.signals import LeaveAtOnce, StopRequest

if TYPE_CHECKING:
    from core.training.distributed.ranks import Ranks

# Whoever starts this process holds the lock until the process id is written down.
LOCK_SECONDS: Final = 30.0

_AT_ONCE: Final = "It was told to leave at once; its last checkpoint is kept."
_TAKEN_OUT: Final = "It was taken out of the queue."


def work(
    run: Run,
    stop: StopRequest,
    *,
    resume: bool,
    began: float | None = None,
    ranks: Ranks | None = None,
) -> int:
    """Trains ``run`` and writes how it ended, once; returns the exit code of the process.

    ``began``: when its time began to count (time.monotonic); None: now. ``ranks``: the processes
    that train; None: as many as the settings say, which are started.
    """
    began = time.monotonic() if began is None else began
    try:
        with held_lock(run.lock, seconds=LOCK_SECONDS):
            journal = Journal(run)

            def learn() -> Result:
                journal.phase("loading PyTorch")
                with Turn(run, journal, lambda: stop.asked) as turn:
                    return train(
                        run, journal, stop, resume=resume, began=began, turn=turn, ranks=ranks
                    )

            try:
                result, code = _outcome(learn, stop)
                journal.end(result)
            finally:
                journal.close()
            if result.state == "finished":
                shutil.rmtree(run.checkpoints, ignore_errors=True)
            return code
    except Locked:
        print(f"{run.id} has a training process already", file=sys.stderr)  # noqa: T201
        return InputRefused.exit_code


def _outcome(learn: Callable[[], Result], stop: StopRequest) -> tuple[Result, int]:
    """How the run ended, whatever happens, and the exit code. From here on signals are ignored."""
    try:
        found = _tried(learn)
        stop.final = True
    except LeaveAtOnce:
        found = Result(state="stopped", reason=_AT_ONCE), 0
    return found


def _tried(learn: Callable[[], Result]) -> tuple[Result, int]:
    try:
        result = learn()
        return result, MynahError.exit_code if result.state == "failed" else 0
    except TakenOut:
        return Result(state="stopped", reason=_TAKEN_OUT), 0
    except LeaveAtOnce:
        raise
    except MynahError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the log of this process
        return Result(state="failed", reason=str(error)), error.exit_code
    except BaseException as error:
        traceback.print_exc()
        return Result(state="failed", reason=kind_and_line(error)), 1


def train(
    run: Run,
    journal: Journal,
    stop: StopRequest,
    *,
    resume: bool,
    began: float | None = None,
    turn: Turn | None = None,
    ranks: Ranks | None = None,
) -> Result:
    """Set up, fit, finish; raises MynahError when nothing came of it, and TakenOut."""
    from core.training.distributed.leader import leader_of
    from core.training.finish import finish
    from core.training.fit import fit
    from core.training.memory import TooLittleMemory
    from core.training.setup import Diverged, set_up

    trouble = None
    with ranks or leader_of(run) as ranks:
        training = set_up(run, journal, stop, resume=resume, began=began, turn=turn, ranks=ranks)
        try:
            fit(training)
        except (Diverged, TooLittleMemory) as error:
            trouble = error
        ranks.end()
        return finish(training, trouble)


def main() -> int:
    with contextlib.suppress(AttributeError, OSError):
        os.nice(5)  # the terminal in front of the person comes first
    run = Run(Path(sys.argv[1]))
    stop = StopRequest(run)
    stop.listen()
    return work(run, stop, resume="--resume" in sys.argv[2:], began=start_of_this_process())


def start_of_this_process() -> float | None:
    """In terms of time.monotonic; None where the system does not tell."""
    age = process_age(os.getpid())
    return None if age is None else time.monotonic() - age


if __name__ == "__main__":
    sys.exit(main())
