"""Curated tweets as a screen shows them: rows made a window at a time, parts, whole frames."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import polars as pl

from core.curation.cleaning import unescape
from core.curation.judge import judge
from core.progress import Cancelled
from core.tweet import unescaped
from core.workbench.table import SLICE, Progress, TweetTable, stop_if
from core.workbench.verdicts import KEPT, Verdicts, reasons_of

Which = Literal["all", "kept", "dropped", "edited"]

# Rows are made a window at a time: one costs nearly as much as a screenful.
_WINDOW: Final = 48
_WINDOWS_KEPT: Final = 12


@dataclass(frozen=True)
class TweetRow:
    """One tweet with its verdict. ``text`` is as the source gave it, ``clean_text`` as learned.

    ``published`` is what people saw: the source's escaping of & < > undone, once. ``trigger`` are
    the words that set the rule off, where words did.
    """

    tweet_id: str
    handle: str
    created_at: datetime | None
    text: str
    text_escaped: bool
    clean_text: str
    kept: bool
    reason: str | None
    kind: str
    lang: str | None
    reply_to: str | None
    sensitive: bool | None
    note_id: str | None
    audience: str
    source: str
    source_file: str
    favourites: int | None
    reposts: int | None
    trigger: str | None = None

    @property
    def published(self) -> str:
        return unescaped(self.text) if self.text_escaped else self.text


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
        tweets = self.table.canonical(numbers)
        judged = judge(tweets, self.verdicts.recipe)
        codes = self.verdicts.codes.gather(numbers)
        settled = self.verdicts.settled.select("place", said="trigger", compared=pl.lit(value=True))
        return (
            judged.with_columns(
                place=numbers.cast(pl.UInt32),
                kept=codes == KEPT,
                reason=reasons_of(codes),
            )
            .join(settled, on="place", how="left", maintain_order="left")
            .select(
                *tweets.columns,
                "clean_text",
                "kept",
                "reason",
                pl.when(pl.col("compared").is_null())
                .then("trigger")
                .otherwise("said")
                .alias("trigger"),
            )
        )

    def frame(self) -> pl.DataFrame:
        """All tweets, newest first; as large as all of them: for what freezes or exports them."""
        return pl.concat([self.frame_of(numbers) for numbers in _parts(self.all_rows)])


def _parts(numbers: pl.Series) -> Iterator[pl.Series]:
    for start in range(0, max(len(numbers), 1), SLICE):
        yield numbers[start : start + SLICE]


class TweetRows:
    """An immutable view over curated tweets; filters give new views, rows are made when asked."""

    def __init__(self, curated: CuratedTable, numbers: pl.Series | None = None) -> None:
        self._curated = curated
        self._numbers = curated.all_rows if numbers is None else numbers
        self._windows: OrderedDict[int, list[TweetRow]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> TweetRow:
        if not 0 <= index < len(self):
            raise IndexError(index)
        number, place = divmod(index, _WINDOW)
        window = self._windows.get(number)
        if window is None:
            start = number * _WINDOW
            window = self._curated.rows(self._numbers[start : start + _WINDOW])
            self._windows[number] = window
            while len(self._windows) > _WINDOWS_KEPT:
                self._windows.popitem(last=False)
        return window[place]

    def only(self, which: Which) -> TweetRows:
        """The rows that are kept, dropped, or edited (kept, but not as they were published)."""
        if which == "all":
            return self
        return TweetRows(self._curated, self._curated.only(which, self._numbers))

    def these(self, others: TweetRows) -> TweetRows:
        """The tweets that ``others`` shows, with the verdicts of this view."""
        return TweetRows(self._curated, others._numbers)

    def search(
        self,
        words: str,
        *,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> TweetRows:
        """The rows whose published text holds ``words``, whatever the case; no pattern language.

        Raises Interrupted when ``cancelled`` says so.
        """
        if not words.strip():
            return self
        found = self._curated.holding(words, self._numbers, progress=progress, cancelled=cancelled)
        return TweetRows(self._curated, found)
