"""What is anybody's to say: runs of words that several other people use, and everyday words.

The other people are the authors that ship with mynah, without those whom the dataset is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.home import bundled
from core.words import words

_Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_Ints = np.ndarray[Any, np.dtype[np.int64]]

GRAM: Final = 4  # words
_AUTHORS: Final = 2  # other ones that use a run of words, for it to belong to nobody
# Somebody so much of whose runs of words stand in the dataset is its author, whatever the name.
_SAME_PERSON: Final = 0.1
_NOT_SAID: Final = re.compile(r"https?://\S+|@\w+|^RT\b|&\w+;")
_CHUNK: Final = 1 << 19  # words of the dataset looked at at a time
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads the bits

# A short run of nothing but these is said by everybody: "thank you so much". The most frequent
# words of English and those of greeting and thanking; other languages have only the shared runs.
EVERYDAY: Final = frozenset(
    """
    a about after again ah all also always am an and another any anyone anything are as ask at away
    back bad be because been before being best better big birthday bless both but by bye call came
    can can't cannot come congrats congratulations could couldn day days did didn do does doesn
    doing don done down each else enjoy enough even ever every everybody everyone everything
    feel few find first for friend friends from fun get getting give glad go god goes going gone
    gonna good goodbye got gotta great guess guys had happy hard has hasn have haven having he hear
    hello help her here hey hi him his home hope how i if in into is isn it its job just keep kind
    know last later least less let like little ll long look looking lot love loved luck m made make
    man many matter may maybe me mean merry might mind mine more morning most much must my myself
    need never new news next nice night no nobody none not nothing now of off oh ok okay old on once
    one only or other our out over own people person place please problem put rather re ready
    really rest right s safe said same saw say says see seen self she should shouldn since so some
    somebody someone something soon sorry sounds still stop stuff such sure t take talk tell than
    thank thanks that the their them then there these they thing things think this those though
    thought through time times to today together told tomorrow tonight too true try trying two
    until up us use ve very wait want wanted was wasn way we week weekend welcome well went were
    weren what whatever when where which while who whole whose why will wish with without won
    wonderful work world worry would wouldn wow wrong yeah year years yep yes yesterday yet you your
    yours yourself
    """.split()
)


def word_hash(word: str) -> int:
    """64 bits of BLAKE2b over UTF-8: the same in every process, unlike ``hash``."""
    return int.from_bytes(
        blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "little"
    )


def gram_hashes(vocabulary: _Hashes, flat: Any, places: _Ints) -> _Hashes:
    """Hashes of the four words at ``places`` of ``flat`` (numbers from 1 into ``vocabulary``)."""
    return joined_hashes(vocabulary[flat[places + step] - 1] for step in range(GRAM))


def joined_hashes(columns: Iterable[_Hashes]) -> _Hashes:
    """One hash for the word hashes that stand beside each other, of one column at least."""
    first, *rest = columns
    for column in rest:
        first = (first * _FACTOR) ^ (column + (first >> np.uint64(29)))
    return first


def common_grams(vocabulary: _Hashes, flat: Any) -> _Hashes:
    """Hashes of the runs of four words that at least two other authors use, sorted.

    ``vocabulary`` and ``flat`` are those of ``core.sampling.copy_arrays.CopyArrays``.
    """
    shipped = _shipped()
    held = [np.zeros(len(grams), dtype=np.bool_) for grams in shipped]
    for begin in range(0, len(flat) - GRAM + 1, _CHUNK):
        part = flat[begin : begin + _CHUNK + GRAM - 1]
        inside = (part[:-3] > 0) & (part[1:-2] > 0) & (part[2:-1] > 0) & (part[3:] > 0)
        own = gram_hashes(vocabulary, part, np.flatnonzero(inside))
        for grams, found in zip(shipped, held, strict=True):
            at = np.minimum(np.searchsorted(grams, own), len(grams) - 1)
            found[at[grams[at] == own]] = True
    others = [
        grams for grams, found in zip(shipped, held, strict=True) if found.mean() < _SAME_PERSON
    ]
    if not others:
        return np.zeros(0, dtype=np.uint64)
    grams, used_by = np.unique(np.concatenate(others), return_counts=True)
    return grams[used_by >= _AUTHORS]


@lru_cache(maxsize=1)
def _shipped() -> list[_Hashes]:
    """By author that ships: hashes of all different runs of four words."""
    from core.sources.detect import open_source

    found = []
    for archive in sorted(Path(bundled("samples")).glob("*.zip")):
        hashed: dict[str, int] = {}
        grams = []
        for batch in open_source(archive).batches():
            for text in batch["text"].drop_nulls():
                row = [
                    hashed.get(word) or hashed.setdefault(word, word_hash(word))
                    for word in words(_NOT_SAID.sub(" ", text))
                ]
                if len(row) >= GRAM:
                    one = np.array(row, dtype=np.uint64)
                    ends = len(one) - GRAM + 1
                    grams.append(joined_hashes(one[at : at + ends] for at in range(GRAM)))
        if grams:
            found.append(np.unique(np.concatenate(grams)))
    return found
