"""Does the copy check find copies, and what does it cost? A table by author, then time and memory.

    python -m benchmarks.copies [--rounds 60] [--tweets 200k,1m] [--skip-table]

The table: of copies planted in twelve ways and more, the percentage called near or verbatim, by the
rule of version 0.1.0 (one longest run) and by today's; and the same of the author's own tweets that
the index does not have, which is how often people repeat themselves. For each number of made-up
tweets: seconds and peak memory of building and storing the index, its size on the disk, and in
another process the milliseconds of opening it and of a check.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.scale import number, tweets
from tests.oracles.planted_copies import table

_BUILD = """
import sys, time
from pathlib import Path
from core.sampling.copies import CopyIndex
began = time.perf_counter()
index = CopyIndex.from_parquet(Path(sys.argv[1]))
seconds, busy = time.perf_counter() - began, time.process_time()
status = Path("/proc/self/status").read_text()
print(seconds, busy, int(status.split("VmHWM:")[1].split()[0]) / 1024, len(index))
"""
_CHECK = """
import random, statistics, sys, time
from pathlib import Path
import polars as pl
from core.sampling.copies import CopyIndex
path = Path(sys.argv[1])
known = pl.read_parquet(path, columns=["text"])["text"].sample(500, seed=1).to_list()
rng = random.Random(1)
mixed = [" ".join(rng.sample(a.split() + b.split(), min(20, len(a.split()) + len(b.split()))))
         for a, b in zip(known, known[1:])]
began = time.perf_counter()
index = CopyIndex.from_parquet(path)
opened = (time.perf_counter() - began) * 1000
taken = []
for text in [*known, *mixed]:
    began = time.perf_counter()
    index.check(text)
    taken.append((time.perf_counter() - began) * 1000)
print(opened, statistics.median(taken), statistics.quantiles(taken, n=100)[98])
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.copies")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--tweets", default="200k")
    parser.add_argument("--skip-table", action="store_true")
    options = parser.parse_args()
    if not options.skip_table:
        _table(options.rounds)
    for size in filter(None, options.tweets.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            _cost(Path(folder), number(size))


def _table(rounds: int) -> None:
    found = table(rounds)
    print("% called a copy, 0.1.0 / now", *(f"{name[:14]:>15}" for name in found))
    for kind in next(iter(found.values())):
        cells = (f"{old * 100:8.1f} {new * 100:6.1f}" for old, new in
                 (found[name][kind] for name in found))  # fmt: skip
        print(f"{kind:<28}", *cells, flush=True)


def _cost(folder: Path, rows: int) -> None:
    path = folder / "train.parquet"
    made = [(str(row[0]), row[2], row[3]) for row in tweets(rows)]
    frame = pl.DataFrame(made, schema=["tweet_id", "handle", "text"], orient="row")
    frame.sort("handle", "tweet_id").write_parquet(path)
    seconds, busy, megabytes, different = _run(_BUILD, path)
    size = sum(file.stat().st_size for file in path.with_suffix(".copies").iterdir()) / 2**20
    print(f"{rows:,} tweets, {different:,.0f} different ones: built in {seconds:.1f} s "
        f"({busy:.1f} s of processor time with the start), "
          f"{megabytes:.0f} MB of memory, {size:.0f} MB on the disk", flush=True)  # fmt: skip
    opened, median, slowest = _run(_CHECK, path)
    print(f"opened in {opened:.0f} ms, a check takes {median:.2f} ms at the median and "
          f"{slowest:.2f} at the 99th of 100")  # fmt: skip


def _run(code: str, path: Path) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True
    )
    return [float(value) for value in done.stdout.split()]


if __name__ == "__main__":
    main()
