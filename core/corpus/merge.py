"""Staged rows into the corpus, in SQL: what is new, what says more, what is already known.

For an id that a handle already has, the longer text wins (entities count as the one character they
stand for) and the newer import where both are equally long. What does not change after a tweet was
published (date, language, what it answers and quotes, links) stays as first known; counts, flags
and alt text follow the newer import; the kind only ever becomes more specific; community, circle
and deleted stick.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from core.corpus.import_log import Merged, log_import
from core.corpus.same_words import rename_known
from core.tweet import AUDIENCES, tweet_schema

if TYPE_CHECKING:
    import duckdb

    from core.sources.source import Source

_COLUMNS: Final = ", ".join(tweet_schema())
_UNESCAPED: Final = (
    "CASE WHEN {0}.text_escaped THEN replace(replace(replace({0}.text, '&lt;', '<'), '&gt;', '>'), "
    "'&amp;', '&') ELSE {0}.text END"
)
# An import may be far larger than the memory it is given; order in the table means nothing.
_BOUNDS: Final = ("SET memory_limit = '384MB'", "SET preserve_insertion_order = false")
_PART: Final = 250_000  # contested tweets that are compared at once
_KINDS: Final = "['original', 'quote', 'reply', 'retweet', 'manual_retweet']"
_AUDIENCES: Final = str(list(AUDIENCES))

# A number for each tweet. Two tweets may share one: then both go the careful way, and nothing else
# happens.
_KEY: Final = "hash(handle, tweet_id)"
# A folder called handle=x or text=y says nothing of what lies in it.
_ROWS: Final = "read_parquet($files, hive_partitioning = false)"
_FILES: Final = (
    "read_parquet($files, hive_partitioning = false, filename = true, file_row_number = true)"
)

# Numbers that occur twice: within the files, or in the files and the corpus.
_CONTESTED: Final = f"""
CREATE TEMP TABLE contested AS
SELECT key
FROM (
    SELECT {_KEY} AS key FROM {_ROWS}
    UNION ALL
    SELECT {_KEY} FROM tweets
    WHERE handle IN (SELECT DISTINCT handle FROM {_ROWS})
)
GROUP BY key
HAVING count(*) > 1
"""  # noqa: S608

# What nobody else has is new as it is.
_NEW: Final = f"""
INSERT INTO tweets BY NAME
SELECT {_COLUMNS}, $at::TIMESTAMPTZ AS first_imported_at, $at::TIMESTAMPTZ AS last_imported_at,
    [source] AS sources
FROM {_ROWS}
"""  # noqa: S608
_UNCONTESTED: Final = f" WHERE {_KEY} NOT IN (SELECT key FROM contested)"  # noqa: S608 - our own names

# Within one file: the longest text, then the row that comes last.
_INCOMING: Final = f"""
CREATE TEMP TABLE incoming AS
SELECT {_COLUMNS}
FROM {_FILES}
WHERE {_KEY} IN (SELECT key FROM contested) AND {_KEY} % $parts = $part
QUALIFY row_number() OVER (
    PARTITION BY handle, tweet_id ORDER BY length(text) DESC, filename DESC, file_row_number DESC
) = 1
"""  # noqa: S608

# An export holds what the corpus gave away, perhaps cleaned: it only brings back what is missing.
_MERGED: Final = f"""
CREATE TEMP TABLE merged AS
WITH pairs AS (
    SELECT
        old,
        new,
        old.tweet_id IS NULL AS is_new,
        {_UNESCAPED.format("old")} AS old_text,
        {_UNESCAPED.format("new")} AS new_text
    FROM incoming AS new
    LEFT JOIN tweets AS old ON new.handle = old.handle AND new.tweet_id = old.tweet_id
    WHERE old.tweet_id IS NULL OR new.source <> 'mynah-export'
),
chosen AS (
    SELECT
        *,
        is_new OR length(new_text) > length(old_text)
            OR (length(new_text) = length(old_text) AND new_text <> old_text) AS take
    FROM pairs
),
rows AS (
    SELECT
        new.tweet_id AS tweet_id,
        new.handle AS handle,
        coalesce(old.created_at, new.created_at) AS created_at,
        CASE WHEN take THEN new.text ELSE old.text END AS text,
        CASE WHEN take THEN new.text_escaped ELSE old.text_escaped END AS text_escaped,
        {_KINDS}[greatest(
            coalesce(list_position({_KINDS}, old.kind), 1), list_position({_KINDS}, new.kind)
        )] AS kind,
        coalesce(old.lang, new.lang) AS lang,
        coalesce(old.reply_to, new.reply_to) AS reply_to,
        coalesce(old.urls, new.urls) AS urls,
        coalesce(new.sensitive, old.sensitive) AS sensitive,
        coalesce(new.favourites, old.favourites) AS favourites,
        coalesce(new.reposts, old.reposts) AS reposts,
        CASE WHEN take THEN new.note_id ELSE old.note_id END AS note_id,
        {_AUDIENCES}[greatest(
            coalesce(list_position({_AUDIENCES}, old.audience), 1),
            list_position({_AUDIENCES}, new.audience)
        )] AS audience,
        CASE WHEN take THEN new.source ELSE old.source END AS source,
        CASE WHEN take THEN new.source_file ELSE old.source_file END AS source_file,
        coalesce(old.reply_to_id, new.reply_to_id) AS reply_to_id,
        coalesce(old.quoted_id, new.quoted_id) AS quoted_id,
        coalesce(old.conversation_id, new.conversation_id) AS conversation_id,
        coalesce(new.alt_text, old.alt_text) AS alt_text,
        coalesce(old.first_imported_at, $at::TIMESTAMPTZ) AS first_imported_at,
        $at::TIMESTAMPTZ AS last_imported_at,
        CASE
            WHEN list_contains(old.sources, new.source) THEN old.sources
            ELSE list_append(coalesce(old.sources, []), new.source)
        END AS sources,
        is_new,
        old
    FROM chosen
)
SELECT
    * EXCLUDE (is_new, old),
    CASE
        WHEN is_new THEN 'new'
        WHEN (text, created_at, kind, lang, reply_to, urls, sensitive, favourites, reposts, note_id,
              audience, reply_to_id, quoted_id, conversation_id, alt_text)
            IS DISTINCT FROM
             (old.text, old.created_at, old.kind, old.lang, old.reply_to, old.urls, old.sensitive,
              old.favourites, old.reposts, old.note_id, old.audience, old.reply_to_id,
              old.quoted_id, old.conversation_id, old.alt_text) THEN 'updated'
        WHEN sources IS DISTINCT FROM old.sources THEN 'seen_elsewhere'
        ELSE 'known'
    END AS change
