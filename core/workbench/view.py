"""Curated tweets as rows that a screen can show, a window at a time, without knowing Polars."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, Protocol

from core.tweet import unescaped
from core.workbench.search import TweetSearch, parse_search

if TYPE_CHECKING:
    import polars as pl

Which = Literal["all", "kept", "dropped", "edited"]
Order = Literal["newest", "oldest", "likes", "length"]

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


class Curated(Protocol):
    """Where rows come from; tweets are named by row numbers."""

    @property
    def all_rows(self) -> pl.Series:
        """Every row number, newest first."""

    def only(self, which: Which, among: pl.Series) -> pl.Series:
        """Those of the row numbers ``among`` that are kept, dropped, or edited (and kept)."""

    def matching(
        self,
        search: TweetSearch,
        among: pl.Series,
        *,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> pl.Series:
        """Those of ``among`` on which all conditions of ``search`` hold."""

    def in_order(self, order: Order, among: pl.Series) -> pl.Series:
        """``among``, which is newest first, in another order."""

    def rows(self, numbers: pl.Series) -> list[TweetRow]:
        """Some tweets in full, in the order of ``numbers``."""


class TweetRows:
    """An immutable view over curated tweets; filters give new views, rows are made when asked."""

    def __init__(self, curated: Curated, numbers: pl.Series | None = None) -> None:
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
        """The rows that ``words`` describe, in the syntax of ``core.workbench.search``.

        Words are looked for in the published text. Raises WrongUsage for a condition that cannot
        be, Interrupted when ``cancelled`` says so.
        """
        search = parse_search(words)
        if not search.conditions:
            return self
        found = self._curated.matching(
            search, self._numbers, progress=progress, cancelled=cancelled
        )
        return TweetRows(self._curated, found)

    def in_order(self, order: Order) -> TweetRows:
        """These rows, which are newest first, in another order; of likes and length, most first."""
        if order == "newest":
            return self
        return TweetRows(self._curated, self._curated.in_order(order, self._numbers))
