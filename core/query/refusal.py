"""Why a query was refused, and where in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from core.errors import InputRefused
from core.query.tokens import position, tokens

_LONGEST_TOKEN: Final = 1_000  # characters; of a longer one its beginning is shown


@dataclass(frozen=True)
class Span:
    """Where in a query: ``line`` and ``column`` count characters from 1, ``length`` is at least 1.

    ``text`` is the whole line.
    """

    line: int
    column: int
    length: int
    text: str


class QueryRefused(InputRefused):
    """A query that DuckDB does not take; ``span`` is where, when it can be told."""

    def __init__(
        self, what: str, why: str = "", next_step: str = "", span: Span | None = None
    ) -> None:
        super().__init__(what, why, next_step)
        self.span = span


def span_of(sql: str, offset: int) -> Span:
    """The span of the token that begins at a character's ``offset``."""
    offset = max(0, min(offset, len(sql)))
    if offset >= len(sql.rstrip()):
        # "at the end": show it behind the last thing written
        offset = len(sql.rstrip())
    line, column = position(sql, offset)
    # of a long query only the part that is asked for is cut into tokens
    here = next(iter(tokens(sql[offset : offset + _LONGEST_TOKEN])), None)
    length = here.end if here is not None and not here.start else 1
    text = sql.split("\n")[line - 1]
    return Span(line, column, max(1, min(length, len(text) - column + 1)), text)


def refused(error: Exception, sql: str = "", before: int = 0) -> QueryRefused:
    """DuckDB's own words, without the kind of error in front and the help links behind.

    ``before`` is how many bytes stood before ``sql`` in what DuckDB was given. The place is known
    only when the connection gives its errors as JSON (``errors_as_json``).
    """
    details = _as_json(str(error))
    message = str(details.get("exception_message") or _as_text(str(error)))
    lines = message.strip().splitlines() or [type(error).__name__]
    what = lines[0].rstrip(".!")
    rest = " ".join(line.strip() for line in lines[1:] if line.strip() and "^" not in line)
    span = None
    if sql and str(details.get("position", "")).isdigit():
        at = int(details["position"]) - before
        data = sql.encode("utf-8", "replace")
        if 0 <= at <= len(data) + 2:
            span = span_of(sql, len(data[:at].decode("utf-8", "ignore")))
    if "file system operations are disabled" in what:
        return QueryRefused(
            "A query can neither read nor write files here.",
            f"{what}.",
            "Tweets come in with `mynah import`; a result is saved with e, or `mynah sql -o FILE`.",
            span,
        )
    return QueryRefused(f"The query was refused: {what}.", rest[:500], span=span)


def _as_json(message: str) -> dict[str, Any]:
    _, brace, rest = message.partition("{")
    if not brace:
        return {}
    try:
        details = json.JSONDecoder(strict=False).raw_decode(brace + rest)[0]
    except ValueError:
        return {}
    return details if isinstance(details, dict) and "exception_message" in details else {}


def _as_text(message: str) -> str:
    return re.sub(r"^[A-Z][\w ]*Error: ", "", message.strip())
