"""JSON: one tweet object per line, or one array of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from core.errors import InputRefused
from core.sources.columns import GUESSES, Canonical, plain_name
from core.sources.decoding import decode, is_escaped, look_through, whole
from core.sources.model import Account, Detected, HandleMissing, SourceSummary, Tick
from core.sources.x_script import read_list
from core.sources.x_tweet import text_of

_ROWS: Final = 20_000
_NAMES: Final = ("screenname", "username", "handle", "name")
_REPOSTED: Final = ("retweetedstatus", "retweetedtweet")


class JsonLines:
    """A JSON or JSONL file; an author may be an object with a screen_name or username."""

    def __init__(self, found: Detected, owner: str | None) -> None:
        self._path = found.path
        self._owner = owner
        self.summary = SourceSummary(found.path, "jsonl", handle=owner)
        with self._path.open("rb") as stream:
            start = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
        self._array = start.startswith(b"[")
        # fail before anything is read: the first object tells whether it names its author
        first = next((item for _, item in self._items(count_bad=False)), None)
        if not isinstance(first, dict):
            raise InputRefused(
                f"There are no tweets in {self._path}.",
                "Its first line is not a JSON object.",
                "mynah reads one tweet object per line, or one array of them.",
            )
        row = self._first = _flat(first)
        if "text" not in row:
            raise InputRefused(
                f"{self._path} has no texts that mynah knows.",
                f"Its first object has: {_keys(first)}.",
                "An object needs text, full_text, rawContent or content.",
            )
        if not owner and "author" not in row:
            raise HandleMissing(
                f"{self._path} does not say whose tweets it holds.",
                f"Its first object has: {_keys(first)}.",
                "Name the account with --handle.",
            )

    @property
    def accounts(self) -> list[Account]:
        handles = [self._owner] if self._owner else [h for h in self.summary.per_handle if h]
        return [Account(handle) for handle in handles]

    def outline(self) -> list[str]:
        """Whose the first tweet is, and its text."""
        by = f", first one by @{self._first['author']}" if "author" in self._first else ""
        return [f"JSON{by}", self._first.get("text", "")[:200]]

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; a broken line is left out and counted, most of them broken refused."""
        facts = look_through(self._path)
        texts = (row.get("text") for row in self._flat_rows(count_bad=False))
        escaped = is_escaped(facts, lambda: (text for text in texts if text))
        canonical = Canonical(self.summary, owner=self._owner, escaped=escaped, generate_ids=False)
        empty = True
        rows: list[tuple[str | None, ...]] = []

        def frames() -> Iterator[pl.DataFrame]:
            nonlocal empty
            schema = dict.fromkeys(GUESSES, pl.String())
            frame = canonical.frame(pl.DataFrame(rows, schema=schema, orient="row"))
            rows.clear()
            if frame.height:
                empty = False
                self.summary.saw(frame)
                yield frame

        for read, row in enumerate(self._flat_rows(count_bad=True), 1):
            rows.append(tuple(row.get(role) for role in GUESSES))
            if tick and read % 2_000 == 0:
                tick(read, None)
            if len(rows) >= _ROWS:
                yield from frames()
        yield from frames()
        if empty:
            raise InputRefused(
                f"There are no tweets in {self._path}.", f"Left out: {self.summary.skipped}."
            )

    def _flat_rows(self, *, count_bad: bool) -> Iterator[dict[str, str]]:
        for _, item in self._items(count_bad=count_bad):
            if isinstance(item, dict):
                yield _flat(item)
            elif count_bad:
                self.summary.skip(self._owner or "", "not_a_tweet")

    def _items(self, *, count_bad: bool) -> Iterator[tuple[int, Any]]:
        if self._array:
            text = decode(self._path.read_bytes(), str(self._path))
            yield from enumerate(read_list(text, str(self._path)), 1)
            return
        bad = good = 0
        first_bad = ""
        try:
            with self._path.open(encoding="utf-8-sig", newline="\n") as stream:
                for number, line in enumerate(stream, 1):
                    if not line.strip():
                        continue
                    try:
                        item = json.loads(line)
                    except (ValueError, RecursionError) as error:
                        bad += 1
                        column = getattr(error, "colno", 1)
                        first_bad = first_bad or f"line {number:,}, column {column:,}: {error}"
                        if count_bad:
                            self.summary.skip(self._owner or "", "bad_json")
                        if bad > 100 and bad > good:
                            break
                        continue
                    good += 1
                    yield number, item
        except UnicodeDecodeError:
            look_through(self._path)  # names byte and line
            raise
        if bad > good:
            raise InputRefused(
                f"{self._path} is not JSON, one object per line.",
                f"The first broken one is {first_bad}.",
            )
        if bad and count_bad:
            self.summary.warnings.append(f"{bad:,} lines are broken; the first is {first_bad}.")


def _keys(item: dict[str, Any]) -> str:
    return whole(", ".join(key[:40] for key in list(item)[:8]))


def _flat(item: dict[str, Any]) -> dict[str, str]:
    """The values that GUESSES names, as text; the author may be one level down."""
    inner = item.get("tweet")
    if isinstance(inner, dict):
        item = inner
    known: dict[str, Any] = {}
    for key, value in item.items():
        known.setdefault(plain_name(key), value)
    longer = known.get("extendedtweet")
    if isinstance(longer, dict) and isinstance(longer.get("full_text"), str):
        known["fulltext"] = longer["full_text"]
    row: dict[str, str] = {}
    for role, options in GUESSES.items():
        for option in options:
            value = known.get(option)
            if isinstance(value, dict) and role == "author":
                names = {plain_name(key): inside for key, inside in value.items()}
                value = next((names[name] for name in _NAMES if names.get(name)), None)
            text = str(value).lower() if isinstance(value, bool) else text_of(value)
            if isinstance(value, float) and role == "tweet_id":
                text = f"{value:e}"  # seen as rounded later on
            if text is not None and (text or role == "text"):
                row[role] = text
                break
    if any(isinstance(known.get(name), dict) for name in _REPOSTED):
        row["retweet"] = "true"
    elif any(name in known for name in _REPOSTED):
        row.setdefault("retweet", "false")
    return row
