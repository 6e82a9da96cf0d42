"""Tables with a column of texts: CSV and TSV with a header line, and Parquet; read as a stream."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from core.errors import InputRefused, first_line
from core.sources.batches import read_ahead
from core.sources.columns import (
    MAP_NAMES,
    REPLY_ROLES,
    Canonical,
    guess,
    plain_name,
    roles_of,
)
from core.sources.csv_rows import CsvRows
from core.sources.decoding import is_escaped
from core.sources.opened import Content
from core.sources.source import (
    BATCH_ROWS,
    Account,
    Detected,
    HandleMissing,
    SourceSummary,
    TextMissing,
    Tick,
    reasons_in_words,
)
from core.sources.times import Dates

T = TypeVar("T")
_DELIMITERS: Final = ",\t;|"
# roles that tell when a tweet was written
_DATED: Final = ("created", "tweet_id")
# by the names of their columns
# The years 1 to 9999, in seconds since 1970.
_FIRST_SECOND: Final = -62_135_596_800
_LAST_SECOND: Final = 253_402_300_799
_TRUMP: Final = {"isretweet", "isdeleted", "device", "isflagged"}
_GRAILBIRD: Final = {"tweetid", "retweetedstatusid", "timestamp", "expandedurls"}
_EXPORT: Final = ["tweetid", "handle", "createdat", "kind", "text"]


def csv_format(content: Content, mapping: Mapping[str, str]) -> str:
    """Which of the CSV formats it is; raises InputRefused when there is no column of texts."""
    header, _ = header_of(content.head())
    if "text" not in mapping and "text" not in guess(header):
        shown = ", ".join(name.strip()[:40] for name in header[:8]) or "nothing"
        raise TextMissing(
            f"{content.title} has no column of texts.",
            f"Its first line reads: {shown}.",
            "A CSV needs a header with a column named text, full_text, content or tweet; "
            "--map text=NAME names another.",
        )
    return "csv" if mapping else table_format(header)


def table_format(header: list[str]) -> str:
    """csv, or the name of the program whose columns these are."""
    names = [plain_name(name) for name in header]
    if set(names) >= _TRUMP:
        return "trump-archive"
    if set(names) >= _GRAILBIRD:
        return "grailbird"
    return "mynah-export" if names[:5] == _EXPORT else "csv"


class _Table:
    """What tables have in common: named columns, some of which have a role."""

    def __init__(
        self,
        found: Detected,
        title: str,
        names: list[str],
        owner: str | None,
        include: frozenset[str],
        mapping: Mapping[str, str],
    ) -> None:
        self._title = title
        self._names = names
        self._date_format = found.date_format
        self._owner = owner
        self._include = include
        self._roles = roles_of(names, mapping, title)
        self.summary = SourceSummary(found.path, found.format, handle=owner)
        shown = ", ".join(name.strip()[:40] for name in names[:12]) or "lists and objects alone"
        if "text" not in self._roles:
            raise TextMissing(
                f"{title} has no column of texts.",
                f"Its columns are: {shown}.",
                "--map text=NAME names it.",
            )
        if not owner and "author" not in self._roles:
            raise HandleMissing(
                f"{title} does not say whose tweets it holds.",
                f"Its columns are: {shown}.",
                "Name the account with --handle, or the column with --map author=NAME.",
            )

    @property
    def accounts(self) -> list[Account]:
        handles = [self._owner] if self._owner else [h for h in self.summary.per_handle if h]
        return [Account(handle) for handle in handles]

    def _canonical(self, escaped: bool) -> Canonical:
        return Canonical(
            self.summary,
            owner=self._owner,
            escaped=None if self._as_published else escaped,
            generate_ids="tweet_id" not in self._roles,
            deleted="deleted" in self._include,
            replies_marked=any(role in self._roles for role in REPLY_ROLES),
            dates=Dates(self._title, self._date_format, self._dates),
        )

    @property
    def _as_published(self) -> bool:
        """Whether an export of mynah's has the texts of all sources, escaped or not."""
        text = plain_name(self._roles["text"])
        return self.summary.format == "mynah-export" and text == "rawtext"

    def _dates(self) -> Iterator[pl.DataFrame]:
        """The columns of dates and ids, as far as there are any, of the whole table."""
        raise NotImplementedError


