"""The arrays behind the copy check: built once a dataset, stored beside it, opened by memory map.

A dataset ``train.parquet`` gets a folder ``train.copies``: the arrays as ``.npy`` files and an
``index.json`` with the version of the layout and the sha256 of the dataset and of the sayings that
were frozen with it. One that is missing, damaged or of others is built anew. It holds hashes of
words and ids of tweets, no text, and goes with the folder it lies in.
"""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.dataset.sayings import (
    GRAM,
    SAYINGS,
    Hashes,
    frozen_sayings,
    gram_hashes,
    grams_of,
    said_by_shipped,
    word_hash,
)
from core.files import folder_whole, sha256_of, write_text_whole
from core.json_lines import parse_json
from core.locks import Locked, held_lock
from core.tweet import unescaped
from core.words import words

Ints = np.ndarray[Any, np.dtype[np.int64]]
Words = np.ndarray[Any, np.dtype[np.int32]]

BETWEEN: Final = 0  # stands before, between and after tweets; words count from 1
UNKNOWN: Final = -1  # a word of a text that no tweet has

# Of the layout of the arrays and of what is in them: a stored index of another one is built anew.
_VERSION: Final = 2
_BATCH: Final = 50_000  # tweets read at a time
_PART: Final = (
    1 << 20
)  # words sorted at a time, or those that begin with one word if these are more
# Authors of a dataset that use a run of words, for it to belong to none of them: to any of them,
# the two others are two other authors.
_SEVERAL: Final = 3
_LOCK_SECONDS: Final = 300.0


@dataclass(frozen=True)
class CopyArrays:
    """The different tweets of a dataset as numbers of words, and where each run of words stands.

    vocabulary  hashes of the words, sorted; word number i (from 1) is ``vocabulary[i - 1]``
    flat        numbers of the words, tweet after tweet, BETWEEN around each and 4 at the end
    starts      of each tweet its first word in ``flat``; one more at the end
    positions   the places of words in ``flat``, sorted by the four numbers that begin there
    first       of each word number where it begins in ``positions``; one more at the end
    common      hashes of four words that at least two other authors use, sorted
    ids         the ids of the tweets as UTF-8, one after the other; ``id_starts`` where they begin
    entities    one number: 1 where a tweet holds an entity such as ``&amp;``, else 0
    """

    vocabulary: Hashes
    flat: Words
    starts: Ints
    positions: Words
    first: Ints
    common: Hashes
    ids: np.ndarray[Any, np.dtype[np.uint8]]
    id_starts: Ints
    entities: np.ndarray[Any, np.dtype[np.uint8]]

    def tweet_id(self, tweet: int) -> str | None:
        """The id of a tweet by its number; None where it has none."""
        part = self.ids[self.id_starts[tweet] : self.id_starts[tweet + 1]]
        return part.tobytes().decode("utf-8") or None

    def numbers(self, text_words: Sequence[str]) -> Words:
        """Words as numbers; UNKNOWN for those of no tweet."""
        known = self.vocabulary
        if not len(known) or not text_words:
            return np.full(len(text_words), UNKNOWN, dtype=np.int32)
        hashes = np.array([word_hash(word) for word in text_words], dtype=np.uint64)
        at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
        return np.where(known[at] == hashes, at + 1, UNKNOWN).astype(np.int32)


def stored_arrays(parquet: Path) -> CopyArrays:
    """The arrays of a frozen training set (columns ``text``, ``tweet_id``), built where needed.

    Where they cannot be written beside it they are built in memory. Raises what Polars raises when
    the file cannot be read.
    """
    folder = parquet.with_suffix(".copies")
    sayings = parquet.with_name(SAYINGS)
    made_of = {
        "dataset": sha256_of(parquet),
        "sayings": sha256_of(sayings) if sayings.exists() else None,
    }
    if (found := _opened(folder, made_of)) is not None:
        return found
    built = None
    try:
        with held_lock(folder.with_suffix(".copies.lock"), seconds=_LOCK_SECONDS):
            if (found := _opened(folder, made_of)) is not None:  # another process was faster
                return found
            built = arrays_of_parquet(parquet)
            _store(built, folder, made_of)
    except (OSError, Locked):
        return built or arrays_of_parquet(parquet)
    return _opened(folder, made_of) or built


