"""Which program wrote a JSON file, by its first object, and so how to read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from core.errors import InputRefused
from core.sources.archives.bluesky import bluesky_rows
from core.sources.archives.mastodon import mastodon_rows
from core.sources.columns import GUESSES, REPLY_ROLES, plain_name
from core.sources.json_formats import SCRAPED, V1, Format, Gathering
from core.sources.json_lines import block_lines
from core.sources.json_objects import Row, Rows, generic_rows
from core.sources.json_reader import OnBad, elements, top_keys, values
from core.sources.json_v2 import V2
from core.sources.opened import Content

# Objects that may be looked at to tell what they are.
LOOK: Final = 200
_STEP: Final = 1 << 20
# keys of a document whose value is the list of tweets
_LISTS: Final = {"orderedItems": "mastodon", "records": "bluesky", "feed": "bluesky"}
_REPLY_KEYS: Final = frozenset(name for role in REPLY_ROLES for name in GUESSES[role])
_LONGEST_KEY: Final = 60  # bytes of a key that marks replies, or less
# how such a key ends; two patterns, for each is searched by its first letters, which is quick
_REPLY_KEY: Final = tuple(
    re.compile(word + rb'[\w .\-]{0,40}"\s{0,4}:') for word in (b"eply", b"EPLY")
)

Layout = Literal["lines", "values", "document"]


@dataclass(frozen=True)
class Shape:
    """How to read a JSON file: its objects are of a Format, or ``rows`` makes rows of each.

    ``escaped``: all, none, each by itself (None), or by the file.
    """

    format: str
    layout: Layout
    objects: Format | Rows
    escaped: bool | Literal["file"] | None = "file"
    snowflakes: bool = True
    key: str = ""  # of the list in the document
    flat: bool = False  # objects of any program, read by the usual names
    replies_marked: bool = True  # False: only if some object has a key that marks replies
    parts: bool = False  # a document of many parts, the Community Archive's

    def rows(self, item: Any) -> Iterator[Row | str]:
        """The rows of one object, or why it gives none."""
        if not isinstance(self.objects, Format):
            yield from self.objects(item)
            return
        gathering = Gathering(self.objects)
        yield from (reason for _, reason in gathering.take([item], [0])[1])
        for row in gathering.frame().iter_rows(named=True):
            yield {role: str(value) for role, value in row.items() if value is not None}


class ReplyKeys:
    """Looks in the bytes of a JSON file, cut anywhere, for a key that marks replies.

    Such a key may stand in the last object alone, and says how all the others are read.
    """

    def __init__(self, *, found: bool = False) -> None:
        self.found = found
        self._tail = b""

    def take(self, block: bytes) -> None:
        if self.found:
            return
        data = self._tail + block
        self._tail = data[-2 * _LONGEST_KEY :]
        for pattern in _REPLY_KEY:
            for match in pattern.finditer(data):
                start = data.rfind(b'"', max(match.start() - _LONGEST_KEY, 0), match.start())
                name = data[start + 1 : match.end()].partition(b'"')[0].decode("utf-8", "replace")
                escaped = data[start - 1 : start] == b"\\"
                if start >= 0 and not escaped and plain_name(name) in _REPLY_KEYS:
                    self.found = True
                    return


def shape_of(content: Content, mapping: Mapping[str, str]) -> Shape:
    """What the file holds; raises InputRefused when no object in its beginning is one."""
    head = content.head().lstrip()
    keys = top_keys(head.encode())
    if _is_community(keys):
        return Shape("community-archive", "document", generic_rows({}), True, parts=True)
    listed = next((key for key in _LISTS if keys.get(key) == "["), "")
    layout: Layout = "document" if listed or head.startswith("[") else "lines"
    problems: list[str] = []

    def on_bad(line: int, _: str, detail: str) -> None:
        problems.append(f"line {line:,}: {detail}")

    first = _first(content, layout, listed, on_bad)
    if first is None and layout == "lines":
        layout = "values"
        before = len(problems)
        first = _first(content, layout, "", on_bad)
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
        marked = any(role in mapping for role in REPLY_ROLES)
        return Shape("jsonl", "lines", generic_rows(mapping), replies_marked=marked)
    names = set(first)
    if listed == "mastodon" or first.get("type") in ("Create", "Announce"):
        return Shape("mastodon", "lines", mastodon_rows, False, False)
    uri = str(first.get("uri", first.get("post", {}).get("uri")
              if isinstance(first.get("post"), dict) else ""))  # fmt: skip
    if listed == "bluesky" or uri.startswith("at://") or "app.bsky" in str(first.get("$type")):
        return Shape("bluesky", "lines", bluesky_rows, False, False)
    if str(first.get("_type", "")).startswith("snscrape.modules.twitter"):
        return Shape("twscrape" if "id_str" in first else "snscrape", "lines", SCRAPED)
    if {"rawContent", "inReplyToTweetIdStr", "id_str"} <= names:
        return Shape("twscrape", "lines", SCRAPED)
    if _is_v2(first):
        return Shape("twarc-v2", "lines", V2, True)
    user = first.get("user")
    v1 = {"id_str", "user"} <= names and {"text", "full_text"} & names
    if v1 and isinstance(user, dict) and "screen_name" in user:
        return Shape("twarc-v1", "lines", V1, True)
    if {"tweet_id", "account_id", "full_text"} <= names:
        return Shape("community-archive", "lines", generic_rows({}), None, replies_marked=False)
    if list(first)[:5] == ["tweet_id", "handle", "created_at", "kind", "text"]:
        # of texts as published, some are escaped: it depends on where each came from
        escaped: Literal["file"] | None = None if "raw_text" in first else "file"
        return Shape("mynah-export", "lines", generic_rows({}), escaped, flat=True)
    return Shape("jsonl", "lines", generic_rows({}), flat=True, replies_marked=False)


def _is_v2(first: dict[str, Any]) -> bool:
    if "__twarc" in first or ({"includes", "meta"} & set(first) and "data" in first):
        return True
    data = first.get("data")
    some = data[0] if isinstance(data, list) and data else data
    if isinstance(some, dict) and {"id", "text"} <= set(some):
        return True
    marks = {"author_id", "edit_history_tweet_ids", "edit_history_post_ids", "public_metrics"}
    return {"id", "text"} <= set(first) and bool(marks & set(first))


def _first(content: Content, layout: Layout, key: str, on_bad: OnBad) -> Any:
    """The first object, or else the first value; None when there is none in the beginning."""
    some: Any = None
    items = items_of(content, layout, key, on_bad)
    try:
        for looked, (_, item) in enumerate(items):
            if isinstance(item, dict):
                return item
            some = item if some is None else some
            if looked >= LOOK:
                break
    except Enough:
        pass
    return some


def ignore_flaw(line: int, reason: str, detail: str) -> None:
    """Ignores flaws."""


class Enough(Exception):
    """Too much is broken for this to be what it was taken for."""


def items_of(
    content: Content, layout: Layout, key: str, on_bad: OnBad
) -> Iterator[tuple[int, Any]]:
    """Line and value of each object; raises Enough when most of it is broken."""
    good = bad = 0

    def counted(line: int, reason: str, detail: str) -> None:
        nonlocal bad
        bad += 1
        on_bad(line, reason, detail)
        if bad > 100 and bad > good:
            raise Enough

    if layout == "document":
        for line, where, item in elements(content.blocks(), counted):
            if where == key:
                good += 1
                yield line, item
        return
    found = values(content.blocks(), counted) if layout == "values" else _lines(content, counted)
    for line, item in found:
        good += 1
        yield line, item


def _lines(content: Content, on_bad: OnBad) -> Iterator[tuple[int, Any]]:
    number = 0
    for block in content.text_blocks(_STEP):
        yield from block_lines(block, number, on_bad)
        number += block.count(b"\n")
