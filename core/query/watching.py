"""Stopping a running statement: when the person says so, or when its time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused, Interrupted
from core.query.refusal import refused

if TYPE_CHECKING:
    import duckdb

_LOOK: Final = 0.1  # seconds between two looks at whether to stop


class Watch:
    """Knows whether what runs should stop, and says so with the right words."""

    def __init__(
        self, cancelled: Callable[[], bool] | None = None, seconds: float | None = None
    ) -> None:
        self._cancelled = cancelled
        self.seconds = seconds
        self._until = None if seconds is None else time.monotonic() + seconds

    @property
    def needed(self) -> bool:
        return self._cancelled is not None or self._until is not None

    def over(self) -> bool:
        late = self._until is not None and time.monotonic() >= self._until
        return late or (self._cancelled is not None and self._cancelled())

    def check(self) -> None:
        """For the time between two statements; raises what `reason` gives."""
        if self.over():
            raise self.reason()

    def reason(self) -> InputRefused | Interrupted:
        if self._cancelled is not None and self._cancelled():
            return Interrupted("The query was stopped.")
        return InputRefused(
            f"The query was stopped after {self.seconds:g} s.",
            "It had no more time.",
            "Give it more, or ask for less.",
        )


@contextmanager
def watched(
    connection: duckdb.DuckDBPyConnection, watch: Watch, sql: str, before: int = 0
) -> Iterator[None]:
    """Ask ``watch`` ten times a second, and stop the running statement when it says so.

    DuckDB's errors become InputRefused with the place in ``sql`` (``before`` bytes stood before
    it), an interrupted statement becomes what the watch gives as the reason.
    """
    import duckdb
    from polars.exceptions import ComputeError

    done = threading.Event()

    def look() -> None:
        while not done.wait(_LOOK):
            if watch.over():
                connection.interrupt()

    watcher = threading.Thread(target=look, name="query-watch", daemon=True)
    if watch.needed:
        watcher.start()
    try:
        yield
    except duckdb.InterruptException:
        raise watch.reason() from None
    except (duckdb.Error, ComputeError) as error:  # Polars hands on what the stream said
        if watch.over():
            raise watch.reason() from None
        raise refused(error, sql, before) from None
    finally:
        done.set()
        if watch.needed:
            watcher.join()
