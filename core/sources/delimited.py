"""CSV and TSV with a header line, read as a stream."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from core.errors import InputRefused
from core.sources.ahead import ahead
from core.sources.columns import Canonical, guess, plain_name, roles_of
from core.sources.content import Content
from core.sources.csv_rows import CsvRows
from core.sources.decoding import is_escaped
from core.sources.model import Account, Detected, HandleMissing, SourceSummary, Tick

_DELIMITERS: Final = ",\t;|"
# by the names of their columns
_TRUMP: Final = {"isretweet", "isdeleted", "device", "isflagged"}
_GRAILBIRD: Final = {"tweetid", "retweetedstatusid", "timestamp", "expandedurls"}
_EXPORT: Final = ["tweetid", "handle", "createdat", "kind", "text"]


def csv_format(content: Content, mapping: Mapping[str, str]) -> str:
    """Which of the CSV formats it is; raises InputRefused when there is no column of texts."""
    header, _ = _header(content.head())
    if "text" not in mapping and "text" not in guess(header):
        shown = ", ".join(name.strip()[:40] for name in header[:8]) or "nothing"
        raise InputRefused(
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


class Delimited:
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
        self._owner = owner
        self._include = include
        self.summary = SourceSummary(found.path, found.format, handle=owner)
        self._names, self._delimiter = _header(content.head())
        self._roles = roles_of(self._names, mapping, content.title)
        if found.format == "grailbird":
            self._roles["retweet"] = self._named("retweetedstatusid")
        if not owner and "author" not in self._roles:
            raise HandleMissing(
                f"{content.title} does not say whose tweets it holds.",
                f"Its columns are: {', '.join(name.strip()[:40] for name in self._names[:8])}.",
                "Name the account with --handle.",
            )

    @property
    def accounts(self) -> list[Account]:
        handles = [self._owner] if self._owner else [h for h in self.summary.per_handle if h]
        return [Account(handle) for handle in handles]

    def outline(self) -> list[str]:
        """The columns that are used, and the first row."""
        first = next((f.row(0) for f in self._rows(sample=True).frames() if f.height), None)
        used = ", ".join(f"{name} as {role}" for role, name in self._roles.items() if name != role)
        lines = ["CSV" if self._delimiter != "\t" else "TSV"]
        if self.summary.format != "csv":
            lines[0] += f" ({self.summary.format})"
        if first is not None:
            if author := self._roles.get("author"):
                lines[0] += f", first row by @{first[self._names.index(author)].lstrip('@')}"
            lines.append(first[self._names.index(self._roles["text"])][:200])
        if told := self._content.encoding.sentence():
            lines.append(told)
        return [*lines, f"Reads {used}."] if used else lines

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; what is broken is left out and listed in the summary.

        Raises InputRefused when there is no tweet in it at all.
        """
        facts = self._content.settle()
        if told := facts.encoding.sentence():
            self.summary.warnings.append(told)
        escaped = is_escaped(facts, self._texts)
        canonical = Canonical(
            self.summary,
            owner=self._owner,
            escaped=escaped,
            generate_ids="tweet_id" not in self._roles,
            deleted="deleted" in self._include,
        )
        wanted = {role: str(self._names.index(name)) for role, name in self._roles.items()}
        read, empty = 0, True
        table = self._rows(told=True)
        for rows in ahead(table.frames()):
            raw = self._repaired(rows.select(**{r: pl.col(c) for r, c in wanted.items()}))
            frame = canonical.frame(raw, table.places.popleft())
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
            said = "; ".join(map(str, self.summary.broken[:1])) or self._content.damage
            raise InputRefused(
                f"There are no tweets in {self._content.title}.",
                "It has a header and no rows that are tweets."
                + (f" Left out: {self.summary.skipped}." if self.summary.skipped else "")
                + (f" First {said}." if said else ""),
            )
        self.summary.warn_of_broken()

    def _repaired(self, raw: pl.DataFrame) -> pl.DataFrame:
        if self.summary.format == "grailbird":
            # an id where there is a retweet, nothing where "RT @" was typed by hand
            flag = pl.when(pl.col("retweet") != "").then(pl.lit("true")).otherwise(pl.lit("false"))
            return raw.with_columns(retweet=flag)
        if self.summary.format == "mynah-export":
            # the apostrophe that keeps a spreadsheet from running a text goes again
            return raw.with_columns(pl.all().str.replace(r"^'('*[=+\-@\t\r])", "${1}"))
        return raw

    def _named(self, plain: str) -> str:
        return next(name for name in self._names if plain_name(name) == plain)

    def _texts(self) -> Iterator[str]:
        """The texts that matter for the question whether they are escaped."""
        column = pl.col(str(self._names.index(self._roles["text"])))
        for frame in self._rows().frames():
            yield from (
                frame.filter(column.str.contains("&", literal=True)).select(column).to_series()
            )

    def _rows(self, *, told: bool = False, sample: bool = False) -> CsvRows:
        if sample:
            head = self._content.head().encode()
            blocks = iter([head[: head.rfind(b"\n") + 1] or head])
        else:
            blocks = self._content.text_blocks()
        return CsvRows(blocks, len(self._names), self._delimiter, self._bad_row if told else None)

    def _bad_row(self, line: int, reason: str, detail: str) -> None:
        self.summary.skip_line(self._owner or "", reason, line, detail)


def _header(text: str) -> tuple[list[str], str]:
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