def _store(built: CopyArrays, folder: Path, made_of: Mapping[str, str | None]) -> None:
    with folder_whole(folder, "copies") as content:
        sizes = {}
        for field in fields(built):
            file = content / f"{field.name}.npy"
            np.save(file, getattr(built, field.name), allow_pickle=False)
            sizes[file.name] = file.stat().st_size
        record = {"version": _VERSION, **made_of, "files": sizes}
        write_text_whole(content / "index.json", json.dumps(record) + "\n")


def _opened(folder: Path, made_of: Mapping[str, str | None]) -> CopyArrays | None:
    """The stored arrays; None when they are not there, damaged, or made of something else."""
    with suppress(OSError, ValueError, KeyError, TypeError, EOFError):
        record = parse_json((folder / "index.json").read_text("utf-8"))
        if record["version"] != _VERSION or any(record[key] != made_of[key] for key in made_of):
            return None
        found = {}
        for field in fields(CopyArrays):
            file = folder / f"{field.name}.npy"
            if file.stat().st_size != record["files"][file.name]:
                return None
            found[field.name] = np.load(file, mmap_mode="r", allow_pickle=False)
            # A plain view of the map: numpy's memmap class makes every small operation dearer.
            found[field.name] = found[field.name].view(np.ndarray)
        return CopyArrays(**found)
    return None


def arrays_of_parquet(parquet: Path) -> CopyArrays:
    """The arrays of a Parquet file with ``text`` and ``tweet_id``, and ``handle`` if there."""
    import polars as pl

    frame = pl.scan_parquet(parquet, glob=False)
    has_handle = "handle" in frame.collect_schema().names()
    handle = pl.col("handle") if has_handle else pl.lit("")
    columns = frame.select("text", pl.col("tweet_id").cast(pl.String), handle.alias("handle"))

    def rows() -> Iterator[tuple[str | None, str | None, str | None]]:
        for batch in columns.collect_batches(chunk_size=_BATCH):
            yield from zip(*(column.to_list() for column in batch.iter_columns()), strict=True)

    return build_arrays(rows(), frozen_sayings(parquet))


def build_arrays(
    rows: Iterable[tuple[str | None, str | None, str | None]], said: Hashes | None = None
) -> CopyArrays:
    """The arrays of tweets: (text, id, handle). Of equal texts the first counts.

    ``said``: the runs of four words that others use; None: what the authors that ship use.

    Takes some 8 bytes a word of the tweets, and 250 bytes a different word.
    """
    vocabulary: defaultdict[str, int] = defaultdict()
    vocabulary.default_factory = count(1).__next__
    authors: defaultdict[str, int] = defaultdict()
    authors.default_factory = authors.__len__
    number = vocabulary.__getitem__
    flat, lengths, authored = array("i", [BETWEEN]), array("i"), array("i")
    rows_seen, id_lengths, ids = array("q"), array("i"), bytearray()
    entities = False
    for text, tweet_id, handle in rows:
        entities = entities or (text is not None and unescaped(text) != text)
        row = tuple(map(number, words(text or "")))
        if not row:
            continue
        flat.extend(row)
        flat.append(BETWEEN)
        lengths.append(len(row) + 1)
        rows_seen.append(hash(row))
        authored.append(authors[handle or ""])
        encoded = (tweet_id or "").encode("utf-8", "replace")
        ids += encoded
        id_lengths.append(len(encoded))
    hashes = np.fromiter(map(word_hash, vocabulary), dtype=np.uint64, count=len(vocabulary))
    del vocabulary, number
    order = np.argsort(hashes)
    renumbered = np.zeros(len(hashes) + 1, dtype=np.int32)
    renumbered[order + 1] = np.arange(1, len(hashes) + 1, dtype=np.int32)
    first_of = np.unique(np.frombuffer(rows_seen, dtype=np.int64), return_index=True)[1]
    del rows_seen
    every = np.frombuffer(lengths, dtype=np.int32).astype(np.int64)
    id_every = np.frombuffer(id_lengths, dtype=np.int32).astype(np.int64)
    numbers = np.frombuffer(flat, dtype=np.int32)
    id_bytes = np.frombuffer(bytes(ids), dtype=np.uint8)
    kept = np.zeros(len(every), dtype=np.bool_)
    kept[first_of] = True
    numbers = numbers[np.concatenate([[True], np.repeat(kept, every)])]
    id_bytes = id_bytes[np.repeat(kept, id_every)]
    every, id_every = every[kept], id_every[kept]
    author = np.frombuffer(authored, dtype=np.int32)[kept]
    words_flat = np.empty(len(numbers) + GRAM - 1, dtype=np.int32)
    np.take(renumbered, numbers, out=words_flat[: len(numbers)])
    words_flat[len(numbers) :] = BETWEEN
    del numbers, flat
    starts = np.concatenate([[1], 1 + np.cumsum(every)]).astype(np.int64)
    vocabulary_hashes = hashes[order]
    counts = np.bincount(words_flat)
    counts[BETWEEN] = 0
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    positions, shared = _sorted_positions(words_flat, first, starts, author, len(authors))
    if said is None:
        said = said_by_shipped(grams_of(vocabulary_hashes, words_flat))
    common = np.union1d(said, gram_hashes(vocabulary_hashes, words_flat, shared))
    return CopyArrays(
        vocabulary=vocabulary_hashes,
        flat=words_flat,
        starts=starts,
        positions=positions,
        first=first,
        common=common,
        ids=id_bytes,
        id_starts=np.concatenate([[0], np.cumsum(id_every)]).astype(np.int64),
        entities=np.array([entities], dtype=np.uint8),
    )


