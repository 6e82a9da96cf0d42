"""Does the work grow in step with the tweets, and does the memory stay? The main steps at sizes.

    python -m benchmarks.scale [--sizes 100k,1m] [--steps import,stats,…] [--folder DIR]

For each size a CSV of made-up tweets by a dozen accounts (one of them has half) is imported into a
home of its own, and every step is a process of its own, so that its peak memory is its own.

x cost     seconds for one tweet, against those at the first size: 1 is linear
of a scan  a bare Polars scan (lower case of the same texts from Parquet) takes this part of it

--sizes 5m is the large one: some six gigabytes of disk, and minutes rather than seconds. --folder
keeps the files there, and takes those that lie there from before.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

_STEPS = {
    "scan": """
import polars as pl
texts = pl.scan_parquet(folder / "texts.parquet").select(
    pl.col("text").str.to_lowercase().str.len_bytes().sum())
assert texts.collect(engine="streaming").item() > 0
""",
    "import": """
from core.workflow.data import import_paths
results = import_paths(home, [folder / "tweets.csv"])
assert sum(result.new for result in results) == rows, results
""",
    "refresh": """
from core.corpus.store import Corpus
from core.corpus.reading import tweet_counts
from core.curation.stored_verdicts import refresh_curated
refresh_curated(home, list(tweet_counts(Corpus(home.corpus))))
""",
    "stats": """
from core.workflow.data import stats
found = stats(home, [], "standard")
assert sum(one.downloaded for one in found) == rows
print(f"kept {sum(one.kept for one in found):,}, tokens "
    f"{'about ' * any(one.tokens_about for one in found)}"
    f"{sum(one.tokens or 0 for one in found):,}", file=sys.stderr)
""",
    "curate": """
from core.corpus.store import Corpus
from core.corpus.reading import tweet_counts
from core.curation.stream import curated_batches
from core.curation.recipe import load_recipe
corpus = Corpus(home.corpus)
batches = curated_batches(corpus, list(tweet_counts(corpus)), load_recipe("standard"))
assert sum(batch.height for batch in batches) == rows
""",
    "near": """
from core.corpus.store import Corpus
from core.corpus.reading import tweet_counts
from core.curation.stream import curated_batches
from core.curation.recipe import load_recipe
corpus = Corpus(home.corpus)
recipe = load_recipe("standard").replace(near_duplicates=80)
batches = curated_batches(corpus, list(tweet_counts(corpus)), recipe, explain=False)
near = sum(int((batch["reason"] == "near_duplicate").sum()) for batch in batches)
print(f"{near:,} near duplicates", file=sys.stderr)
""",
}
_EXPORT = """
from core.corpus.store import Corpus
from core.corpus.reading import tweet_counts
from core.curation.recipe import load_recipe
from core.dataset.options import ExportOptions
from core.dataset.write import export_tweets
handles = list(tweet_counts(Corpus(home.corpus)))
result = export_tweets(home, handles, load_recipe("standard"), folder / "out.FORMAT",
    ExportOptions(format="FORMAT"))
