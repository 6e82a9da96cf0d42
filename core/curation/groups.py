"""Tweets that must stay on one side of a held-out split: threads, conversations, near copies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from core.curation.near_duplicates import alike, shingle_hashes
from core.curation.rules import ALIKE
from core.curation.words import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

Check = Callable[[], None]

# A tweet with more near copies than this (those that differ in numbers only are one) is never
# held out, and they are not followed any further: it is a formula, of which most is learned anyway.
MOST_COPIES: Final = 30
_NUMBER: Final = r"\p{N}+"
_SEEDS: Final = (0x67726F757073, 0x74686561647)
# Texts compared at once: few at first, so that formulas show before they meet many of their kind.
_FEWEST_AT_ONCE: Final = 10
_MOST_AT_ONCE: Final = 2_000
_MOST_MEETINGS: Final = 2_000_000
_SAMPLED: Final = 20_000  # texts that tell which pieces are rare
# Of the tables that pieces are counted and looked up in: so many for each piece, up to so many.
_SLOTS_A_PIECE: Final = 8
_MOST_SLOTS: Final = 1 << 22


class Groups:
    """Which kept tweets belong on one side of a split, as far as anyone asked.

    ``frames`` gives the kept tweets, each time anew, in the order of ``core.tweet``: the columns
    tweet_id, handle, text (the clean words), and reply_to_id and conversation_id where there are
    any. In memory are some forty bytes a tweet. ``check`` is called often, and may raise
    Interrupted.

    number    for each row that of the first row of its group
    searched  for each row whether ``search`` has looked for its near copies
    crowded   for each row whether it was found to have more than MOST_COPIES

    One group are, over as many steps as it takes:

    - a tweet of an account and what the same account answered it with (reply_to_id), also where
      the tweet answered is not among the rows; and all its tweets in one conversation; with
      ``across`` by whichever accounts, so that an answer stands with what it answers;
    - texts that are the same but for case and numbers ("day 12 of 100", "day 13 of 100"), by
      whichever account;
    - the near copies of rows that were searched, by whichever account: texts that share ALIKE
      percent of their five-character pieces, case and numbers aside.

    Rows that are to be held out have to be searched, the others need not: to compare all with all
    would take several times as long. What is found depends on the rows and on those searched alone.
    """

    def __init__(
        self,
        frames: Callable[[], Iterable[pl.DataFrame]],
        check: Check | None = None,
        *,
        across: bool = False,
    ) -> None:
        self._frames = frames
        self._check = check
        keys = pl.concat(
            [pl.DataFrame(schema=_KEYS), *(_keys(frame, across) for frame in self._checked())]
        ).with_row_index("row")
        names = pl.concat(
            [
                keys.select("row", name=column).drop_nulls()
                for column in ("tweet", "answered", "conversation")
            ]
        ).sort("row")
        first = pl.col("row").first()
        # The id of a conversation is that of its first tweet: all are one kind of name.
        threads = names.select("row", like=first.over("name")).filter(
            pl.col("row") != pl.col("like")
        )
        same_words = keys.select(first.over("words", "words_too")).to_series()
        self._same_words: NDArray[Any] = same_words.to_numpy()
        del keys, names
        self._labels = _joined(
            self._same_words, threads["row"].to_numpy(), threads["like"].to_numpy()
        )
        self._searched = np.zeros(len(self._labels), bool)
        self._crowded = np.zeros(len(self._labels), bool)

    @property
    def number(self) -> pl.Series:
        return pl.Series("group", self._labels)

    @property
    def searched(self) -> pl.Series:
        return pl.Series("searched", self._searched[self._same_words])

    @property
    def crowded(self) -> pl.Series:
        return pl.Series("crowded", self._crowded[self._same_words])

    def search(self, rows: pl.Series) -> None:
        """Finds the near copies of the ``rows`` that are true, among all rows."""
        wanted = np.unique(self._same_words[rows.arg_true().to_numpy()])
        wanted = wanted[~self._searched[wanted]]
        if not len(wanted):
            return
        texts, sample = self._texts_of(wanted)
        search = _Search(wanted, texts, sample)
        start = 0
        for frame in self._checked():
            numbers = np.arange(start, start + frame.height)
            start += frame.height
            here = np.flatnonzero(self._same_words[numbers] == numbers)
            search.compare(numbers[here], _plain(frame["text"].gather(here)), self._check)
        some, others, crowded = search.found()
        self._searched[wanted] = True
        self._crowded[crowded] = True
        self._labels = _joined(self._labels, some, others)

    def _texts_of(self, rows: NDArray[Any]) -> tuple[pl.Series, pl.Series]:
        """The texts of ``rows`` (ascending), and some from everywhere."""
        step = max(1, len(self._labels) // _SAMPLED)
        texts = [pl.Series("text", [], pl.String)]
        sample = list(texts)
        start = 0
        for frame in self._checked():
            low, high = np.searchsorted(rows, [start, start + frame.height])
            texts.append(_plain(frame["text"].gather(rows[low:high] - start)))
            sample.append(_plain(frame["text"].gather_every(step)))
            start += frame.height
        return pl.concat(texts), pl.concat(sample)

    def _checked(self) -> Iterator[pl.DataFrame]:
        for frame in self._frames():
            if self._check is not None:
                self._check()
            yield frame


_KEYS: Final = {
    "words": pl.UInt64(),
    "words_too": pl.UInt64(),
    "tweet": pl.UInt64(),
    "answered": pl.UInt64(),
    "conversation": pl.UInt64(),
}


def _plain(texts: pl.Series) -> pl.Series:
    """Lower case, every number 0, on one line."""
    # picked texts hold on to all of their column, unless they are made anew
    return one_line(texts.str.to_lowercase().str.replace_all(_NUMBER, "0")) + ""


def _keys(frame: pl.DataFrame, across: bool) -> pl.DataFrame:
    """Numbers for the words, the tweet, the tweet it answers and its conversation, or null."""

    def number(name: str) -> pl.Expr:
        if name not in frame.columns:
            return pl.lit(None, pl.UInt64)
        handle = pl.lit("handle") if across else pl.col("handle").cast(pl.String)
        return (
            pl.when(pl.col(name).is_not_null())
            .then(pl.struct(handle.alias("handle"), pl.col(name).alias("id")).hash(_SEEDS[0]))
            .otherwise(None)
        )

    texts = _plain(frame["text"])
    return frame.select(
        words=texts.hash(_SEEDS[0]),
        words_too=texts.hash(_SEEDS[1]),
        tweet=number("tweet_id"),
        answered=number("reply_to_id"),
        conversation=number("conversation_id"),
    )


def _joined(labels: NDArray[Any], some: NDArray[Any], others: NDArray[Any]) -> NDArray[Any]:
    """``labels`` (of each row the first of its group) with the groups of pairs of rows made one."""
    label = labels.copy()
    while True:
        one, other = label[some], label[others]
        if (one == other).all():
            return label
        least = np.minimum(one, other)
        np.minimum.at(label, one, least)
        np.minimum.at(label, other, least)
        while (further := label[label]).tobytes() != label.tobytes():
            label = further


class _Search:
    """Texts whose near copies are wanted, to be compared with all others.

    A text that is ALIKE percent like one with n pieces lacks at most m = n (100 - ALIKE) / 100 of
    them, rounded down: of any 2m + 1 it has m + 1. So only the 2m + 1 rarest pieces of each wanted
    text are looked up, and few texts have to be compared exactly; none is missed.
    """

    def __init__(self, rows: NDArray[Any], texts: pl.Series, sample: pl.Series) -> None:
        self._rows = rows
        self._texts = texts
        self._copies = np.zeros(len(rows), np.int64)
        self._pairs: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._at_once = _FEWEST_AT_ONCE
        sampled = shingle_hashes(sample)[0]
        pieces, starts = shingle_hashes(texts)
        wanted = _SLOTS_A_PIECE * (len(sampled) + len(pieces))
        self._slots = _Slots(min(_MOST_SLOTS, 1 << wanted.bit_length()))
        often = np.bincount(self._slots.of(sampled), minlength=self._slots.size)
        lengths: NDArray[np.int64] = (starts[1:] - starts[:-1]).astype(np.int64)
        lacks = pl.len().over("text") * (100 - ALIKE) // 100
        rarest = (
            pl.DataFrame(
                {
                    "text": np.repeat(np.arange(len(texts)), lengths),
                    "piece": pieces,
                    "often": often[self._slots.of(pieces)],
                }
            )
            .unique()
            .sort("text", "often", "piece")
            .with_columns(lacks=lacks, rank=pl.int_range(pl.len()).over("text"))
            .filter(pl.col("rank") <= 2 * pl.col("lacks"))
        )
        self._needed = (
            rarest.group_by("text").agg(pl.col("lacks").first()).sort("text")["lacks"].to_numpy()
            + 1
        )
        self._look_up(rarest.select("piece", "text").sort("piece", "text"))

    def _look_up(self, rarest: pl.DataFrame) -> None:
        """``rarest`` has the columns piece (ascending) and text."""
        self._rarest = rarest
        self._owners: NDArray[Any] = rarest["text"].to_numpy()
        self._pieces, self._firsts, self._counts = np.unique(
            rarest["piece"].to_numpy(), return_index=True, return_counts=True
        )
        self._looked_up = np.zeros(self._slots.size, bool)
        self._looked_up[self._slots.of(self._pieces)] = True

    def compare(self, rows: NDArray[Any], texts: pl.Series, check: Check | None) -> None:
        """Notes which of these rows are near copies of those wanted."""
        start = 0
        while start < len(texts) and len(self._pieces):
            some = texts.slice(start, self._at_once)
            hashes, starts = shingle_hashes(some)
            at = np.flatnonzero(self._looked_up[self._slots.of(hashes)])
            piece = np.minimum(np.searchsorted(self._pieces, hashes[at]), len(self._pieces) - 1)
            there = self._pieces[piece] == hashes[at]
            at, piece = at[there], piece[there]
            meetings = int(self._counts[piece].sum())
            if meetings > _MOST_MEETINGS and self._at_once > _FEWEST_AT_ONCE:
                self._at_once //= 2
                continue
            if meetings:
                text = np.searchsorted(starts, at.astype(np.uint64), side="right") - 1
                self._compare(rows[start : start + len(some)], some, text, piece)
                if check is not None:
                    check()
            start += len(some)
            self._at_once = min(self._at_once * 2, _MOST_AT_ONCE)

    def _compare(
        self, rows: NDArray[Any], texts: pl.Series, text: NDArray[Any], piece: NDArray[Any]
    ) -> None:
        """``text`` (by place in ``texts``) has ``piece`` (by place in those looked up)."""
        both = np.unique(text << 32 | piece)
        text, piece = both >> 32, both & 0xFFFFFFFF
        counts = self._counts[piece]
        ends = np.cumsum(counts)
        owner = self._owners[
            np.repeat(self._firsts[piece] - (ends - counts), counts) + np.arange(ends[-1])
        ]
        pairs, shared = np.unique(owner << 32 | np.repeat(text, counts), return_counts=True)
        pairs = pairs[shared >= self._needed[pairs >> 32]]
        wanted, text = pairs >> 32, pairs & 0xFFFFFFFF
        others = self._rows[wanted] != rows[text]
        wanted, text = wanted[others], text[others]
        mine, mine_at = np.unique(wanted, return_inverse=True)
        theirs, theirs_at = np.unique(text, return_inverse=True)
        words = pl.concat([self._texts.gather(mine), texts.gather(theirs).alias(self._texts.name)])
        good = alike(words, theirs_at + len(mine), mine_at, ALIKE) != 0
        wanted, text = wanted[good], text[good]
        if not len(wanted):
            return
        self._pairs.append((wanted, rows[text]))
        before = self._copies > MOST_COPIES
        self._copies += np.bincount(wanted, minlength=len(self._copies))
        crowded = np.flatnonzero((self._copies > MOST_COPIES) & ~before)
        if len(crowded):
            self._pairs = [
                (one[keep], other[keep])
                for one, other in self._pairs
                for keep in [~np.isin(one, crowded)]
            ]
            formulas = pl.Series(crowded).implode()
            self._look_up(self._rarest.filter(~pl.col("text").is_in(formulas)))

    def found(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Rows wanted and, each at the same index, rows like them; the crowded of those wanted."""
        empty = np.zeros(0, np.int64)
        wanted = np.concatenate([empty, *(one for one, _ in self._pairs)])
        others = np.concatenate([empty, *(other for _, other in self._pairs)])
        return self._rows[wanted], others, self._rows[self._copies > MOST_COPIES]


class _Slots(NamedTuple):
    """``size``, a power of two, places that numbers are spread over."""

    size: int

    def of(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        return (hashes & np.uint64(self.size - 1)).astype(np.int64)
