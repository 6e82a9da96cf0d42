"""Curation against plain Python and against one bare pass over the same texts, in one run.

    python -m benchmarks.curation [--tweets 100000] [--texts FILE]

FILE holds one tweet a line; without it, tweets are made up with links, names, tags and entities.
Prints ratios, because seconds depend on the machine and on who else uses it.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from core.curation.recipe import load_recipe
from tests.oracles import classic as oracle
from tests.oracles.frames import frame
from tests.oracles.one_frame import account_stats, curate

_WORDS = "the a of to and in is it you that was for on are with as his they be at one have".split()
_EXTRAS = ["https://t.co/aBcDeFgHiJ", "@someone", "#tag", "&amp;", "(https://t.co/x1)", "\n", "😀"]


def made_up(count: int, seed: int = 1) -> list[str]:
    """Tweets of 3 to 40 words, two in three of them with something to clean."""
    rng = random.Random(seed)
    texts = []
    for _ in range(count):
        words = rng.choices(_WORDS, k=rng.randint(3, 40))
        for _ in range(rng.randint(0, 2)):
            words.insert(rng.randint(0, len(words)), rng.choice(_EXTRAS))
        texts.append(" ".join(words))
    return texts


def fastest(work: Callable[[], object], rounds: int = 5) -> float:
    """Least seconds of a few rounds: the one with the fewest interruptions."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tweets", type=int, default=100_000)
    parser.add_argument("--texts", type=Path)
    options = parser.parse_args()
    if options.texts:
        lines = options.texts.read_text(encoding="utf-8").splitlines()
        texts = (lines * (options.tweets // len(lines) + 1))[: options.tweets]
    else:
        texts = made_up(options.tweets)
    tweets = frame(texts)
    python = fastest(lambda: oracle.curate(texts), rounds=1)
    scan = fastest(lambda: tweets["text"].str.to_lowercase())
    print(f"{len(texts):,} tweets, {sum(map(len, texts)) / 1e6:.1f} M characters")
    print(f"{'':26}{'ms':>8}{'tweets/s':>12}{'x python':>10}{'of a scan':>11}")
    rows = [
        ("plain Python, classic", python),
        *((f"curate, {name}", _curate(tweets, name)) for name in ("classic", "standard")),
        ("account_stats", _stats(tweets)),
        ("one pass (lower case)", scan),
    ]
    for name, seconds in rows:
        print(
            f"{name:26}{seconds * 1e3:8.0f}{len(texts) / seconds:12,.0f}"
            f"{python / seconds:10.1f}{scan / seconds:11.2f}"
        )


def _curate(tweets: pl.DataFrame, name: str) -> float:
    recipe = load_recipe(name)
    return fastest(lambda: curate(tweets, recipe))


def _stats(tweets: pl.DataFrame) -> float:
    curated = curate(tweets, load_recipe("standard"))
    return fastest(lambda: account_stats(curated))


if __name__ == "__main__":
    main()
