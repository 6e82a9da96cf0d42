"""Commands killed with SIGKILL at random moments: what is lost, doubled or half done.

    python -m benchmarks.kills [--kills 200] [--seed 1] [--only import --only fetch ...]
    python -m benchmarks.kills --each-step [--only export]
    python -m benchmarks.kills --only resume --kills 50 --steps 60 --in-a-row 10
    python -m benchmarks.kills --only fetch --kills 50 --posts full

Each is the real command in a process of its own, in a fresh home. After each kill it is looked at
what is there (tweets twice, a manifest that does not verify, half a publication, a run that nobody
knows of), then the command is let through, and what is there must equal what an undisturbed one
leaves: rows, files and weights to the byte, nothing paid for twice, no temporary files. With
--each-step a command is killed at every moment at which it changes something on the disk.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from core.workflow.training import warm_up
from tests.killing.deeds import Fetch, Resume, with_template
from tests.killing.driver import ROOT, kill_at_each_step, kill_at_random

# How the kills are shared out: the last ones take many seconds each.
SHARES: Final = {
    "import": 34, "fetch": 30, "forget": 28, "export": 28, "export-hf": 12, "curate": 20,
    "train": 12, "resume": 16, "sweep": 8, "publish": 12,
}  # fmt: skip


def seconds_to_start(folder: Path) -> float:
    """Of a command that finds nothing to do."""
    start = time.monotonic()
    environment = os.environ | {"MYNAH_HOME": str(folder / "none"), "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-m", "tui", "accounts"], env=environment, capture_output=True, check=True
    )
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=list(SHARES), default=[])
    parser.add_argument("--each-step", action="store_true")
    parser.add_argument("--in-a-row", type=int, default=3)
    parser.add_argument("--steps", type=int, help="of the run that resume kills")
    parser.add_argument("--posts", help="full: 3,200 posts are fetched, not 900")
    parser.add_argument("--keep", type=Path, help="a folder in which homes with faults stay")
    given = parser.parse_args()
    Resume.steps = given.steps or Resume.steps
    Fetch.plan = given.posts
    names = given.only or list(SHARES)
    together = sum(SHARES[name] for name in names)
    all_kills, all_wrong = 0, 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        deeds = with_template(folder)
        start_up = seconds_to_start(folder)
        warm = warm_up() if set(names) & {"train", "resume", "sweep"} else None
        try:
            for name in names:
                start = time.monotonic()
                if given.each_step:
                    found = kill_at_each_step(deeds[name], folder / name)
                else:
                    found = kill_at_random(
                        deeds[name],
                        folder / name,
                        max(1, round(given.kills * SHARES[name] / together)),
                        random.Random(f"{name} {given.seed}"),
                        in_a_row=given.in_a_row,
                        start_up=start_up,
                    )
                all_kills += found.kills
                all_wrong += len(found.wrong)
                print(
                    f"{name:10} {found.kills:4} kills of {found.times} commands (undisturbed "
                    f"{found.seconds:.1f} s): {len(found.wrong)} wrong, in "
                    f"{time.monotonic() - start:.0f} s",
                    flush=True,
                )
                for state, times in found.states.most_common(8):
                    print(f"           {times:4} x killed with: {state}", flush=True)
                for words in found.wrong:
                    print(f"    WRONG  {words}", flush=True)
        finally:
            if warm is not None:
                warm.end()
    print(f"{all_kills} kills: {all_wrong} lost, doubled or half done")
    sys.exit(1 if all_wrong else 0)


if __name__ == "__main__":
    main()
