"""The command line as others meet it: a process, its exit code and its bytes."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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
    env |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    if home is not None:
        env["MYNAH_HOME"] = str(home)
    return env | more


def mynah(
    *arguments: str | Path,
    home: Path | None = None,
    code: int | None = 0,
    stdin: bytes = b"",
    cwd: Path = ROOT,
    **more: str,
) -> Ended:
    """Run a command to its end; ``code`` is what it must end with (None: whatever)."""
    done = subprocess.run(
        [*MYNAH, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env=environment(home, **more),
        cwd=cwd,
        timeout=LIMIT,
        check=False,
    )
    ended = Ended(done.returncode, done.stdout, done.stderr.decode())
    for noise in ("nanobind", "Traceback", "Exception ignored"):
        assert noise not in ended.err, ended.err
    assert code is None or ended.code == code, f"{ended.code}: {ended.err}{ended.text[:2000]}"
    return ended


def quickly(
    capture: pytest.CaptureFixture[bytes], *arguments: str | Path, code: int | None = 0
) -> Ended:
    """The same entry point without a process of its own: for the many small refusals."""
    from tui.__main__ import main

    capture.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["mynah", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
    out, err = capture.readouterr()
    assert code is None or left.value.code == code, err
    assert isinstance(left.value.code, int)
    return Ended(left.value.code, out, err.decode())


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
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    child = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave if stdout is None else stdout,
        stderr=slave if stderr is None else stderr,
        env=env | {"TERM": "xterm-256color", "COLUMNS": "110", "LINES": "30"},
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
    return child.wait(10), bytes(seen)


_MADE: dict[str, Path] = {}


def home_with_samples(factory: pytest.TempPathFactory) -> Path:
    """A home with the three sample authors, made once a session; leave it as it is."""
    if "samples" not in _MADE:
        home = factory.mktemp("cli") / "home"
        mynah("import", *sorted(SAMPLES.glob("*.zip")), home=home)
        _MADE["samples"] = home
    return _MADE["samples"]


def home_with_a_run(factory: pytest.TempPathFactory) -> Path:
    """The same with one finished run of five steps, made once a session; leave it as it is."""
    if "run" not in _MADE:
        home = factory.mktemp("cli") / "home"
        shutil.copytree(home_with_samples(factory), home)
        mynah("train", HANDLES[0], "--base", "scratch", "--max-steps", "5", "--json", home=home)
        _MADE["run"] = home
    return _MADE["run"]
