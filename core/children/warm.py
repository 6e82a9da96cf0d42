"""A warm process: it has imported torch and transformers, and forks whenever one is to start.

Importing them takes three to seven seconds of a core, a fork some hundredths of one, and what the
forks share is in memory once. The app has one while it is open; `begin` starts it. Where the
variable MYNAH_WARM names the socket of one, every process of mynah uses it. Linux only: forking
is not safe beside the system libraries of macOS, and unknown on Windows.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import msgspec

import core

LAUNCHER: Final = Path(__file__).with_name("launch.py")
VARIABLE: Final = "MYNAH_WARM"
# A fork takes some hundredths of a second; who waits longer is served faster by a new process.
ANSWER_SECONDS: Final = 2.0
# Bytes that must be free: with less, half a gigabyte that only saves time is better left alone.
MEMORY: Final = 2 << 30
LENGTH: Final = struct.Struct("!I")
# Read by the interpreter or by a library while it is imported: where they differ from those of
# the warm process, a fork of it would not be what was asked for.
_READ_ON_IMPORT: Final = (
    "ACCELERATE_", "CUDA_", "GOMP_", "HF_", "HOME", "HUGGINGFACE_", "KMP_", "LD_", "MKL_",
    "NUMEXPR_", "OMP_", "OPENBLAS_", "PYTHON", "TORCH_", "PYTORCH_", "TRANSFORMERS_", "XDG_",
)  # fmt: skip
# scikit-learn writes these into the environment of a process that imports it; the forks have done.
_WRITTEN_ON_IMPORT: Final = ("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK")


class Task(msgspec.Struct, frozen=True):
    """A module whose ``main`` is to run, and what the process must be like."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    detached: bool
    needs: dict[str, str]


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """From the warm process: the id of the fork, then how it ended (as Popen.returncode is)."""

    pid: int | None = None
    code: int | None = None


def import_state(environment: Mapping[str, str]) -> dict[str, str]:
    """What the imports of a process with these variables depend on."""
    state = {
        name: value
        for name, value in environment.items()
        if name.startswith(_READ_ON_IMPORT) and name not in _WRITTEN_ON_IMPORT
    }
    root = Path(core.__file__).resolve().parents[1]
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    # core itself is found without it
    state["PYTHONPATH"] = os.pathsep.join(path for path in paths if path and Path(path) != root)
    state["core"] = str(root)
    state["python"] = f"{sys.executable} {sys.version}"
    if hasattr(os, "sched_getaffinity"):
        state["cores"] = str(sorted(os.sched_getaffinity(0)))
    return state


class Forked:
    """A process that the warm one has forked; used as a ``subprocess.Popen``."""

    def __init__(self, pid: int, wire: socket.socket) -> None:
        self.pid = pid
        self._wire = wire
        self._code: int | None = None
        self._asking = threading.Lock()

    @property
    def returncode(self) -> int | None:
        return self._code

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0.0)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, -SIGKILL if the warm process is gone; raises subprocess.TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._asking:
                if self._code is not None:
                    return self._code
                # in short turns: several threads may wait
                left = 0.1 if until is None else max(0.0, min(0.1, until - time.monotonic()))
                if _readable(self._wire, left):
                    answer = _answer(self._wire)
                    self._code = -signal.SIGKILL if answer is None else answer.code or 0
                    self._wire.close()
                    return self._code
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def fork(task: Task, files: tuple[int, int, int]) -> Forked | None:
    """``task`` in a fork of the warm process; None where there is none, or none that fits."""
    address = os.environ.get(VARIABLE)
    if not address or sys.platform != "linux":
        return None
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        wire.settimeout(ANSWER_SECONDS)
        wire.connect(address)
        message = msgspec.json.encode(task)
        socket.send_fds(wire, [LENGTH.pack(len(message))], files)
        wire.sendall(message)
        answer = _answer(wire)
        if answer is not None and answer.pid is not None:
            wire.sendall(b"g")  # go: without it the fork leaves, so that nothing starts twice
            wire.settimeout(None)
            return Forked(answer.pid, wire)
    except OSError:
        pass
    wire.close()
    return None


class Warm:
    """The warm process of this one, which ends with it."""

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts it, and returns at once; it serves when it has imported ``modules``."""
        self.folder = Path(mkdtemp(prefix="mynah-"))
        self.address = str(self.folder / "warm")
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    sys.executable, str(LAUNCHER), "core.children.server",
                    self.address, *modules,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=dict(environment),
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        os.environ[VARIABLE] = self.address

    def end(self) -> None:
        """Its forks go on."""
        if os.environ.get(VARIABLE) == self.address:
            del os.environ[VARIABLE]
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def begin(modules: Sequence[str], environment: Mapping[str, str]) -> Warm | None:
    """A warm process that has imported ``modules``; None where there is one, or can be none."""
    if sys.platform != "linux" or os.environ.get(VARIABLE):
        return None
    import psutil  # type: ignore[import-untyped,unused-ignore]

    if psutil.virtual_memory().available < MEMORY:
        return None
    return Warm(modules, environment)


def _readable(wire: socket.socket, seconds: float) -> bool:
    with selectors.DefaultSelector() as waiting:
        waiting.register(wire, selectors.EVENT_READ)
        return bool(waiting.select(seconds))


def send(wire: socket.socket, answer: Answer) -> None:
    message = msgspec.json.encode(answer)
    wire.sendall(LENGTH.pack(len(message)) + message)


def _answer(wire: socket.socket) -> Answer | None:
    """None at the end of the stream."""
    head = exactly(wire, LENGTH.size)
    body = exactly(wire, *LENGTH.unpack(head)) if head else None
    return msgspec.json.decode(body, type=Answer) if body else None


def exactly(wire: socket.socket, size: int) -> bytes | None:
    """So many bytes; None when the stream ends before."""
    parts = b""
    while len(parts) < size:
        part = wire.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return parts
