"""A table and what one recipe says of it: rows, parts of it by row number, and whole frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date
from typing import Final

import polars as pl

from core.curation.cleaning import unescape
from core.curation.judge import judge
from core.curation.threads import with_joined
from core.progress import Cancelled
from core.workbench.search import Condition, TweetSearch
from core.workbench.table import COLUMNS, SLICE, Progress, TweetTable, stop_if
from core.workbench.verdicts import KEPT, Verdicts, reasons_of
from core.workbench.view import Order, TweetRow, Which

_FIELDS: Final = tuple(item.name for item in dataclasses.fields(TweetRow))


class CuratedTable:
    """What is asked for is made then, from the tweets and the verdicts: nothing is copied."""

    def __init__(self, table: TweetTable, verdicts: Verdicts) -> None:
        self.table = table
        self.verdicts = verdicts

    @property
    def all_rows(self) -> pl.Series:
        """Every row number, newest first."""
        return self.table.newest_first

    def only(self, which: Which, among: pl.Series) -> pl.Series:
        """Those of the row numbers ``among`` that are kept, dropped, or edited (and kept)."""
        if which == "all":
            return among
        kept = self.verdicts.kept
        mask = {"kept": kept, "dropped": ~kept, "edited": kept & self.verdicts.edited}[which]
        return among.filter(mask.gather(among))

    def matching(
        self,
        search: TweetSearch,
        among: pl.Series,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> pl.Series:
        """Those of ``among`` on which all conditions of ``search`` hold. Raises Interrupted."""
        if not search.conditions:
            return among
        held = pl.all_horizontal(_holds(condition) for condition in search.conditions)
        found = [among.clear()]
        done = 0
        for numbers in _parts(among):
            stop_if(cancelled)
            part = self.table.canonical(numbers, _SEARCHED)
            seen = unescape(part["text"], part["text_escaped"], "once").str.to_lowercase()
            found.append(numbers.filter(part.with_columns(seen=seen).select(held).to_series()))
            if progress:
                done += len(numbers)
                progress(done, len(among))
        return pl.concat(found)

    def in_order(self, order: Order, among: pl.Series) -> pl.Series:
        """``among``, which is newest first, in another order: undated ones stay last, those with
        as many likes or as long a text newest first."""
        if order == "newest":
            return among
        if order == "oldest":
            times = self.table.canonical(among, ("created_at",)).to_series()
            return pl.concat(
                [among.filter(times.is_not_null()).reverse(), among.filter(times.is_null())]
            )
        if order == "likes":
            values = self.table.canonical(among, ("favourites",)).to_series()
        else:
            texts = (self.table.canonical(part, ("text",)) for part in _parts(among))
            values = pl.concat([part.to_series().str.len_chars() for part in texts])
        return among.gather(
            values.to_frame("value").select(
                pl.arg_sort_by("value", descending=True, nulls_last=True, maintain_order=True)
            )["value"]
        )

    def rows(self, numbers: pl.Series) -> list[TweetRow]:
        """Some tweets in full, in the order of ``numbers``; a few at a time."""
        return [TweetRow(*row) for row in self.frame_of(numbers).select(_FIELDS).iter_rows()]

    def frame_of(self, numbers: pl.Series) -> pl.DataFrame:
        """The table's COLUMNS, clean_text, kept, reason and trigger of some tweets."""
        tweets = self.table.to_judge(numbers)
        judged = judge(tweets, self.verdicts.recipe)
        codes = self.verdicts.codes.gather(numbers)
        changes = self.verdicts.changes.select("place", other="trigger", changed=pl.lit(value=True))
        return (
            judged.with_columns(
                with_joined(judged["clean_text"], numbers, self.verdicts.joined),
                place=numbers.cast(pl.UInt32),
                kept=codes == KEPT,
                reason=reasons_of(codes),
            )
            .join(changes, on="place", how="left", maintain_order="left")
            .select(
                *COLUMNS,
                "clean_text",
                "kept",
                "reason",
                pl.when(pl.col("changed").is_null())
                .then("trigger")
                .otherwise("other")
                .alias("trigger"),
            )
        )

    def frame(self) -> pl.DataFrame:
        """All tweets, newest first; as large as all of them: for what freezes or exports them."""
        return pl.concat([self.frame_of(numbers) for numbers in _parts(self.all_rows)])


_SEARCHED: Final = (
    "handle", "created_at", "text", "text_escaped", "kind", "urls", "note_id",
)  # fmt: skip
# What a text holds; some sources name links and media beside it.
_HAS: Final = {
    "link": r"https?://|\bt\.co/|\bpic\.(?:twitter|x)\.com/",
    "media": r"\bpic\.(?:twitter|x)\.com/",
    "hashtag": r"(?:^|[^\p{L}\p{N}_&/#])[#＃][\p{N}_]*\p{L}",
    "mention": r"(?:^|[^\p{L}\p{N}_/])[@＠][\p{L}\p{N}_]",
}
_URLS: Final = {"link": r"https?:", "media": r"/(?:photo|video)/\d"}


def _holds(condition: Condition) -> pl.Expr:
    """Whether it holds, never null; ``seen`` is the text as people saw it, in lower case."""
    held = _of(condition.kind, condition.value, condition.day).fill_null(value=False)
    return ~held if condition.negated else held


def _of(kind: str, value: str, day: date | None) -> pl.Expr:
    if kind == "words":
        return pl.col("seen").str.contains(value, literal=True)
    if kind == "from":
        return pl.col("handle") == value
    if kind == "since":
        return pl.col("created_at").dt.date() >= day
    if kind == "until":
        return pl.col("created_at").dt.date() <= day
    if kind == "is":
        if value == "long":
            return pl.col("note_id").is_not_null()
        kinds = ["retweet", "manual_retweet"] if value == "retweet" else [value]
        return pl.col("kind").is_in(kinds)
    held = pl.col("seen").str.contains(_HAS[value])
    if value in _URLS:
        held |= pl.col("urls").str.contains(_URLS[value]).fill_null(value=False)
    return held


def _parts(numbers: pl.Series) -> Iterator[pl.Series]:
    for start in range(0, max(len(numbers), 1), SLICE):
        yield numbers[start : start + SLICE]
