"""Whether the time left that a run says is right: its journal replayed against its own end.

    python -m benchmarks.eta RUN_FOLDER...

At each second after the first minute, what the newest line said is compared with when the run
truly ended: as a share of the time left then (so long as that was a quarter of a minute or more),
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from core.json_lines import read_json_lines
from core.runs.folder import Run

FIRST = 60.0
LEAST_LEFT = 15.0


def errors(run: Run) -> tuple[list[float], list[float]]:
    """Errors as shares of the time left, and of the whole run."""
    of_rest, of_all = [], []
    lines = list(read_json_lines(run.metrics))
    ends = [line for line in lines if line.get("kind") == "end"]
    said = [line for line in lines if line.get("seconds_left") is not None]
    if not ends or not said:
        return [], []
    end, whole = ends[-1]["time"], ends[-1]["seconds"]
    begin = end - whole
    for second in range(int(FIRST), int(whole)):
        now = begin + second
        before = [line for line in said if line["time"] <= now]
        if before:
            left = before[-1]["seconds_left"] - (now - before[-1]["time"])
            error = abs(left - (end - now))
            of_all.append(error / whole)
            if end - now >= LEAST_LEFT:
                of_rest.append(error / (end - now))
    return of_rest, of_all


def main() -> None:
    for folder in sys.argv[1:]:
        of_rest, of_all = errors(Run(Path(folder)))
        if not of_rest:
            print(f"{folder}: it has not ended, or took less than a minute and a quarter")
            continue
        print(
            f"{folder}: {len(of_rest)} seconds; error of the time left: "
            f"median {statistics.median(of_rest):.1%}, worst {max(of_rest):.1%}; of the whole run: "
            f"median {statistics.median(of_all):.1%}, worst {max(of_all):.1%}"
        )


if __name__ == "__main__":
    main()
