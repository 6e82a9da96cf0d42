"""Why did it say that? The training tweets whose words are closest to a text.

The measure is the cosine of TF-IDF vectors of words: each different word counts once in a tweet,
weighted by log(N / n), where n of the N tweets have it, so that rare words weigh most. It is exact:
every tweet that the model learned from is compared. The words of the prompt do not count, because
the model did not choose them. It shows where words may come from, and proves nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.curation.personal_data import personal_data
from core.curation.recipe import Recipe
from core.dataset.frozen import TRAIN, training_batches
from core.dataset.manifest import RUN_NAME, BadManifest, Manifest, read_manifest
from core.errors import InputRefused, kind_and_line
from core.runs.record import RecipeName
from core.words import word_spans, words

MOST: Final = 5
_COLUMNS: Final = ("handle", "tweet_id", "created_at", "text")


@dataclass(frozen=True)
class NearTweet:
    """``score``: the cosine, 0 to 1. ``shared``: words in both, the rarest first. ``kept``: why the
    tweet is among those that the run learned from; empty where nothing says so.
    """

    tweet_id: str
    handle: str
    created_at: datetime | None
    text: str
    score: float
    shared: tuple[str, ...]
    kept: str = ""

    def spans(self) -> list[tuple[int, int]]:
        """Where the shared words stand in ``text``, in characters."""
        return spans_of(self.text, self.shared)


def nearest_tweets(dataset: Path, text: str, prompt: str = "", most: int = MOST) -> list[NearTweet]:
    """The closest training tweets of a frozen dataset, the closest first; none that share no word.

    Raises InputRefused where the run's tweets are gone, or cannot be read.
    """
    from polars.exceptions import PolarsError

    if not (dataset / TRAIN).is_file():
        raise InputRefused(
            "Nobody can say where it has that from.",
            "The tweets that this run learned from are not in its folder any more.",
        )
    try:
        return _nearest(dataset, text, prompt, most)
    except PolarsError as error:
        raise InputRefused(
            "Nobody can say where it has that from.",
            f"The tweets that this run learned from cannot be read: {kind_and_line(error)}.",
        ) from error


def _nearest(dataset: Path, text: str, prompt: str, most: int) -> list[NearTweet]:
    numbers: dict[str, int] = {}
    flat, sizes = array("I"), array("q")  # the different words of all tweets; how many each has
    for tweet in _texts(dataset):
        its = set(words(tweet))
        flat.extend([numbers.setdefault(word, len(numbers)) for word in its])
        sizes.append(len(its))
    asked = {number: word for word in set(words(text)) - set(words(prompt))
             if (number := numbers.get(word)) is not None}  # fmt: skip
    if not asked:
        return []
    ids = np.frombuffer(flat, dtype=np.uint32)
    lengths = np.asarray(sizes, dtype=np.int64)
    weights = np.log(len(sizes) / np.bincount(ids, minlength=len(numbers))) ** 2
    of_tweet = np.repeat(np.arange(len(sizes)), lengths)
    in_text = np.zeros(len(numbers), dtype=bool)
    in_text[list(asked)] = True
    squares = np.bincount(of_tweet, weights[ids], minlength=len(sizes))
    products = np.bincount(of_tweet, weights[ids] * in_text[ids], minlength=len(sizes))
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = products / np.sqrt(squares * weights[in_text].sum())
    scores[products == 0] = 0.0
    best = [place for place in np.argsort(-scores, kind="stable")[:most].tolist() if scores[place]]
    ends = np.cumsum(lengths)
    recipe = _recipe_of(dataset)
    found = []
    for place, (handle, tweet_id, created_at, tweet, answered_by) in _rows(dataset, best):
        own = ids[ends[place] - lengths[place] : ends[place]]
        both = sorted(own[in_text[own]].tolist(), key=lambda one: (-weights[one], asked[one]))
        shared = tuple(asked[one] for one in both)
        found.append(
            NearTweet(
                str(tweet_id),
                str(handle),
                created_at,
                tweet,
                float(scores[place]),
                shared,
                _why_kept(tweet, recipe, answered_by),
            )
        )
    return found


def spans_of(text: str, some: Iterable[str]) -> list[tuple[int, int]]:
    """Where ``some`` of the words of ``text`` stand in it."""
    wanted, spans, its = set(some), word_spans(text), words(text)
    if len(spans) != len(its):
        return []
    return [span for span, word in zip(spans, its, strict=True) if word in wanted]


def _recipe_of(dataset: Path) -> Recipe | None:
    """The recipe that chose the tweets; None where the manifest is damaged or of a newer mynah."""
    try:
        content, _ = read_manifest(dataset / RUN_NAME)
        return Manifest(content).recipe
    except (BadManifest, InputRefused, LookupError, TypeError):
        return None


def _why_kept(tweet: str, recipe: Recipe | None, answered_by: str | None) -> str:
    if recipe is None:
        return ""
    name = RecipeName(recipe.name, changed=recipe.edited).in_words
    answer = f", as an answer to @{answered_by}" if answered_by else ""
    flagged = personal_data(tweet) if recipe.personal_data == "flag" else []
    if flagged:
        return f"kept by the recipe {name}{answer}, but flagged: {', '.join(flagged)}"
    return f"kept by the recipe {name}{answer}: none of its rules drops it"


def _texts(dataset: Path) -> Iterator[str]:
    for batch in training_batches(dataset, ["text"]):
        yield from (text or "" for text in batch["text"].to_list())


def _rows(dataset: Path, places: Sequence[int]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """The rows at ``places`` of the file, in that order, with their places."""
    import polars as pl

    rows = pl.scan_parquet(dataset / TRAIN, glob=False, hive_partitioning=False)
    answered = "answered_by" in rows.collect_schema()
    by = pl.col("answered_by") if answered else pl.lit(None, pl.String).alias("answered_by")
    some = rows.select(*_COLUMNS, by).with_row_index("place").filter(pl.col("place").is_in(places))
    by_place = {row[0]: row[1:] for row in some.collect().iter_rows()}
    return ((place, by_place[place]) for place in places)
