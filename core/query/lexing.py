"""SQL as words and signs: enough to colour it, to complete it and to see what it begins with.

Not a parser: whether a query makes sense is DuckDB's to say. Every text has tokens, half-typed ones
too, and together with the spaces between them they give the text back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["comment", "string", "quoted", "number", "keyword", "function", "name", "sign"]

# Strings and comments that do not end run to the end of the text.
_TOKEN: Final = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*(?:[^*]|\*(?!/))*(?:\*/)? )
    | (?P<string> [eExX]?'(?:[^']|'')*'? | \$(?P<tag>[A-Za-z_]*)\$(?:.|\n)*?(?:\$(?P=tag)\$|\Z) )
    | (?P<quoted> "(?:[^"]|"")*"? )
    | (?P<number> (?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)? )
    | (?P<name> [^\W\d]\w* )
    | (?P<sign> \S )
    """,
    re.VERBOSE,
)

KEYWORDS: Final = frozenset(
    """
    ALL ALTER ANALYZE AND ANTI ANY AS ASC ASOF ATTACH BETWEEN BY CASE CAST COLLATE COLUMN COLUMNS
    COPY CREATE CROSS CUBE CURRENT DEFAULT DELETE DESC DESCRIBE DETACH DISTINCT DROP ELSE END ESCAPE
    EXCEPT EXCLUDE EXISTS EXPLAIN FALSE FILTER FIRST FOLLOWING FOR FROM FULL GLOB GROUP GROUPING
    HAVING ILIKE IN INNER INSERT INSTALL INTERSECT INTERVAL INTO IS JOIN LAST LATERAL LEFT LIKE
    LIMIT LOAD MATERIALIZED MERGE NATURAL NOT NULL NULLS OFFSET ON OR ORDER OUTER OVER PARTITION
    PERCENT PIVOT POSITIONAL PRAGMA PRECEDING QUALIFY RANGE RECURSIVE REPLACE RETURNING RIGHT ROLLUP
    ROW ROWS SAMPLE SELECT SEMI SET SETS SHOW SIMILAR SUMMARIZE TABLE TABLES TABLESAMPLE TEMP
    TEMPORARY THEN TO TRUE TRY_CAST UNBOUNDED UNION UNPIVOT UPDATE USING VALUES VIEW WHEN WHERE
    WINDOW WITH WITHIN
    """.split()
)
# keywords that are functions when a bracket follows
_BOTH: Final = frozenset({"FIRST", "GLOB", "LAST", "LEFT", "RANGE", "REPLACE", "RIGHT", "ROW"})


@dataclass(frozen=True)
class Token:
    """A piece of a query: ``text[start:end]``."""

    start: int
    end: int
    kind: Kind
    text: str

    @property
    def upper(self) -> str:
        return self.text.upper()


def tokens(sql: str) -> list[Token]:
    """Every token of ``sql`` in order; what lies between them is white space."""
    found: list[Token] = []
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup if match.lastgroup != "tag" else "string"
        text = match[0]
        if kind == "name":
            bracket = sql[match.end() : match.end() + 1] == "("
            if text.upper() in KEYWORDS and not (bracket and text.upper() in _BOTH):
                kind = "keyword"
            elif bracket:
                kind = "function"
        found.append(Token(match.start(), match.end(), kind, text))  # type: ignore[arg-type]
    return found


def words(sql: str) -> list[Token]:
    """The tokens that count: without comments."""
    return [token for token in tokens(sql) if token.kind != "comment"]


def statement(sql: str) -> str:
    """A single statement without the semicolon behind it and what may follow there."""
    for token in tokens(sql):
        if token.kind == "sign" and token.text == ";":
            return sql[: token.start]
    return sql


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
