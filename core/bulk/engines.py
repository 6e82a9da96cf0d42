"""Who does the tasks of a job: this process, or the workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Literal, Protocol

from core.errors import WrongUsage

EngineName = Literal["local", "ray"]
ENGINES: Final = ("local", "ray")


class Engine(Protocol):
    """``workers`` is how many tasks it does at once."""

    workers: int

    def run(self, stage: str, tasks: int) -> Generator[int, None, None]:
        """Does the tasks 0 to ``tasks`` of a stage, in any order.

        Gives the rows of each task that is done, and 0 now and then while none is. Closed early,
        it lets the others be.
        """


def engine_at(
    name: str, folder: Path, address: str | None, check: Callable[[], None]
) -> AbstractContextManager[Engine]:
    """The engine of this name for the job in ``folder``, for the length of a block.

    Raises WrongUsage for another name or for an ``address`` that nobody would ask, and InputRefused
    where Ray is wanted but not installed, or not to be found at ``address``.
    """
    if name not in ENGINES:
        raise WrongUsage(f"{name!r} is not an engine.", f"There are: {', '.join(ENGINES)}.")
    if name == "ray":
        from core.bulk.ray import ray_engine

        return ray_engine(folder, address)
    if address:
        raise WrongUsage("Only Ray has an address.", "", "Add --engine ray.")
    return _local(folder, check)


@contextmanager
def _local(folder: Path, check: Callable[[], None]) -> Iterator[Engine]:
    yield _Local(folder, check)


class _Local:
    """One task after another: each uses all cores by itself."""

    workers = 1

    def __init__(self, folder: Path, check: Callable[[], None]) -> None:
        self._folder = folder
        self._check = check

    def run(self, stage: str, tasks: int) -> Generator[int, None, None]:
        from core.bulk.stages import run_task

        for number in range(tasks):
            yield run_task(self._folder, stage, number, self._check)
