"""The tweets of a JSON export as a stream."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final

import polars as pl

from core.errors import InputRefused
from core.sources import json_stream
from core.sources.batches import Doubtful, Placed, gathered, listed, read_ahead
from core.sources.columns import GUESSES, Canonical, ReplyKeys
from core.sources.content import Content
from core.sources.decoding import TextFacts, count_byte, is_escaped
from core.sources.json_flat import FlatLines
from core.sources.json_rows import Row, shown_keys
from core.sources.json_shape import LOOK, Enough, Shape, items_of, nobody
from core.sources.json_typed import TypedLines, typed_lines
from core.sources.source import BATCH_ROWS, Account, Detected, HandleMissing, SourceSummary, Tick
from core.sources.times import Dates

_ROWS: Final = 20_000
_COLUMNS: Final = (*GUESSES, "urls")


class JsonSource:
    """A JSON file of any of the shapes; an author may stand in each object."""

    def __init__(
        self,
        found: Detected,
        content: Content,
        shape: Shape,
        owner: str | None,
        include: frozenset[str],
        *,
        account: Account | None = None,
    ) -> None:
        self._content = content
        self._shape = shape
        self._owner = owner or (account.handle if account else None)
        self._account = account
        self._include = include
        self._date_format = found.date_format
        self.summary = SourceSummary(found.path, shape.format, handle=self._owner, account=account)
        # fail before anything is read: the first rows tell whether they name their author
        self._first = self._look()
        if self._first is not None and not self._owner and "author" not in self._first:
            raise HandleMissing(
                f"{content.title} does not say whose tweets it holds.",
                f"Its first object has: {self._keys}.",
                "Name the account with --handle.",
            )

    @property
    def accounts(self) -> list[Account]:
        if self._account:
            return [self._account]
        handles = [self._owner] if self._owner else [h for h in self.summary.per_handle if h]
        return [Account(handle) for handle in handles]

    def _look(self) -> Row | None:
        self._keys = ""
        for looked, (_, item) in enumerate(self._items(nobody)):
            if isinstance(item, dict) and not self._keys:
                self._keys = shown_keys(item)
            for row in self._shape.rows(item):
                if not isinstance(row, str):
                    if "text" not in row and self._shape.format == "jsonl" and looked == 0:
                        raise InputRefused(
                            f"{self._content.title} has no texts that mynah knows.",
                            f"Its first object has: {self._keys}.",
                            "An object needs text, full_text, rawContent or content; "
                            "--map text=NAME names another.",
                        )
                    return row
            if looked >= LOOK:
                break
        return None

    def outline(self) -> list[str]:
        """Whose the first tweet is, and its text."""
        first = self._first or {}
        by = f", first one by @{first['author'].lstrip('@')}" if "author" in first else ""
        title = "JSON" if self._shape.format == "jsonl" else f"JSON ({self._shape.format})"
        lines = [f"{title}{by}", first.get("text", "")[:200]]
        if told := self._content.encoding.sentence():
            lines.append(told)
        return lines

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; what is broken is left out and listed in the summary.

        Raises InputRefused when there is no tweet in it, or most of it is broken.
        """
        replies = ReplyKeys(found=self._shape.replies_marked)
        facts = self._content.settle(signs=self._shape.escaped == "file", seen=replies.take)
        if told := facts.encoding.sentence():
            self.summary.warnings.append(told)
        canonical = Canonical(
            self.summary,
            owner=self._owner,
            escaped=self._escaped(facts),
            generate_ids=False,
            deleted="deleted" in self._include,
            snowflakes=self._shape.snowflakes,
            replies_marked=replies.found,
            dates=Dates(self._content.title, self._date_format, self._dates),
        )
        empty = True
        for raw, lines in read_ahead(self._raw(tick)):
            frame = canonical.frame(raw, lines)
            for part in frame.iter_slices(BATCH_ROWS):
                empty = False
                self.summary.saw(part)
                yield part
        if self._content.damage:
            self.summary.warnings.append(self._content.damage)
        if empty:
            said = "; ".join(map(str, self.summary.broken[:1]))
            raise InputRefused(
                f"There are no tweets in {self._content.title}.",
                f"Left out: {self.summary.skipped}." + (f" First {said}." if said else ""),
            )
        self.summary.warn_of_broken()

    def _escaped(self, facts: TextFacts) -> bool | None:
        if self._shape.escaped != "file":
            return self._shape.escaped
        return is_escaped(facts, self._texts)

    def _texts(self) -> Iterator[str]:
        """The texts that matter for the question whether they are escaped."""
        signs = pl.col("text").str.contains("&", literal=True)
        for frame in self._again():
            yield from frame.filter(signs)["text"]

    def _dates(self) -> Iterator[pl.DataFrame]:
        for frame in self._again():
            yield frame.select("created", "tweet_id")

    def _again(self) -> Iterator[pl.DataFrame]:
        """All rows once more; what is broken counts nowhere."""

        def rows_of(items: Iterable[tuple[int, Any]]) -> Iterator[Row]:
            for _, item in items:
                yield from (row for row in self._shape.rows(item) if not isinstance(row, str))

        reader = self._reader()
        if reader is None:
            rows = rows_of(self._items(nobody))
            while some := list(islice(rows, _ROWS)):
                yield _frame(some)
            return
        for block in self._content.text_blocks(reader.block):
            for part in [*reader.parts(block, 0), reader.rest()]:
                if isinstance(part, Doubtful):
                    lines = json_stream.block_lines(part.lines, 0, nobody)
                    yield _frame(list(rows_of(lines)))
                elif part:
                    yield part[0]

    def _raw(self, tick: Tick | None) -> Iterator[Placed]:
        if reader := self._reader():
            yield from gathered(self._by_blocks(reader, tick), BATCH_ROWS)
            return
        rows: list[Row] = []
        starts: list[int] = []
        read = 0
        for line, item in self._items(self._bad):
            read += self._take(line, item, rows, starts)
            if tick and read % 2_000 == 0:
                tick(read, None)
            if len(rows) >= _ROWS:
                yield _frame(rows), listed(starts)
                rows, starts = [], []
        yield _frame(rows), listed(starts)

    def _take(self, line: int, item: Any, rows: list[Row], starts: list[int]) -> int:
        """Add the rows of one object to ``rows``; how many there were, those left out too."""
        read = 0
        for row in self._shape.rows(item):
            read += 1
            if isinstance(row, str):
                self.summary.skip(self._owner or "", row)
                self.summary.passed_over(row, line)
            else:
                rows.append(row)
                starts.append(line)
        return read

    def _reader(self) -> FlatLines | TypedLines | None:
        """A quick reader of lines like the first one, where there is one."""
        if self._shape.layout != "lines" or self._content.encoding.broken:
            return None
        if not self._shape.flat:
            return typed_lines(self._shape.rows)
        first = next((i for _, i in self._items(nobody) if isinstance(i, dict)), {})
        flat = FlatLines(first)
        return flat if flat.possible else None

    def _by_blocks(self, reader: FlatLines | TypedLines, tick: Tick | None) -> Iterator[Placed]:
        """Blocks at once where nothing is odd in them, line by line where something is."""
        number = read = 0
        for block in self._content.text_blocks(reader.block):
            for part in reader.parts(block, number):
                placed = self._with_care(part, read) if isinstance(part, Doubtful) else part
                read += placed[0].height
                yield placed
            number += count_byte(block, b"\n")
            if tick:
                tick(read, None)
        if last := reader.rest():
            yield last

    def _with_care(self, part: Doubtful, read: int) -> Placed:
        rows: list[Row] = []
        starts: list[int] = []
        broken = len(self.summary.broken)
        for line, item in json_stream.block_lines(part.lines, part.before, self._bad):
            self._take(line, item, rows, starts)
        bad = self.summary.skipped.get("bad_json", 0)
        if len(self.summary.broken) > broken and bad > max(100, read + len(rows)):
            raise self._not_json()
        return _frame(rows), listed(starts)

    def _not_json(self) -> InputRefused:
        broken = self.summary.broken
        first = re.sub(r" \(\w+\)$", "", str(broken[0])) if broken else "near its beginning"
        return InputRefused(
            f"{self._content.title} is not JSON, one object per line.",
            f"The first broken one is {first}.",
        )

    def _bad(self, line: int, reason: str, detail: str) -> None:
        self.summary.skip_line(self._owner or "", reason, line, detail)

    def _items(self, on_bad: Callable[[int, str, str], None]) -> Iterator[tuple[int, Any]]:
        try:
            yield from items_of(self._content, self._shape.layout, self._shape.key, on_bad)
        except Enough:
            raise self._not_json() from None


def _frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        [pl.Series(role, [row.get(role) for row in rows], dtype=pl.String()) for role in _COLUMNS]
    )
