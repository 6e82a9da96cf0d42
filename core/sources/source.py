"""The protocol of a source: its accounts, its batches of tweets, and a summary of what was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from core.errors import InputRefused

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS: Final = 100_000
LISTED_LINES: Final = 1_000

# Why something was left out, behind how often that was.
_REASONS: Final = {
    "bad_json": "broken JSON",
    "bad_row": "with other fields than the header",
    "bad_block": "damaged blocks",
    "bad_encoding": "bytes that are no text in the file's encoding",
    "open_quote": "quotation marks that are never closed",
    "unreadable_part": "parts of the archive that cannot be read at all",
    "unreadable": "posts that cannot be read",
    "no_text": "without a text",
    "no_id": "without an id",
    "no_handle": "without a usable account name",
    "not_a_tweet": "not tweets",
    "not_a_post": "not posts",
    "deleted": "deleted by their author",
    "circle": "for a Circle only",
    "forgotten": "forgotten before",
    "superseded_edit": "earlier versions of edited tweets",
    "protected": "of protected accounts",
    "repost": "reposts of others",
    "boost": "boosts of others",
    "followers_only": "for followers only",
    "direct_message": "direct messages",
}

# Called while a source reads, with the rows read so far and the rows expected (None: unknown).
# It may raise to stop the reading, which is how an import is cancelled.
Tick = Callable[[int, "int | None"], None]


@dataclass(frozen=True)
class Account:
    """Who an archive belongs to. E-mail addresses and phone numbers are never read."""

    handle: str
    name: str | None = None
    account_id: str | None = None
    bio: str | None = None
    created: datetime | None = None


class HandleMissing(InputRefused):
    """The tweets are readable, but nothing says whose they are."""


class TextMissing(InputRefused):
    """The columns are readable, but none is known to hold texts: ``open_source``'s ``columns`` does
    it. ``next_step`` is the command line's; the app and the plain mode ask."""


class DatesUnclear(InputRefused):
    """The order of day and month is ambiguous or changes; ``date_format`` decides it."""


@dataclass(frozen=True)
class Detected:
    """What a path holds, by its content. ``root`` is the path that the format's reader opens.

    ``handle`` is the first account named; ``needs_handle`` says that nothing names one.
    ``member`` is the file inside a zip or tar, ``reader`` what kind of file it is.
    ``chosen_encoding`` is the one that the person named; ``encoding`` what it is read as (empty
    where there is no choice), by its first bytes, and ``encoding_guessed`` that it might be another
    one.
    ``date_format`` is what the person named (``times.read_date_format``).
    ``number``: the handle is made from a number, and a name would be better.
    """

    path: Path
    format: str
    root: Path
    reader: str = "archive"
    member: str | None = None
    tar: bool = False
    as_table: bool = False  # read it as any table, whatever program wrote it
    handle: str | None = None
    needs_handle: bool = False
    number: bool = False
    chosen_encoding: str | None = None
    date_format: str | None = None
    encoding: str = ""
    encoding_guessed: bool = False
    outline: tuple[str, ...] = ()

    @property
    def is_table(self) -> bool:
        """Whether its columns were guessed by their names, and can be named instead."""
        return self.format in ("csv", "jsonl", "parquet")

    def lines(self) -> list[str]:
        """What was recognised, a fact a line, for a person to check before the import."""
        return list(self.outline)


def reason_in_words(reason: str) -> str:
    """``deleted by their author``, behind a number."""
    return _REASONS.get(reason, reason.replace("_", " "))


def reasons_in_words(skipped: Mapping[str, int]) -> str:
    """``3 deleted by their author, 12 without a text``; empty when nothing was left out."""
    return ", ".join(
        f"{number:,} {reason_in_words(reason)}" for reason, number in sorted(skipped.items())
    )


@dataclass
class HandleCount:
    """Rows of one handle: ``read`` = rows yielded + everything in ``skipped``.

    ``undated`` of those that were yielded have no time.
    """

    read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes_joined: int = 0
    undated: int = 0


@dataclass(frozen=True)
class BrokenLine:
    """A place in a file that could not be read. ``line`` counts from 1; 0 where there are none.

    ``file`` is the part of an archive it is in, without folders. ``detail`` says what is wrong and
    quotes nothing of what stands there.
    """

    line: int
    reason: str
    detail: str
    file: str = ""

    def __str__(self) -> str:
        parts = [self.file, f"line {self.line:,}" if self.line else ""]
        where = ", ".join(part for part in parts if part)
        return f"{where + ': ' if where else ''}{self.detail} ({self.reason})"


