"""Starting a process that runs a module of core: by a fork of a warm process, or anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from core.children import warm
from core.children.warm import LAUNCHER

# How long a thread of libgomp looks for its next product before it sleeps: a few tenths of a
# millisecond, which covers what lies between two products of a step. With its default of 300,000 a
# step on a machine that does other work took 3 times as long, since waiting threads kept others
# from working; without any, one on an idle virtual machine twice as long, which wakes slowly.
_SPIN: Final = "10000"

# Never handed to a training process, which has no use for them and writes a log.
_SECRET_WORDS: Final = ("TOKEN", "SECRET", "PASSWORD", "API_KEY", "CREDENTIAL")
_HUB_TOKENS: Final = ("HF_TOKEN", "HF_TOKEN_PATH")


class Child(Protocol):
    """What is used of a process; ``subprocess.Popen`` is one."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


def start_child(
    module: str,
    *arguments: str,
    environment: Mapping[str, str],
    files: tuple[int, int, int],
    folder: Path | None = None,
    detached: bool = False,
) -> Child:
    """The ``main`` of ``module`` with ``sys.argv[1:]`` = ``arguments``, in a process of its own.

    ``files``: what is its stdin, stdout and stderr; they stay open here. ``detached``: it lives on
    when this process or its terminal ends, and needs nobody who waits for it.
    """
    folder = folder or _here()
    task = warm.Task(
        module,
        list(arguments),
        dict(environment),
        str(folder),
        detached,
        warm.import_state(environment),
    )
    forked = warm.fork(task, files)
    if forked is not None:
        return forked
    stdin, stdout, stderr = files
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, str(LAUNCHER), module, *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=folder,
        env=dict(environment),
        start_new_session=detached,
    )
    if detached:
        # without a wait the ended child stays in the process table as long as this process lives
        threading.Thread(target=child.wait, name=f"reap {child.pid}", daemon=True).start()
    return child


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was removed meanwhile, which is no reason not to start
        return Path(os.sep)


def leave(child: Child, seconds: float) -> None:
    """SIGTERM, and SIGKILL when it is still there after so many seconds."""
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()


def child_environment(*, needs_network: bool = False) -> dict[str, str]:
    """The environment of a process that trains: nothing secret, nothing that surprises."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not any(word in name.upper() for word in _SECRET_WORDS)
        or (needs_network and name in _HUB_TOKENS)
    }
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", _SPIN)
    environment["TOKENIZERS_PARALLELISM"] = "false"
    environment["PYTHONUNBUFFERED"] = "1"
    environment["PYTHONUTF8"] = "1"
    environment["PYTHONSAFEPATH"] = "1"
    if not needs_network:
        environment["HF_HUB_OFFLINE"] = "1"
        environment["TRANSFORMERS_OFFLINE"] = "1"
    return environment
