"""Changed inputs to everything that mynah reads: no traceback, no hang, little memory.

    python -m benchmarks.fuzz [--inputs 1000] [--parser NAME ...] [--seed 1] [--first 0]
                              [--minutes M] [--jobs 1]
    python -m benchmarks.fuzz --parser csv --seed 1 --only 4711 [--keep FILE]

An input is made from the parser's name, the seed and its number, so that each can be had again
with --only. Each parser reads --inputs of them from number --first on; --minutes ends it earlier,
each parser having the same share of the time. Where many inputs are read as one column (dates),
they share a number, and each of them counts. --jobs reads with so many parsers at once. Every
parser has a process of its own with a watchdog: an input that takes longer than 5 seconds is a hang
(its stacks are printed, the process is started again behind it), and one that takes the process
over 600 MB is too large.

Prints for each parser how many inputs it read and where a later run goes on, how many a second, the
slowest, the most memory, and every fault once by where it was raised.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

HANG_SECONDS: Final = 5.0
# On a busy machine an input may wait for its turn; what takes so long without work is stuck.
_STUCK_SECONDS: Final = 120.0
MOST_MEMORY: Final = 600 << 20
# A process that has worked for so long, or holds so much, is followed by another, or what it
# collects over a long time would count as an input's.
_SECONDS_A_PROCESS: Final = 60.0
_COLLECTED: Final = 450 << 20
# How often a process says how far it is, where fifty inputs take longer.
_SECONDS_A_WORD: Final = 0.5
# Inputs are written to memory where that is a folder: the disk has nothing to do with the parsers.
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108


def input_of(parser: Any, name: str, seed: int, number: int) -> bytes:
    made: bytes = parser.make(random.Random(f"{name} {seed} {number}"))
    return made


def _where(error: BaseException) -> str:
    """The last place in mynah, and what was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f
        for f in frames
        if f"{os.sep}core{os.sep}" in f.filename or f"{os.sep}tui{os.sep}" in f.filename
    ]
    last = (ours or list(frames))[-1]
    place = f"{'/'.join(Path(last.filename).parts[-3:])}:{last.lineno}"
    words = re.sub(r"[0-9]+", "#", str(error))  # or each number is a kind of fault of its own
    return f"{place} {type(error).__name__}: {words[:160]!r}"


def _memory(name: bytes) -> int:
    """Bytes that the process has now (``VmRSS``), or had at most (``VmHWM``)."""
    status = Path("/proc/self/status").read_bytes()
    at = status.index(name + b":") + len(name) + 1
    return int(status[at : status.index(b"kB", at)]) << 10


def _folder() -> tempfile.TemporaryDirectory[str]:
    place = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="fuzz-", dir=place)


class _Watchdog:
    """Ends the process with its stacks when an input takes too long."""

    def __init__(self) -> None:
        self.number = -1
        self._since = time.process_time(), time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()

    def on(self, number: int) -> None:
        self._since = time.process_time(), time.monotonic()
        self.number = number

    def _watch(self) -> None:
        while True:
            time.sleep(0.25)
            worked, began = self._since
            waits = time.monotonic() - began > _STUCK_SECONDS
            if self.number >= 0 and (waits or time.process_time() - worked > HANG_SECONDS):
                print(json.dumps({"hang": self.number}), flush=True)
                faulthandler.dump_traceback(sys.stderr)
                os._exit(7)


def work(folder: Path, name: str, seed: int, first: int, last: int) -> None:
    """In a process of its own: one JSON line for each fault, and one at the end."""
    from tests.fixtures.fuzzed.parsers import parsers

    logging.disable(logging.CRITICAL)
    parser = parsers()[name]()
    slowest, most, number = (0.0, -1), (0, -1), first
    with suppress(Exception):  # imports are not counted, and a fault comes when it is its turn
        parser.read(input_of(parser, name, seed, 0), folder)
    watchdog = _Watchdog()
    began = told = time.process_time()
    for number in range(first, last):
        raw = input_of(parser, name, seed, number)
        watchdog.on(number)
        start = time.process_time()
        try:
            parser.read(raw, folder)
        except Exception as error:
            print(json.dumps({"fault": _where(error), "number": number}), flush=True)
        now = time.process_time()
        watchdog.on(-1)
        peak = _memory(b"VmHWM")
        slowest = max(slowest, (now - start, number))
        most = most if most[0] >= peak else (peak, number)
        if peak > MOST_MEMORY:
            print(json.dumps({"large": number, "peak": peak}), flush=True)
            Path("/proc/self/clear_refs").write_text("5")  # the most begins anew
        if (number - first) % 50 == 49 or now - told > _SECONDS_A_WORD:
            told = now
            print(json.dumps({"at": number, "slowest": slowest, "most": most}), flush=True)
            if now - began > _SECONDS_A_PROCESS or _memory(b"VmRSS") > _COLLECTED:
                break
    print(json.dumps({"at": number, "slowest": slowest, "most": most, "done": True}), flush=True)


