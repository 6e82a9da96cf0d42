"""One fetch at a time in a home: two would pay for the same pages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from core.errors import InputRefused

if TYPE_CHECKING:
    from core.home import Home


@contextmanager
def only_fetch(home: Home) -> Iterator[None]:
    """Raises InputRefused while another process fetches. A killed one's lock is gone with it."""
    home.root.mkdir(parents=True, exist_ok=True)
    with (home.root / "fetch.lock").open("a+b") as file:
        if not _taken(file):
            raise InputRefused(
                "Another fetch is going on in this home.",
                "Two at a time would pay for the same posts.",
                "Wait for it, or stop it; then try again.",
            )
        yield


def _taken(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
