"""The five-character pieces of texts: as numbers for MinHash, and as sets to compare exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE: Final = 5
_PAD: Final = "\0"


def padded(texts: pl.Series) -> pl.Series:
    """Lower case, and long enough for one piece."""
    return texts.str.to_lowercase().str.pad_end(SIZE, _PAD)


def shingle_hashes(texts: pl.Series) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A number for each piece of each text, and where the pieces of each text start.

    The second has one more entry than there are texts: the number of all pieces.
    """
    whole = padded(texts)
    lengths = whole.str.len_chars().to_numpy().astype(np.int64)
    points = np.frombuffer("".join(whole).encode("utf-32-le"), np.uint32).astype(np.uint64)
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
