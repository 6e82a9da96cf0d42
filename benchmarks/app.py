"""What the open app costs a training, and how soon a key has its frame, in a real terminal.

    python -m benchmarks.app [--base scratch|smollm2] [--seconds 20] [--turns 4]

A run trains on all cores. Each turn has three parts of the same length, one by one: without
the app; with the app open on the Train section and nobody touching it; and with a key pressed every
half second (sections, the axis of the plots, the cursor). Compared are tokens a second of the steps
in each part, as ratios to the part without the app of the same turn. While nobody touches it, what
the app and its helpers take of the processor is taken as well, which other work on the machine
changes little; with keys, the time until the terminal receives the first bytes of what one changed.
A run of "scratch" makes many steps a second, which is the worst case; SmolLM2 makes one in two.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import itertools
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from dataclasses import dataclass, field

import psutil

from core.home import Home
from core.json_lines import read_json_lines
from core.runs.folder import Run
from core.runs.launch import stop_run
from core.workflow.data import DEMO_HANDLE, import_paths, sample_archives
from core.workflow.training import train

# The axis of the plots, the plot under the loss, the cursor, and the other sections, in this order:
# a key that changes nothing would be credited with the next frame that comes by itself.
KEYS = ("a", "p", "\x1b[D", "\x1b[D", "2", "4", "1", "4", "3", "4")
QUIT = b"\x11"
# A frame that comes by itself (a new point of the curve) may be taken for that of a key: seldom.
PAUSE = 0.5
OPENING = 8.0


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
        self.bytes = 0
        self._written = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while read := os.read(self._master, 65536):
                self.bytes += len(read)
                self._written.set()

    def press(self, key: str, seconds: float = 2.0) -> float | None:
        """Seconds until the first bytes after ``key``; None when none come."""
        self._written.clear()
        began = time.perf_counter()
        os.write(self._master, key.encode())
        return time.perf_counter() - began if self._written.wait(seconds) else None

    @property
    def processor(self) -> float:
        """Seconds of a core that the app and the processes that it started have taken."""
        taken = 0.0
        app = psutil.Process(self._process.pid)
        for process in [app, *app.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                taken += times.user + times.system
        return float(taken)

    def close(self) -> None:
        os.write(self._master, QUIT)
        self._process.wait(30)
        os.close(self._master)


def learned(run: Run) -> tuple[int, float]:
    """Tokens so far, and the seconds of their steps."""
    tokens, seconds = 0, 0.0
    for line in read_json_lines(run.metrics, tail=1 << 16):
        if line.get("kind") == "train":
            tokens, seconds = line["tokens"], line["tokens"] / line["tokens_per_second"]
    return tokens, seconds


def speed(run: Run, before: tuple[int, float]) -> float:
    tokens, seconds = learned(run)
    return (tokens - before[0]) / max(seconds - before[1], 1e-9)


@dataclass
class Found:
    """Of all turns: tokens a second in each part, seconds of a core and bytes a minute while nobody
    touches the app, and seconds until each key's frame, by key.
    """

    closed: list[float] = field(default_factory=list)
    watched: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    bytes: list[float] = field(default_factory=list)
    keys: list[tuple[float, str]] = field(default_factory=list)

    def ratio(self, part: list[float]) -> str:
        ratios = [one / closed for one, closed in zip(part, self.closed, strict=True)]
        spread = statistics.stdev(ratios) / len(ratios) ** 0.5 if len(ratios) > 1 else float("nan")
        return f"{statistics.mean(ratios):.3f} of the speed (± {spread:.3f})"


def turn(home: Home, run: Run, seconds: float, found: Found) -> None:
    before = learned(run)
    time.sleep(seconds)
    found.closed.append(speed(run, before))
    app = Terminal(home)
    time.sleep(3.0)
    app.press("4")
    time.sleep(OPENING)
    before, processor, written, began = learned(run), app.processor, app.bytes, time.monotonic()
    time.sleep(seconds)
    minutes = (time.monotonic() - began) / 60
    found.watched.append(speed(run, before))
    found.processor.append((app.processor - processor) / minutes)
    found.bytes.append((app.bytes - written) / minutes)
    before, until = learned(run), time.monotonic() + seconds
    for key in itertools.cycle(KEYS):
        if time.monotonic() > until:
            break
        took = app.press(key)
        if took is not None:
            found.keys.append((took, key))
        time.sleep(PAUSE)
    found.used.append(speed(run, before))
    app.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="scratch")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--turns", type=int, default=4)
    given = parser.parse_args()
    found = Found()
    with tempfile.TemporaryDirectory() as folder:
        home = Home.at(folder)
        import_paths(home, sample_archives())
        run = train(home, [DEMO_HANDLE], base=given.base, epochs=10_000, device="cpu",
                    eval_seconds=100_000.0)  # fmt: skip
        while not learned(run)[0]:
            time.sleep(0.2)
        time.sleep(5.0)  # the first steps are slower
        try:
            for number in range(given.turns):
                turn(home, run, given.seconds, found)
                print(f"turn {number + 1}: {found.closed[-1]:,.0f} tokens/s without the app, "
                      f"{found.watched[-1]:,.0f} watched, {found.used[-1]:,.0f} used",
                      flush=True)  # fmt: skip
        finally:
            stop_run(run)
    print(f"open, untouched: {found.ratio(found.watched)}, "
          f"{statistics.mean(found.processor):.2f} s of a core and "
          f"{statistics.mean(found.bytes) / 1024:,.0f} KiB to the terminal a minute")  # fmt: skip
    print(f"with keys: {found.ratio(found.used)}")
    taken = sorted(found.keys)
    times = [1e3 * took for took, _ in taken]
    worst = ", ".join(f"{1e3 * took:.0f} ({key!r})" for took, key in taken[:-4:-1])
    print(f"key to frame, {len(taken)} keys: median {statistics.median(times):.0f} ms, "
          f"95 % {times[int(0.95 * len(times))]:.0f} ms, the worst {worst} ms")  # fmt: skip


if __name__ == "__main__":
    main()
