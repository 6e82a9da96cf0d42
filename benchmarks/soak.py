"""A day in ten minutes: an app that is left open, and whether its memory stays.

    python -m benchmarks.soak [--runs 300] [--changes 1000] [--imports 50] [--where]

The app runs without a screen. Meanwhile other processes are played: one run after the other writes
its journal and ends, files are imported, and somebody goes from section to section. The memory that
the process holds is read after each tenth; from the third on it must stay within 10 %. --where also
names the lines of code whose objects have grown most since then (which costs time and memory).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import json
import os
import shutil
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any, Final

from core.home import Home
from tests.killing.driver import ROOT

_RUN: Final = ROOT / "tests" / "fixtures" / "runs" / "20260301-1015-keeper-c0de"
_PARTS: Final = 10
# After so many of the parts everything was loaded and shown once.
_WARM: Final = 3
_MOST: Final = 1.1


def held_bytes() -> int:
    """What the process holds, after it gave back what it can."""
    gc.collect()
    with contextlib.suppress(OSError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))


class Day:
    """An app on a home, and what happens to it."""

    def __init__(self, folder: Path, pilot: Any, home: Home) -> None:
        self._folder = folder
        self._pilot = pilot
        self._home = home
        self._lines = (_RUN / "metrics.jsonl").read_text("utf-8").splitlines(keepends=True)
        self._runs = 0
        self._files = 0

    async def train(self) -> None:
        """A run begins, writes its journal in slices while the app follows, and ends."""
        from core.runs.folder import Run

        self._runs += 1
        name = f"20260301-{self._runs:04}-keeper-{self._runs:04x}"
        draft, folder = self._folder / name, self._home.runs / name
        shutil.copytree(_RUN, draft)
        record = json.loads((draft / "run.json").read_text())
        going = record | {"id": name, "state": "running", "result": None, "machine": "elsewhere"}
        (draft / "run.json").write_text(json.dumps(going))
        (draft / "metrics.jsonl").write_text("")
        Run(draft).heartbeat.touch()
        draft.replace(folder)
        step = max(1, len(self._lines) // 3)
        for at in range(0, len(self._lines), step):
            with (folder / "metrics.jsonl").open("a") as file:
                file.write("".join(self._lines[at : at + step]))
            await self._pilot.pause(0.05)
        (folder / "run.json").write_text(json.dumps(record | {"id": name}))
        older = self._home.runs / f"20260301-{self._runs - 40:04}-keeper-{self._runs - 40:04x}"
        if older.exists():  # somebody clears up: forty runs are there at a time
            shutil.rmtree(older)

    async def bring_in(self) -> None:
        """The same accounts grow: what is shown of them does not."""
        from tests.functional.walk import until

        self._files += 1
        path = self._folder / f"{self._files}.jsonl"
        lines = [
            {"id": str(self._files * 1000 + row), "author": f"gull_{self._files % 3}",
             "text": f"low tide number {row} of the {self._files}. day in the harbour"}
            for row in range(20)
        ]  # fmt: skip
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        app = self._pilot.app
        app.importing.run([path])
        await until(self._pilot, lambda: not app.state.importing, 120)

    async def part(self, runs: int, changes: int, imports: int) -> None:
        for number in range(max(runs, changes, imports)):
            most = max(runs, changes, imports)
            if number * runs // most < (number + 1) * runs // most:
                await self.train()
            if number * imports // most < (number + 1) * imports // most:
                await self.bring_in()
            if number * changes // most < (number + 1) * changes // most:
                await self._pilot.press("escape", "12345"[number % 5])


async def soak(folder: Path, given: argparse.Namespace) -> list[int]:
    from core.workflow.data import import_paths, sample_archives
    from tests.functional.walk import settled
    from tui.app import MynahApp

    home = Home.at(folder / "home")
    import_paths(home, sample_archives())
    home.runs.mkdir()
    held: list[int] = []
    before = None
    async with MynahApp(home).run_test(size=(120, 40)) as pilot:
        await settled(pilot, 120)
        day = Day(folder, pilot, home)
        for part in range(_PARTS):
            start = time.monotonic()
            await day.part(
                given.runs // _PARTS, given.changes // _PARTS, max(1, given.imports // _PARTS)
            )
            await settled(pilot, 120)
            held.append(held_bytes())
            took = time.monotonic() - start
            print(f"part {part + 1:2}: {held[-1] / 1e6:6.1f} MB, {took:.0f} s", flush=True)
            if given.where and part + 1 == _WARM:
                tracemalloc.start(12)
            elif given.where and part + 1 == _WARM + 1:
                before = tracemalloc.take_snapshot()
        if before is not None:
            grown = tracemalloc.take_snapshot().compare_to(before, "traceback")
            for one in grown[:8]:
                print(f"{one.size_diff / 1e3:+.0f} kB, {one.count_diff:+} objects:")
                print("\n".join(one.traceback.format(most_recent_first=True)[:16]))
        if pilot.app.failures:  # type: ignore[attr-defined]
            print(f"WRONG: the app had failures: {pilot.app.failures}")  # type: ignore[attr-defined]
            sys.exit(1)
    return held


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--imports", type=int, default=50)
    parser.add_argument("--where", action="store_true")
    given = parser.parse_args()
    os.environ.setdefault("MYNAH_WARM", "none")
    with tempfile.TemporaryDirectory() as temporary:
        held = asyncio.run(soak(Path(temporary), given))
    grown = max(held[_WARM - 1 :]) / held[_WARM - 1]
    print(
        f"after {_WARM} of {_PARTS} parts {held[_WARM - 1] / 1e6:.1f} MB, "
        f"at most {grown:.2f} times that since"
    )
    sys.exit(1 if grown > _MOST else 0)


if __name__ == "__main__":
    main()