assert 0 < result.rows < rows
"""
_STEPS |= {name: _EXPORT.replace("FORMAT", name) for name in ("parquet", "csv", "txt")}

_FRAME = """
import json, os, resource, sys, time
from pathlib import Path
import duckdb, numpy, polars, tokenizers  # loading them is not what is measured
import core.corpus.reading, core.curation.stream, core.dataset.write, core.workflow.data
from core.home import Home
folder, rows = Path(sys.argv[1]), int(sys.argv[2])
home = Home.at(folder / "home")
start = time.perf_counter()
%s
seconds = time.perf_counter() - start
try:  # ru_maxrss keeps the parent's peak over an exec; this does not
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
except OSError:
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
print(json.dumps([seconds, peak]))
"""

_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
_EMOJI = "😀🔥🚀❤️🙏😂"


def tweets(rows: int, seed: int = 5) -> Iterator[list[object]]:
    """id, date, author, text, is_retweet: always the same for a number of rows.

    A fifth are retweets, a quarter replies, a third have a link; one in 25 says what was said
    before, one in 25 says it with one thing changed.
    """
    rng = random.Random(seed)
    weights = [1 / (n + 1) for n in range(26)]
    words = ["".join(rng.choices(_LETTERS, weights, k=rng.randint(1, 9))) for _ in range(20_000)]
    phrases = [" ".join(rng.choices(words, k=rng.randint(2, 5))) for _ in range(200_000)]
    stock = [" ".join(rng.choices(phrases, k=rng.randint(2, 5))) for _ in range(2_000)]
    for n in range(rows):
        chance = rng.random()
        if chance < 0.04:
            text = rng.choice(stock)
        elif chance < 0.08:
            text = f"{rng.choice(stock)} {rng.randrange(1_000)}"
        else:
            text = " ".join(rng.choices(phrases, k=min(1 + int(rng.expovariate(0.4)), 12)))
        is_retweet = rng.random() < 0.2
        if is_retweet:
            text = f"RT @{rng.choice(words)}: {text}"
        elif rng.random() < 0.3:
            text = f"@{rng.choice(words)} {text}"
        if rng.random() < 0.35:
            text += f" https://t.co/{rng.getrandbits(50):010x}"
        if rng.random() < 0.1:
            text += f" #{rng.choice(words)} &amp; {rng.choice(_EMOJI)}"
        author = f"user{0 if n % 2 else rng.randrange(1, 12)}"
        date = f"20{10 + n % 14}-{n % 12 + 1:02}-{n % 28 + 1:02}T12:{n // 60 % 60:02}:{n % 60:02}Z"
        yield [10**18 + n * 4194304, date, author, text, is_retweet]


def write(folder: Path, rows: int) -> None:
    """tweets.csv, and texts.parquet with the texts alone."""
    with (folder / "tweets.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "created_at", "author", "text", "is_retweet"])
        writer.writerows(tweets(rows))
    texts = pl.scan_csv(folder / "tweets.csv", infer_schema=False).select("text")
    texts.sink_parquet(folder / "texts.parquet")


def once(step: str, folder: Path, rows: int) -> tuple[float, float]:
    """Seconds and peak memory (MB) of one step in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _FRAME % _STEPS[step], str(folder), str(rows)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{step} failed:\n{done.stderr}")
    for line in done.stderr.splitlines():
        print(f"  {step}: {line}", flush=True)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def number(text: str) -> int:
    """100k, 1m and 250000 as numbers."""
    unit = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower(), 0)
    return int(float(text[:-1]) * unit) if unit else int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100k,1m")
    parser.add_argument("--steps", default=",".join(_STEPS))
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    found: dict[tuple[int, str], tuple[float, float]] = {}
    sizes = [number(size) for size in options.sizes.split(",")]
    steps = [step for step in _STEPS if step in options.steps.split(",") or step == "scan"]
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="mynah-scale-") as made:
            folder = options.folder / str(rows) if options.folder else Path(made)
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "texts.parquet").exists():
                write(folder, rows)
            size = (folder / "tweets.csv").stat().st_size
            print(f"{rows:,} tweets, {size / 1e6:,.0f} MB of CSV", flush=True)
            for step in steps:
                if step == "import" and (folder / "home").exists():
                    continue
                found[rows, step] = once(step, folder, rows)
    head = ("seconds", "tweets/s", "peak MB", "x cost", "of a scan")
    print(f"{'tweets':>11}  {'step':8}" + "".join(f"{name:>11}" for name in head))
    for (rows, step), (seconds, peak) in found.items():
        first = next((size for size in sizes if (size, step) in found), rows)
        cost = (seconds / rows) / (found[first, step][0] / first)
        scan = found[rows, "scan"][0] / seconds
        print(
            f"{rows:11,}  {step:8}{seconds:11.2f}{rows / seconds:11,.0f}{peak:11,.0f}"
            f"{cost:11.2f}{scan:11.3f}"
        )


if __name__ == "__main__":
    main()
