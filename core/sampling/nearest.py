"""Why did it say that? The training tweets whose words are closest to a text.

The measure is the cosine of TF-IDF vectors of words: each different word counts once in a tweet,
weighted by log(N / n), where n of the N tweets have it, so that rare words weigh most. It is exact:
every tweet that the model learned from is compared. The words of the prompt do not count, because
the model did not choose them. It shows where words may come from, and proves nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from core.dataset.frozen import TRAIN, training_batches
from core.errors import InputRefused
from core.words import word_spans, words

MOST: Final = 5
_COLUMNS: Final = ("handle", "tweet_id", "created_at", "text")


@dataclass(frozen=True)
class NearTweet:
    """``score``: the cosine, 0 to 1. ``shared``: words in both, the rarest first."""

    tweet_id: str
    handle: str
    created_at: datetime | None
    text: str
    score: float
    shared: tuple[str, ...]

    def spans(self) -> list[tuple[int, int]]:
        """Where the shared words stand in ``text``, in characters."""
        return spans_of(self.text, self.shared)


def nearest_tweets(dataset: Path, text: str, prompt: str = "", most: int = MOST) -> list[NearTweet]:
    """The closest training tweets of a frozen dataset, the closest first; none that share no word.

    Raises InputRefused where the run's tweets are gone.
    """
    if not (dataset / TRAIN).is_file():
        raise InputRefused(
            "Nobody can say where it has that from.",
            "The tweets that this run learned from are not in its folder any more.",
        )
    asked = set(words(text)) - set(words(prompt))
    tweets = 0
    having: Counter[str] = Counter()
    candidates: list[tuple[str, str, datetime | None, str]] = []
    for row in _rows(dataset):
        its = set(words(row[3]))
        tweets += 1
        having.update(its)
        if not its.isdisjoint(asked):
            candidates.append(row)
    weight = {word: math.log(tweets / count) ** 2 for word, count in having.items()}
    asked &= weight.keys()
    size = math.sqrt(sum(weight[word] for word in asked))
    found = []
    for handle, tweet_id, created_at, tweet in candidates:
        its = set(words(tweet))
        both = its & asked
        product = sum(weight[word] for word in both)
        if product:
            score = product / (size * math.sqrt(sum(weight[word] for word in its)))
            rarest_first = sorted(both, key=lambda word: (-weight[word], word))
            found.append(NearTweet(tweet_id, handle, created_at, tweet, score, tuple(rarest_first)))
    found.sort(key=lambda one: (-one.score, one.tweet_id))
    return found[:most]


def spans_of(text: str, some: Iterable[str]) -> list[tuple[int, int]]:
    """Where ``some`` of the words of ``text`` stand in it."""
    wanted, spans, its = set(some), word_spans(text), words(text)
    if len(spans) != len(its):
        return []
    return [span for span, word in zip(spans, its, strict=True) if word in wanted]


def _rows(dataset: Path) -> Iterable[tuple[str, str, datetime | None, str]]:
    for batch in training_batches(dataset, _COLUMNS):
        for handle, tweet_id, created_at, text in batch.iter_rows():
            yield str(handle), str(tweet_id), created_at, text or ""
