"""The tweets of a JSON export as a stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import polars as pl

from core.errors import InputRefused
from core.sources.batches import Placed, gathered, listed, of_block, read_ahead
from core.sources.columns import Canonical
from core.sources.decoding import TextFacts, count_byte, is_escaped
from core.sources.json_formats import Format, Gathering
from core.sources.json_lines import FlatLines, ObjectLines, Run, block_lines
from core.sources.json_objects import Row, frame_of, shown_keys
from core.sources.json_reader import OnBad
from core.sources.json_shape import LOOK, Enough, ReplyKeys, Shape, ignore_flaw, items_of
from core.sources.opened import BLOCK, Content
from core.sources.source import (
    BATCH_ROWS,
    Account,
    Detected,
    HandleMissing,
    SourceSummary,
    TextMissing,
    Tick,
)
from core.sources.times import Dates

# Rows in a frame, about.
_ROWS: Final = 20_000
# Objects that are taken in at once where lines do not tell their ends.
_RUN: Final = 1_000


@dataclass
class _Pass:
    """One reading of a file: only the first is ``counted``; ``read`` objects so far."""

    on_bad: OnBad
    counted: bool
    tick: Tick | None = None
    read: int = 0

    def advance(self, objects: int) -> None:
        """So many more are read; ``tick`` hears of every 2,000."""
        before, self.read = self.read, self.read + objects
        if self.tick and before // 2_000 < self.read // 2_000:
            self.tick(self.read, None)


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
                "Name the account with --handle, or what names it with --map author=NAME.",
            )

    @property
    def accounts(self) -> list[Account]:
        if self._account:
            return [self._account]
        handles = [self._owner] if self._owner else [h for h in self.summary.per_handle if h]
        return [Account(handle) for handle in handles]

    def _look(self) -> Row | None:
        """The first row that names its author, as far as anything asks for it, or else the first.

        Raises TextMissing when none of the first objects has a text that is known.
        """
        self._keys, textless = "", False
        first: Row | None = None
        for looked, (_, item) in enumerate(self._items(ignore_flaw)):
            if isinstance(item, dict) and not self._keys:
                self._keys = shown_keys(item)
            for row in self._shape.rows(item):
                if not isinstance(row, str):
                    if "text" not in row and self._shape.format == "jsonl":
                        textless = True
                    elif self._owner or "author" in row:
                        return row
                    elif first is None:
                        first = row
            if looked >= LOOK:
                break
        if textless and first is None:
            raise TextMissing(
                f"{self._content.title} has no texts that mynah knows.",
                f"Its first object has: {self._keys or 'nothing'}.",
                "An object needs text, full_text, rawContent or content; "
                "--map text=NAME names another.",
            )
        return first

    def outline(self) -> list[str]:
        """Whose the first tweet is, and its text."""
        first = self._first or {}
        by = f", first one by @{first['author'].lstrip('@')}" if "author" in first else ""
        title = "JSON" if self._shape.format == "jsonl" else f"JSON ({self._shape.format})"
        lines = [f"{title}{by}", first.get("text", "")[:200]]
        if sentence := self._content.encoding.sentence():
            lines.append(sentence)
        return lines

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; what is broken is left out and listed in the summary.

        Raises InputRefused when there is no tweet in it, or most of it is broken.
        """
        replies = ReplyKeys(found=self._shape.replies_marked)
        facts = self._content.read_through(signs=self._shape.escaped == "file", seen=replies.take)
        if sentence := facts.encoding.sentence():
            self.summary.warnings.append(sentence)
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
            raise InputRefused(
                f"There are no tweets in {self._content.title}.", self.summary.left_out
            )
        self.summary.warn_of_broken()

    def _escaped(self, facts: TextFacts) -> bool | None:
        if self._shape.escaped != "file":
            return self._shape.escaped
        return is_escaped(facts, self._texts)

    def _texts(self) -> Iterator[str]:
        """The texts that matter for the question whether they are escaped."""
        signs = pl.col("text").str.contains("&", literal=True)
        for raw, _ in self._raw(None, counted=False):
            yield from raw.filter(signs)["text"]

    def _dates(self) -> Iterator[pl.DataFrame]:
        for raw, _ in self._raw(None, counted=False):
            yield raw.select("created", "tweet_id")

    def _raw(self, tick: Tick | None, *, counted: bool = True) -> Iterator[Placed]:
        """Rows by role; what gives none goes into the summary when it is ``counted``."""
        run = _Pass(self._bad if counted else ignore_flaw, counted, tick)
        if isinstance(self._shape.objects, Format):
            parts = self._of_format(self._shape.objects, run)
        elif reader := self._flat_reader():
            parts = self._flat(reader, run)
        else:
            parts = self._one_by_one(self._items(run.on_bad), run)
        yield from gathered(parts, BATCH_ROWS)

    def _of_format(self, form: Format, run: _Pass) -> Iterator[Placed]:
        gathering = Gathering(form)
        for items, lines in self._runs(form, run):
            _, lost = gathering.take(items, lines)
            if run.counted:
                self._lost(lost)
            run.advance(len(items))
            if len(gathering.lines) >= _ROWS:
                line_numbers = listed(gathering.lines)
                yield gathering.frame(), line_numbers
        line_numbers = listed(gathering.lines)
        yield gathering.frame(), line_numbers

    def _runs(self, form: Format, run: _Pass) -> Iterator[Run]:
        if self._shape.layout == "lines" and not self._content.encoding.broken:
            reader = ObjectLines(form.object)
            number = 0
            for block in self._content.text_blocks(BLOCK):
                for items, lines in reader.runs(block, number, run.on_bad):
                    yield items, lines
                    self._must_be_json(run.read)
                number += count_byte(block, b"\n")
            return
        found = self._items(run.on_bad)
        while some := list(islice(found, _RUN)):
            yield [item for _, item in some], [line for line, _ in some]

    def _flat_reader(self) -> FlatLines | None:
        """A quick reader of lines like the first one, where there is one."""
        shape = self._shape
        if not shape.flat or shape.layout != "lines" or self._content.encoding.broken:
            return None
        first = next((i for _, i in self._items(ignore_flaw) if isinstance(i, dict)), {})
        flat = FlatLines(first)
        return flat if flat.possible else None

    def _flat(self, reader: FlatLines, run: _Pass) -> Iterator[Placed]:
        """Blocks at once where nothing is odd in them, line by line where something is."""
        number = 0
        for block in self._content.text_blocks(BLOCK):
            frame = reader.frame(block)
            if frame is not None:
                run.advance(frame.height)
                yield frame, of_block(block, number)
            else:
                items = block_lines(block, number, run.on_bad)
                yield from self._one_by_one(items, run)
                self._must_be_json(run.read)
            number += count_byte(block, b"\n")

    def _one_by_one(self, items: Iterator[tuple[int, Any]], run: _Pass) -> Iterator[Placed]:
        rows: list[Row] = []
        lines: list[int] = []
        for line, item in items:
            for row in self._shape.rows(item):
                run.advance(1)
                if not isinstance(row, str):
                    rows.append(row)
                    lines.append(line)
                elif run.counted:
                    self._lost([(line, row)])
            if len(rows) >= _ROWS:
                yield frame_of(rows), listed(lines)
                rows, lines = [], []
        yield frame_of(rows), listed(lines)

    def _lost(self, lost: list[tuple[int, str]]) -> None:
        for line, reason in lost:
            self.summary.skip(self._owner or "", reason)
            self.summary.passed_over(reason, line)

    def _must_be_json(self, sound: int) -> None:
        """Raise InputRefused when most lines so far are broken, after ``sound`` good ones."""
        if self.summary.skipped.get("bad_json", 0) > max(100, sound):
            raise self._not_json()

    def _not_json(self) -> InputRefused:
        broken = self.summary.broken
        first = re.sub(r" \(\w+\)$", "", str(broken[0])) if broken else "near its beginning"
        return InputRefused(
            f"{self._content.title} is not JSON, one object per line.",
            f"The first broken one is {first}.",
        )

    def _bad(self, line: int, reason: str, detail: str) -> None:
        self.summary.skip_line(self._owner or "", reason, line, detail)

    def _items(self, on_bad: OnBad) -> Iterator[tuple[int, Any]]:
        try:
            yield from items_of(self._content, self._shape.layout, self._shape.key, on_bad)
        except Enough:
            raise self._not_json() from None
