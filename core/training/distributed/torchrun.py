"""One process of a run that torchrun starts, on one machine or on several that share its folder.

python -m torch.distributed.run OPTIONS -m core.training.distributed.torchrun RUN_FOLDER
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from core.children.start import child_environment
from core.errors import InputRefused, WrongUsage
from core.runs.folder import Run
from core.runs.follow import SILENCE_SECONDS
from core.runs.launch import work_here

# Until all processes have found the store, which torchrun has made before it starts them.
_STORE_SECONDS: Final = 300.0
_LOOK_SECONDS: Final = 10.0


def main() -> int:
    # as in `core.children.launch`: a checkout's folder ``datasets`` is not the package
    here = Path.cwd().resolve()
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != here]
    os.environ.update(child_environment(needs_network=True))
    if len(sys.argv) != 2 or "RANK" not in os.environ:
        error = WrongUsage("torchrun starts this, with the folder of a run.", "", __doc__ or "")
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    run = Run(Path(sys.argv[1]).resolve())
    return _lead(run) if int(os.environ["RANK"]) == 0 else _follow(run)


def _lead(run: Run) -> int:
    from core.training.child import start_of_this_process, work
    from core.training.distributed.leader import Leader
    from core.training.distributed.ranks import Ranks
    from core.training.signals import StopRequest

    try:
        begun = work_here(run)
    except InputRefused as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    stop = StopRequest(run)
    stop.listen()
    size, local_size = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
    ranks = Leader(size, local_size=local_size, store=_store()) if size > 1 else Ranks()
    try:
        return work(run, stop, resume=begun, began=start_of_this_process(), ranks=ranks)
    finally:
        run.stop_mark.unlink(missing_ok=True)


def _follow(run: Run) -> int:
    from core.training.distributed.follower import Follower
    from core.training.distributed.worker import work

    # ctrl+c on any of the machines stops the run, as rank 0 sees when it looks for the mark
    signal.signal(signal.SIGINT, lambda number, frame: run.stop_mark.touch())
    threading.Thread(target=_leave_with, args=(run,), name="leader", daemon=True).start()
    ranks = Follower(
        int(os.environ["RANK"]),
        int(os.environ["WORLD_SIZE"]),
        _store(),
        local_rank=int(os.environ["LOCAL_RANK"]),
        local_size=int(os.environ["LOCAL_WORLD_SIZE"]),
    )
    return work(run, ranks)


def _store() -> Any:
    """The store of torchrun's agents."""
    import torch.distributed as dist

    found = dist.rendezvous(  # type: ignore[attr-defined]
        "env://", timeout=timedelta(seconds=_STORE_SECONDS)
    )
    return next(found)[0]


def _leave_with(run: Run) -> None:
    """A machine that is gone closes no socket; but rank 0 is silent then."""
    from core.training.distributed.group import LEADER_GONE_CODE

    seen, since = 0.0, time.monotonic()
    while time.monotonic() - since < SILENCE_SECONDS:
        time.sleep(_LOOK_SECONDS)
        with suppress(OSError):
            beat = run.heartbeat.stat().st_mtime
            if beat != seen:
                seen, since = beat, time.monotonic()
    os._exit(LEADER_GONE_CODE)


if __name__ == "__main__":
    sys.exit(main())
