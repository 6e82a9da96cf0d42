"""How much of a text is taken word for word from the training tweets.

Words are those of ``core.words``; where most of them are single characters of a script without
spaces, the limits below count double.

verbatim  the whole text (4 words or more) stands in a tweet, or one run of 12 words or more
          makes up 80 % of it
near      one run of 7 words or more, or one of 5 or more that makes up 60 % of the text
new       everything else

What a person typed is not held against the model: a run that lies within the prompt does not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from core.sampling.request import Copy, Verdict
from core.words import is_unspaced, words

_Ints = np.ndarray[Any, np.dtype[np.int64]]

_WHOLE = 4
_LONG_RUN, _LONG_SHARE = 12, 0.8
_NEAR_RUN = 7
_PART_RUN, _PART_SHARE = 5, 0.6

_BETWEEN = -1  # stands between two tweets
_UNKNOWN = -2  # a word of the text that no tweet has


class CopyIndex:
    """Finds the longest run of words that a text shares with any one training tweet.

    Two neighbouring words become one number, and two neighbouring numbers of that kind name four
    words exactly, with no chance of a collision. Runs of four are looked up and extended.
    Takes around 100 bytes per word of the tweets while it is made, half of that later.
    """

    def __init__(self, texts: Iterable[str], ids: Iterable[str | None]) -> None:
        """``ids`` go with ``texts``, one each; of equal texts the first gives its id."""
        self._vocabulary: defaultdict[str, int] = defaultdict()
        self._vocabulary.default_factory = self._vocabulary.__len__  # the next free number
        self._ids: list[str | None] = []
        number = self._vocabulary.__getitem__
        rows: dict[tuple[int, ...], None] = {}
        for text, tweet_id in zip(texts, ids, strict=True):
            row = tuple(map(number, words(text)))
            if row and row not in rows:
                rows[row] = None
                self._ids.append(tweet_id)
        flat = [_BETWEEN, *chain.from_iterable((*row, _BETWEEN) for row in rows)]
        self._flat: _Ints = np.array(flat, dtype=np.int64)
        lengths = np.array([len(row) + 1 for row in rows], dtype=np.int64)
        self._starts = np.concatenate([[1], 1 + np.cumsum(lengths)])
        self._index()

    @classmethod
    def from_parquet(cls, path: Any) -> CopyIndex:
        """The index of a frozen training set: columns ``text`` and ``tweet_id``."""
        import polars as pl

        frame = pl.read_parquet(path, columns=["text", "tweet_id"])
        return cls(frame["text"].to_list(), frame["tweet_id"].cast(pl.String).to_list())

    def __len__(self) -> int:
        """How many different tweets are in the index."""
        return len(self._ids)

    def _index(self) -> None:
        flat = self._flat
        size = max(len(self._vocabulary), 1)
        pairs = _joined(flat[:-1], flat[1:], size)
        self._pairs, self._pair_at, ranks = _ranked(pairs)
        self._triples, self._triple_at, _ = _ranked(_joined(ranks[:-1], flat[2:], size))
        quads = _joined(ranks[:-2], ranks[2:], max(len(self._pairs), 1))
        places = np.flatnonzero(quads >= 0)
        order = np.argsort(quads[places], kind="stable")
        self._quad_at = places[order]
        self._quads = quads[self._quad_at]
        self._first_at = np.zeros(size, dtype=np.int64)
        self._first_at[flat[::-1][flat[::-1] >= 0]] = np.flatnonzero(flat >= 0)[::-1]

    def check(self, text: str, prompt: str = "") -> Copy:
        """What ``text`` (which begins with ``prompt``) shares with the tweets, and with which."""
        said, typed_words = words(text), words(prompt)
        typed = len(typed_words)
        if said[:typed] != typed_words:  # the model went on with the last word, or with another
            typed = max(typed - 1, 0)
        query = [self._vocabulary.get(word, _UNKNOWN) for word in said]
        longest, place = self._longest(np.array(query, dtype=np.int64), typed)
        unspaced = sum(map(is_unspaced, said))
        scale = 2 if unspaced * 2 > len(said) else 1
        tweet_id = None
        if longest:
            tweet_id = self._ids[int(np.searchsorted(self._starts, place, side="right")) - 1]
        return Copy(_verdict(longest, len(query), scale), longest, tweet_id)

    def _longest(self, query: _Ints, typed: int) -> tuple[int, int]:
        """Length and place of the longest shared run that ends after the first ``typed`` words."""
        if len(query) == 0 or len(self._flat) < 2:
            return 0, 0
        size, flat = max(len(self._vocabulary), 1), self._flat
        pairs = _joined(query[:-1], query[1:], size)
        ranks = _ranks(self._pairs, pairs)
        quads = _joined(ranks[:-2], ranks[2:], max(len(self._pairs), 1))
        low = np.searchsorted(self._quads, quads, side="left")
        high = np.searchsorted(self._quads, quads, side="right")
        best, place = 0, 0
        for start in np.flatnonzero((high > low) & (quads >= 0)).tolist():
            at = self._quad_at[low[start] : high[start]]
            if start:  # a run that could begin earlier was met there, and was longer
                at = at[flat[at - 1] != query[start - 1]]
            length = 4
            while len(at) and start + length < len(query):
                longer = at[flat[at + length] == query[start + length]]
                if not len(longer):
                    break
                at, length = longer, length + 1
            if len(at) and length > best and start + length > typed:
                best, place = length, int(at[0])
        if best:
            return best, place
        triples = _joined(ranks[:-1], query[2:], size)
        for length, keys, known, first_at in (
            (3, triples, self._triples, self._triple_at),
            (2, pairs, self._pairs, self._pair_at),
            (1, query, np.arange(len(self._vocabulary)), self._first_at),
        ):
            found = _ranks(known, keys)
            found = found[max(typed - length + 1, 0) :]
            found = found[found >= 0]
            if len(found):
                return length, int(first_at[found[0]])
        return 0, 0


def _joined(left: _Ints, right: _Ints, size: int) -> _Ints:
    """One number for each two, below 0 where either is none; ``size`` is above every right one."""
    shortest = min(len(left), len(right))
    left, right = left[:shortest], right[:shortest]
    return np.where((left >= 0) & (right >= 0), left * size + right, _UNKNOWN)


def _ranked(keys: _Ints) -> tuple[_Ints, _Ints, _Ints]:
    """The different keys, sorted; where each stands first; and of every key its place in them."""
    places = np.flatnonzero(keys >= 0)
    different, first, inverse = np.unique(keys[places], return_index=True, return_inverse=True)
    ranks = np.full(len(keys), _UNKNOWN, dtype=np.int64)
    ranks[places] = inverse
    return different, places[first], ranks


def _ranks(known: _Ints, keys: _Ints) -> _Ints:
    """The place of each key among ``known`` (sorted, all different), or below 0."""
    if not len(known):
        return np.full(len(keys), _UNKNOWN, dtype=np.int64)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, places, _UNKNOWN)


def _verdict(longest: int, length: int, scale: int) -> Verdict:
    share = longest / length if length else 0.0
    if longest == length >= _WHOLE * scale:
        return "verbatim"
    if longest >= _LONG_RUN * scale and share >= _LONG_SHARE:
        return "verbatim"
    if longest >= _NEAR_RUN * scale or (longest >= _PART_RUN * scale and share >= _PART_SHARE):
        return "near"
    return "new"
