"""What is in the corpus: who, and their tweets."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from core.corpus.store import Corpus
from core.errors import InputRefused

if TYPE_CHECKING:
    import duckdb
    import polars as pl

# how many handles a message names
_FEW: Final = 3


@dataclass(frozen=True)
class AccountRow:
    """An account with tweets. ``per_year`` counts them from ``first``'s year to ``last``'s, years
    without tweets included; it is empty when no tweet has a date."""

    handle: str
    name: str | None
    tweets: int
    first: datetime | None
    last: datetime | None
    sources: list[str]
    per_year: list[int]

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah accounts --json``; times as ISO 8601."""
        fields = asdict(self)
        for name in ("first", "last"):
            fields[name] = fields[name] and fields[name].isoformat()
        return fields


# Few tweets differ in their sources: without DISTINCT there would be a list of every tweet's.
_ACCOUNTS = """
WITH counted AS (
    SELECT handle, count(*) AS tweets, min(created_at) AS first, max(created_at) AS last
    FROM tweets
    GROUP BY handle
),
told AS (
    SELECT handle, list_sort(list_distinct(flatten(list(sources)))) AS sources
    FROM (SELECT DISTINCT handle, sources FROM tweets)
    GROUP BY handle
),
named AS (SELECT handle, any_value(name) AS name FROM accounts GROUP BY handle)
SELECT handle, name, tweets, first, last, sources
FROM counted JOIN told USING (handle) LEFT JOIN named USING (handle)
ORDER BY handle
"""

_YEARS = """
SELECT handle, year(created_at)::INTEGER AS year, count(*) AS tweets
FROM tweets
WHERE created_at IS NOT NULL
GROUP BY ALL
"""


class _Stream:
    """A relation's Arrow C stream and nothing else. Polars keeps the types of what it was given,
    and DuckDB complains on stderr when one of its own is still held at exit."""

    def __init__(self, relation: duckdb.DuckDBPyRelation) -> None:
        self._relation = relation

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._relation.__arrow_c_stream__(requested_schema)


def frame(relation: duckdb.DuckDBPyRelation) -> pl.DataFrame:
    """A query's result as Polars, through the Arrow C stream: copies little, needs no pyarrow."""
    import polars as pl

    return pl.DataFrame(_Stream(relation))


def accounts(corpus: Corpus) -> list[AccountRow]:
    """Everybody with at least one tweet, by handle; nobody when there is no corpus yet."""
    if not corpus.exists:
        return []
    with corpus.reading() as connection:
        rows = frame(connection.sql(_ACCOUNTS))
        years = frame(connection.sql(_YEARS))
    counts: dict[str, dict[int, int]] = defaultdict(dict)
    for handle, year, tweets_then in years.iter_rows():
        counts[handle][year] = tweets_then
    found = []
    for handle, name, number, first, last, sources in rows.iter_rows():
        by_year = counts[handle]
        span = range(min(by_year), max(by_year) + 1) if by_year else range(0)
        per_year = [by_year.get(year, 0) for year in span]
        found.append(AccountRow(handle, name, number, first, last, list(sources), per_year))
    return found


def tweet_counts(corpus: Corpus, handles: Sequence[str] | None = None) -> dict[str, int]:
    """How many tweets each of ``handles`` has, by handle; who has none is not in it. None: all."""
    if not corpus.exists:
        return {}
    theirs = "" if handles is None else "WHERE handle IN (SELECT unnest($handles)) "
    with corpus.reading() as connection:
        found = connection.execute(
            f"SELECT handle, count(*) FROM tweets {theirs}GROUP BY handle ORDER BY handle",  # noqa: S608
            None if handles is None else {"handles": list(handles)},
        )
        return dict(found.fetchall())


def kept_count(corpus: Corpus, recipe: str, handles: Sequence[str]) -> int | None:
    """How many tweets of ``handles`` a recipe keeps, by its stored verdicts; None without any."""
    if not corpus.exists:
        return None
    with corpus.reading() as connection:
        found = connection.execute(
            "SELECT sum(kept::INTEGER) FROM verdicts "
            "WHERE recipe = $recipe AND handle IN (SELECT unnest($handles))",
            {"recipe": recipe, "handles": list(handles)},
        ).fetchone()
    return int(found[0]) if found and found[0] is not None else None


def tweets_at_hand(corpus: Corpus, handles: Sequence[str]) -> dict[str, int]:
    """``tweet_counts`` of ``handles``; raises InputRefused naming the first that has none.

    The message names the three handles in the corpus that are spelled most alike, and how many
    there are, however many that is.
    """
    counts = tweet_counts(corpus, handles)
    missing = next((handle for handle in handles if handle not in counts), None)
    if missing is not None:
        known = list(tweet_counts(corpus))
        raise InputRefused(
            f"There are no tweets of @{missing} in the corpus.",
            _who_is_there(missing, known),
            "`mynah accounts` lists who is there; `mynah import PATH` brings more in.",
        )
    return counts


def _who_is_there(missing: str, known: list[str]) -> str:
    if not known:
        return "The corpus is empty."
    nearest = difflib.get_close_matches(missing, known, n=_FEW, cutoff=0.0)
    if len(known) <= _FEW:
        meant = difflib.get_close_matches(missing, known, n=1)
        hint = f" Did you mean @{meant[0]}?" if meant else ""
        return f"It holds: {', '.join(f'@{handle}' for handle in known)}.{hint}"
    return (
        f"It holds {len(known):,} accounts; "
        f"spelled most alike: {', '.join(f'@{handle}' for handle in nearest)}."
    )


def account_names(corpus: Corpus, handles: Sequence[str]) -> dict[str, str]:
    """The display names of those of ``handles`` that have one."""
    if not corpus.exists:
        return {}
    with corpus.reading() as connection:
        found = connection.execute(
            "SELECT handle, any_value(name) FROM accounts "
            "WHERE handle IN (SELECT unnest($handles)) AND name IS NOT NULL GROUP BY handle",
            {"handles": list(handles)},
        )
        return dict(found.fetchall())
