"""Tweets that the person leaves out of training one by one: they stay in the corpus.

Every recipe drops them first (the reason ``excluded``), so that no dataset, export or count holds
them as kept. Importing them again changes nothing; forgetting them takes them off the list, too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from core.corpus.migrations import has_table
from core.errors import InputRefused

if TYPE_CHECKING:
    import duckdb

    from core.corpus.store import Corpus

TABLE: Final = "excluded_tweets"
Tweet = tuple[str, str]
"""Handle and id."""

# Makes the stored verdicts of an account outdated, so that they are judged again when needed.
_NO_HASH: Final = ""


def excluded_tweets(corpus: Corpus, handles: Sequence[str] | None = None) -> list[Tweet]:
    """What is left out of ``handles`` (None: of everybody), the last first. Raises CorpusBusy."""
    if not corpus.exists:
        return []
    with corpus.reading() as connection:
        return excluded_in(connection, handles)


def excluded_in(
    connection: duckdb.DuckDBPyConnection, handles: Sequence[str] | None = None
) -> list[Tweet]:
    """The same of an open corpus, which may be of an older version."""
    if not has_table(connection, TABLE):
        return []
    theirs = "" if handles is None else "WHERE list_contains($handles, handle) "
    found = connection.execute(
        f"SELECT handle, tweet_id FROM corpus.main.{TABLE} {theirs}"  # noqa: S608 - our own names
        "GROUP BY ALL ORDER BY max(excluded_at) DESC, handle, tweet_id",
        None if handles is None else {"handles": list(handles)},
    )
    return [(str(handle), str(tweet_id)) for handle, tweet_id in found.fetchall()]


def find_tweets(corpus: Corpus, tweet_ids: Sequence[str]) -> list[Tweet]:
    """The tweets with these ids, of every account that has them.

    Raises InputRefused naming the first id that nobody has.
    """
    with corpus.reading() as connection:
        found = connection.execute(
            "SELECT DISTINCT handle, tweet_id FROM tweets WHERE list_contains($ids, tweet_id) "
            "ORDER BY ALL",
            {"ids": list(tweet_ids)},
        ).fetchall()
    missing = next((one for one in tweet_ids if one not in {row[1] for row in found}), None)
    if missing is not None:
        raise InputRefused(
            f"There is no tweet {missing} in the corpus.",
            "",
            "Its id is the number at the end of its address.",
        )
    return [(str(handle), str(tweet_id)) for handle, tweet_id in found]


def exclude_tweets(corpus: Corpus, tweets: Collection[Tweet]) -> int:
    """Leaves tweets out of training; returns how many were not left out before.

    The view ``curated`` shows it at once; what a rule over several tweets then says of the others
    is judged again when it is needed. Raises CorpusBusy.
    """
    with corpus.writing() as connection:
        known = set(excluded_in(connection))
        new = [tweet for tweet in dict.fromkeys(tweets) if tweet not in known]
        for handle, tweet_id in new:
            given = {"handle": handle, "tweet_id": tweet_id}
            connection.execute(
                f"INSERT INTO {TABLE} VALUES ($handle, $tweet_id, now())",  # noqa: S608
                given,
            ).fetchall()
            connection.execute(
                "UPDATE verdicts SET kept = false, reason = 'excluded', recipe_hash = $none "
                "WHERE handle = $handle AND tweet_id = $tweet_id",
                given | {"none": _NO_HASH},
            ).fetchall()
        return len(new)


def include_tweets(corpus: Corpus, tweets: Collection[Tweet]) -> int:
    """Takes tweets back into training; returns how many were left out. Raises CorpusBusy."""
    with corpus.writing() as connection:
        known = set(excluded_in(connection))
        back = [tweet for tweet in dict.fromkeys(tweets) if tweet in known]
        for handle, tweet_id in back:
            given = {"handle": handle, "tweet_id": tweet_id}
            connection.execute(
                f"DELETE FROM {TABLE} WHERE handle = $handle AND tweet_id = $tweet_id",  # noqa: S608
                given,
            ).fetchall()
            connection.execute(
                "UPDATE verdicts SET recipe_hash = $none "
                "WHERE handle = $handle AND tweet_id = $tweet_id",
                given | {"none": _NO_HASH},
            ).fetchall()
        return len(back)
