"""Locks between processes, which the system lets go of when their holder dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Locked(Exception):
    """Another process holds the lock. Callers turn it into a message of their own."""


@contextmanager
def held_lock(path: Path, *, seconds: float | None = None) -> Iterator[None]:
    """Holds the lock on ``path`` (a file that is made, and stays) for the block.

    Waits at most ``seconds`` for another holder (None: as long as it takes; 0: not at all), then
    raises Locked.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=-1 if seconds is None else seconds, preserve_lock_file=True)
    try:
        lock.acquire()
    except Timeout as error:
        raise Locked(str(path)) from error
    try:
        yield
    finally:
        lock.release()
