"""How long until the first frame: mynah against an empty Textual app and a bare Python, in one run.

    python -m benchmarks.startup [--runs 5]

Prints the median of each in milliseconds and the ratio to the empty Textual app. Each run is a
process of its own that leaves as soon as its first frame has been drawn.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time

EMPTY = """
import asyncio
from textual.app import App
class Empty(App):
    def on_mount(self): self.call_after_refresh(self.exit)
asyncio.run(Empty().run_async(headless=True, size=(120, 40)))
"""
MYNAH = """
import asyncio, sys
from core.home import Home
from tui.app import MynahApp
class Quick(MynahApp):
    def _after_first_frame(self): self.exit()
asyncio.run(Quick(Home.at(sys.argv[1])).run_async(headless=True, size=(120, 40)))
"""
CASES = {
    "bare python": ["-c", "pass"],
    "empty Textual app": ["-c", EMPTY],
    "mynah, first frame": ["-c", MYNAH, tempfile.mkdtemp()],
    "mynah --help": ["-m", "tui", "--help"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    for turn in range(runs + 1):  # the first turn warms the file cache and is not counted
        for name, words in CASES.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, *words], check=True, capture_output=True)
            if turn:
                taken[name].append(time.perf_counter() - begun)
    base = statistics.median(taken["empty Textual app"])
    for name, seconds in taken.items():
        middle = statistics.median(seconds)
        print(f"{name:<22}{middle * 1000:7.0f} ms   {middle / base:5.2f} x the empty Textual app")


if __name__ == "__main__":
    main()
