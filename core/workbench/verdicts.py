"""What a recipe says of every tweet of a table, in six bytes each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from core.curation.comparing import DROPPED, keys_of, settle_keys, settles
from core.curation.judge import judge
from core.curation.reasons import REASONS
from core.curation.recipe import Recipe
from core.curation.stats import UNSPACED
from core.workbench.cleaned import READ, CleanedTexts, clean_again
from core.workbench.table import SLICE, Cancelled, Progress, TweetTable, stop_if

KEPT: Final = 255
REASON_TYPE: Final = pl.Enum(REASONS)
# What judging looks at; ids and counts would only have to be unpacked.
_JUDGED: Final = "handle created_at text text_escaped kind lang reply_to sensitive urls".split()


@dataclass(frozen=True)
class Verdicts:
    """One value for each row of the table, in its order.

    codes      the place of the reason in REASONS, or KEPT
    edited     whether the cleaned text differs from the given one
    chars      characters of the cleaned text
    unspaced   dropped as short, and in a script without spaces
    settled    what comparing tweets said: columns place (the row), reason, trigger; by place
    """

    recipe: Recipe
    codes: pl.Series
    edited: pl.Series
    chars: pl.Series
    unspaced: pl.Series
    settled: pl.DataFrame

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
    """Judges slice by slice, then settles what takes several tweets. Raises Interrupted."""
    found: list[pl.DataFrame] = [pl.DataFrame(schema=_FOUND)]
    keys: list[pl.DataFrame] = []
    short = REASONS.index("short")
    for rows in table.slices():
        stop_if(cancelled)
        tweets = table.canonical(rows, _JUDGED)
        clean = cleaned.of(rows, tweets, recipe)
        judged = judge(tweets, recipe, clean, explain=False)
        codes = judged["reason"].cast(REASON_TYPE).to_physical().cast(pl.UInt8).fill_null(KEPT)
        unspaced = pl.repeat(value=False, n=len(codes), dtype=pl.Boolean, eager=True)
        places = (codes == short).arg_true()
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
        if settles(recipe):
            keys.append(keys_of(judged, rows.start))
        if progress:
            progress(rows.stop, table.height)
    columns = pl.concat(found)
    settled = _settled(table, keys, recipe, cancelled)
    codes = columns["codes"]
    if settled.height:
        reasons = settled["reason"].cast(REASON_TYPE).to_physical().cast(pl.UInt8)
        codes = codes.scatter(settled["place"], reasons)
    return Verdicts(
        recipe, codes, columns["edited"], columns["chars"], columns["unspaced"], settled
    )


_FOUND: Final = {
    "codes": pl.UInt8(),
    "edited": pl.Boolean(),
    "chars": pl.UInt32(),
    "unspaced": pl.Boolean(),
}


def _settled(
    table: TweetTable, keys: list[pl.DataFrame], recipe: Recipe, cancelled: Cancelled | None
) -> pl.DataFrame:
    if not keys:
        return pl.DataFrame(schema=DROPPED)
    every = pl.concat(keys)
    in_order = every[table.by_account_and_time(every["place"])]
    return settle_keys(in_order, recipe, _InTable(table, recipe, cancelled))


class _InTable:
    """A ``settle.Lookup`` in a table: places are row numbers."""

    folder = None

    def __init__(self, table: TweetTable, recipe: Recipe, cancelled: Cancelled | None) -> None:
        self._table, self._recipe, self._cancelled = table, recipe, cancelled

    def texts(self, places: pl.Series) -> pl.Series:
        parts = [clean_again(part, self._recipe) for part in self._parts(places, READ)]
        return pl.concat([pl.Series(dtype=pl.String), *parts])

    def ids(self, places: pl.Series) -> pl.Series:
        parts = [part["tweet_id"] for part in self._parts(places, ("tweet_id",))]
        return pl.concat([pl.Series("tweet_id", dtype=pl.String), *parts])

    def _parts(self, places: pl.Series, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        for start in range(0, len(places), SLICE):
            stop_if(self._cancelled)
            yield self._table.canonical(places[start : start + SLICE], columns)