class Figures:
    """What came of one parser."""

    def __init__(self, name: str, holds: int) -> None:
        self.name = name
        self.holds = holds  # inputs under one number
        self.inputs = 0
        self.next = 0
        self.seconds = 0.0
        self.slowest = (0.0, -1)
        self.most = (0, -1)
        self.faults: Counter[str] = Counter()
        self.example: dict[str, int] = {}

    def fault(self, what: str, number: int) -> None:
        self.faults[what] += 1
        self.example.setdefault(what, number)

    def run(self, seed: int, first: int, inputs: int, until: float) -> None:
        """Reads ``inputs`` from number ``first`` on, in as many processes as it takes."""
        start = time.monotonic()
        last = first + -(-inputs // self.holds)
        while first < last and time.monotonic() < until:
            with _folder() as folder:
                reached = self._process(folder, seed, first, last, until)
            self.inputs += (reached + 1 - first) * self.holds
            first = reached + 1
        self.next = first
        self.seconds += time.monotonic() - start

    def _process(self, folder: str, seed: int, first: int, last: int, until: float) -> int:
        command = [
            sys.executable,
            "-m",
            "benchmarks.fuzz",
            "--work",
            folder,
            self.name,
            str(seed),
            str(first),
            str(last),
        ]
        at, ended = first - 1, False
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
            # the frames are tiny: threads of Polars cost a third of the time and share nothing
            environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=said, text=True, env=environment
            ) as child:
                assert child.stdout is not None
                for line in child.stdout:
                    if not line.startswith("{"):
                        continue
                    found = json.loads(line)
                    at = max(at, found.get("at", found.get("hang", found.get("number", at))))
                    if "fault" in found:
                        self.fault(found["fault"], found["number"])
                    if "hang" in found:
                        self.fault("takes longer than 5 s", found["hang"])
                    if "large" in found:
                        self.fault("takes more than 600 MB", found["large"])
                    if "slowest" in found:
                        self.slowest = max(self.slowest, tuple(found["slowest"]))
                        self.most = max(self.most, tuple(found["most"]))
                        ended = ended or "done" in found
                    if time.monotonic() > until:
                        child.kill()
                        ended = True
                        break
            said.seek(0)
            words = said.read()
        if not ended:  # a hang, or the process was killed by what it read
            if child.returncode != 7:
                at += 1  # at the most fifty too few are passed over
                self.fault(f"the process ended with {child.returncode}: {words[-200:]!r}", at)
            else:
                print(words[-3000:], file=sys.stderr)
        return at

    def line(self) -> str:
        rate = self.inputs / max(self.seconds, 1e-6)
        return (
            f"{self.name:18} {self.inputs:7,} inputs {rate:7,.0f}/s  next {self.next:7}  "
            f"slowest {self.slowest[0]:5.2f} s (#{self.slowest[1]})  "
            f"{self.most[0] / 1e6:4.0f} MB (#{self.most[1]})  "
            f"faults {sum(self.faults.values())}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=1000, help="for each parser")
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    parser.add_argument("--jobs", type=int, default=1, help="parsers at once")
    parser.add_argument("--parser", action="append", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--work", nargs=5, metavar=("FOLDER", "PARSER", "SEED", "FIRST", "LAST"))
    given = parser.parse_args()
    if given.work:
        work(Path(given.work[0]), given.work[1], *map(int, given.work[2:]))
        return
    from tests.fixtures.fuzzed.parsers import parsers

    known = parsers()
    names = given.parser or list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no parser is called {', '.join(unknown)}; there are: {', '.join(known)}")
    if given.only is not None:
        one = known[names[0]]()
        raw = input_of(one, names[0], given.seed, given.only)
        if given.keep:
            given.keep.write_bytes(raw)
        print(f"{len(raw):,} bytes: {raw[:300]!r}", file=sys.stderr)
        with _folder() as folder:
            one.read(raw, Path(folder))
        return
    end = time.monotonic() + 60 * given.minutes
    waiting = iter(range(len(names), 0, -1))

    def read(name: str) -> Figures:
        now = time.monotonic()
        figures = Figures(name, known[name]().holds)
        share = (end - now) * min(1.0, given.jobs / next(waiting))
        figures.run(given.seed, given.first, given.inputs, now + share)
        return figures

    faults = 0
    with ThreadPoolExecutor(given.jobs) as pool:
        for figures in pool.map(read, names):
            print(figures.line(), flush=True)
            for what, times in figures.faults.most_common():
                print(f"    {times:5}x  #{figures.example[what]}  {what}", flush=True)
            faults += len(figures.faults)
    print(f"{faults} kinds of fault")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