FROM rows
"""  # noqa: S608

_WRITE: Final = (
    """
    DELETE FROM tweets USING merged
    WHERE tweets.handle = merged.handle AND tweets.tweet_id = merged.tweet_id
        AND merged.change IN ('updated', 'seen_elsewhere')
    """,
    "INSERT INTO tweets BY NAME SELECT * EXCLUDE (change) FROM merged WHERE change <> 'known'",
    # outdated, should nobody come to judge them again
    """
    UPDATE verdicts SET recipe_hash = '' FROM merged
    WHERE verdicts.handle = merged.handle AND verdicts.tweet_id = merged.tweet_id
        AND merged.change = 'updated'
    """,
)


def merge(
    connection: duckdb.DuckDBPyConnection, source: Source, staged: list[str]
) -> dict[str, Merged]:
    """Merge Parquet files of canonical rows into ``tweets``; returns the counts of each handle.

    The files may be changed: what their tweets are called here is written into them. Also brings
    ``accounts`` up to date and adds to ``imports``. The caller owns the transaction.
    """
    at = datetime.now(timezone.utc)
    counts: dict[str, Merged] = defaultdict(Merged)
    if staged:
        for setting in _BOUNDS:
            connection.execute(setting)
        rename_known(connection, staged)
        connection.execute(_CONTESTED, {"files": staged})
        (contested,) = connection.execute("SELECT count(*) FROM contested").fetchall()[0]
        before = _handles(connection, _ROWS, {"files": staged})
        for handle, rows in before.items():
            counts[handle].new = rows
        added = _NEW + (_UNCONTESTED if contested else "")
        if contested:
            some = f"{_ROWS} WHERE {_KEY} IN (SELECT key FROM contested)"  # noqa: S608 - our own names
            for handle, rows in _handles(connection, some, {"files": staged}).items():
                counts[handle].new -= rows
        parts = -(-contested // _PART)
        for part in range(parts):
            _merge_part(connection, staged, at, parts, part, counts)
        # last, or the rows would be contested by themselves
        connection.execute(added, {"files": staged, "at": at}).fetchall()
        connection.execute("DROP TABLE contested")
    merged = dict(sorted(counts.items()))
    _update_accounts(connection, source, list(merged), at)
    log_import(connection, source.summary, merged, at)
    return merged


def _merge_part(
    connection: duckdb.DuckDBPyConnection,
    staged: list[str],
    at: datetime,
    parts: int,
    part: int,
    counts: dict[str, Merged],
) -> None:
    """The careful way, for one share of the contested numbers."""
    connection.execute(_INCOMING, {"files": staged, "parts": parts, "part": part})
    connection.execute(_MERGED, {"at": at})
    rows = connection.execute(
        "SELECT handle, count(*) FILTER (change = 'new'), count(*) FILTER (change = 'updated') "
        "FROM merged GROUP BY handle"
    ).fetchall()
    for handle, new, updated in rows:
        counts[handle].new += new
        counts[handle].updated += updated
    for statement in _WRITE:
        connection.execute(statement).fetchall()
    connection.execute("DROP TABLE merged; DROP TABLE incoming")


def _handles(
    connection: duckdb.DuckDBPyConnection, rows: str, values: dict[str, Any]
) -> dict[str, int]:
    found = connection.execute(
        f"SELECT handle, count(*) FROM {rows} GROUP BY handle",  # noqa: S608
        values,
    )
    return dict(found.fetchall())


def _update_accounts(
    connection: duckdb.DuckDBPyConnection, source: Source, handles: list[str], at: datetime
) -> None:
    """What this source says about an account replaces what was known; silence changes nothing."""
    connection.execute(
        "INSERT INTO accounts (handle, updated_at) SELECT handle, $at FROM "
        "(SELECT unnest($handles::VARCHAR[]) AS handle) "
        "WHERE handle NOT IN (SELECT handle FROM accounts)",
        {"handles": handles, "at": at},
    ).fetchall()
    there = set(handles)
    for account in source.accounts:
        says = (account.name, account.account_id, account.bio, account.created)
        if account.handle in there and any(value is not None for value in says):
            connection.execute(
                "UPDATE accounts SET name = coalesce(?, name), "
                "account_id = coalesce(?, account_id), bio = coalesce(?, bio), "
                "created_at = coalesce(?, created_at), updated_at = ? WHERE handle = ?",
                [*says, at, account.handle],
            ).fetchall()
