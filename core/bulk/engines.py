"""What an engine is, and the one of this process: task after task."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, Protocol

EngineName = Literal["local", "ray"]
ENGINES: Final = ("local", "ray")


class Engine(Protocol):
    """``workers`` is how many tasks it does at once."""

    workers: int

    def run(self, kind: str, tasks: int) -> Generator[int, None, None]:
        """Does the tasks 0 to ``tasks`` of a kind, in any order.

        Gives the rows of each task that is done, and 0 now and then while none is. Closed early,
        it lets the others be.
        """


@contextmanager
def local_engine(folder: Path, check: Callable[[], None]) -> Iterator[Engine]:
    yield _Local(folder, check)


class _Local:
    """One task after another: each uses all cores by itself."""

    workers = 1

    def __init__(self, folder: Path, check: Callable[[], None]) -> None:
        self._folder = folder
        self._check = check

    def run(self, kind: str, tasks: int) -> Generator[int, None, None]:
        from core.bulk.tasks import run_task

        for number in range(tasks):
            yield run_task(self._folder, kind, number, self._check)
