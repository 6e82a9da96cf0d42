"""The rules of ``core.sampling.copies`` by loops over lists of words; an index of given texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

import numpy as np

from core.dataset.sayings import EVERYDAY, joined_hashes, word_hash
from core.sampling.copies import CopyIndex
from core.sampling.copy_arrays import build_arrays
from core.sampling.request import Copy
from core.words import word_spans, words

Tweet = tuple[str, str | None, str | None]  # text, id, handle
Run = tuple[int, int, int, int]  # from which word of the text, how many, of which tweet, from which


def index_of(texts: Sequence[str], ids: Iterable[str | None] | None = None) -> CopyIndex:
    """Of one author; without ``ids`` the tweets are numbered from 0."""
    numbered = map(str, range(len(texts))) if ids is None else ids
    return CopyIndex(build_arrays((*one, None) for one in zip(texts, numbered, strict=True)))


def hashes_of(sayings: Iterable[str]) -> np.ndarray:
    """Of sayings of four words each, as they are frozen with a dataset."""
    each = [[np.array([word_hash(one)], np.uint64) for one in words(four)] for four in sayings]
    return np.sort(np.array([joined_hashes(four)[0] for four in each], np.uint64))


class PlainCopies:
    """``tweets`` as `build_arrays` takes them; ``said``: four words each that others say."""

    def __init__(self, tweets: Iterable[Tweet], said: Iterable[str] = ()) -> None:
        once: dict[tuple[str, ...], Tweet] = {}
        for tweet in tweets:
            once.setdefault(tuple(words(tweet[0])), tweet)
        once.pop((), None)
        self.tweets = [list(one) for one in once]
        self.ids = [tweet_id for _, tweet_id, _ in once.values()]
        users: dict[tuple[str, ...], set[str]] = {}
        for tweet, (_, _, handle) in once.items():
            for at in range(len(tweet) - 3):
                users.setdefault(tweet[at : at + 4], set()).add(handle or "")
        self.anybodys = {four for four, who in users.items() if len(who) >= 3}
        self.anybodys |= {tuple(words(four)) for four in said}

    def check(self, text: str, prompt: str = "") -> Copy:
        query, typed_words = words(text), words(prompt)
        typed = len(typed_words) - (query[: len(typed_words)] != typed_words)
        runs = self.runs(query, typed)
        if not runs:
            return self.of_few(query, typed)
        longest = max(runs, key=lambda run: run[1])
        own = [run for run in runs if not self.is_anybodys(query, run)]
        two = self.two_tweets(query, typed)
        cover = two or self.cover(query, typed)
        scale = (
            2 if sum(len(word) == 1 and word >= "\u3040" for word in query) * 2 > len(query) else 1
        )
        verdict = verdict_of(own, cover, len(query), scale)
        if two and len(query) >= 8 * scale:
            verdict = "verbatim"
        if verdict != "new" and not cover:
            cover = [max(own, key=lambda run: run[1])]
        spans = word_spans(text)
        shared = [(spans[run[0]][0], spans[run[0] + run[1] - 1][1]) for run in cover]
        of = sorted({run[2] for run in cover})
        if two:
            of = list(dict.fromkeys(run[2] for run in cover))
        return Copy(
            verdict,
            longest[1],
            self.ids[longest[2]],
            round(sum(run[1] for run in cover) / len(query), 4),
            tuple(one for tweet in of if (one := self.ids[tweet]) is not None),
            tuple(shared),
        )

    def place(self, some: list[str]) -> tuple[int, int] | None:
        """The first tweet that has these words in a row, and where."""
        for number, tweet in enumerate(self.tweets):
            for at in range(len(tweet) - len(some) + 1):
                if tweet[at : at + len(some)] == some:
                    return number, at
        return None

    def runs(self, query: list[str], typed: int) -> list[Run]:
        return [
            (start, end - start, *place)
            for start in range(len(query))
            for end in range(max(start + 3, typed + 1), len(query) + 1)
            if (place := self.place(query[start:end])) is not None
        ]

    def of_few(self, query: list[str], typed: int) -> Copy:
        for length in (2, 1):
            for start in range(max(typed - length + 1, 0), len(query) - length + 1):
                if (place := self.place(query[start : start + length])) is not None:
                    return Copy("new", length, self.ids[place[0]])
        return Copy("new", 0, None)

    def is_anybodys(self, query: list[str], run: Run) -> bool:
        said = query[run[0] : run[0] + run[1]]
        if len(said) < 7 and all(word in EVERYDAY for word in said):
            return True
        fours = [tuple(said[at : at + 4]) for at in range(len(said) - 3)]
        return bool(fours) and all(four in self.anybodys for four in fours)

    def two_tweets(self, query: list[str], typed: int) -> list[Run]:
        for end in range(max(typed + 1, 3), len(query) - 2):
            halves = query[:end], query[end:]
            if all(half in self.tweets for half in halves):
                first, second = map(self.tweets.index, halves)
                both = [(0, end, first, 0), (end, len(query) - end, second, 0)]
                if not any(self.is_anybodys(query, run) for run in both):
                    return both
        return []

    def cover(self, query: list[str], typed: int) -> list[Run]:
        """Of the two tweets with most runs of three words, each alone and with its neighbours."""
        threes = [query[at : at + 3] for at in range(len(query) - 2)]
        seeds = [
            sum(any(tweet[at : at + 3] == three for at in range(len(tweet))) for three in threes)
            for tweet in self.tweets
        ]
        likely = [at for at in range(len(seeds)) if seeds[at] >= 2]
        best: list[Run] = []
        for tweet in sorted(likely, key=lambda at: -seeds[at])[:2]:
            beside = [[tweet], [tweet, tweet + 1], [tweet - 1, tweet]]
            for some in beside:
                if some[0] < 0 or some[-1] == len(seeds) or not all(seeds[one] for one in some):
                    continue
                found = self.in_order(query, typed, some)
                if sum(run[1] for run in found) > sum(run[1] for run in best):
                    best = found
        return best

    def in_order(self, query: list[str], typed: int, tweets: list[int]) -> list[Run]:
        there = [(word, number) for number in tweets for word in [*self.tweets[number], None]][:-1]
        matcher = SequenceMatcher(None, [word for word, _ in there], query, autojunk=False)
        runs = [
            (start, length, there[at][1], 0)
            for at, start, length in matcher.get_matching_blocks()
            if length >= 3 and start + length > typed
        ]
        return [run for run in runs if not self.is_anybodys(query, run)]


def verdict_of(own: list[Run], cover: list[Run], size: int, scale: int) -> str:
    longest = max((run[1] for run in own), default=0)
    covered, run = sum(run[1] for run in cover), max((run[1] for run in cover), default=0)
    if (longest == size and size >= 4 * scale) or (longest >= 12 * scale and longest >= 0.8 * size):
        return "verbatim"
    if (
        longest >= 7 * scale
        or (longest >= 5 * scale and longest * 2 >= size)
        or (covered >= 0.6 * size and covered >= 6 * scale and run >= 4 * scale)
    ):
        return "near"
    return "new"
