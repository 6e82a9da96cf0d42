"""Near duplicates: tweets of one account that share most of their wording with an earlier one.

How alike two tweets are is the Jaccard similarity of their sets of five-character pieces, case
aside: pieces in both, divided by pieces in either. Characters serve every script, and short tweets
better than words do; a tweet of fewer than five characters is one piece, and like itself only.

To compare all pairs would take the square of the time. So each tweet gets a MinHash signature
(Broder 1997), cut into bands; only tweets that agree in a whole band are compared, and then
exactly. With the bands chosen here a pair at the threshold meets with a probability of 99 %, a more
similar one with a higher one. Among tweets that agree in a band each is compared with the first,
those left over with the first of them, and so on three times: the time grows with the tweets, not
with the square of how many look alike. So a few pairs are missed, but nothing is dropped that is
not as similar as asked to an earlier tweet that stays.

The result depends on the account's tweets and their order alone. In memory are some twenty bytes a
tweet; the bands lie on disk.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

Texts = Callable[[pl.Series], pl.Series]

_MOST_SLOTS: Final = 48  # of a signature: more find no more, and take longer
_RECALL: Final = 0.99
_ROUNDS: Final = 3
_SEED: Final = 20_061
_TEXTS_AT_ONCE: Final = 20_000
_PAIRS_AT_ONCE: Final = 50_000
_MOST_REMEMBERED: Final = 4_000_000  # pairs that were not alike, so as not to compare them again
_NONE: Final = -1
SIZE: Final = 5  # characters of a piece
_PAD: Final = "\0"


def near_duplicates(
    keys: pl.DataFrame, percent: int, texts: Texts, folder: Path | None = None
) -> pl.DataFrame:
    """What is like an earlier tweet of its account: columns place, like and percent.

    ``keys`` has the columns of ``comparing.KEYS``, each account's in the order of time; ``texts``
    gives the clean words for places; ``percent`` is the least similarity. ``like`` is the place of
    the tweet that stays, ``percent`` their similarity, rounded down.
    """
    rows = keys.height
    account = keys["account"].rank("dense").cast(pl.UInt64).to_numpy() << np.uint64(32)
    found = _Found(keys["place"], percent, texts)
    found.same(keys)
    slots, bands = bands_for(percent)
    with ExitStack() as open_files:
        files = [open_files.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in range(bands)]
        for start in range(0, rows, _TEXTS_AT_ONCE):
            some = texts(keys["place"][start : start + _TEXTS_AT_ONCE])
            for file, band in zip(files, _bands(some, slots, bands), strict=True):
                file.write(band.tobytes())
        for file in files:
            file.seek(0)
            band = np.frombuffer(file.read(), np.uint32)
            found.compare(account | band)
    dropped = np.flatnonzero(found.like != _NONE)
    return pl.DataFrame(
        {
            "place": keys["place"].gather(dropped),
            "like": keys["place"].gather(found.like[dropped]),
            "percent": found.percent[dropped],
        },
        schema={"place": pl.UInt32, "like": pl.UInt32, "percent": pl.UInt8},
    )


def bands_for(percent: int) -> tuple[int, int]:
    """Slots a band, and bands, for tweets of that similarity to meet in one of them.

    A pair of similarity s agrees in a band of r slots with probability s^r. The longest bands
    that still bring enough pairs together have the fewest chance meetings.
    """
    share = min(percent, 99) / 100
    for slots in range(8, 1, -1):
        bands = math.ceil(math.log(1 - _RECALL) / math.log(1 - share**slots))
        if slots * bands <= _MOST_SLOTS:
            return slots, bands
    return 1, _MOST_SLOTS  # below 44 %: most tweets meet, and some pairs are missed


def _bands(texts: pl.Series, slots: int, bands: int) -> NDArray[np.uint32]:
    """One row a band, one number a text."""
    from rensa import RMinHash  # type: ignore[import-untyped,unused-ignore]

    hashes, starts = shingle_hashes(texts)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, starts, slots * bands, _SEED)
    digests = np.array(matrix.to_rows(), dtype=np.uint64).reshape(len(texts), bands, slots)
    mixed = np.zeros((len(texts), bands), np.uint64)
    for slot in range(slots):
        mixed = (mixed ^ digests[:, :, slot]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.ascontiguousarray((mixed >> np.uint64(32)).astype(np.uint32).T)


class _Found:
    """For each tweet, by its row in the keys, the earlier one that it is like, or _NONE.

    What a tweet is like is never itself like another: that one stays.
    """

    def __init__(self, places: pl.Series, percent: int, texts: Texts) -> None:
        self._places = places
        self._least = percent
        self._texts = texts
        self.like: NDArray[np.int32] = np.full(len(places), _NONE, np.int32)
        self.percent: NDArray[np.uint8] = np.zeros(len(places), np.uint8)
        self._has_likes = np.zeros(len(places), bool)
        self._unlike: NDArray[np.uint64] = np.zeros(0, np.uint64)

    def same(self, keys: pl.DataFrame) -> None:
        """Tweets of the very same words need no comparing."""
        first = (
            keys.lazy()
            .with_row_index("row")
            .filter(pl.col("words").is_duplicated())
            .select(
                "row", pl.col("row").first().over("account", "words", "words_too").alias("first")
            )
            .filter(pl.col("row") != pl.col("first"))
            .collect()
        )
        self._put(first["row"].to_numpy(), first["first"].to_numpy(), np.uint8(100))

    def compare(self, buckets: NDArray[np.uint64]) -> None:
        """``buckets`` has a number for each row; rows of the same number may be alike."""
        free = np.flatnonzero(self.like == _NONE)
        order = np.argsort(buckets[free], kind="stable")
        rows = free[order]
        bucket = buckets[rows]
        new: list[NDArray[Any]] = []
        for _ in range(_ROUNDS):
            starts = np.ones(len(rows), bool)
            starts[1:] = bucket[1:] != bucket[:-1]
            leaders = rows[np.maximum.accumulate(np.where(starts, np.arange(len(rows)), 0))]
            members = np.flatnonzero(~starts)
            if not len(members):
                break
            matched = self._match(rows[members], leaders[members])
            new.append(rows[members[matched]])
            rows, bucket = rows[members[~matched]], bucket[members[~matched]]
        if new:
            self._hand_on(np.concatenate(new))

    def _match(self, rows: NDArray[Any], leaders: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of ``rows`` are like the leader of the same index; notes it."""
        pairs = leaders.astype(np.uint64) << np.uint64(32) | rows.astype(np.uint64)
        open_ = np.flatnonzero(~np.isin(pairs, self._unlike))
        percents = self._percents(rows[open_], leaders[open_])
        good = percents != 0
        self._put(rows[open_[good]], leaders[open_[good]], percents[good])
        if len(self._unlike) < _MOST_REMEMBERED:
            self._unlike = np.concatenate([self._unlike, pairs[open_[~good]]])
        matched = np.zeros(len(rows), bool)
        matched[open_[good]] = True
        return matched

    def _hand_on(self, dropped: NDArray[Any]) -> None:
        """What was like a tweet that is now dropped is like the one that stays, or stays itself."""
        gone = dropped[self._has_likes[dropped]]
        rows = np.flatnonzero(np.isin(self.like, gone)) if len(gone) else gone
        if not len(rows):
            return
        leaders = self.like[self.like[rows]]
        percents = self._percents(rows, leaders)
        good = percents != 0
        self._put(rows[good], leaders[good], percents[good])
        self.like[rows[~good]] = _NONE

    def _put(
        self, rows: NDArray[Any], leaders: NDArray[Any], percents: NDArray[np.uint8] | np.uint8
    ) -> None:
        self.like[rows] = leaders
        self.percent[rows] = percents
        self._has_likes[leaders] = True

    def _percents(self, rows: NDArray[Any], leaders: NDArray[Any]) -> NDArray[np.uint8]:
        """The similarity of each pair in percent, rounded down; 0 where it is not enough."""
        found = [np.zeros(0, np.uint8)]
        for start in range(0, len(rows), _PAIRS_AT_ONCE):
            some = slice(start, start + _PAIRS_AT_ONCE)
            needed = np.unique(np.concatenate([rows[some], leaders[some]]))
            texts = self._texts(self._places.gather(needed))
            found.append(
                alike(
                    texts,
                    np.searchsorted(needed, rows[some]),
                    np.searchsorted(needed, leaders[some]),
                    self._least,
                )
            )
        return np.concatenate(found)