class CsvTable(_Table):
    """A CSV or TSV file. Ids are text from the first byte to the last."""

    def __init__(
        self,
        found: Detected,
        content: Content,
        owner: str | None,
        include: frozenset[str],
        mapping: Mapping[str, str],
    ) -> None:
        self._content = content
        names, self._delimiter = header_of(content.head())
        super().__init__(found, content.title, names, owner, include, mapping)
        if found.format == "grailbird":
            named = (name for name in names if plain_name(name) == "retweetedstatusid")
            self._roles["retweet"] = next(named)

    def outline(self) -> list[str]:
        """The columns that are used, and the first row."""
        first = next((f.row(0) for f in self._rows(sample=True).frames() if f.height), None)
        called = {role: MAP_NAMES[role][0] for role in self._roles}
        used = ", ".join(
            f"{name} as {called[role]}"
            for role, name in self._roles.items()
            if name not in (role, called[role])
        )
        lines = ["CSV" if self._delimiter != "\t" else "TSV"]
        if self.summary.format != "csv":
            lines[0] += f" ({self.summary.format})"
        if first is not None:
            if author := self._roles.get("author"):
                lines[0] += f", first row by @{first[self._names.index(author)].lstrip('@')}"
            lines.append(first[self._names.index(self._roles["text"])][:200])
        if note := self._content.encoding.sentence():
            lines.append(note)
        return [*lines, f"Reads {used}."] if used else lines

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; what is broken is left out and listed in the summary.

        Raises InputRefused when there is no tweet in it at all.
        """
        facts = self._content.read_through()
        if note := facts.encoding.sentence():
            self.summary.warnings.append(note)
        canonical = self._canonical(is_escaped(facts, self._texts))
        wanted = [self._column(role) for role in self._roles]
        read, empty = 0, True
        table = self._rows(counted=True)
        for rows in read_ahead(table.frames()):
            raw = self._repaired(rows.select(wanted))
            frame = canonical.frame(raw, table.lines.popleft())
            read += rows.height
            if tick:
                tick(read, None)
            if frame.height:
                empty = False
                self.summary.saw(frame)
                yield frame
        if self._content.damage:
            self.summary.warnings.append(self._content.damage)
        if empty:
            broken = "; ".join(map(str, self.summary.broken[:1])) or self._content.damage
            raise InputRefused(
                f"There are no tweets in {self._title}.",
                "It has a header and no rows that are tweets."
                + (
                    f" Left out: {reasons_in_words(self.summary.skipped)}."
                    if self.summary.skipped
                    else ""
                )
                + (f" First {broken}." if broken else ""),
            )
        self.summary.warn_of_broken()
        self._warn_of_columns()

    def _warn_of_columns(self) -> None:
        """Where no date was found, what may be one."""
        left = [name.strip()[:40] for name in self._names if name not in self._roles.values()]
        left = [name for name in left if name]
        if self.summary.undated and left and "created" not in self._roles:
            named = ", ".join(left[:6]) + (", …" if left[6:] else "")
            self.summary.warnings.append(
                f"No column of dates was found. Not read: {named}. If one of them has the dates, "
                f"name it as the date (on the command line: --map date={left[0]})."
            )

    def _repaired(self, raw: pl.DataFrame) -> pl.DataFrame:
        if self.summary.format == "grailbird":
            # an id where there is a retweet, nothing where "RT @" was typed by hand
            flag = pl.when(pl.col("retweet") != "").then(pl.lit("true")).otherwise(pl.lit("false"))
            return raw.with_columns(retweet=flag)
        if self.summary.format == "mynah-export":
            # the apostrophe that keeps a spreadsheet from running a text goes again
            return raw.with_columns(pl.all().str.replace(r"^'('*[=+\-@\t\r])", "${1}"))
        return raw

    def _dates(self) -> Iterator[pl.DataFrame]:
        for frame in self._rows().frames():
            yield frame.select(self._column(role) for role in _DATED if role in self._roles)

    def _column(self, role: str) -> pl.Expr:
        return pl.col(str(self._names.index(self._roles[role]))).alias(role)

    def _texts(self) -> Iterator[str]:
        """The texts that matter for the question whether they are escaped."""
        column = self._column("text")
        for frame in self._rows().frames():
            yield from (
                frame.filter(column.str.contains("&", literal=True)).select(column).to_series()
            )

    def _rows(self, *, counted: bool = False, sample: bool = False) -> CsvRows:
        if sample:
            head = self._content.head().encode()
            blocks = iter([head[: head.rfind(b"\n") + 1] or head])
        else:
            blocks = self._content.text_blocks()
        return CsvRows(
            blocks, len(self._names), self._delimiter, self._bad_row if counted else None
        )

    def _bad_row(self, line: int, reason: str, detail: str) -> None:
        self.summary.skip_line(self._owner or "", reason, line, detail)


def header_of(text: str) -> tuple[list[str], str]:
    """The first line's fields and the delimiter that gives the most of them."""
    # the sample may end inside a row
    text = text[: text.rindex("\n") + 1] if "\n" in text else text
    best: list[str] = []
    delimiter = ","
    for candidate in _DELIMITERS:
        try:
            row = next(csv.reader(io.StringIO(text, newline=""), delimiter=candidate), [])
        except csv.Error:
            continue
        # a header is names: the one where the roles are found wins, then the one with more fields
        if (len(guess(row)), len(row)) > (len(guess(best)), len(best)):
            best, delimiter = row, candidate
    return best, delimiter


