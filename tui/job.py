"""Work in the background: open this to start, watch or stop something that takes time.

A job runs in a thread that the app owns, so it outlives the section that started it. It
reports to the app by messages (``Report``), whose handlers own the state.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from textual.message import Message

from core.errors import Interrupted, MynahError, refused_by_system

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel
    from textual.worker import Worker

    from tui.state import State

# Progress is reported at most this often; the screen is not drawn faster than one can read.
PROGRESS_EVERY: Final = 0.1
# Of fewer things than this the end is there before one could read how far it is.
WORTH_COUNTING: Final = 200_000


class Report(Message, bubble=False):
    """A message from a job to the app."""


@dataclass
class Failed(Report):
    """A job could not be done. ``error`` is a MynahError, or a bug of mynah's."""

    doing: str
    error: Exception


@dataclass
class Counted(Report):
    """How far a job is; a newer one of the same job replaces it."""

    job: Job
    done: int
    total: int

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Counted) and message.job is self.job


class Unexpected(MynahError):
    """A bug ended a job. The app has shown it and logged it already."""


class Host(Protocol):
    """What a job needs of the app."""

    state: State
    jobs: list[Job]

    def post_message(self, message: Message) -> bool: ...

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
    ) -> None: ...

    def run_worker(
        self,
        work: Callable[[], None],
        name: str | None = "",
        group: str = "default",
        description: str = "",
        exit_on_error: bool = True,
        start: bool = True,
        exclusive: bool = False,
        thread: bool = False,
    ) -> Worker[None]: ...


class Attempt:
    """One start of a job, as the work in the thread sees it."""

    def __init__(self, job: Job, host: Host, newest_wins: bool) -> None:
        self._job, self._host, self._newest_wins = job, host, newest_wins
        self._cancelled = threading.Event()
        self._counted_at = time.monotonic()

    def cancel(self) -> None:
        self._cancelled.set()

    def cancelled(self) -> bool:
        """Whether to end; the work asks this often."""
        return self._cancelled.is_set()

    def report(self, report: Report) -> None:
        """Tell the app. Raises Interrupted when a newer start has taken over."""
        if self._newest_wins and self.cancelled():
            raise Interrupted("A newer start has taken over.")
        self._host.post_message(report)

    def count(self, done: int, total: int) -> None:
        """Tell the app how far the work is, when there is much of it."""
        now = time.monotonic()
        if total >= WORTH_COUNTING and now - self._counted_at >= PROGRESS_EVERY:
            self._counted_at = now
            self._host.post_message(Counted(self._job, done, total))


class Job:
    """One kind of work, of which at most one attempt counts at a time.

    A start while one is at work is refused; with ``newest_wins`` it cancels the one before instead,
    whose end is then not reported. Otherwise every attempt reports its end, however it comes: the
    report that the work returns, or what ``failed`` makes of its error. A bug is reported as
    ``Failed`` besides, and reaches ``failed`` as Unexpected.

    ``doing`` completes "Something broke while …".
    """

    def __init__(self, host: Host, doing: str, *, newest_wins: bool = False) -> None:
        self.doing = doing
        self._host = host
        self._newest_wins = newest_wins
        self._attempt: Attempt | None = None
        self._lock = threading.Lock()  # over _attempt, which thread and event loop both set
        self._started = 0.0
        host.jobs.append(self)

    @property
    def busy(self) -> bool:
        return self._attempt is not None

    @property
    def stopping(self) -> bool:
        """Stop was asked for and is not true yet."""
        attempt = self._attempt
        return attempt is not None and attempt.cancelled()

    @property
    def seconds(self) -> float:
        """Since the last start."""
        return time.monotonic() - self._started

    def start(
        self,
        work: Callable[[Attempt], Report | None],
        failed: Callable[[MynahError], Report | None] | None = None,
    ) -> bool:
        """False when an attempt is at work and keeps its place. Call it on the event loop."""
        with self._lock:
            if self._attempt is not None:
                if not self._newest_wins:
                    return False
                self._attempt.cancel()
            attempt = self._attempt = Attempt(self, self._host, self._newest_wins)
        self._started = time.monotonic()
        self._host.run_worker(
            lambda: self._run(attempt, work, failed),
            name=self.doing,
            group=f"job {id(self)}",
            thread=True,
            exclusive=self._newest_wins,
            exit_on_error=False,
        )
        return True

    def stop(self) -> bool:
        """Ask it to end; True when there was something to stop."""
        attempt = self._attempt
        if attempt is None:
            return False
        attempt.cancel()
        return True

    def _run(
        self,
        attempt: Attempt,
        work: Callable[[Attempt], Report | None],
        failed: Callable[[MynahError], Report | None] | None,
    ) -> None:
        report: Report | None = None
        try:
            report = work(attempt)
        except Exception as error:
            known = error if isinstance(error, MynahError) else refused_by_system(error)
            if known is not None:
                report = failed(known) if failed else Failed(self.doing, known)
                return
            self._host.post_message(Failed(self.doing, error))
            if failed:
                report = failed(
                    Unexpected(f"Something broke while {self.doing}.", "", "F12 shows the details.")
                )
        finally:
            with self._lock:
                if self._attempt is attempt:
                    self._attempt = None
            if report is not None and not (self._newest_wins and attempt.cancelled()):
                self._host.post_message(report)
