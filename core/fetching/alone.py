"""One fetch at a time in a home: two would pay for the same pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from core.errors import InputRefused
from core.locks import Locked, held_lock

if TYPE_CHECKING:
    from core.home import Home


@contextmanager
def only_fetch(home: Home) -> Iterator[None]:
    """Raises InputRefused while another process fetches. A killed one's lock is gone with it."""
    with ExitStack() as held:
        try:
            held.enter_context(held_lock(home.root / "fetch.lock", seconds=0))
        except Locked:
            raise InputRefused(
                "Another fetch is going on in this home.",
                "Two at a time would pay for the same posts.",
                "Wait for it, or stop it; then try again.",
            ) from None
        yield