def padded(texts: pl.Series) -> pl.Series:
    """Lower case, and long enough for one piece."""
    return texts.str.to_lowercase().str.pad_end(SIZE, _PAD)


def shingle_hashes(texts: pl.Series) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A number for each piece of each text, and where the pieces of each text start.

    The second has one more entry than there are texts: the number of all pieces.
    """
    long = padded(texts)
    lengths = long.str.len_chars().to_numpy().astype(np.int64)
    points = np.frombuffer("".join(long).encode("utf-32-le"), np.uint32).astype(np.uint64)
    starts = np.concatenate([[0], np.cumsum(lengths - SIZE + 1)]).astype(np.uint64)
    if not len(texts):
        return np.zeros(0, np.uint64), starts
    last = len(points) - SIZE + 1
    hashes = np.zeros(last, np.uint64)
    for place in range(SIZE):
        hashes = hashes * np.uint64(0x100000001B3) + points[place : place + last]
    hashes ^= hashes >> np.uint64(31)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(29)
    # a piece that begins in the last four characters of a text would reach into the next
    inside = np.ones(last, bool)
    ends = np.cumsum(lengths)[:-1]
    for back in range(1, SIZE):
        inside[ends - back] = False
    return hashes[inside], starts


def alike(
    texts: pl.Series, some: NDArray[Any], others: NDArray[Any], least: int
) -> NDArray[np.uint8]:
    """The similarity in percent, rounded down, of pairs of ``texts``; 0 where below ``least``.

    Pairs with the same ``others`` should follow one another: only the last one's pieces are kept.
    """
    words = padded(texts).to_list()
    found = np.zeros(len(some), np.uint8)
    last, theirs = -1, frozenset[str]()
    for place, (one, other) in enumerate(zip(some.tolist(), others.tolist(), strict=True)):
        if other != last:
            last, theirs = other, _pieces(words[other])
        mine = _pieces(words[one])
        shared = len(mine & theirs)
        either = len(mine) + len(theirs) - shared
        if shared * 100 >= least * either:
            found[place] = shared * 100 // either
    return found


def _pieces(text: str) -> frozenset[str]:
    return frozenset([text[at : at + SIZE] for at in range(len(text) - SIZE + 1)])