def _sorted_positions(
    flat: Words, first: Ints, starts: Ints, author: Words, authors: int
) -> tuple[Words, Ints]:
    """The places of words by the four numbers there; and one place of each four words that at
    least three authors of the dataset use, so that they belong to none of them.

    A part at a time, those with the same first words together, so that the keys take little room.
    """
    positions = _by_word(flat, first)
    shared: list[Ints] = []
    begin = 0
    while begin < len(positions):
        # As many first words as fit into a part, and one at least.
        word = int(flat[positions[begin]])
        last = int(np.searchsorted(first, begin + _PART, side="right")) - 1
        end = int(first[max(last, word + 1)])
        part = positions[begin:end]
        left = (flat[part].astype(np.int64) << 32) | flat[part + 1]
        right = (flat[part + 2].astype(np.int64) << 32) | flat[part + 3]
        order = np.lexsort((right, left))
        part = part[order]
        positions[begin:end] = part
        if authors >= _SEVERAL:
            left, right = left[order], right[order]
            shared.append(_of_several(part, left, right, flat, starts, author))
        begin = end
    return positions, np.concatenate(shared) if shared else np.array([], dtype=np.int64)


def _by_word(flat: Words, first: Ints) -> Words:
    """The places of words by their number: a counting sort, a part of ``flat`` at a time."""
    result = np.empty(int(first[-1]), dtype=np.int32)
    free = first.copy()  # by word number, where its next place goes
    for begin in range(0, len(flat), _PART):
        part = flat[begin : begin + _PART]
        order = np.argsort(part, kind="stable")
        ordered = part[order]
        order = order[ordered != BETWEEN]
        ordered = ordered[ordered != BETWEEN]
        at = np.flatnonzero(np.diff(ordered, prepend=BETWEEN))
        sizes = np.diff(np.append(at, len(ordered)))
        within = np.arange(len(ordered)) - np.repeat(at, sizes)
        result[free[ordered] + within] = (order + begin).astype(np.int32)
        free[ordered[at]] += sizes
    return result


def _of_several(
    places: Words, left: Ints, right: Ints, flat: Words, starts: Ints, author: Words
) -> Ints:
    """One place of each run of four words, none BETWEEN, that at least three authors use."""
    new = np.ones(len(places), dtype=np.bool_)
    new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
    group = np.cumsum(new) - 1
    sizes = np.bincount(group)
    often = sizes[group] >= _SEVERAL
    often &= (flat[places + 1] != BETWEEN) & (flat[places + 2] != BETWEEN)
    often &= flat[places + 3] != BETWEEN
    chosen = places[often]
    if not len(chosen):
        return np.array([], dtype=np.int64)
    of = author[np.searchsorted(starts, chosen, side="right") - 1].astype(np.int64)
    pairs = np.sort(group[often].astype(np.int64) << 32 | of)
    pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))] >> 32  # each author of a run once
    groups, used_by = np.unique(pairs, return_counts=True)
    of_several: Ints = places[np.flatnonzero(new)[groups[used_by >= _SEVERAL]]].astype(np.int64)
    return of_several
