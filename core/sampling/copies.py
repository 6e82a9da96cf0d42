"""How much of a text is taken from the training tweets, word for word or with a few changed.

Words are those of ``core.words``; where most of them are single characters of a script without
spaces, the limits in words below count double. A run is words that stand beside each other both in
the text and in a tweet. Covered are the words of the text in runs of three or more that stand in
the same order in one tweet, or in two tweets side by side; their part of the text is the share.

verbatim  the whole text (4 words or more) stands in a tweet, or one run of 12 words or more makes
          up 80 % of it, or the text is two whole tweets
near      one run of 7 words or more, or one of 5 or more that makes up half of the text; or
          60 % of it is covered, 6 words or more, with one run of 4 at least
new       everything else

What a person typed is not held against the model: a run that lies within the prompt does not count.
Nor does what anybody says: a run of which every four words are used by two other authors or more,
and a run of fewer than 7 words that are all everyday ones (``core.dataset.sayings``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

import numpy as np

from core.dataset.sayings import EVERYDAY, GRAM, joined_hashes
from core.sampling.copy_arrays import BETWEEN, UNKNOWN, CopyArrays, Words, stored_arrays
from core.sampling.request import Copy, Verdict
from core.words import is_unspaced, word_spans, words

_WHOLE = 4
_LONG_RUN, _LONG_SHARE = 12, 0.8
_NEAR_RUN = 7
_PART_RUN, _PART_SHARE = 5, 0.5
_COVERED_SHARE, _COVERED_WORDS, _COVERED_RUN = 0.6, 6, 4

_Bounds = tuple[Words, Words]

_SEED: Final = 3  # words; shorter runs are covered by chance
# Places of a run of three words that are looked at for the longest run.
_MOST_PLACES: Final = 200_000
# Places of runs of three words that are looked at for tweets, the rarest runs first.
_MOST_SEEDS: Final = 4_000
_MOST_TWEETS: Final = 2  # that a text is laid beside, word by word
_FEWEST_SEEDS: Final = 2  # in such a tweet: fewer cover no more than the longest run does


@dataclass(frozen=True)
class _Run:
    """Words ``start`` to ``start + length`` of a text, which stand at ``place`` of the tweets."""

    start: int
    length: int
    place: int

    @property
    def end(self) -> int:
        return self.start + self.length


@dataclass(frozen=True)
class _Cover:
    """Runs of a text, in order, in the tweets of these numbers."""

    runs: list[_Run]
    tweets: list[int]

    @property
    def words(self) -> int:
        return sum(run.length for run in self.runs)


class CopyIndex:
    """Finds what a text shares with training tweets: the longest run, and all that is covered."""

    def __init__(self, arrays: CopyArrays) -> None:
        self._arrays = arrays
        # a number out of these comes five times as fast as out of an array
        self._views = arrays.flat.data, arrays.positions.data, arrays.first.data

    @classmethod
    def from_parquet(cls, path: Path) -> CopyIndex:
        """The index of a frozen training set, stored beside it: see ``stored_arrays``."""
        return cls(stored_arrays(path))

    def __len__(self) -> int:
        """How many different tweets are in the index."""
        return len(self._arrays.starts) - 1

    @property
    def has_entities(self) -> bool:
        """Whether a tweet holds ``&amp;``, ``&lt;`` or ``&gt;`` as they are written."""
        return bool(self._arrays.entities[0])

    def check(self, text: str, prompt: str = "") -> Copy:
        """What ``text`` (which begins with ``prompt``) shares with the tweets, and with which."""
        its_words, typed_words = words(text), words(prompt)
        typed = len(typed_words)
        if its_words[:typed] != typed_words:  # the model went on with the last word, or another
            typed -= 1
        query = self._arrays.numbers(its_words)
        seeds = self._between(query, _SEED)
        runs = self._runs(query, typed, seeds)
        if not runs:
            return self._of_few(query, typed)
        longest = max(runs, key=lambda run: run.length)
        own = [run for run in runs if not self._is_anybodys(run, its_words)]
        two = self._two_tweets(query, typed, seeds, its_words)
        cover = two or self._cover(query, typed, seeds, its_words)
        unspaced = sum(map(is_unspaced, its_words))
        scale = 2 if unspaced * 2 > len(its_words) else 1
        verdict = _verdict(own, cover, len(query), scale)
        if two is not None and len(query) >= 2 * _WHOLE * scale:
            verdict = "verbatim"
        if verdict != "new" and not cover.runs:
            kept = max(own, key=lambda run: run.length)
            cover = _Cover([kept], [self._tweet(kept.place)])
        tweet_ids = [self._arrays.tweet_id(tweet) for tweet in cover.tweets]
        return Copy(
            verdict,
            longest.length,
            self._arrays.tweet_id(self._tweet(longest.place)),
            share=round(cover.words / len(query), 4),
            tweet_ids=tuple(one for one in tweet_ids if one is not None),
            shared=_offsets(text, its_words, cover),
        )

    def _tweet(self, place: int) -> int:
        return int(np.searchsorted(self._arrays.starts, place, side="right")) - 1

    def _of_few(self, query: Words, typed: int) -> Copy:
        """The result for a text that shares no more than two words in a row."""
        for length in (2, 1):
            low, high = self._between(query, length)
            at = np.flatnonzero(high > low)
            at = at[at + length > typed]
            if len(at):
                place = int(self._arrays.positions[low[at[0]] : high[at[0]]].min())
                return Copy("new", length, self._arrays.tweet_id(self._tweet(place)))
        return Copy("new", 0, None)

    def _between(self, query: Words, length: int) -> _Bounds:
        """For each word of ``query`` where in ``positions`` it and those after it, ``length``
        together (1 to 3), are: from, to; 0, 0 where nowhere.
        """
        low, high = np.zeros_like(query), np.zeros_like(query)
        # One bisection after the other, because most of them end in nothing: on arrays of all
        # words of a text NumPy needs five times as long.
        flat, positions, first = self._views
        after: Callable[[int], int] = {
            1: lambda at: 0,
            2: lambda at: flat[at + 1],
            _SEED: lambda at: flat[at + 1] << 32 | flat[at + 2],
        }[length]
        numbers = query.tolist()
        for start in range(len(query) - length + 1):
            one, *rest = numbers[start : start + length]
            if one == UNKNOWN:
                continue
            wanted = rest[0] << 32 | rest[1] if length == _SEED else sum(rest)
            begin, end = first[one], first[one + 1]
            begin = bisect_left(positions, wanted, begin, end, key=after)
            if begin < end and after(positions[begin]) == wanted:
                low[start] = begin
                high[start] = bisect_right(positions, wanted, begin, end, key=after)
        return low, high

    def _runs(self, query: Words, typed: int, seeds: _Bounds) -> list[_Run]:
        """The longest run from each word on, if of three words or more, that goes beyond the first
        ``typed`` words.
        """
        arrays, size = self._arrays, len(query)
        low, high = seeds
        runs: list[_Run] = []
        for start in np.flatnonzero(high).tolist():
            at, length = arrays.positions[low[start] : high[start]][:_MOST_PLACES], _SEED
            while start + length < size:
                longer = at[arrays.flat[at + length] == query[start + length]]
                if not len(longer):
                    break
                at, length = longer, length + 1
            if start + length > typed:
                runs.append(_Run(start, length, int(at.min())))
            if start + length == size:  # and so does each that begins later
                break
        return runs

    def _cover(self, query: Words, typed: int, seeds: _Bounds, its_words: list[str]) -> _Cover:
        """The tweet, or two side by side, in which most words of the text stand in order."""
        best = _Cover([], [])
        matcher = SequenceMatcher(None, b=query.tolist(), autojunk=False)
        for tweets in self._likely(seeds):
            begin = int(self._arrays.starts[tweets[0]])
            there = self._arrays.flat[begin : int(self._arrays.starts[tweets[-1] + 1])]
            matcher.set_seq1(there.tolist())
            runs = [
                run
                for place, start, length in matcher.get_matching_blocks()
                if length >= _SEED
                and start + length > typed
                and not self._is_anybodys(run := _Run(start, length, begin + place), its_words)
            ]
            found = _Cover(runs, sorted({self._tweet(run.place) for run in runs}))
            if found.words > best.words:
                best = found
        return best

    def _likely(self, seeds: _Bounds) -> list[list[int]]:
        """The tweets with most runs of three words of a text; and such with their neighbours."""
        low, counts = seeds[0], seeds[1] - seeds[0]
        rarest = np.argsort(counts, kind="stable")
        rarest = rarest[counts[rarest] > 0]
        enough = int(np.searchsorted(np.cumsum(counts[rarest]), _MOST_SEEDS, side="right"))
        rarest = rarest[: max(enough, 1)]
        places = [
            self._arrays.positions[low[start] : low[start] + min(counts[start], _MOST_SEEDS)]
            for start in rarest.tolist()
        ]
        tweets = np.searchsorted(self._arrays.starts, np.concatenate(places), side="right") - 1
        # A run that a tweet has twice counts once.
        starts = np.repeat(rarest, [len(at) for at in places])
        pairs = np.unique(tweets * len(low) + starts)
        tweets, shared = np.unique(pairs // len(low), return_counts=True)
        order = np.argsort(-shared, kind="stable")[:_MOST_TWEETS]
        order = order[shared[order] >= _FEWEST_SEEDS]
        likely: list[list[int]] = []
        for at in order.tolist():
            tweet = int(tweets[at])
            likely.append([tweet])
            if at + 1 < len(tweets) and tweets[at + 1] == tweet + 1:
                likely.append([tweet, tweet + 1])
            if at and tweets[at - 1] == tweet - 1:
                likely.append([tweet - 1, tweet])
        return likely

    def _two_tweets(
        self, query: Words, typed: int, seeds: _Bounds, its_words: list[str]
    ) -> _Cover | None:
        """The cover when the text is made of two whole tweets."""
        size = len(query)
        for end, place in self._whole_tweets(query, 0, seeds).items():
            after = self._whole_tweets(query, end, seeds).get(size)
            if after is None or end <= typed:
                continue
            runs = [_Run(0, end, place), _Run(end, size - end, after)]
            if not any(self._is_anybodys(run, its_words) for run in runs):
                return _Cover(runs, list(dict.fromkeys(self._tweet(run.place) for run in runs)))
        return None

    def _whole_tweets(self, query: Words, start: int, seeds: _Bounds) -> dict[int, int]:
        """Tweets of three words or more that ``query`` has whole from ``start`` on: the first place
        of each by the word of ``query`` after it.
        """
        found: dict[int, int] = {}
        if start == len(query):
            return found
        flat = self._arrays.flat
        at = self._arrays.positions[seeds[0][start] : seeds[1][start]]
        at, end = at[flat[at - 1] == BETWEEN], start + _SEED
        while len(at):
            over = at[flat[at + (end - start)] == BETWEEN]
            if len(over):
                found[end] = int(over.min())
            if end == len(query):
                break
            at, end = at[flat[at + (end - start)] == query[end]], end + 1
        return found

    def _is_anybodys(self, run: _Run, its_words: list[str]) -> bool:
        """Whether the words of a run are said by many, so that nobody is copied with them."""
        said = its_words[run.start : run.end]
        if run.length < _NEAR_RUN and EVERYDAY.issuperset(said):
            return True
        common = self._arrays.common
        if run.length < GRAM or not len(common):
            return False
        numbers = self._arrays.flat[run.place : run.place + run.length]
        hashes = self._arrays.vocabulary[numbers - 1]
        count = run.length - GRAM + 1
        grams = joined_hashes(hashes[step : step + count] for step in range(GRAM))
        at = np.minimum(np.searchsorted(common, grams), len(common) - 1)
        return bool((common[at] == grams).all())


def _offsets(text: str, its_words: list[str], cover: _Cover) -> tuple[tuple[int, int], ...]:
    """Where the covered runs stand in ``text``, in characters."""
    spans = word_spans(text)
    if len(spans) != len(its_words):
        return ()
    return tuple((spans[run.start][0], spans[run.end - 1][1]) for run in cover.runs)


def _verdict(runs: list[_Run], cover: _Cover, size: int, scale: int) -> Verdict:
    longest = max((run.length for run in runs), default=0)
    share = longest / size
    if longest == size >= _WHOLE * scale:
        return "verbatim"
    if longest >= _LONG_RUN * scale and share >= _LONG_SHARE:
        return "verbatim"
    if longest >= _NEAR_RUN * scale or (longest >= _PART_RUN * scale and share >= _PART_SHARE):
        return "near"
    if cover.words >= max(_COVERED_SHARE * size, _COVERED_WORDS * scale) and any(
        run.length >= _COVERED_RUN * scale for run in cover.runs
    ):
        return "near"
    return "new"
