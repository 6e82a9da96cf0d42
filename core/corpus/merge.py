"""Staged rows into the corpus, in SQL: what is new, what says more, what is already known.

For an id that a handle already has, the longer text wins (entities count as the one character they
stand for) and the newer import where both are equally long. What does not change after a tweet was
published (date, language, whom it answers, links) stays as first known; counts and flags follow the
newer import; the kind only ever becomes more specific; deleted and circle stick.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from core.tweet import tweet_schema

if TYPE_CHECKING:
    import duckdb

    from core.sources import Source

_COLUMNS: Final = ", ".join(tweet_schema())
_PLAIN: Final = (
    "CASE WHEN {0}.text_escaped THEN replace(replace(replace({0}.text, '&lt;', '<'), '&gt;', '>'), "
    "'&amp;', '&') ELSE {0}.text END"
)
_KINDS: Final = "['original', 'quote', 'reply', 'retweet', 'manual_retweet']"
_AUDIENCES: Final = "['public', 'circle', 'deleted']"

# Within one file: the longest text, then the row that comes last.
_INCOMING: Final = f"""
CREATE TEMP TABLE incoming AS
SELECT {_COLUMNS}
FROM (SELECT *, row_number() OVER () AS place FROM read_parquet($files))
QUALIFY row_number() OVER (
    PARTITION BY handle, tweet_id ORDER BY length(text) DESC, place DESC
) = 1
"""  # noqa: S608

_MERGED: Final = f"""
CREATE TEMP TABLE merged AS
WITH pairs AS (
    SELECT
        old,
        new,
        old.tweet_id IS NULL AS is_new,
        {_PLAIN.format("old")} AS old_plain,
        {_PLAIN.format("new")} AS new_plain
    FROM incoming AS new
    LEFT JOIN tweets AS old ON new.handle = old.handle AND new.tweet_id = old.tweet_id
),
chosen AS (
    SELECT
        *,
        is_new OR length(new_plain) > length(old_plain)
            OR (length(new_plain) = length(old_plain) AND new_plain <> old_plain) AS take
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
              audience)
            IS DISTINCT FROM
             (old.text, old.created_at, old.kind, old.lang, old.reply_to, old.urls, old.sensitive,
              old.favourites, old.reposts, old.note_id, old.audience) THEN 'updated'
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
)


@dataclass
class Merged:
    new: int = 0
    updated: int = 0


def merge(
    connection: duckdb.DuckDBPyConnection, source: Source, staged: list[str]
) -> dict[str, Merged]:
    """Merge Parquet files of canonical rows into ``tweets``; returns the counts of each handle.

    Also brings ``accounts`` up to date and adds to ``imports``. The caller owns the transaction.
    """
    at = datetime.now(timezone.utc)
    connection.execute(_INCOMING, {"files": staged})
    connection.execute(_MERGED, {"at": at})
    counts: dict[str, Merged] = {}
    rows = connection.execute(
        "SELECT handle, count(*) FILTER (change = 'new'), count(*) FILTER (change = 'updated') "
        "FROM merged GROUP BY handle ORDER BY handle"
    ).fetchall()
    for handle, new, updated in rows:
        counts[handle] = Merged(new, updated)
    for statement in _WRITE:
        connection.execute(statement).fetchall()
    connection.execute("DROP TABLE merged; DROP TABLE incoming")
    _note_accounts(connection, source, list(counts), at)
    _note_import(connection, source, counts, at)
    return counts


def _note_accounts(
    connection: duckdb.DuckDBPyConnection, source: Source, handles: list[str], at: datetime
) -> None:
    """What this source says about an account replaces what was known; silence changes nothing."""
    told = {account.handle: account for account in source.accounts}
    for handle in handles:
        account = told.get(handle)
        says = (
            (account.name, account.account_id, account.bio, account.created)
            if account
            else (None, None, None, None)
        )
        known = connection.execute(
            "SELECT name, account_id, bio, epoch_us(created_at) FROM accounts WHERE handle = ?",
            [handle],
        ).fetchall()
        if not known:
            connection.execute(
                "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)", [handle, *says, at]
            )
        elif any(value is not None for value in says):
            connection.execute(
                "UPDATE accounts SET name = coalesce(?, name), "
                "account_id = coalesce(?, account_id), bio = coalesce(?, bio), "
                "created_at = coalesce(?, created_at), updated_at = ? WHERE handle = ?",
                [*says, at, handle],
            ).fetchall()


def _note_import(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    counts: dict[str, Merged],
    at: datetime,
) -> None:
    summary = source.summary
    for handle, count in sorted(summary.per_handle.items()):
        done = counts.get(handle, Merged())
        skipped = dict(sorted(count.skipped.items()))
        connection.execute(
            "INSERT INTO imports VALUES (?, ?, ?, ?, ?, ?, ?, ?, "
            "map(?::VARCHAR[], ?::BIGINT[]), ?)",
            [
                at,
                handle,
                summary.path.name,
                summary.format,
                count.read,
                done.new,
                done.updated,
                count.read - sum(skipped.values()) - done.new - done.updated,
                list(skipped),
                list(skipped.values()),
                count.notes_joined,
            ],
        )
