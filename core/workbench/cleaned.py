"""Cleaned texts that are kept for the next count: cleaning takes five times as long as judging."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from core.curation.judge import CLEANING, clean_texts
from core.curation.recipe import Recipe

READ: Final = ("text", "text_escaped", "urls")
"""The columns of a tweet that cleaning reads."""
MOST_BYTES: Final = 300_000_000
"""Of all cleaned texts that are kept; tweets beyond it are cleaned again with every count."""

_VIEW_BYTES: Final = 16  # what a text takes beside its characters


@dataclass
class _Slice:
    """Only the texts that cleaning changed, and where they belong."""

    edited: pl.Series
    texts: pl.Series

    @property
    def size(self) -> int:
        return int(self.texts.estimated_size()) + _VIEW_BYTES * len(self.texts)


@dataclass
class _Way:
    """What one way of cleaning made of the tweets, by the first row of a slice."""

    slices: dict[int, _Slice] = field(default_factory=dict)
    size: int = 0


class CleanedTexts:
    """The cleaned texts of a table under the ways of cleaning that were asked for last."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._ways: OrderedDict[tuple[object, ...], _Way] = OrderedDict()

    def of(self, rows: slice, tweets: pl.DataFrame, recipe: Recipe) -> pl.Series:
        """The cleaned texts of ``tweets`` (columns READ), the rows of one of the table's slices."""
        way = self._way(recipe)
        kept = way.slices.get(rows.start)
        given = tweets["text"]
        if kept is not None:
            return _put(given, kept)
        clean = clean_again(tweets, recipe)
        edited = clean.ne_missing(given)
        # Joining copies just these characters; a choice alone would keep all the others alive.
        texts = clean.filter(edited).to_frame("text").select(pl.concat_str("text", pl.lit("")))
        self._keep(way, rows.start, _Slice(edited, texts["text"]))
        return clean

    def _way(self, recipe: Recipe) -> _Way:
        """Threads may ask at the same time; the worst that can happen is work done twice."""
        key = tuple(getattr(recipe, rule) for rule in CLEANING)
        with self._lock:
            way = self._ways.setdefault(key, _Way())
            self._ways.move_to_end(key)
            return way

    def _keep(self, way: _Way, start: int, made: _Slice) -> None:
        """Ways that were asked for long ago make room for the one that is."""
        with self._lock:
            if start in way.slices or way.size + made.size > self._most_bytes:
                return
            way.slices[start] = made
            way.size += made.size
            while sum(one.size for one in self._ways.values()) > self._most_bytes:
                oldest = next(iter(self._ways))
                if self._ways[oldest] is way:
                    return
                del self._ways[oldest]


def clean_again(tweets: pl.DataFrame, recipe: Recipe) -> pl.Series:
    """The cleaned texts of any tweets (columns READ), from nothing."""
    texts, escaped = tweets["text"].fill_null(""), tweets["text_escaped"].fill_null(value=False)
    return clean_texts(texts, escaped, recipe, tweets["urls"])


def _put(given: pl.Series, kept: _Slice) -> pl.Series:
    if kept.texts.is_empty():
        return given
    # Where a text was changed, its place among the changed ones; else its own, after them.
    changed = len(kept.texts)
    own = pl.int_range(changed, changed + len(given), dtype=pl.UInt32, eager=True)
    places = (kept.edited.cum_sum().cast(pl.UInt32) - 1).zip_with(kept.edited, own)
    return pl.concat([kept.texts, given]).gather(places).alias(given.name)
