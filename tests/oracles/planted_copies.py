"""Copies of twelve kinds and more, made from real tweets, and the rule that looked at one run."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from core.curation.judge import judge
from core.curation.recipe import load_recipe
from core.home import bundled
from core.sources.detect import open_source
from core.words import words

REAL = Path(__file__).parents[2] / "../shared/data"
FEWEST_WORDS = 8  # of a tweet that is copied with changes

Plant = Callable[[list[str], list[str], random.Random], str]


def authors(*, ships_only: bool = False) -> dict[str, list[str]]:
    """Cleaned tweets in the order of their source, each once, by author; the real ones if there."""
    found: dict[str, list[str]] = {}
    real = [] if ships_only else sorted(REAL.glob("*.csv"))
    for path in [*sorted(Path(bundled("samples")).glob("*.zip")), *real]:
        texts: dict[tuple[str, ...], str] = {}
        for batch in open_source(path).batches():
            kept = judge(batch, load_recipe("standard"), explain=False).filter(
                pl.col("reason").is_null()
            )
            for text in kept["clean_text"]:
                texts.setdefault(tuple(words(text)), text)
        found[path.stem] = list(texts.values())
    return found


def _changed(places: int) -> Plant:
    def plant(tweet: list[str], other: list[str], rng: random.Random) -> str:
        tweet = list(tweet)
        for at in rng.sample(range(len(tweet)), places):
            tweet[at] = "zebra" + str(rng.randrange(99))
        return " ".join(tweet)

    return plant


def _dropped(tweet: list[str], other: list[str], rng: random.Random) -> str:
    gone = set(rng.sample(range(len(tweet)), 2))
    return " ".join(word for at, word in enumerate(tweet) if at not in gone)


def _inserted(tweet: list[str], other: list[str], rng: random.Random) -> str:
    tweet = list(tweet)
    for _ in range(2):
        tweet.insert(rng.randrange(1, len(tweet)), "zebra" + str(rng.randrange(99)))
    return " ".join(tweet)


def _swapped(tweet: list[str], other: list[str], rng: random.Random) -> str:
    at = rng.randrange(len(tweet) - 1)
    return " ".join([*tweet[:at], tweet[at + 1], tweet[at], *tweet[at + 2 :]])


def _bare(text: str) -> str:
    """Without accents, and without signs."""
    apart = unicodedata.normalize("NFD", text)
    return "".join(one for one in apart if one.isalnum() or one.isspace() or one == "'")


# Of a tweet, and of one by somebody else for words of another's own; both as lists of words.
PLANTED: dict[str, Plant] = {
    "whole": lambda tweet, other, rng: " ".join(tweet),
    "case and signs": lambda tweet, other, rng: ", ".join(tweet).upper() + "!!",
    "first half": lambda tweet, other, rng: " ".join(
        tweet[: (len(tweet) + 1) // 2] + other[: len(tweet) // 2]
    ),
    "second half": lambda tweet, other, rng: " ".join(
        other[: len(tweet) // 2] + tweet[len(tweet) // 2 :]
    ),
    "1 word changed": _changed(1),
    "2 words changed": _changed(2),
    "3 words changed": _changed(3),
    "2 words dropped": _dropped,
    "2 words inserted": _inserted,
    "neighbours swapped": _swapped,
    "handle and link": lambda tweet, other, rng: " ".join(
        ["@somebody", *tweet, f"https://t.co/{rng.randrange(10**9)}"]
    ),
    "emoji": lambda tweet, other, rng: " 🌊 ".join(tweet) + " 🔥🔥",
    "accents removed": lambda tweet, other, rng: _bare(" ".join(tweet)),
}


def planted(texts: Sequence[str], others: Sequence[str], rng: random.Random) -> dict[str, str]:
    """One copy of each kind of tweets among ``texts`` (the training tweets, in their order)."""
    long = [
        at for at, text in enumerate(texts[:-1])
        if len(words(text)) >= FEWEST_WORDS and len(words(texts[at + 1])) >= 4
    ]  # fmt: skip
    made = {}
    for kind, plant in PLANTED.items():
        other = words(rng.choice(others))
        made[kind] = plant(texts[rng.choice(long)].split(), other, rng)
    at = rng.choice(long)
    made["two side by side"] = f"{texts[at]} {texts[at + 1]}"
    made["any two"] = f"{texts[rng.choice(long)]} {texts[rng.choice(long)]}"
    return made


def by_one_run(longest: int, size: int) -> str:
    """The verdict of version 0.1.0, from the longest run and the number of words of a text."""
    part = longest / size if size else 0.0
    if longest == size >= 4 or (longest >= 12 and part >= 0.8):
        return "verbatim"
    return "near" if longest >= 7 or (longest >= 5 and part >= 0.6) else "new"


def table(
    rounds: int, seed: int = 1, *, ships_only: bool = False
) -> dict[str, dict[str, tuple[float, float]]]:
    """By author and kind: the share called near or verbatim, by the old rule and by today's.

    The last kind is no copy: tweets of the author that the index does not have.
    """
    from tests.oracles.plain_copies import index_of

    people = authors(ships_only=ships_only)
    result: dict[str, dict[str, tuple[float, float]]] = {}
    for number, (name, texts) in enumerate(people.items()):
        rng = random.Random(f"{seed}/{name}")
        unseen = set(rng.sample(range(len(texts)), len(texts) // 5))
        train = [text for at, text in enumerate(texts) if at not in unseen]
        others = list(people.values())[number - 1]
        index = index_of(train)
        found: dict[str, list[tuple[bool, bool]]] = {}
        drawn = [planted(train, others, rng) for _ in range(rounds)]
        held = [{"held out": texts[at]} for at in sorted(unseen)]
        other = [{"somebody else's": text} for text in rng.sample(others, min(200, len(others)))]
        for texts_of_kinds in [*drawn, *held, *other]:
            for kind, text in texts_of_kinds.items():
                copy = index.check(text)
                old = by_one_run(copy.longest, len(words(text)))
                found.setdefault(kind, []).append((old != "new", copy.verdict != "new"))
        result[name] = {
            kind: (sum(a for a, _ in each) / len(each), sum(b for _, b in each) / len(each))
            for kind, each in found.items()
        }
    return result
