"""The warm process itself: it imports, listens, and forks for each task (`core.children.warm`).

    python core/children/launch.py core.children.server SOCKET MODULE...

It leaves when its stdin ends. It runs one thread of Python and computes nothing: a thread pool of
torch or of Polars that had worked before a fork would hang in the fork.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import selectors
import shutil
import socket
import struct
import sys
from pathlib import Path
from typing import Final

import msgspec

from core.children.warm import LAUNCHER, LENGTH, Answer, Task, exactly, import_state, send

_PEER: Final = struct.Struct("3i")  # struct ucred: pid, user, group
_READ_SECONDS: Final = 2.0


def main() -> None:
    address, modules = sys.argv[1], sys.argv[2:]
    state = import_state(os.environ)
    # torch asks the driver how many GPUs there are without starting CUDA, which no fork outlives
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # a collection in a fork would copy the pages of everything that it looks at
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # whoever sees the name can connect: between bind and listen it would be refused
    unfinished = f"{address}.part"
    listener.bind(unfinished)
    listener.listen(16)
    Path(unfinished).rename(address)
    task = _serve(listener, state)
    if task is not None:  # this is a fork
        sys.exit(importlib.import_module(task.module).main())
    shutil.rmtree(Path(address).parent, ignore_errors=True)


def _serve(listener: socket.socket, state: dict[str, str]) -> Task | None:
    """Returns None when stdin ends, and in each fork what it is to do."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(0, selectors.EVENT_READ)
        waiting.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.fileobj == 0:
                    return None
                if key.fileobj is not listener:
                    _tell_end(waiting, key)
                    continue
                wire, _ = listener.accept()
                received = _received(wire, state)
                if received is None:
                    wire.close()
                    continue
                task, files = received
                pid = os.fork()
                if pid == 0:
                    _become(task, files, wire, [listener, *_wires(waiting)])
                    return task
                for file in files:
                    os.close(file)
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, wire))
                with contextlib.suppress(OSError):
                    send(wire, Answer(pid=pid))


def _wires(waiting: selectors.BaseSelector) -> list[socket.socket | int]:
    """Of the forks that go on: the files of their ends, and the connections of their owners."""
    found: list[socket.socket | int] = []
    for key in waiting.get_map().values():
        if key.data is not None:
            assert isinstance(key.fileobj, int)  # noqa: S101 (for the type checker)
            found += [key.fileobj, key.data[1]]
    return found


def _tell_end(waiting: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    pid, wire = key.data
    waiting.unregister(key.fileobj)
    os.close(key.fd)
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(OSError), wire:
        send(wire, Answer(code=os.waitstatus_to_exitcode(status)))


def _received(wire: socket.socket, state: dict[str, str]) -> tuple[Task, list[int]] | None:
    """None where this process cannot serve: somebody else's, half a message, other imports."""
    files: list[int] = []
    try:
        wire.settimeout(_READ_SECONDS)
        peer = wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        if _PEER.unpack(peer)[1] != os.getuid():
            return None
        head, files, _, _ = socket.recv_fds(wire, LENGTH.size, 3)
        body = exactly(wire, *LENGTH.unpack(head)) if len(head) == LENGTH.size else None
        if body is not None and len(files) == 3:
            task = msgspec.json.decode(body, type=Task)
            if task.needs == state:
                return task, files
    except (OSError, ValueError):
        pass
    for file in files:
        os.close(file)
    return None


def _become(
    task: Task, files: list[int], wire: socket.socket, others: list[socket.socket | int]
) -> None:
    """In the fork: nothing of the warm process is left but what it has imported."""
    try:
        if exactly(wire, 1) is None:  # the owner did not wait for it
            os._exit(0)
    except OSError:
        os._exit(0)
    for other in [wire, *others]:
        if isinstance(other, int):
            os.close(other)
        else:
            other.close()
    if task.detached:
        os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(task.folder)
    os.environ.clear()
    os.environ.update(task.environment)
    sys.argv[:] = [task.module, *task.arguments]
    if _cuda_has_begun():
        os.execve(  # noqa: S606 - our own interpreter and module
            sys.executable,
            [sys.executable, str(LAUNCHER), task.module, *task.arguments],
            task.environment,
        )


def _cuda_has_begun() -> bool:
    """Whether an import started CUDA after all, so that this fork could not use it."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda._is_in_bad_fork())
