"""The command line as others meet it: exit code and bytes, in this process or in its own."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from tests.shared import made_once

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "datasets" / "samples"
KEEPER = SAMPLES / "keeper_of_the_light.zip"
HANDLES = ["keeper_of_the_light", "orbit_grandmother", "second_breakfast_club"]
MYNAH = [sys.executable, "-m", "tui"]
LIMIT = 120.0


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    def json(self) -> Any:
        return json.loads(self.out)


def environment(home: Path | None = None, **more: str) -> dict[str, str]:
    """As a stranger has it, with this checkout on the path and no wish of the test runner's."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    # what is on the path besides stays: a warm process serves only who has the same
    path = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH"))))
    env |= {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    if home is not None:
        env["MYNAH_HOME"] = str(home)
    return env | more


def mynah(
    *arguments: str | Path,
    home: Path | None = None,
    code: int | None = 0,
    stdin: bytes = b"",
    **more: str,
) -> Ended:
    """Run a command to its end in this process; ``code`` is what it ends with (None: whatever).

    The three streams are real files with a file number, as in a pipe of one's own.
    """
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin)
        given.seek(0)
        left = _main(arguments, environment(home, **more), given, out, err)
        return _ended(_everything(out), _everything(err), left, code)


def _main(
    arguments: tuple[str | Path, ...],
    env: dict[str, str],
    given: IO[bytes],
    out: IO[bytes],
    err: IO[bytes],
) -> object:
    """Run a command to its end in this process with these three streams; what it ends with."""
    from tui.__main__ import main

    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["mynah", *map(str, arguments)])
        for name, file in (("stdin", given), ("stdout", out), ("stderr", err)):
            patch.setattr(sys, name, io.TextIOWrapper(file, "utf-8", write_through=True))
        listener = signal.getsignal(signal.SIGINT)
        try:
            with pytest.raises(SystemExit) as left:
                main()
        finally:
            signal.signal(signal.SIGINT, listener)
            for stream in (sys.stdin, sys.stdout, sys.stderr):
                stream.detach()
        return left.value.code


def mynah_alone(
    *arguments: str | Path,
    home: Path | None = None,
    code: int | None = 0,
    stdin: bytes = b"",
    **more: str,
) -> Ended:
    """The same in a process of its own: where the end of the process is the point."""
    done = subprocess.run(
        [*MYNAH, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=environment(home, **more),
        cwd=ROOT,
        timeout=LIMIT,
        check=False,
    )
    return _ended(done.stdout, done.stderr, done.returncode, code)


def _everything(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _ended(out: bytes, err: bytes, ended: object, code: int | None) -> Ended:
    assert isinstance(ended, int)
    done = Ended(ended, out, err.decode())
    for noise in ("nanobind", "Traceback", "Exception ignored"):
        assert noise not in done.err, done.err
    assert code is None or done.code == code, f"{done.code}: {done.err}{done.text[:2000]}"
    return done


class Started:
    """A command in a process group of its own, as a shell gives it, to be interrupted."""

    def __init__(self, *arguments: str | Path, home: Path, notes: Path) -> None:
        """``notes`` is an empty folder for what it writes."""
        notes.mkdir()
        self._out, self._err = notes / "out", notes / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*MYNAH, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment(home),
                cwd=ROOT,
                start_new_session=True,
            )

    @property
    def err(self) -> str:
        return self._err.read_text()

    def interrupt(self, when: Callable[[], object]) -> Ended:
        """ctrl+c as a terminal sends it, to the whole group, once ``when`` is true."""
        give_up = time.monotonic() + LIMIT
        try:
            while not when():
                assert self.process.poll() is None, self.err
                assert time.monotonic() < give_up, self.err
                time.sleep(0.02)
            os.killpg(self.process.pid, signal.SIGINT)
            code = self.process.wait(LIMIT)
        finally:
            self.process.kill()
        for noise in ("Traceback", "nanobind", "bug", "Exception ignored"):
            assert noise not in self.err, self.err
        assert code == 130, self.err
        return Ended(code, self._out.read_bytes(), self.err)


# without a pager, which would wait for a key
_TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "110", "LINES": "30", "PAGER": "none-is-here"}


def _pseudo_terminal() -> tuple[int, int]:
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    return master, slave


def mynah_on_a_terminal(
    *arguments: str | Path,
    home: Path,
    stdout: IO[bytes] | None = None,
    stderr: IO[bytes] | None = None,
    **more: str,
) -> tuple[object, bytes]:
    """As `on_a_terminal`, in this process, and without a key."""
    master, slave = _pseudo_terminal()
    seen = bytearray()

    def look() -> None:
        with suppress(OSError):  # the other side has closed
            while chunk := os.read(master, 65536):
                seen.extend(chunk)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        with (
            os.fdopen(os.dup(slave), "rb") as given,
            os.fdopen(os.dup(slave), "wb") as out,
            os.fdopen(os.dup(slave), "wb") as err,
        ):
            env = environment(home, **(_TERMINAL | more))
            code = _main(arguments, env, given, stdout or out, stderr or err)
    finally:
        os.close(slave)
        looking.join()
        os.close(master)
    return code, bytes(seen)


def on_a_terminal(
    command: list[str],
    env: dict[str, str],
    *,
    stdout: Any = None,
    stderr: Any = None,
    keys: bytes = b"",
    after: str = "",
) -> tuple[int, bytes]:
    """Run ``command`` on a pseudo-terminal; type ``keys`` once ``after`` is on the screen.

    Returns the exit code and everything the terminal was sent. ``stdout`` and ``stderr`` may go
    elsewhere.
    """
    master, slave = _pseudo_terminal()
    child = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave if stdout is None else stdout,
        stderr=slave if stderr is None else stderr,
        env=env | _TERMINAL | {"PAGER": env.get("PAGER", _TERMINAL["PAGER"])},
        cwd=ROOT,
        start_new_session=True,
    )
    os.close(slave)
    seen = bytearray()
    give_up = time.monotonic() + LIMIT
    typed = not keys
    while time.monotonic() < give_up:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            try:
                chunk = os.read(master, 65536)
            except OSError:  # the other side has closed
                chunk = b""
            if not chunk:
                break
            seen += chunk
        if not typed and after.encode() in seen:
            os.write(master, keys)
            typed = True
        if child.poll() is not None and not ready:
            break
    else:
        child.kill()
    os.close(master)
    return child.wait(LIMIT), bytes(seen)


_MADE: dict[str, Path] = {}


def home_with_samples(factory: pytest.TempPathFactory) -> Path:
    """A home with the three sample authors, made once a session; leave it as it is."""

    def make(home: Path) -> None:
        mynah("import", *sorted(SAMPLES.glob("*.zip")), home=home)

    if "samples" not in _MADE:
        _MADE["samples"] = made_once(factory, "cli-samples", make)
    return _MADE["samples"]


def home_with_a_run(factory: pytest.TempPathFactory) -> Path:
    """The same with one finished run of five steps, made once a session; leave it as it is."""

    def make(home: Path) -> None:
        shutil.copytree(home_with_samples(factory), home)
        mynah("train", HANDLES[0], "--base", "scratch", "--max-steps", "5", "--json", home=home)

    if "run" not in _MADE:
        _MADE["run"] = made_once(factory, "cli-run", make)
    return _MADE["run"]
