"""Tweets as rows of a list: when, verdict, kind, who, text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text

from core.safe_text import printable
from tui.text import numbers as words
from tui.text.numbers import SIGNS, age_or_day, count
from tui.text.verdicts import known_of, reason_word, verdict
from tui.widgets.row_list import Column, RowCells

if TYPE_CHECKING:
    from core.workbench.comparison import ComparedRows
    from core.workbench.view import Order, TweetRow, TweetRows


def columns(*, who: bool) -> tuple[Column, ...]:
    """``who`` adds the author, where the list is wide enough; one account needs none."""
    return (
        Column("when", width=10, align="right"),
        Column(width=1),
        Column(width=1),
        Column("who", width=12, hide_under=70 if who else 100_000),
        Column("tweet", flex=1),
    )


REASON_COLUMNS = (
    Column(width=1),
    Column("why", width=14),
    Column(flex=1),
)


def compare_columns(a: str, b: str) -> tuple[Column, ...]:
    """Both recipes' verdicts before the tweet, under the recipes' names."""
    return (
        Column(width=1),
        Column(printable(a), width=14),
        Column(width=1),
        Column(printable(b), width=14),
        Column("tweet", flex=1),
    )


def kind_sign(tweet: TweetRow) -> str:
    """What sort of tweet it is; an original needs no sign."""
    if tweet.note_id:
        return SIGNS["note"]
    return SIGNS.get(tweet.kind, " ")


class TweetLines:
    """A provider for RowList over curated tweets; rows are made only when they are drawn."""

    def __init__(self, rows: TweetRows, order: Order = "newest") -> None:
        """In the first column stands what ``rows`` are sorted by."""
        self.rows = rows
        self._order = order
        self._now = words.now()

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> RowCells:
        tweet = self.rows[index]
        kept = tweet.kept
        return (
            (self._sorted_by(tweet), "muted"),
            (SIGNS["kept"], "success") if kept else (SIGNS["dropped"], "muted"),
            (kind_sign(tweet), "primary"),
            ("@" + tweet.handle, "muted"),
            (tweet.published, "" if kept else "muted"),
        )

    def _sorted_by(self, tweet: TweetRow) -> str:
        if self._order == "likes":
            return count(tweet.favourites)
        if self._order == "length":
            return count(len(tweet.text))
        return age_or_day(tweet.created_at, self._now)


class ReasonLines(TweetLines):
    """Tweets with why they are dropped, or with what the recipe made of them."""

    def row(self, index: int) -> RowCells:
        tweet = self.rows[index]
        if not tweet.kept:
            return (
                (SIGNS["dropped"], "muted"),
                (reason_word(tweet), "warning"),
                (tweet.text, "muted"),
            )
        edited = tweet.text != tweet.clean_text
        return (
            (SIGNS["kept"], "success"),
            ("edited" if edited else "kept", "primary" if edited else "muted"),
            (tweet.clean_text, ""),
        )


class CompareLines:
    """The tweets on which two recipes differ, with what each says of them."""

    def __init__(self, rows: ComparedRows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> RowCells:
        pair = self.rows[index]
        return (*_verdict(pair.a), *_verdict(pair.b), (pair.a.published, ""))


def _verdict(tweet: TweetRow) -> RowCells:
    if not tweet.kept:
        return ((SIGNS["dropped"], "muted"), (reason_word(tweet), "warning"))
    edited = tweet.text != tweet.clean_text
    word, style = ("edited", "primary") if edited else ("kept", "success")
    return ((SIGNS["kept"], "success"), (word, style))


def detail(tweet: TweetRow, found: re.Pattern[str] | None = None, style: str = "bold") -> Text:
    """One tweet in full: as published, as it will be learned, and where it came from.

    What is ``found`` in the published text has the ``style``.
    """
    text = Text(printable(tweet.published, keep_newlines=True))
    if found is not None:
        text.highlight_regex(found, style)
    text.append("\n")
    if not tweet.kept:
        text.append(f"\n{SIGNS['dropped']} {printable(verdict(tweet))}\n", "bold")
    elif tweet.published != tweet.clean_text:
        text.append(f"\n{SIGNS['kept']} learned as\n", "bold")
        text.append(printable(tweet.clean_text, keep_newlines=True) + "\n")
    text.append("\n" + printable(" · ".join(known_of(tweet))), "dim")
    return text
