"""JSON exports: which program wrote it, told by its first object, and its tweets as a stream."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import polars as pl

from core.errors import InputRefused
from core.sources import json_stream
from core.sources.ahead import ahead
from core.sources.columns import GUESSES, Canonical
from core.sources.content import Content
from core.sources.decoding import TextFacts, is_escaped
from core.sources.json_flat import FlatLines
from core.sources.json_rows import (
    Row,
    Rows,
    bluesky_rows,
    generic_rows,
    scraped_rows,
    shown_keys,
    v1_rows,
    v2_rows,
)
from core.sources.mastodon_rows import mastodon_rows
from core.sources.model import Account, Detected, HandleMissing, SourceSummary, Tick

_ROWS: Final = 20_000
_BLOCK: Final = 4 << 20
_LOOK: Final = 200  # objects that may be looked at to tell what they are
_COLUMNS: Final = (*GUESSES, "urls")
# keys of a document whose value is the list of tweets
_LISTS: Final = {"orderedItems": "mastodon", "records": "bluesky", "feed": "bluesky"}

Layout = Literal["lines", "values", "document"]


@dataclass(frozen=True)
class Shape:
    """How to read a JSON file. ``escaped``: all, none, each by itself (None), or by the file."""

    format: str
    layout: Layout
    rows: Rows
    escaped: bool | Literal["file"] | None = "file"
    snowflakes: bool = True
    key: str = ""  # of the list in the document
    flat: bool = False  # objects of any program, read by the usual names
    whole: bool = False  # a document of many parts, the Community Archive's


def shape_of(content: Content, mapping: Mapping[str, str]) -> Shape:
    """What the file holds; raises InputRefused when no object in its beginning is one."""
    head = content.head().lstrip()
    keys = json_stream.top_keys(head)
    if _is_community(keys):
        return Shape("community-archive", "document", generic_rows({}), True, whole=True)
    listed = next((key for key in _LISTS if keys.get(key) == "["), "")
    layout: Layout = "document" if listed or head.startswith("[") else "lines"
    problems: list[str] = []

    def told(line: int, _: str, detail: str) -> None:
        problems.append(f"line {line:,}: {detail}")

    first = _first(content, layout, listed, told)
    if first is None and layout == "lines":
        layout = "values"
        before = len(problems)
        first = _first(content, layout, "", told)
        del problems[before:]
    if not isinstance(first, dict):
        why = "Its first line is not a JSON object."
        if layout != "document" and problems:
            raise InputRefused(
                f"{content.title} is not JSON, one object per line.",
                f"The first broken one is {problems[0]}.",
            )
        if problems:
            why = f"The first broken place is {problems[0]}."
        raise InputRefused(
            f"There are no tweets in {content.title}.",
            why,
            "mynah reads one tweet object per line, or one array of them.",
        )
    shape = _by_first(first, mapping, _LISTS.get(listed, ""))
    return replace(shape, layout=layout, key=listed)


def _is_community(keys: Mapping[str, str]) -> bool:
    return bool({"tweets", "note-tweet", "community-tweet"} & set(keys)) and bool(
        {"account", "profile"} & set(keys)
    )


def _by_first(first: dict[str, Any], mapping: Mapping[str, str], listed: str) -> Shape:
    if mapping:
        return Shape("jsonl", "lines", generic_rows(mapping))
    names = set(first)
    if listed == "mastodon" or first.get("type") in ("Create", "Announce"):
        return Shape("mastodon", "lines", mastodon_rows, False, False)
    uri = str(first.get("uri", first.get("post", {}).get("uri")
              if isinstance(first.get("post"), dict) else ""))  # fmt: skip
    if listed == "bluesky" or uri.startswith("at://") or "app.bsky" in str(first.get("$type")):
        return Shape("bluesky", "lines", bluesky_rows, False, False)
    if str(first.get("_type", "")).startswith("snscrape.modules.twitter"):
        return Shape("twscrape" if "id_str" in first else "snscrape", "lines", scraped_rows)
    if {"rawContent", "inReplyToTweetIdStr", "id_str"} <= names:
        return Shape("twscrape", "lines", scraped_rows)
    if _is_v2(first):
        return Shape("twarc-v2", "lines", v2_rows, True)
    user = first.get("user")
    v1 = {"id_str", "user"} <= names and {"text", "full_text"} & names
    if v1 and isinstance(user, dict) and "screen_name" in user:
        return Shape("twarc-v1", "lines", v1_rows, True)
    if {"tweet_id", "account_id", "full_text"} <= names:
        return Shape("community-archive", "lines", generic_rows({}), None)
    if list(first)[:5] == ["tweet_id", "handle", "created_at", "kind", "text"]:
        return Shape("mynah-export", "lines", generic_rows({}), flat=True)
    return Shape("jsonl", "lines", generic_rows({}), flat=True)


def _is_v2(first: dict[str, Any]) -> bool:
    if "__twarc" in first or ({"includes", "meta"} & set(first) and "data" in first):
        return True
    data = first.get("data")
    some = data[0] if isinstance(data, list) and data else data
    if isinstance(some, dict) and {"id", "text"} <= set(some):
        return True
    marks = {"author_id", "edit_history_tweet_ids", "edit_history_post_ids", "public_metrics"}
    return {"id", "text"} <= set(first) and bool(marks & set(first))


def _first(
    content: Content, layout: Layout, key: str, told: Callable[[int, str, str], None]
) -> Any:
    """The first object, or else the first value; None when there is none in the beginning."""
    some: Any = None
    items = _items(content, layout, key, told)
    try:
        for looked, (_, item) in enumerate(items):
            if isinstance(item, dict):
                return item
            some = item if some is None else some
            if looked >= _LOOK:
                break
    except _Enough:
        pass
    return some


class _Enough(Exception):
    """Too much is broken for this to be what it was taken for."""


def _items(
    content: Content, layout: Layout, key: str, on_bad: Callable[[int, str, str], None]
) -> Iterator[tuple[int, Any]]:
    good = bad = 0

    def counted(line: int, reason: str, detail: str) -> None:
        nonlocal bad
        bad += 1
        on_bad(line, reason, detail)
        if bad > 100 and bad > good:
            raise _Enough

    if layout == "document":
        for line, where, item in json_stream.elements(content, counted):
            if where == key:
                good += 1
                yield line, item
        return
    read = json_stream.lines if layout == "lines" else json_stream.values
    for line, item in read(content, counted):
        good += 1
        yield line, item


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
        for looked, (_, item) in enumerate(self._items(lambda *_: None)):
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
            if looked >= _LOOK:
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
        facts = self._content.settle()
        if told := facts.encoding.sentence():
            self.summary.warnings.append(told)
        canonical = Canonical(
            self.summary,
            owner=self._owner,
            escaped=self._escaped(facts),
            generate_ids=False,
            deleted="deleted" in self._include,
            snowflakes=self._shape.snowflakes,
        )
        empty = True
        for raw in ahead(self._raw(tick)):
            frame = canonical.frame(raw)
            for part in frame.iter_slices(_ROWS):
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
        texts = (
            row["text"]
            for _, item in self._items(lambda *_: None)
            for row in self._shape.rows(item)
            if not isinstance(row, str) and row.get("text")
        )
        return is_escaped(facts, lambda: texts)

    def _raw(self, tick: Tick | None) -> Iterator[pl.DataFrame]:
        schema = dict.fromkeys(_COLUMNS, pl.String())
        rows: list[tuple[str | None, ...]] = []
        read = 0
        flat = None
        if self._shape.flat and self._shape.layout == "lines" and not self._content.encoding.broken:
            first = next((i for _, i in self._items(lambda *_: None) if isinstance(i, dict)), {})
            flat = FlatLines(first)
        if flat is not None and flat.possible:
            yield from self._by_blocks(flat, tick)
            return
        for _, item in self._items(self._bad):
            for row in self._shape.rows(item):
                read += 1
                if isinstance(row, str):
                    self.summary.skip(self._owner or "", row)
                else:
                    rows.append(tuple(row.get(role) for role in _COLUMNS))
            if tick and read % 2_000 == 0:
                tick(read, None)
            if len(rows) >= _ROWS:
                yield pl.DataFrame(rows, schema=schema, orient="row")
                rows.clear()
        yield pl.DataFrame(rows, schema=schema, orient="row")

    def _by_blocks(self, flat: FlatLines, tick: Tick | None) -> Iterator[pl.DataFrame]:
        """Blocks at once where they are of one kind, line by line where they are not."""
        schema = dict.fromkeys(_COLUMNS, pl.String())
        number = read = 0
        for block in self._content.text_blocks(_BLOCK):
            frame = flat.frame(block)
            if frame is None:
                before = len(self.summary.broken)
                rows: list[tuple[str | None, ...]] = []
                for _, item in json_stream.block_lines(block, number, self._bad):
                    for row in self._shape.rows(item):
                        if isinstance(row, str):
                            self.summary.skip(self._owner or "", row)
                        else:
                            rows.append(tuple(row.get(role) for role in _COLUMNS))
                frame = pl.DataFrame(rows, schema=schema, orient="row")
                bad = self.summary.skipped.get("bad_json", 0)
                if len(self.summary.broken) > before and bad > max(100, read + frame.height):
                    raise self._not_json()
            number += block.count(b"\n")
            read += frame.height
            if tick:
                tick(read, None)
            yield frame

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
            yield from _items(self._content, self._shape.layout, self._shape.key, on_bad)
        except _Enough:
            raise self._not_json() from None
