"""What a person may run: one query, or, with the switch to write on, one change of data."""

from __future__ import annotations

import atexit
from functools import cache
from typing import TYPE_CHECKING, Final

from core.errors import InputRefused
from core.query.refusal import QueryRefused, Span, refused, span_of
from core.query.tokens import explained, words

if TYPE_CHECKING:
    import duckdb

_QUERIES: Final = ("SELECT", "EXPLAIN", "MULTI")
# Characters. DuckDB holds some hundred bytes for each one of a query with a mistake.
LONGEST: Final = 1_000_000
CHANGES: Final = ("INSERT", "UPDATE", "DELETE", "MERGE_INTO", "CREATE", "DROP", "ALTER")
_MADE: Final = ("TABLE", "VIEW", "INDEX", "SCHEMA", "SEQUENCE", "TYPE", "MACRO", "FUNCTION")
_HOW: Final = ("OR", "REPLACE", "UNIQUE", "RECURSIVE", "LOCAL", "TEMP", "TEMPORARY", "PERSISTENT")
_WHAT_WORKS: Final = "SELECT, FROM, WITH, DESCRIBE, SHOW, SUMMARIZE, PIVOT and EXPLAIN work."
# DuckDB's names for what people know by another one
_NAMED: Final = {"LOAD": "INSTALL or LOAD", "MERGE_INTO": "MERGE", "VARIABLE_SET": "SET"}


def query_kind(sql: str) -> str:
    """DuckDB's name for what kind of query ``sql`` is: SELECT, EXPLAIN or MULTI.

    Raises InputRefused for anything that is not exactly one query.
    """
    kind = statement_kind(sql)
    if kind not in _QUERIES:
        raise QueryRefused(
            f"{_NAMED.get(kind, kind.replace('_', ' '))} is not a query.",
            "The corpus can only be read here.",
            "W in the Query section, or --write, allows changes of the tables."
            if kind in CHANGES
            else _WHAT_WORKS,
            span=_start(sql),
        )
    inside = explained(sql) if kind == "EXPLAIN" else None
    if inside is not None and query_kind(inside) == "EXPLAIN":  # raises for EXPLAIN ANALYZE COPY …
        raise QueryRefused("An EXPLAIN cannot be explained.")
    return kind


def change_kind(sql: str) -> str | None:
    """The kind of a statement that changes tables, or None when ``sql`` is a query.

    Raises InputRefused for anything that is neither.
    """
    kind = statement_kind(sql)
    if kind in _QUERIES:
        query_kind(sql)
        return None
    if kind not in CHANGES:
        raise QueryRefused(
            f"{_NAMED.get(kind, kind.replace('_', ' '))} is not allowed here.",
            "Only tables of the corpus can be changed.",
            "INSERT, UPDATE, DELETE, MERGE, CREATE, DROP and ALTER work.",
            span=_start(sql),
        )
    what = [word.upper for word in words(sql)[1:] if word.upper not in _HOW]
    if kind in ("CREATE", "DROP") and what[:1] and what[0] not in _MADE:
        raise QueryRefused(
            f"{kind} {what[0]} is not allowed.",
            f"Of these it is: {', '.join(_MADE)}.",
            span=_start(sql),
        )
    return kind


def statement_kind(sql: str) -> str:
    """DuckDB's name for the one statement in ``sql``.

    Raises InputRefused for none, for several and for more than `LONGEST` characters.
    """
    import duckdb

    if len(sql) > LONGEST:
        raise too_long()
    connection = _parser().cursor()
    try:
        connection.execute("SET errors_as_json = true")
        try:
            found = connection.extract_statements(sql)
        except duckdb.Error as error:
            raise refused(error, sql) from None
        except (UnicodeError, TypeError):  # half of a surrogate pair
            raise InputRefused("The query holds characters that are not text.") from None
        if not found:
            raise InputRefused("There is no query.", "", "Try: FROM accounts")
        # PIVOT is more than one statement inside: DuckDB 2 says MULTI, DuckDB 1 gives parts of no
        # text
        kinds = [_kind(part) for part in found]
        pivot = kinds[-1] in ("MULTI", "SELECT") and not any(
            part.query.strip() for part in found if len(found) > 1
        )
        if len(found) > 1 and not pivot:
            raise InputRefused(
                f"There are {len(found)} statements.", "One query at a time.", "Run them singly."
            )
        if found[0].named_parameters:
            raise InputRefused(
                "The query has parameters ($1 or ?), and there is nothing to fill in."
            )
        return "MULTI" if len(found) > 1 else kinds[0]
    finally:
        found = []  # its types must not outlive the connection
        connection.close()


def too_long() -> InputRefused:
    """The refusal of a query with more than `LONGEST` characters."""
    return InputRefused(
        "The query is too long.",
        f"A query may have at most {LONGEST:,} characters.",
        "Ask for a long list of values in parts.",
    )


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """An engine that only parses: it is kept, since making one takes far longer than parsing."""
    import duckdb

    engine = duckdb.connect(":memory:", config={"threads": 1})
    # DuckDB 1 reads the files of an IMPORT DATABASE while it parses
    engine.execute("SET enable_external_access = false")
    atexit.register(engine.close)  # or DuckDB speaks of leaks
    return engine


def _kind(part: duckdb.Statement) -> str:
    try:
        name = str(part.type.name)
    except ValueError:
        name = ""
    if name[:1].isalpha():
        return name
    found = words(part.query)  # a kind that the bindings have no name for
    return found[0].upper if found else "UNKNOWN"


def _start(sql: str) -> Span | None:
    found = words(sql)
    return span_of(sql, found[0].start) if found else None
