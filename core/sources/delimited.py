"""CSV and TSV with a header line, read as a stream.

The csv module of the standard library does the splitting: it is exact about quotes and line breaks
inside a text, where faster readers drop or mend characters without a word. All that comes after
works on whole columns.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from core.errors import InputRefused
from core.sources.columns import Canonical, guess
from core.sources.decoding import decode, is_escaped, look_through
from core.sources.model import BATCH_ROWS, Account, Detected, HandleMissing, SourceSummary, Tick

_DELIMITERS: Final = ",\t;|"
_NOT_ASCII: Final = bytes(range(0x80, 0x100))


def text_column(path: Path, head: bytes) -> str:
    """The name of the column of texts; raises InputRefused when the first line has none."""
    header, _ = _header(path, head)
    roles = guess(header)
    if "text" not in roles:
        shown = ", ".join(name.strip()[:40] for name in header[:8]) or "nothing"
        raise InputRefused(
            f"{path} has no column of texts.",
            f"Its first line reads: {shown}.",
            "A CSV needs a header with a column named text, full_text, content or tweet.",
        )
    return roles["text"]


class Delimited:
    """A CSV or TSV file. Ids are text from the first byte to the last."""

    def __init__(self, found: Detected, owner: str | None) -> None:
        self._path = found.path
        self._owner = owner
        self.summary = SourceSummary(found.path, "csv", handle=owner)
        with self._path.open("rb") as stream:
            head = stream.read(65_536)
        text_column(self._path, head)
        self._names, self._delimiter = _header(self._path, head)
        self._roles = guess(self._names)
        if not owner and "author" not in self._roles:
            raise HandleMissing(
                f"{self._path} does not say whose tweets it holds.",
                f"Its columns are: {', '.join(name.strip()[:40] for name in self._names[:8])}.",
                "Name the account with --handle.",
            )

    @property
    def accounts(self) -> list[Account]:
        handles = [self._owner] if self._owner else [h for h in self.summary.per_handle if h]
        return [Account(handle) for handle in handles]

    def outline(self) -> list[str]:
        """The columns that are used, and the first row."""
        first = next((chunk[0] for chunk in self._chunks(100)), None)
        used = ", ".join(f"{name} as {role}" for role, name in self._roles.items() if name != role)
        lines = ["CSV" if self._delimiter != "\t" else "TSV"]
        if first is not None:
            if author := self._roles.get("author"):
                lines[0] += f", first row by @{first[self._names.index(author)].lstrip('@')}"
            lines.append(first[self._names.index(self._roles["text"])][:200])
        return [*lines, f"Reads {used}."] if used else lines

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; raises InputRefused naming the line where the file is broken."""
        facts = look_through(self._path)
        text_at = self._names.index(self._roles["text"])
        escaped = is_escaped(
            facts, lambda: (r[text_at] for c in self._chunks(BATCH_ROWS) for r in c)
        )
        canonical = Canonical(
            self.summary,
            owner=self._owner,
            escaped=escaped,
            generate_ids="tweet_id" not in self._roles,
        )
        wanted = [(role, self._names.index(name)) for role, name in self._roles.items()]
        read, empty = 0, True
        for chunk in self._chunks(BATCH_ROWS, count_bad=True):
            columns = list(zip(*chunk, strict=True))
            raw = {role: pl.Series(columns[at], dtype=pl.String) for role, at in wanted}
            frame = canonical.frame(pl.DataFrame(raw))
            read += len(chunk)
            if tick:
                tick(read, None)
            if frame.height:
                empty = False
                self.summary.saw(frame)
                yield frame
        if empty:
            raise InputRefused(
                f"There are no tweets in {self._path}.",
                "It has a header and no rows that are tweets."
                + (f" Left out: {self.summary.skipped}." if self.summary.skipped else ""),
            )

    def _chunks(self, rows: int, *, count_bad: bool = False) -> Iterator[list[list[str]]]:
        """Up to ``rows`` well-formed rows at a time; the others are counted once, as bad_row."""
        width = len(self._names)
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as stream:
                reader = csv.reader(stream, delimiter=self._delimiter)
                next(reader, None)
                line = reader.line_num
                while chunk := list(itertools.islice(reader, rows)):
                    if not set(map(len, chunk)) <= {width}:
                        chunk = self._well_formed(chunk, width, line if count_bad else None)
                    line = reader.line_num
                    if chunk:
                        yield chunk
        except csv.Error as error:
            raise InputRefused(
                f"{self._path} is broken near line {reader.line_num:,}.",
                f"{str(error).capitalize()}; a quotation mark may not be closed.",
                "Correct that line, or export the file again.",
            ) from None
        except UnicodeDecodeError:
            look_through(self._path)  # names byte and line
            raise
        except OSError as error:
            raise InputRefused(f"{self._path} cannot be read.", f"{error.strerror}.") from error

    def _well_formed(self, chunk: list[list[str]], width: int, line: int | None) -> list[list[str]]:
        """Rows as wide as the header, or wider by empty fields only; ``line`` is the one before."""
        good: list[list[str]] = []
        for row in chunk:
            if line is not None:
                line += 1 + sum(field.count("\n") for field in row)
            if len(row) == width or (len(row) > width and not any(row[width:])):
                good.append(row[:width])
            elif row and line is not None:
                self.summary.skip(self._owner or "", "bad_row")
                self._warn_once(line, len(row), width)
        return good

    def _warn_once(self, line: int, fields: int, width: int) -> None:
        if not any("fields" in warning for warning in self.summary.warnings):
            self.summary.warnings.append(
                f"Line {line:,} has {fields} fields where the header has {width}; such lines are "
                "left out (bad_row)."
            )


def _header(path: Path, head: bytes) -> tuple[list[str], str]:
    """The first line's fields and the delimiter that gives the most of them."""
    # the sample may end inside a character
    complete = head[: head.rindex(b"\n") + 1] if b"\n" in head else head.rstrip(_NOT_ASCII)
    text = decode(complete, str(path))
    best: list[str] = []
    delimiter = ","
    for candidate in _DELIMITERS:
        try:
            row = next(csv.reader(text.splitlines(keepends=True), delimiter=candidate), [])
        except csv.Error:
            continue
        # a header is names: the one where the roles are found wins, then the one with more fields
        if (len(guess(row)), len(row)) > (len(guess(best)), len(best)):
            best, delimiter = row, candidate
    return best, delimiter
