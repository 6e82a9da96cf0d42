"""Which tweets without an id of their own are the same one, when a date comes or goes.

A made id is made from author, date and text, so that the same row of a table without dates and of
one with them has two. Of the tweets of one account with made ids and the same words, the corpus
holds one for each date, or a single one without a date while no date is known:

- A date that it has: the same tweet, however the date is written.
- A date that it has not goes to the tweet without a date, which keeps its id, so that lists,
  verdicts and datasets still mean it; of several dates the earliest. The others are other tweets.
- No date: the same tweet as the earliest.

Of a new account they are not looked at where all of them have a date, or none has.

What had a date that could not be read is left as it is: it stands for a day that may yet be known.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.tweet import SQL_IS_MADE, SQL_MAY_BE_MADE, made_id

if TYPE_CHECKING:
    import duckdb

_ROWS: Final = "read_parquet($files, hive_partitioning = false)"
_SLICE: Final = 50_000  # rows in memory at once

# Whether there can be anything to do: some have a date and some not, or somebody's came before.
_CONCERNED: Final = f"""
SELECT EXISTS (FROM {_ROWS} WHERE {SQL_MAY_BE_MADE} AND created_at IS NULL)
        AND EXISTS (FROM {_ROWS} WHERE {SQL_MAY_BE_MADE} AND created_at IS NOT NULL)
    OR EXISTS (
        FROM tweets
        WHERE {SQL_MAY_BE_MADE} AND handle IN (SELECT DISTINCT handle FROM {_ROWS})
    )
"""  # noqa: S608 - our own names, as below

# Words, as a number (two may share one, which only costs time), that come under a new id.
_FRESH: Final = f"""
CREATE TEMP TABLE fresh AS
SELECT handle, hash(handle, text) AS key
FROM {_ROWS}
WHERE {SQL_MAY_BE_MADE} AND hash(handle, tweet_id) NOT IN (
    SELECT hash(handle, tweet_id) FROM tweets WHERE {SQL_MAY_BE_MADE}
)
"""  # noqa: S608

# Those that are not the only ones of their kind.
_SEVERAL: Final = f"""
CREATE TEMP TABLE several AS
SELECT key
FROM (
    SELECT key FROM fresh
    UNION ALL
    SELECT hash(handle, text)
    FROM tweets
    WHERE {SQL_MAY_BE_MADE} AND handle IN (SELECT DISTINCT handle FROM fresh)
        AND hash(handle, text) IN (SELECT key FROM fresh)
)
GROUP BY key
HAVING count(*) > 1
"""  # noqa: S608

# Each of them once: `known` is in the corpus, whose date counts where it has one.
_SAYING: Final = f"""
CREATE TEMP TABLE saying AS
SELECT
    handle,
    text,
    tweet_id,
    coalesce(min(created_at) FILTER (known), min(created_at)) AS created_at,
    bool_or(known) AS known
FROM (
    SELECT handle, text, tweet_id, created_at, false AS known FROM {_ROWS}
    UNION ALL
    SELECT handle, text, tweet_id, created_at, true FROM tweets
)
WHERE {SQL_IS_MADE} AND hash(handle, text) IN (SELECT key FROM several)
GROUP BY ALL
"""  # noqa: S608

# Of each id that comes in: the one that the tweet has, and the date that is known of it.
_RENAMED: Final = """
CREATE TEMP TABLE renamed AS
WITH undated AS (
    SELECT * FROM saying WHERE created_at IS NULL
),
dates AS (
    SELECT
        handle, text, created_at, min(tweet_id) AS some_id,
        min(tweet_id) FILTER (known) AS known_id
    FROM saying
    WHERE created_at IS NOT NULL
    GROUP BY ALL
),
tweet AS (
    SELECT
        handle,
        text,
        dates.created_at,
        CASE
            WHEN known_id IS NOT NULL THEN known_id
            WHEN undated.known AND row_number() OVER (
                PARTITION BY handle, text, known_id IS NULL ORDER BY dates.created_at
            ) = 1 THEN undated.tweet_id
            ELSE some_id
        END AS tweet_id
    FROM dates
    LEFT JOIN undated USING (handle, text)
)
SELECT handle, saying.tweet_id, tweet.tweet_id AS renamed_id, created_at AS known_at
FROM saying
JOIN tweet USING (handle, text, created_at)
WHERE NOT known AND saying.tweet_id <> tweet.tweet_id
UNION ALL
SELECT
    handle,
    undated.tweet_id,
    arg_min(tweet.tweet_id, (tweet.tweet_id <> undated.tweet_id, tweet.created_at)),
    arg_min(tweet.created_at, (tweet.tweet_id <> undated.tweet_id, tweet.created_at))
FROM undated
JOIN tweet USING (handle, text)
GROUP BY ALL
"""

_TO_RENAME: Final = """
SELECT DISTINCT filename
FROM read_parquet($files, hive_partitioning = false, filename = true)
SEMI JOIN renamed USING (handle, tweet_id)
ORDER BY ALL
"""

# Of rows with the same id the last counts, so they stay in order.
_RENAME: Final = """
COPY (
    SELECT incoming.* EXCLUDE (file_row_number) REPLACE (
        coalesce(renamed_id, tweet_id) AS tweet_id,
        coalesce(created_at, known_at) AS created_at
    )
    FROM read_parquet($file, hive_partitioning = false, file_row_number = true) AS incoming
    LEFT JOIN renamed USING (handle, tweet_id)
    ORDER BY file_row_number
) TO $changed (FORMAT parquet, COMPRESSION lz4)
"""


def rename_known(connection: duckdb.DuckDBPyConnection, staged: list[str]) -> None:
    """Give rows of ``staged`` (Parquet files of canonical rows, changed in place) the made ids and
    dates that their tweets have in the corpus, or elsewhere among them.

    To be called in the transaction that merges them. Ids that a source gave are left alone.
    """
    files = {"files": staged}
    ((concerned,),) = connection.execute(_CONCERNED, files).fetchall()
    if not concerned:
        return
    connection.execute(_FRESH, files).fetchall()
    connection.execute(_SEVERAL).fetchall()
    if connection.execute("FROM several LIMIT 1").fetchall():
        connection.execute(_SAYING, files).fetchall()
        _leave_unread_dates(connection)
        connection.execute(_RENAMED).fetchall()
        for (file,) in connection.execute(_TO_RENAME, files).fetchall():
            _rename(connection, Path(file))
        connection.execute("DROP TABLE renamed; DROP TABLE saying")
    connection.execute("DROP TABLE several; DROP TABLE fresh")


def _leave_unread_dates(connection: duckdb.DuckDBPyConnection) -> None:
    """Takes what has no time out of ``saying``, unless its id was made without a date."""
    undated = connection.execute(
        "SELECT handle, text, tweet_id FROM saying WHERE created_at IS NULL"
    )
    unread: list[str] = []
    while rows := undated.fetchmany(_SLICE):
        unread += (own for handle, text, own in rows if own != made_id(handle, None, text))
    if unread:
        connection.execute(
            "DELETE FROM saying WHERE created_at IS NULL "
            "AND tweet_id IN (SELECT unnest($unread::VARCHAR[]))",
            {"unread": unread},
        ).fetchall()


def _rename(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    changed = file.with_suffix(".renamed")
    connection.execute(_RENAME, {"file": str(file), "changed": str(changed)}).fetchall()
    changed.replace(file)
