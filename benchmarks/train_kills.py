"""Training runs killed with SIGKILL at random instants and resumed, against undisturbed ones.

    python -m benchmarks.train_kills [--kills 50] [--steps 60] [--seed 1]

Each run is killed up to --in-a-run times, wherever its process is: importing, reading its tweets,
measuring, in a step, writing a checkpoint or the model. Prints, for as many runs as the kills
need, where it was each time, and whether its held-out losses and the file of its model are those of
the undisturbed run; last, how many runs were lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from typing import Any

from core.files import sha256_of
from core.home import Home
from core.processes import process_times
from core.runs.folder import ENDED, Run
from core.runs.launch import resume_run
from core.workflow.data import DEMO_HANDLE, import_paths, sample_archives
from core.workflow.training import train, warm_up


def started(home: Home, steps: int) -> Run:
    return train(home, [DEMO_HANDLE], base="scratch", max_steps=steps, checkpoint_seconds=0.5)


def gone(run: Run, seconds: float) -> bool:
    """Whether its process ended within so many seconds."""
    until = time.monotonic() + seconds
    while True:
        pid = run.record().pid
        if pid is None or process_times(pid) is None:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.005)


def kill(run: Run) -> str:
    """Kills its process; returns what it was at."""
    pid = run.record().pid
    if pid is not None and process_times(pid) is not None:
        os.kill(pid, signal.SIGKILL)
    gone(run, 10)
    written = run.metrics.read_text("utf-8").splitlines() if run.metrics.exists() else []
    last = json.loads(written[-1]) if written else {"kind": "starting"}
    return str(last.get("doing", f"after {last['kind']}"))


def outcome(run: Run) -> tuple[dict[str, Any], str]:
    """The held-out losses by step, what it ended with, and the sum of the model's file."""
    last: dict[str, Any] = {}
    for line in run.metrics.read_text("utf-8").splitlines():
        found = json.loads(line)
        if found["kind"] == "eval":
            last[f"{found['phase']} {found['step']}"] = found["valid_loss"]
    result = run.record().result
    assert result is not None
    last["end"] = result.steps, result.tokens, result.valid_loss_after
    return last, sha256_of(run.model / "model.safetensors")


def share_of_checkpoints(run: Run) -> float:
    """Of the time of an undisturbed run, by its journal."""
    lines = [json.loads(line) for line in run.metrics.read_text("utf-8").splitlines()]
    took = sum(line["took"] for line in lines if line["kind"] == "checkpoint")
    return float(took / lines[-1]["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--in-a-run", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        home = Home.at(folder)
        import_paths(home, [path for path in sample_archives() if DEMO_HANDLE in path.name])
        warm = warm_up()
        try:
            began = time.monotonic()
            whole = started(home, given.steps)
            gone(whole, 600)
            seconds = time.monotonic() - began
            assert whole.record().state == "finished", whole.record().reason
            expected = outcome(whole)
            share = share_of_checkpoints(whole)
            print(f"undisturbed: {given.steps} steps in {seconds:.1f} s")
            print(f"checkpoints: {share:.1%} of its time")
            left, runs, lost, different = given.kills, 0, 0, 0
            where: Counter[str] = Counter()
            while left > 0:
                runs += 1
                run, kills = started(home, given.steps), 0
                while kills < min(left, given.in_a_run):
                    if gone(run, chance.uniform(0, seconds / 2)):
                        break
                    doing = kill(run)
                    if run.record().state in ENDED:
                        break
                    where[doing] += 1
                    kills += 1
                    resume_run(run)
                gone(run, 600)
                left -= kills
                record = run.record()
                if record.state != "finished":
                    lost += 1
                    print(f"run {runs}: LOST after {kills} kills: {record.state} {record.reason}")
                    continue
                same = outcome(run)
                alike = same[1] == expected[1] and same[0]["end"] == expected[0]["end"]
                different += not alike
                print(f"run {runs}: {kills} kills, resumed, finished; equal to the bit: {alike}")
        finally:
            if warm is not None:
                warm.end()
    print(f"{given.kills - left} kills in {runs} runs: {lost} lost, {different} with other weights")
    print("killed while:", ", ".join(f"{doing} {count}" for doing, count in where.most_common()))


if __name__ == "__main__":
    main()
