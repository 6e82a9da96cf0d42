"""What the open app costs a training, and how soon a key has its frame, in a real terminal.

    python -m benchmarks.app [--base scratch] [--seconds 20] [--turns 4]

A run trains on all cores. Turn by turn the app is opened on it, showing the Train section, and
closed again; tokens a second of the steps with and without it are compared, as a ratio in one run.
While it is open a key is pressed every half second (sections, the axis of the plots, the cursor),
and the time until the terminal receives the first bytes of what it changed is taken.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import pty
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

from core.home import Home
from core.json_lines import read_json_lines
from core.runs.folder import Run
from core.runs.launch import stop_run
from core.workflow.data import DEMO_HANDLE, import_paths, sample_archives
from core.workflow.training import train

# The axis of the plots, the plot under the loss, the cursor, and the other sections.
KEYS = ("a", "p", "\x1b[D", "\x1b[C", "2", "4", "1", "4", "3", "4")
QUIT = b"\x11"
# A frame that comes by itself (a new point of the curve) may be taken for that of a key: seldom.
PAUSE = 0.5
# The first look at Train makes a warm process, which imports PyTorch once.
OPENING = 12.0


class Terminal:
    """The app on a terminal of 120 columns and 40 lines; everything it writes is read at once."""

    def __init__(self, home: Home) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tui", "--home", str(home.root)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )  # fmt: skip
        os.close(slave)
        self._written = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(self._master, 65536):
                self._written.set()

    def press(self, key: str, seconds: float = 2.0) -> float | None:
        """Seconds until the first bytes after ``key``; None when none come."""
        self._written.clear()
        began = time.perf_counter()
        os.write(self._master, key.encode())
        return time.perf_counter() - began if self._written.wait(seconds) else None

    def close(self) -> None:
        os.write(self._master, QUIT)
        self._process.wait(30)
        os.close(self._master)


def learned(run: Run) -> tuple[int, float]:
    """Tokens so far, and the seconds of their steps."""
    tokens, seconds = 0, 0.0
    for line in read_json_lines(run.metrics):
        if line.get("kind") == "train":
            tokens, seconds = line["tokens"], line["tokens"] / line["tokens_per_second"]
    return tokens, seconds


def speed(run: Run, before: tuple[int, float]) -> float:
    tokens, seconds = learned(run)
    return (tokens - before[0]) / max(seconds - before[1], 1e-9)


def open_turn(
    home: Home, run: Run, seconds: float, rng: random.Random
) -> tuple[float, list[float]]:
    app = Terminal(home)
    time.sleep(3.0)
    app.press("4")
    time.sleep(OPENING)
    before, taken = learned(run), []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        took = app.press(rng.choice(KEYS))
        if took is not None:
            taken.append(took)
        time.sleep(PAUSE)
    found = speed(run, before)
    app.close()
    return found, taken


def closed_turn(run: Run, seconds: float) -> float:
    before = learned(run)
    time.sleep(seconds)
    return speed(run, before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="scratch")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--turns", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home.at(folder)
        import_paths(home, sample_archives())
        run = train(home, [DEMO_HANDLE], base=given.base, epochs=10_000, device="cpu",
                    eval_seconds=100_000.0)  # fmt: skip
        while not any(line.get("kind") == "train" for line in read_json_lines(run.metrics)):
            time.sleep(0.2)
        time.sleep(5.0)  # the first steps are slower
        with_app, without, taken = [], [], []
        rng = random.Random(1)
        try:
            for turn in range(given.turns):
                without.append(closed_turn(run, given.seconds))
                found, keys = open_turn(home, run, given.seconds, rng)
                with_app.append(found)
                taken += keys
                print(f"turn {turn + 1}: {without[-1]:,.0f} tokens/s without the app, "
                      f"{found:,.0f} with it", flush=True)  # fmt: skip
        finally:
            stop_run(run)
    ratio = statistics.mean(with_app) / statistics.mean(without)
    taken.sort()
    print(f"with the app open: {ratio:.3f} of the speed")
    print(f"key to frame, {len(taken)} keys: median {1e3 * statistics.median(taken):.0f} ms, "
          f"99 % {1e3 * taken[int(0.99 * len(taken))]:.0f} ms, "
          f"worst {1e3 * taken[-1]:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
