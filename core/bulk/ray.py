"""Ray as an engine: Ray Data spreads the tasks over its workers, and does lost ones again.

What passes through Ray are the numbers of the tasks; tweets go through the job's folder. So the
memory of a worker is that of its task, whatever the size of Ray's object store.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from core.bulk.engines import Engine
from core.errors import InputRefused, MynahError
from core.ray_session import ray_session, silence

_PATIENCE: Final = 5.0  # seconds that tasks under way get to end, when the work is stopped
# One task a core: threads of their own would only get in each other's way.
_WORKER: Final = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}


@contextmanager
def ray_engine(folder: Path, address: str | None) -> Iterator[Engine]:
    """Ray at ``address``, else at RAY_ADDRESS, else one started here for the length of the block.

    Where this process is connected to a Ray already, that one is used, and left as it was.
    """
    with ray_session(address, environment=_WORKER, modules=("ray", "pyarrow")):
        import ray.data  # noqa: F401 - sets up its handlers

        silence("ray.data")
        yield _Ray(folder)


class _Ray:
    def __init__(self, folder: Path) -> None:
        import ray

        self._folder = folder
        self.workers = max(int(ray.cluster_resources().get("CPU", 1)), 1)

    def run(self, kind: str, tasks: int) -> Generator[int, None, None]:
        """As of ``Engine``; the waiting is done by a thread, so that it can be given up."""
        done: queue.Queue[dict[str, Any] | BaseException | None] = queue.Queue()
        given_up = threading.Event()
        task = _Task(str(self._folder), kind)

        def wait() -> None:
            try:
                for row in _rows(task, tasks):
                    done.put(row)
                    if given_up.is_set():
                        return
                done.put(None)
            except BaseException as error:
                done.put(error)

        waiter = threading.Thread(target=wait, name="ray-wait", daemon=True)
        waiter.start()
        try:
            while True:
                try:
                    found = done.get(timeout=0.2)
                except queue.Empty:
                    yield 0
                    continue
                if found is None:
                    return
                if isinstance(found, BaseException):
                    raise _in_our_words(found) from found
                if found["refused"]:
                    raise InputRefused(*found["refused"])
                yield found["rows"]
        finally:
            given_up.set()
            waiter.join(_PATIENCE)  # tasks that are under way would write into a folder that goes


class _Task:
    """What a worker does; a refusal comes back as a value, because Ray wraps errors in its own."""

    def __init__(self, folder: str, kind: str) -> None:
        self._folder = folder
        self._kind = kind

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        from core.bulk.tasks import run_task

        refused: list[str] = []
        rows = 0
        try:
            rows = run_task(Path(self._folder), self._kind, int(row["id"]), lambda: None)
        except MynahError as error:
            refused = [error.what, error.why, error.next_step]
        except OSError as error:
            refused = [f"A worker cannot use {error.filename}.", f"{error.strerror}.", ""]
        return {"rows": rows, "refused": refused}


def _rows(task: Callable[[dict[str, Any]], dict[str, Any]], tasks: int) -> Iterator[dict[str, Any]]:
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    numbers = ray.data.range(tasks, override_num_blocks=tasks)
    yield from numbers.map(task, num_cpus=1).iter_rows()


def _in_our_words(error: BaseException) -> BaseException:
    import ray

    message = str(error)
    if "No module named" in message:
        return InputRefused(
            "The workers of the Ray cluster have not all that mynah needs.",
            f"One says: No module named{message.partition('No module named')[2].splitlines()[0]}.",
            "Install mynah-tui[ray], the same version, on all machines.",
        )
    if isinstance(error, ray.exceptions.RayTaskError) or not isinstance(
        error, ray.exceptions.RayError
    ):
        return error
    first = (message.strip().splitlines() or [type(error).__name__])[0]
    return MynahError(
        "Ray did not finish the work.", first[:300], "Nothing was written; try it again."
    )