def column_names(path: Path) -> list[str]:
    """The names of the columns; raises InputRefused for a damaged file."""
    return list(sound(path, lambda: pl.scan_parquet(path, glob=False).collect_schema().names()))


class ParquetTable(_Table):
    """A Parquet file with a column of texts. Numbers and times become text like everywhere."""

    def __init__(
        self,
        found: Detected,
        owner: str | None,
        include: frozenset[str],
        mapping: Mapping[str, str],
    ) -> None:
        self._path = path = found.root
        self._rows = self._sound(lambda: pl.scan_parquet(path, glob=False))
        schema = self._sound(self._rows.collect_schema)
        nested = [name for name, kind in schema.items() if kind.is_nested()]
        if wrong := [name for name in mapping.values() if name in nested]:
            raise InputRefused(f"The column {wrong[0][:40]!r} in {path} holds lists or objects.")
        names = [name for name in schema if name not in nested]
        super().__init__(found, str(path), names, owner, include, mapping)
        self._columns = [
            as_text(name, schema[name]).alias(role) for role, name in self._roles.items()
        ]

    def outline(self) -> list[str]:
        first = self._sound(lambda: self._rows.select(self._columns).head(1).collect())
        lines = ["Parquet"]
        if first.height:
            lines.append((first["text"][0] or "")[:200])
        return lines

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; raises InputRefused for a damaged file."""
        text = pl.col("text")
        facts = self._sound(
            lambda: (
                self._rows.select(self._columns)
                .select(
                    entities=text.str.contains("&(?:amp|lt|gt);").any(),
                    bare=text.str.contains("& ", literal=True).any(),
                )
                .collect(engine="streaming")
                .row(0)
            )
        )
        canonical = self._canonical(bool(facts[0]) and not facts[1])
        read, empty = 0, True
        for rows in self._slices(self._rows.select(self._columns)):
            frame = canonical.frame(rows)
            read += rows.height
            if tick:
                tick(read, None)
            if frame.height:
                empty = False
                self.summary.saw(frame)
                yield frame
        if empty:
            raise InputRefused(f"There are no tweets in {self._path}.", self.summary.left_out)
        self.summary.warn_of_broken()

    def _dates(self) -> Iterator[pl.DataFrame]:
        roles = [column for column in self._columns if column.meta.output_name() in _DATED]
        yield from self._slices(self._rows.select(roles))

    def _slices(self, rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
        parts = self._sound(lambda: iter(rows.collect_batches(chunk_size=BATCH_ROWS)))
        while (part := self._sound(lambda: next(parts, None))) is not None:
            yield from part.iter_slices(BATCH_ROWS)

    def _sound(self, work: Callable[[], T]) -> T:
        return sound(self._path, work)


def sound(path: Path, work: Callable[[], T]) -> T:
    """Polars' complaints (a panic is no Exception) as a sentence."""
    try:
        return work()
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        raise InputRefused(
            f"{path} is a damaged Parquet file.", f"{first_line(error)[:200]}.", "Export it again."
        ) from None


def as_text(name: str, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        # the offset is spelt out, so that every zone arrives as the same moment
        column = pl.col(name)
        utc = column.dt.convert_time_zone("UTC") if kind.time_zone else column
        # Polars panics at a year that cannot be written with four digits: such a time is none
        per_second = {"ms": 10**3, "us": 10**6, "ns": 10**9}[kind.time_unit]
        known = column.to_physical().is_between(
            _FIRST_SECOND * per_second, (_LAST_SECOND + 1) * per_second, closed="left"
        )
        return pl.when(known).then(utc).dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")
    if kind == pl.Date():
        known = pl.col(name).to_physical().is_between(_FIRST_SECOND // 86400, _LAST_SECOND // 86400)
        return pl.when(known).then(pl.col(name)).cast(pl.String)
    if kind == pl.Binary():
        return pl.col(name).cast(pl.String, strict=False)
    return pl.col(name).cast(pl.String)
