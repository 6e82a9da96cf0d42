"""SQL as tokens: enough to colour it, to complete it and to see what it begins with.

DuckDB itself says where tokens begin, so that what it can run is never cut in the wrong place.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import dropwhile, pairwise
from typing import Final, Literal, NamedTuple

from core.corpus.engine import borrowed

Kind = Literal["comment", "string", "quoted", "number", "keyword", "function", "name", "sign"]

# The unreserved keywords that are shown and offered as keywords. DuckDB has 300 more, such as
# TEXT, NAME and YEAR, which are column names and functions far more often.
_UNRESERVED: Final = frozenset(
    """
    ALTER ATTACH COPY CUBE CURRENT DELETE DETACH DROP ESCAPE EXCLUDE EXPLAIN FILTER FIRST FOLLOWING
    INSERT INSTALL LAST LOAD MATERIALIZED MERGE NULLS OVER PARTITION PERCENT PRAGMA PRECEDING RANGE
    RECURSIVE REPLACE ROLLUP ROWS SAMPLE SET SETS TABLES TEMP TEMPORARY UNBOUNDED UPDATE VIEW WITHIN
    """.split()
)
# keywords that are functions when a bracket follows
_BOTH: Final = frozenset({"FIRST", "GLOB", "LAST", "LEFT", "RANGE", "REPLACE", "RIGHT", "ROW"})
_KEYWORDS: Final = """
SELECT upper(keyword_name) FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'
"""


class Token(NamedTuple):
    """A part of a query: ``text[start:end]``, both counted in characters."""

    start: int
    end: int
    kind: Kind
    text: str

    @property
    def upper(self) -> str:
        return self.text.upper()


@cache
def keywords() -> frozenset[str]:
    """DuckDB's keywords in upper case, without most of the unreserved ones."""
    with borrowed() as connection:
        return _UNRESERVED | {row[0] for row in connection.execute(_KEYWORDS).fetchall()}


@lru_cache(maxsize=1)  # a text is coloured, completed and run in turn
def tokens(sql: str) -> tuple[Token, ...]:
    """Every token of ``sql`` in order; what lies between them is white space.

    Any text has tokens, half-typed ones too: a string or comment that does not end runs to the end
    of the text.
    """
    import duckdb

    # half of a surrogate pair is no UTF-8, which DuckDB takes; any other character keeps the count
    given = re.sub("[\ud800-\udfff]", "?", sql)
    parts = duckdb.tokenize(given)
    places = _characters(given, [offset for offset, _ in parts])
    found = list(zip(places, (kind.name for _, kind in parts), strict=True))
    if duckdb.__version__.startswith("1."):
        from core.query.tokens_duckdb1 import completed

        found = completed(given, found)
    made: list[Token] = []
    starts = [start for start, _ in found]
    for (start, following), (_, kind) in zip(pairwise([*starts, len(sql)]), found, strict=True):
        text = sql[start:following].rstrip()
        if text:
            end = start + len(text)
            made.append(Token(start, end, _kind(kind, text, sql[end : end + 1]), text))
    return tuple(made)


def _characters(sql: str, offsets: list[int]) -> list[int]:
    """Offsets in UTF-8 bytes, which DuckDB counts in, as offsets in characters."""
    if sql.isascii():
        return offsets
    data = sql.encode()
    character_offsets, at, characters = [], 0, 0
    for offset in offsets:
        characters += len(data[at:offset].decode("utf-8", "ignore"))
        character_offsets.append(characters)
        at = offset
    return character_offsets


def _kind(kind: str, text: str, behind: str) -> Kind:
    """``kind`` is DuckDB's word for a token; ``behind`` the character that follows it."""
    if kind == "comment":
        return "comment"
    if kind == "string_const":
        return "string"
    if text[0] == '"':
        return "quoted"
    if kind == "numeric_const" and text != ".":
        return "number"
    if kind not in ("keyword", "identifier"):
        return "sign"
    if text.upper() in keywords() and not (behind == "(" and text.upper() in _BOTH):
        return "keyword"
    return "function" if behind == "(" else "name"


def words(sql: str) -> list[Token]:
    """The tokens that count: without comments, and without semicolons in front."""
    found = (token for token in tokens(sql) if token.kind != "comment")
    return list(dropwhile(_ends, found))


def statement(sql: str) -> str:
    """A single statement without the semicolon behind it and what may follow there.

    Spaces stand for semicolons in front of it, so that places stay.
    """
    begun = False
    for token in tokens(sql):
        if not _ends(token):
            begun = begun or token.kind != "comment"
        elif begun:
            return sql[: token.start]
        else:
            sql = sql[: token.start] + " " * len(token.text) + sql[token.end :]
    return sql


def _ends(token: Token) -> bool:
    return token.kind == "sign" and not token.text.strip(";")


def explained(sql: str) -> str | None:
    """What an EXPLAIN is about: ``EXPLAIN (ANALYZE) SELECT 1`` gives ``SELECT 1``.

    Spaces stand for what went before, so that places stay. None when ``sql`` is no EXPLAIN.
    """
    found = words(sql)
    if not found or found[0].upper != "EXPLAIN":
        return None
    at = 1
    if at < len(found) and found[at].upper == "ANALYZE":
        at += 1
    if at < len(found) and found[at].text == "(" and _options(found[at + 1 :]):
        depth = 0
        while at < len(found):
            depth += {"(": 1, ")": -1}.get(found[at].text, 0)
            at += 1
            if not depth:
                break
    start = found[at].start if at < len(found) else len(sql)
    return re.sub(r"[^\n]", " ", sql[:start]) + sql[start:]


def _options(inside: list[Token]) -> bool:
    """Whether a bracket holds options such as FORMAT json, not a query in brackets."""
    return bool(inside) and inside[0].upper in ("ANALYZE", "FORMAT", "VERBOSE")


def position(sql: str, offset: int) -> tuple[int, int]:
    """Line and column of a character, both counted from 1."""
    before = sql[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
