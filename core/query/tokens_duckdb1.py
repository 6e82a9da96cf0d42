"""What DuckDB 1 leaves out of the tokens of a query: the one that Python 3.10 has.

It gives no comments and no string that does not end, and calls ``::`` a keyword. DuckDB 2 gives
them all: this module goes with the last Python that has no DuckDB 2.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

# a string or a name in quotation marks, as DuckDB's grammar has them; it may lack its end
_QUOTED: Final = re.compile(
    r"""[eE]'(?:[^'\\]|\\.|'')*'? | [xXbBnN]?'(?:[^']|'')*'? | "(?:[^"]|"")*"?
      | (\$\w*\$).*?(?:\1|\Z)""",
    re.DOTALL | re.VERBOSE,
)
_BARE: Final = re.compile(r"(?:(?!--|/\*)\S)+")
_COMMENT_SIGNS: Final = re.compile(r"/\*|\*/")


def completed(sql: str, found: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """``found``, places and kinds of tokens, with comments and open strings, and signs as such.

    Places are counted in characters.
    """
    made: list[tuple[int, str]] = []
    starts = [place for place, _ in found]
    made += _between(sql, 0, starts[0] if starts else len(sql))
    for (start, following), (_, kind) in zip(pairwise([*starts, len(sql)]), found, strict=True):
        sign = kind == "keyword" and not (sql[start].isalpha() or sql[start] in "_\"'$")
        made.append((start, "operator" if sign else kind))
        token = _QUOTED.match(sql, start, following) or _BARE.match(sql, start, following)
        made += _between(sql, token.end() if token else start + 1, following)
    return made


def _between(sql: str, at: int, end: int) -> list[tuple[int, str]]:
    """The comments from ``at`` to ``end``, and what begins there and does not end."""
    made: list[tuple[int, str]] = []
    while at < end:
        if sql[at].isspace():
            at += 1
        elif sql.startswith("--", at):
            made.append((at, "comment"))
            line = sql.find("\n", at, end)
            at = end if line < 0 else line
        elif sql.startswith("/*", at):
            made.append((at, "comment"))
            at = _comment_end(sql, at, end)
        else:
            made.append((at, "string_const" if _QUOTED.match(sql, at, end) else "operator"))
            return made
    return made


def _comment_end(sql: str, start: int, end: int) -> int:
    """Behind a comment that may hold others."""
    depth = 0
    for sign in _COMMENT_SIGNS.finditer(sql, start, end):
        depth += 1 if sign.group() == "/*" else -1
        if not depth:
            return sign.end()
    return end
