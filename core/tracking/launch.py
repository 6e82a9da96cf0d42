"""Starting the process that follows a run: beside a training, or in front of a person."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import Final

import msgspec

from core.children.start import Child, child_environment, leave
from core.errors import InputRefused, Interrupted, MynahError, ServiceRefused
from core.locks import Locked, held_lock
from core.runs.folder import Run, stale_reason
from core.runs.launch import start_detached
from core.runs.tracked import (
    Tracked,
    all_tracked,
    read_tracked,
    tracking_folder,
    write_tracked,
)
from core.tracking.child import lock_of

_LOOK_SECONDS: Final = 0.2
_LEAVE_SECONDS: Final = 20.0


def track_with_run(run: Run, asked: Tracked) -> None:
    """Starts a process that follows ``run`` until it ends, and again when it is resumed.

    Returns at once. Whatever happens there, the run does not notice.
    """
    with contextlib.suppress(OSError):  # the run goes on; it can be tracked afterwards as well
        tracking_folder(run).mkdir(exist_ok=True)
        write_tracked(run, msgspec.structs.replace(asked, with_run=True))
        _start(run, asked.to)


def track_again(run: Run) -> list[str]:
    """Starts the trackers again that were started with ``run``, which was resumed; their names."""
    names = [tracked.to for tracked in all_tracked(run) if tracked.with_run]
    for name in names:
        with contextlib.suppress(OSError):
            _start(run, name)
    return names


def track(
    run: Run,
    asked: Tracked,
    *,
    progress: Callable[[Tracked], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Tracked:
    """Brings ``run`` into a tracker and returns when all of it is there: when it has ended.

    Raises InputRefused when another process is at it, Interrupted when ``cancelled`` says so, and
    the tracker's own ServiceRefused or MynahError.
    """
    run.record()
    if (asked.upload_tweets or asked.upload_model) and (why := stale_reason(run.folder)):
        raise InputRefused(
            f"The tweets and the model of {run.id} do not go out.", why, "Train a new run first."
        )
    tracking_folder(run).mkdir(exist_ok=True)
    try:
        with held_lock(lock_of(run, asked.to), seconds=0):
            before = read_tracked(run, asked.to) or Tracked()
            if before.mode == "online" and before.rows and asked.mode == "offline":
                raise InputRefused(
                    f"{run.id} is at W&B already.",
                    "An offline copy of it would double its rows once it is synced.",
                    f"--mode online adds what is missing to {before.url}",
                )
            kept = before if _place(before) == _place(asked) else Tracked()
            write_tracked(
                run,
                msgspec.structs.replace(
                    asked,
                    with_run=before.with_run,
                    rows=kept.rows,
                    samples=kept.samples,
                    files=kept.files,
                ),
            )
    except Locked as error:
        raise InputRefused(
            f"{run.id} is being tracked by {asked.to} already.",
            "Another process follows it.",
            f"`mynah watch {run.id}` shows the run itself.",
        ) from error
    child = _start(run, asked.to)
    while child.poll() is None:
        time.sleep(_LOOK_SECONDS)
        if progress and (now := read_tracked(run, asked.to)):
            progress(now)
        if cancelled():
            leave(child, _LEAVE_SECONDS)
            raise Interrupted(
                f"{run.id} is not followed any more.",
                "The run itself is as it was.",
                f"`mynah track {run.id} --to {asked.to}` goes on from there.",
            )
    done = read_tracked(run, asked.to)
    if done is None or done.state != "finished":
        kind = {InputRefused.exit_code: InputRefused, ServiceRefused.exit_code: ServiceRefused}
        log = tracking_folder(run) / f"{asked.to}.log"
        unsaid = f"Its process left with {child.returncode}. Its log is {log}"
        raise kind.get(child.returncode or 0, MynahError)(
            f"{run.id} could not be tracked.", done.reason if done and done.reason else unsaid
        )
    return done


def _place(tracked: Tracked) -> tuple[str, str, str]:
    return tracked.mode, tracked.entity, tracked.project


def tracker_environment(to: str) -> dict[str, str]:
    """As a training process has it; W&B's own variables, its key among them, go to W&B only."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("WANDB_") or name == "NETRC"
    }
    others = {name: value for name, value in child_environment().items() if name not in own}
    return others | own if to == "wandb" else others


def _start(run: Run, to: str) -> Child:
    return start_detached(
        run,
        "core.tracking.child",
        "--to",
        to,
        log=tracking_folder(run) / f"{to}.log",
        environment=tracker_environment(to),
    )
