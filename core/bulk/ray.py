"""Ray as an engine: Ray Data spreads the tasks over its workers, and does lost ones again.

What passes through Ray are the numbers of the tasks; tweets go through the job's folder. So the
memory of a worker is that of its task, whatever the size of Ray's object store.
"""

from __future__ import annotations

import logging
import os
import queue
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from core.bulk.engines import Engine
from core.errors import InputRefused, MynahError, WrongUsage

_PREFIX: Final = "mynah-ray-"
_OBJECTS: Final = 100 * 2**20  # bytes of the object store: it holds a few numbers
_MOST_WORKERS: Final = 32
_KNOCK: Final = 10.0  # seconds that a cluster may take to answer at all
_PATIENCE: Final = 5.0  # seconds that tasks under way get to end, when the work is stopped
# Ray reads these when it is first imported.
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",  # or whoever is late starts another Ray, which stays
}
# One task a core: threads of their own would only get in each other's way.
_WORKER: Final = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}


@contextmanager
def ray_engine(folder: Path, address: str | None) -> Iterator[Engine]:
    """Ray at ``address``, else at RAY_ADDRESS, else one started here for the length of the block.

    Where this process is connected to a Ray already, that one is used, and left as it was.
    """
    for module in ("ray", "pyarrow"):
        if find_spec(module) is None:
            raise WrongUsage(
                "Ray is not installed here.",
                "The engine ray needs it.",
                "pip install 'mynah-tui[ray]', or leave out --engine ray.",
            )
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    _silence()
    address = address or os.environ.get("RAY_ADDRESS")
    if ray.is_initialized():
        yield _Ray(folder)
    elif address and address != "local":
        with _joined(address):
            yield _Ray(folder)
    else:
        with _started():
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


@contextmanager
def _joined(address: str) -> Iterator[None]:
    import ray

    try:
        _knock(address)
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            runtime_env={"env_vars": _WORKER},
        )
    except Exception as error:  # of many kinds, from many layers
        message = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputRefused(
            f"There is no Ray to be reached at {address}.", f"{message[:200]}", "Is it running?"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError where nobody listens: Ray would try for minutes."""
    host, colon, port = address.rpartition("//")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK).close()


@contextmanager
def _started() -> Iterator[None]:
    """A Ray of our own, on this machine alone; nothing of it is left after the block."""
    import ray

    # its sockets lie there, and a path of theirs has little room
    short = "/tmp" if os.name == "posix" else None  # noqa: S108 - mkdtemp makes a private folder
    _sweep(Path(short or tempfile.gettempdir()))
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=short)
    # It listens to the network, and serves only who has the token; else Ray keeps one in ~/.ray.
    if "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        ray.init(
            address="local",
            num_cpus=min(cores or 1, _MOST_WORKERS),
            object_store_memory=_OBJECTS,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            runtime_env={"env_vars": {**_WORKER, "PYTHONPATH": _our_path()}},
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _our_path() -> str:
    """What the workers need to find the same ``core`` as this process, installed or not."""
    here = str(Path(__file__).parents[2])
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))


def _sweep(parent: Path) -> None:
    """Removes the logs that a killed process left behind."""
    import psutil  # type: ignore[import-untyped,unused-ignore]

    for left in parent.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)) and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)


def _silence() -> None:
    """Ray's own talk goes to its log alone: what matters of it comes as an error."""
    import ray.data  # noqa: F401 - sets up its handlers

    for name in ("ray", "ray.data"):
        for handler in logging.getLogger(name).handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.setLevel(logging.CRITICAL + 1)


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
