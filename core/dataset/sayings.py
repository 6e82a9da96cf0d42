"""What is anybody's to say: runs of words that several other people use, and everyday words.

The other people are the other accounts of the corpus and the authors that ship with mynah; not
those whom a dataset is made of, nor an account that says so much of the same that it is theirs.
Where the corpus has other accounts when a run's dataset is frozen, what two of them say is frozen
with it: hashes in a file ``sayings.npy``, of no account in particular. What is a copy then does not
change with the corpus. A dataset without this file goes by the authors that ship.
"""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.corpus.reading import tweet_counts
from core.corpus.store import Corpus
from core.files import force_to_disk
from core.home import Home, bundled
from core.words import words

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
_Ints = np.ndarray[Any, np.dtype[np.int64]]

GRAM: Final = 4  # words
SAYINGS: Final = "sayings.npy"
_AUTHORS: Final = 2  # other ones that use a run of words, for it to belong to nobody
# Somebody so much of whose runs of words stand in the dataset is its author, whatever the name; of
# fewer runs than that the share says nothing.
_SAME_PERSON: Final = 0.1
_SAME_RUNS: Final = 100
_NOT_SAID: Final = re.compile(r"https?://\S+|@\w+|^RT\b|&\w+;")
_CHUNK: Final = 1 << 19  # words of the dataset looked at at a time
_BATCH: Final = 50_000  # tweets of the dataset looked at at a time
# Tweets of others that are read, evenly of each account: some three seconds' work.
_MOST_TWEETS: Final = 100_000
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads the bits

_PASSED_ON: Final = ("retweet", "manual_retweet")  # which is not said by who does it
_SAID_BY_OTHERS: Final = """
WITH chosen AS (
    SELECT rowid AS row, row_number() OVER (PARTITION BY handle ORDER BY hash(tweet_id)) AS place
    FROM tweets
    WHERE handle NOT IN (SELECT unnest($handles)) AND kind NOT IN (SELECT unnest($passed_on))
    ORDER BY place, handle LIMIT $most
)
SELECT handle, text FROM tweets JOIN chosen ON tweets.rowid = chosen.row ORDER BY handle, place
"""

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


def gram_hashes(vocabulary: Hashes, flat: Any, places: _Ints) -> Hashes:
    """Hashes of the four words at ``places`` of ``flat`` (numbers from 1 into ``vocabulary``)."""
    return joined_hashes(vocabulary[flat[places + step] - 1] for step in range(GRAM))


def joined_hashes(columns: Iterable[Hashes]) -> Hashes:
    """One hash for the word hashes that stand beside each other, of one column at least."""
    first, *rest = columns
    for column in rest:
        first = (first * _FACTOR) ^ (column + (first >> np.uint64(29)))
    return first


def grams_of(vocabulary: Hashes, flat: Any) -> Iterator[Hashes]:
    """Hashes of every four words in a row, some at a time.

    ``vocabulary`` are hashes of words, ``flat`` their numbers from 1, with 0 between tweets.
    """
    for begin in range(0, len(flat) - GRAM + 1, _CHUNK):
        part = flat[begin : begin + _CHUNK + GRAM - 1]
        inside = (np.lib.stride_tricks.sliding_window_view(part, GRAM) > 0).all(axis=1)
        yield gram_hashes(vocabulary, part, np.flatnonzero(inside))


def said_by_shipped(own: Iterable[Hashes]) -> Hashes:
    """What at least two of the authors that ship say, as sorted hashes; ``own`` as in `_common`."""
    return _common(own, list(_shipped().values()))


def freeze_sayings(dataset: Path, home: Home, handles: Sequence[str]) -> None:
    """Writes SAYINGS into the folder of a frozen dataset of ``handles``.

    Nothing is written where the corpus has no other account. Raises CorpusBusy, OSError.
    """
    import polars as pl

    corpus = Corpus(home.corpus)
    others = _said_by_others(corpus, handles)
    if not others:
        return
    there = set(tweet_counts(corpus))
    others += [grams for handle, grams in _shipped().items() if handle not in there]

    def own() -> Iterator[Hashes]:
        rows = pl.scan_parquet(dataset / "train.parquet", glob=False).select("text")
        for batch in rows.collect_batches(chunk_size=_BATCH):
            yield from _grams([("", text) for text in batch["text"]]).values()

    with (dataset / SAYINGS).open("wb") as file:
        np.save(file, _common(own(), others), allow_pickle=False)
    force_to_disk(dataset / SAYINGS)


def frozen_sayings(train: Path) -> Hashes | None:
    """What is frozen beside a training set; None where nothing is, or it is damaged."""
    with suppress(OSError, ValueError, EOFError):
        found = np.load(train.with_name(SAYINGS), allow_pickle=False)
        if found.dtype == np.uint64 and found.ndim == 1:
            return np.unique(found)
    return None


def _common(own: Iterable[Hashes], others: Sequence[Hashes]) -> Hashes:
    """The runs of four words that at least two of ``others`` use, sorted.

    ``own`` are the hashes of all runs of the dataset: who has a good part of them is left out.
    """
    held = [np.zeros(len(grams), dtype=np.bool_) for grams in others]
    for some in own:
        for grams, found in zip(others, held, strict=True):
            at = np.minimum(np.searchsorted(grams, some), len(grams) - 1)
            found[at[grams[at] == some]] = True
    rest = [
        grams
        for grams, found in zip(others, held, strict=True)
        if found.mean() < _SAME_PERSON or found.sum() < _SAME_RUNS
    ]
    if not rest:
        return np.zeros(0, dtype=np.uint64)
    grams, used_by = np.unique(np.concatenate(rest), return_counts=True)
    return grams[used_by >= _AUTHORS]


def _said_by_others(corpus: Corpus, handles: Sequence[str]) -> list[Hashes]:
    if not corpus.exists:
        return []
    with corpus.reading() as connection:
        rows = connection.execute(
            _SAID_BY_OTHERS,
            {"handles": list(handles), "passed_on": list(_PASSED_ON), "most": _MOST_TWEETS},
        ).fetchall()
    return list(_grams(rows).values())


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Hashes]:
    from core.sources.detect import open_source

    archives = sorted(Path(bundled("samples")).glob("*.zip"))
    batches = chain.from_iterable(open_source(archive).batches() for archive in archives)
    said = (batch.filter(~batch["kind"].is_in(_PASSED_ON)) for batch in batches)
    return _grams(chain.from_iterable(batch.select("handle", "text").rows() for batch in said))


def _grams(rows: Iterable[tuple[str, str | None]]) -> dict[str, Hashes]:
    """By handle, of ``rows`` (handle, text): the hashes of all different runs of four words."""
    vocabulary: defaultdict[str, int] = defaultdict()
    vocabulary.default_factory = count(1).__next__
    number = vocabulary.__getitem__
    flats: defaultdict[str, array[int]] = defaultdict(lambda: array("i"))
    for handle, text in rows:
        flat = flats[handle]
        flat.extend(map(number, words(_NOT_SAID.sub(" ", text or ""))))
        flat.append(0)
    hashes = np.fromiter(map(word_hash, vocabulary), dtype=np.uint64, count=len(vocabulary))
    found = {}
    for handle, flat in flats.items():
        parts = list(grams_of(hashes, np.frombuffer(flat, dtype=np.int32)))
        grams = np.unique(np.concatenate(parts)) if parts else hashes[:0]
        if len(grams):
            found[handle] = grams
    return found
