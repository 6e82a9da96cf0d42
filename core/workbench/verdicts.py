"""What a recipe says of every tweet of a table, and the cleaned texts that are kept for next time.

A verdict takes six bytes. Cleaning takes five times as long as judging, so its result is kept.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from core.curation.cleaning import CLEANING, clean_texts
from core.curation.comparing import compare, compares, keys_of
from core.curation.counts import UNSPACED, Counts
from core.curation.judge import judge
from core.curation.reasons import REASONS, SHORT
from core.curation.recipe import Recipe
from core.curation.threads import CHANGES, LINKS, joins, with_joined
from core.progress import Cancelled
from core.tweet import tweet_schema
from core.workbench.table import SLICE, Progress, TweetTable, stop_if

KEPT: Final = 255
_SHORT: Final = REASONS.index(SHORT)
REASON_TYPE: Final = pl.Enum(REASONS)
# What judging looks at; ids and counts would only have to be unpacked.
_JUDGED: Final = "handle created_at text text_escaped kind lang reply_to sensitive urls".split()
READ: Final = ("text", "text_escaped", "urls")
"""The columns of a tweet that cleaning reads."""
MOST_BYTES: Final = 300_000_000
"""Of all cleaned texts that are kept; tweets beyond it are cleaned again with every count."""

_VIEW_BYTES: Final = 16  # what a text takes beside its characters


@dataclass(frozen=True)
class Verdicts:
    """One value for each row of the table, in its order.

    codes      the place of the reason in REASONS, or KEPT
    edited     whether the cleaned text differs from the given one
    chars      characters of the cleaned text
    unspaced   dropped as short, and in a script without spaces
    changes    by the rules over several tweets: place (the row), reason, trigger; in order of place
    joined     the words of joined threads: place (the row of the first tweet), clean_text
    """

    recipe: Recipe
    codes: pl.Series
    edited: pl.Series
    chars: pl.Series
    unspaced: pl.Series
    changes: pl.DataFrame
    joined: pl.DataFrame

    @property
    def kept(self) -> pl.Series:
        return self.codes == KEPT


def judge_all(
    table: TweetTable,
    cleaned: CleanedTexts,
    recipe: Recipe,
    *,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Verdicts:
    """Judges slice by slice, then compares what takes several tweets. Raises Interrupted."""
    found: list[pl.DataFrame] = [pl.DataFrame(schema=_FOUND)]
    keys: list[pl.DataFrame] = []
    for rows in table.slices():
        stop_if(cancelled)
        tweets = table.to_judge(rows, _JUDGED)
        clean = cleaned.of(rows, tweets, recipe)
        judged = judge(tweets, recipe, clean, explain=False)
        codes = codes_of(judged["reason"])
        unspaced = pl.repeat(value=False, n=len(codes), dtype=pl.Boolean, eager=True)
        places = (codes == _SHORT).arg_true()
        if len(places):
            unspaced = unspaced.scatter(places, clean.gather(places).str.contains(UNSPACED))
        found.append(
            pl.DataFrame(
                {
                    "codes": codes,
                    "edited": clean.ne_missing(tweets["text"]),
                    "chars": clean.str.len_chars(),
                    "unspaced": unspaced,
                },
                schema=_FOUND,
            )
        )
        if compares(recipe):
            keys.append(keys_of(judged, rows.start))
        if progress:
            progress(rows.stop, table.height)
    columns = pl.concat(found)
    lookup = _InTable(table, recipe, cancelled)
    changes = _changes(table, keys, columns, recipe, lookup)
    codes, edited, chars, unspaced = columns.get_columns()
    return _changed(Verdicts(recipe, codes, edited, chars, unspaced, changes, lookup.joined))


_FOUND: Final = {
    "codes": pl.UInt8(),
    "edited": pl.Boolean(),
    "chars": pl.UInt32(),
    "unspaced": pl.Boolean(),
}


def _changes(
    table: TweetTable,
    keys: list[pl.DataFrame],
    columns: pl.DataFrame,
    recipe: Recipe,
    lookup: _InTable,
) -> pl.DataFrame:
    if not keys:
        return pl.DataFrame(schema=CHANGES)
    every = pl.concat(keys)
    links = None
    if joins(recipe):
        links = table.links().with_columns(
            columns.select(is_part=pl.col("codes").is_in([KEPT, _SHORT]) & (pl.col("chars") > 0))
        )
        links = links[table.by_account_and_time(links["place"])].select(*LINKS)
    return compare(every[table.by_account_and_time(every["place"])], recipe, lookup, links)


def _changed(verdicts: Verdicts) -> Verdicts:
    """``verdicts`` with what its changes and joined threads say."""
    changes, joined = verdicts.changes, verdicts.joined
    if changes.is_empty():
        return verdicts
    places = changes["place"]
    codes = verdicts.codes.scatter(places, codes_of(changes["reason"]))
    verdicts = dataclasses.replace(verdicts, codes=codes)
    if joined.is_empty():
        return verdicts
    texts, heads = joined["clean_text"], joined["place"]
    unspaced = (codes.gather(heads) == _SHORT) & texts.str.contains(UNSPACED)
    return dataclasses.replace(
        verdicts,
        edited=verdicts.edited.scatter(heads, True),
        chars=verdicts.chars.scatter(heads, texts.str.len_chars()),
        unspaced=verdicts.unspaced.scatter(places, False).scatter(heads, unspaced),
    )


class _InTable:
    """A ``threads.Lookup`` in a table: places are row numbers."""

    folder = None

    def __init__(self, table: TweetTable, recipe: Recipe, cancelled: Cancelled | None) -> None:
        self._table, self._recipe, self._cancelled = table, recipe, cancelled
        self.joined = pl.DataFrame(schema={"place": pl.UInt32(), "clean_text": pl.String()})

    def column(self, name: str, places: pl.Series) -> pl.Series:
        columns = READ if name == "clean_text" else (name,)
        found = [pl.Series(name, [], tweet_schema().get(name, pl.String()))]
        for start in range(0, len(places), SLICE):
            stop_if(self._cancelled)
            part = self._table.canonical(places[start : start + SLICE], columns)
            found.append(clean_again(part, self._recipe) if columns is READ else part[name])
        values = pl.concat(found)
        return with_joined(values, places, self.joined) if columns is READ else values

    def put(self, joined: pl.DataFrame) -> None:
        self.joined = pl.concat([self.joined, joined])


def count_verdicts(table: TweetTable, verdicts: Verdicts, handles: Sequence[str]) -> Counts:
    """What became of the tweets of each of ``handles``."""
    rows = pl.DataFrame(
        {
            "handle": table.handles,
            "code": verdicts.codes,
            "chars": verdicts.chars,
            "unspaced": verdicts.unspaced,
        }
    )
    groups = rows.group_by("handle", "code").agg(
        pl.len().alias("tweets"), pl.col("chars").cast(pl.UInt64).sum(), pl.col("unspaced").sum()
    )
    counts = Counts(handles)
    counts.add_groups(groups.with_columns(reasons_of(groups["code"])))
    return counts


def codes_of(reasons: pl.Series) -> pl.Series:
    """The codes that stand for reasons, KEPT for null."""
    return reasons.cast(REASON_TYPE).to_physical().cast(pl.UInt8).fill_null(KEPT)


def reasons_of(codes: pl.Series) -> pl.Series:
    """The reasons that codes stand for, null where kept."""
    return pl.Series("reason", REASONS).gather(codes.set(codes == KEPT, None))


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
