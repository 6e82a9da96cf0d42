"""Connecting to a Ray, or starting one here for a while; Ray is an optional dependency."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from core.errors import InputRefused, WrongUsage, first_line

_PREFIX: Final = "mynah-ray-"
_OBJECTS: Final = 100 * 2**20  # bytes of the object store: it holds a few numbers
_MOST_WORKERS: Final = 32
_KNOCK: Final = 10.0  # seconds that a cluster may take to answer at all
# Ray reads these when it is first imported.
_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",  # or whoever is late starts another Ray, which stays
}


@contextmanager
def ray_session(
    address: str | None, *, environment: Mapping[str, str], modules: Sequence[str] = ("ray",)
) -> Iterator[None]:
    """Ray at ``address``, else at RAY_ADDRESS, else one started here for the length of the block.

    Where this process is connected to a Ray already, that one is used, and left as it was.
    ``environment`` is that of the workers. Raises WrongUsage where one of ``modules`` is missing,
    and InputRefused where nobody is at ``address``.
    """
    for module in modules:
        if find_spec(module) is None:
            raise WrongUsage(
                "Ray is not installed here.",
                "The engine ray needs it.",
                "pip install 'mynah-tui[ray]', or leave out --engine ray.",
            )
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    silence("ray")
    address = address or os.environ.get("RAY_ADDRESS")
    if ray.is_initialized():
        yield
    elif address and address != "local":
        with _joined(address, environment):
            yield
    else:
        with _started(environment):
            yield


def silence(name: str) -> None:
    """Ray's own talk goes to its log alone: what matters of it comes as an error."""
    for handler in logging.getLogger(name).handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.CRITICAL + 1)


@contextmanager
def _joined(address: str, environment: Mapping[str, str]) -> Iterator[None]:
    import ray

    try:
        _knock(address)
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            runtime_env={"env_vars": dict(environment)},
        )
    except Exception as error:  # of many kinds, from many layers
        raise InputRefused(
            f"There is no Ray to be reached at {address}.",
            first_line(error)[:200],
            "Is it running?",
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
def _started(environment: Mapping[str, str]) -> Iterator[None]:
    """A Ray of our own, on this machine alone; nothing of it is left after the block."""
    import ray

    # its sockets lie there, and a path of theirs has little room
    short = "/tmp" if os.name == "posix" else None  # noqa: S108 - mkdtemp makes a private folder
    _remove_left(Path(short or tempfile.gettempdir()))
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
            runtime_env={"env_vars": {**environment, "PYTHONPATH": _our_path()}},
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _our_path() -> str:
    """What the workers need to find the same ``core`` as this process, installed or not."""
    here = str(Path(__file__).parents[1])
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))


def _remove_left(parent: Path) -> None:
    """Removes the logs that a killed process left behind."""
    import psutil  # type: ignore[import-untyped,unused-ignore]

    for left in parent.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)) and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
