"""Long work in a command: a line of progress, and ctrl+c (once to stop, twice to leave at once)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from core.errors import Interrupted, MynahError
from tui.cli.output import ProgressNote, narrate
from tui.text.numbers import clock, rate

if TYPE_CHECKING:
    from core.progress import Progress

T = TypeVar("T")
Stopped = Callable[[], bool]  # whether ctrl+c was pressed; asked often by the work


def with_progress(work: Callable[[ProgressNote, Stopped], T]) -> T:
    """What ``work`` returns or raises; its line of progress is cleared however it ends."""
    note, stop = ProgressNote(), threading.Event()
    try:
        return stoppable(lambda: work(note, stop.is_set), stop.set)
    finally:
        note.done()


def moved_line(moved: Progress) -> str:
    """``writing 1,000 of 3,245 · 2,100 a second · 0:01 left · ctrl+c stops``."""
    of = f" of {moved.total:,}" if moved.total else ""
    left = f" · {clock(moved.left)} left" if moved.left is not None else ""
    return f"{moved.phase} {moved.done:,}{of} · {rate(moved.rate)}{left} · ctrl+c stops"


def stoppable(
    work: Callable[[], T],
    ask_to_stop: Callable[[], None],
    say: Callable[[str], object] = narrate,
) -> T:
    """Does ``work`` and returns or raises what it does; ctrl+c calls ``ask_to_stop``, and ``say``
    gets what becomes of it.

    The work runs in a thread of its own, because DuckDB and Polars do not let go of the one they
    run in: there, ctrl+c would be heard only afterwards.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    over = threading.Event()  # Thread.join, once interrupted, may take a living thread for dead
    taken = threading.Lock()

    def at_work() -> None:
        if not taken.acquire(blocking=False):
            return
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            over.set()

    asked = False
    while True:
        try:
            # ctrl+c may come while a thread starts, and nobody knows whether it did
            if not taken.locked():
                threading.Thread(target=at_work, name="work", daemon=True).start()
            if over.wait(0.2):
                break
        except KeyboardInterrupt:
            if asked:
                # a thread inside DuckDB cannot be ended, and must not meet a dying interpreter
                say("Interrupted; what was done stays done.")
                os._exit(Interrupted.exit_code)
            asked = True
            ask_to_stop()
            say("stopping… ctrl+c again leaves at once.")
    if errors:
        try:
            if asked and not isinstance(errors[0], MynahError):
                # DuckDB and Polars tell in several ways that they were interrupted
                raise Interrupted("Interrupted; what was done stays done.") from None
            raise errors[0]
        finally:
            errors.clear()  # or the traceback would hold this very frame for ever
    return results[0]
