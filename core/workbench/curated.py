"""A table and what one recipe says of it: rows, parts of it by row number, and whole frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

import polars as pl

from core.curation.cleaning import unescape
from core.curation.judge import judge
from core.curation.threads import with_joined
from core.progress import Cancelled
from core.workbench.table import COLUMNS, SLICE, Progress, TweetTable, stop_if
from core.workbench.verdicts import KEPT, Verdicts, reasons_of
from core.workbench.view import TweetRow, Which

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

    def holding(
        self,
        words: str,
        among: pl.Series,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
    ) -> pl.Series:
        """Those of ``among`` whose published text holds ``words``, whatever the case.

        Words, not a pattern. Raises Interrupted.
        """
        wanted = words.strip().lower()
        if not wanted:
            return among
        found = [among.clear()]
        done = 0
        for numbers in _parts(among):
            stop_if(cancelled)
            part = self.table.canonical(numbers, ("text", "text_escaped"))
            seen = unescape(part["text"], part["text_escaped"], "once").str.to_lowercase()
            found.append(numbers.filter(seen.str.contains(wanted, literal=True)))
            if progress:
                done += len(numbers)
                progress(done, len(among))
        return pl.concat(found)

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


def _parts(numbers: pl.Series) -> Iterator[pl.Series]:
    for start in range(0, max(len(numbers), 1), SLICE):
        yield numbers[start : start + SLICE]