@dataclass
class SourceSummary:
    """What reading a source came to; complete once ``batches()`` is exhausted."""

    path: Path
    format: str
    handle: str | None = None
    account: Account | None = None
    per_handle: dict[str, HandleCount] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    broken: list[BrokenLine] = field(default_factory=list)
    number: bool = False  # nothing names the account but a number
    passed: list[BrokenLine] = field(default_factory=list)  # sound, but left out; the first ones
    span: tuple[datetime, datetime] | None = None
    dates_unread: int = 0  # written, but in no form that is known
    date_example: str = ""
    # one thread may split rows while another makes tweets of them
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def file_name(self) -> str:
        """The file's name without folders, which may name a person."""
        return self.path.name

    def of(self, handle: str) -> HandleCount:
        """The counts of one handle; ``""`` gathers rows whose author is unknown."""
        return self.per_handle.setdefault(handle, HandleCount())

    @property
    def read(self) -> int:
        return sum(count.read for count in self.per_handle.values())

    @property
    def skipped(self) -> dict[str, int]:
        total: Counter[str] = Counter()
        for count in self.per_handle.values():
            total.update(count.skipped)
        return dict(total)

    @property
    def left_out(self) -> str:
        """Of a source without tweets: what was left out, and the first place that is broken."""
        first = "".join(f" First {one}." for one in self.broken[:1])
        return f"Left out: {reasons_in_words(self.skipped) or 'nothing'}.{first}"

    @property
    def undated(self) -> int:
        return sum(count.undated for count in self.per_handle.values())

    @property
    def notes_joined(self) -> int:
        return sum(count.notes_joined for count in self.per_handle.values())

    def saw(self, batch: pl.DataFrame) -> None:
        """Count a canonical batch that is about to be yielded."""
        counts = batch["handle"].value_counts(name="rows").sort("handle")
        undated = batch.filter(batch["created_at"].is_null())["handle"].value_counts(name="rows")
        with self._lock:
            for handle, rows in counts.iter_rows():
                self.of(handle).read += rows
            for handle, rows in undated.iter_rows():
                self.of(handle).undated += rows
        first, last = batch["created_at"].min(), batch["created_at"].max()
        if isinstance(first, datetime) and isinstance(last, datetime):
            if self.span is not None:
                first, last = min(first, self.span[0]), max(last, self.span[1])
            self.span = (first, last)

    def skip(self, handle: str, reason: str, rows: int = 1) -> None:
        """Count rows that are read but not yielded."""
        if rows:
            with self._lock:
                count = self.of(handle)
                count.read += rows
                count.skipped[reason] += rows

    def leave_out(self, handle: str, reason: str, rows: int) -> None:
        """Count rows that ``saw`` has counted, and that are left out after all."""
        if rows:
            with self._lock:
                self.of(handle).skipped[reason] += rows

    def skip_line(self, handle: str, reason: str, line: int, detail: str, file: str = "") -> None:
        """Count one row that is broken, and remember where (the first LISTED_LINES of them)."""
        self.skip(handle, reason)
        if len(self.broken) < LISTED_LINES:
            self.broken.append(BrokenLine(line, reason, detail, file))

    def passed_over(self, reason: str, line: int, detail: str = "", file: str = "") -> bool:
        """Remember where a row was that ``skip`` counts; False when no more are wanted."""
        if len(self.passed) < LISTED_LINES:
            self.passed.append(BrokenLine(line, reason, detail, file))
        return len(self.passed) < LISTED_LINES

    def warn_of_broken(self) -> None:
        """Add a sentence about what is broken, and one about dates that could not be read.

        Call it when everything is read.
        """
        if self.dates_unread:
            some = "One date is" if self.dates_unread == 1 else f"{self.dates_unread:,} dates are"
            self.warnings.append(
                f"{some} in a form that mynah does not know, such as {self.date_example[:40]!r}; "
                "--date-format tells how they are written, for example '%d.%m.%y'."
            )
        count = sum(self.skipped.get(reason, 0) for reason in {b.reason for b in self.broken})
        if count:
            first = self.broken[0]
            some = "One place is" if count == 1 else f"{count:,} places are"
            self.warnings.append(f"{some} broken and left out; the first is {first}.")


class Source(Protocol):
    """An opened source. ``batches`` may be called once."""

    summary: SourceSummary

    @property
    def accounts(self) -> list[Account]:
        """The accounts in the source; complete once ``batches()`` is exhausted."""
        ...

    def outline(self) -> list[str]:
        """Facts known before everything is read, a line each."""
        ...

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames (``core.tweet.tweet_schema``) of at most BATCH_ROWS rows each."""
        ...
