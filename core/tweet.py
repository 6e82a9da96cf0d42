"""The canonical tweet: one row, whatever door it came through.

A source yields Polars frames with exactly these columns; the corpus table has them in this order.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

KINDS: Final = ("original", "reply", "quote", "retweet", "manual_retweet")
AUDIENCES: Final = ("public", "community", "circle", "deleted")

# Text columns that many sources, and files written before version 4 of the corpus, do not have.
OPTIONAL: Final = ("reply_to_id", "quoted_id", "conversation_id", "alt_text")

# X escapes exactly & < >, and so do its exports. With &amp; last, three passes are the same as one:
# no pass can make what a later one looks for.
ENTITIES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))

SNOWFLAKE_EPOCH_MS: Final = 1288834974657
# Ids before were given in sequence, and hold no time (source: TweetedAt, Old Dominion University).
FIRST_SNOWFLAKE: Final = 29_700_859_247

# A number of 63 bits, which has nineteen digits at most; Python reads no number of 4,300.
_NUMBER: Final = re.compile(r"0*[0-9]{1,19}")

# The one order of tweets: by handle, time (undated last) and id. Ids are numbers as text, so of two
# the shorter is the smaller; DuckDB compares text byte by byte, as Polars does.
SQL_ORDER: Final = "handle, created_at NULLS LAST, strlen(tweet_id), tweet_id"


MADE_ID: Final = "^h[0-9a-f]{16}$"
# The same in SQL, after what is quick and passes over whole blocks of other ids.
SQL_MAY_BE_MADE: Final = "(tweet_id >= 'h0' AND tweet_id < 'hg' AND strlen(tweet_id) = 17)"
SQL_IS_MADE: Final = f"({SQL_MAY_BE_MADE} AND regexp_matches(tweet_id, '{MADE_ID}'))"

# Beside the canonical columns, where tweets are curated: whether the person leaves this one out.
EXCLUDED_COLUMN: Final = "_excluded"


def tweet_schema() -> dict[str, pl.DataType]:
    """Column names and Polars types of a canonical tweet.

    tweet_id      text, never a number (2^63 does not fit a float)
    handle        lower case, no @
    created_at    UTC; null when the source gives none and the id does not tell
    text          exactly what the source gave
    text_escaped  whether that source writes & < > as HTML entities
    kind          one of KINDS
    lang          BCP 47 code, or null
    reply_to      handle answered, or null
    urls          JSON list of {"url", "expanded_url"}, or null
    sensitive     flagged by its author or the platform, or null
    favourites, reposts   counts at the time of the export, or null
    note_id       id of the long post that ``text`` was completed from, or null
    audience      one of AUDIENCES
    source        format name, such as "x-archive" or "csv"
    source_file   name of the file it came from (no folders: they may name a person)
    reply_to_id      id of the tweet answered, or null
    quoted_id        id of the tweet quoted, or null
    conversation_id  id of the tweet that began the conversation, where the source says so, or null
    alt_text         descriptions of the tweet's media, one a line, or null
    """
    import polars as pl

    return {
        "tweet_id": pl.String(),
        "handle": pl.String(),
        "created_at": pl.Datetime("us", "UTC"),
        "text": pl.String(),
        "text_escaped": pl.Boolean(),
        "kind": pl.String(),
        "lang": pl.String(),
        "reply_to": pl.String(),
        "urls": pl.String(),
        "sensitive": pl.Boolean(),
        "favourites": pl.Int64(),
        "reposts": pl.Int64(),
        "note_id": pl.String(),
        "audience": pl.String(),
        "source": pl.String(),
        "source_file": pl.String(),
        "reply_to_id": pl.String(),
        "quoted_id": pl.String(),
        "conversation_id": pl.String(),
        "alt_text": pl.String(),
    }


def canonical(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with exactly the canonical columns and types; OPTIONAL ones they lack are null."""
    import polars as pl

    schema = tweet_schema()
    absent = [pl.lit(None).alias(name) for name in OPTIONAL if name not in rows.columns]
    return rows.with_columns(absent).select(list(schema)).cast(schema)  # type: ignore[arg-type]


def unescaped(text: str) -> str:
    """``text`` with the entities undone that X writes for & < >, once."""
    if "&" in text:
        for entity, character in ENTITIES:
            text = text.replace(entity, character)
    return text


def snowflake_time(tweet_id: str) -> datetime | None:
    """When an id was minted, ``(id >> 22) + 1288834974657`` ms; None for ids before snowflake.

    Source of the formula: X's announcement of Snowflake ids (November 2010).
    """
    if not _NUMBER.fullmatch(tweet_id) or not FIRST_SNOWFLAKE <= int(tweet_id) < 2**63:
        return None
    milliseconds = (int(tweet_id) >> 22) + SNOWFLAKE_EPOCH_MS
    return datetime.fromtimestamp(0, timezone.utc) + timedelta(milliseconds=milliseconds)


def made_id(handle: str, created: str | None, text: str) -> str:
    """The id of a tweet whose source gives none: the same in every import of the same row.

    ``created`` is the date as it is written there. "h" and 16 hex digits of BLAKE2b.
    """
    key = f"{handle}|{created or ''}|{text}".encode()
    return "h" + blake2b(key, digest_size=8).hexdigest()


def id_order() -> list[pl.Expr]:
    """What to sort by for ids, which are numbers as text, to come as numbers."""
    import polars as pl

    return [pl.col("tweet_id").str.len_bytes(), pl.col("tweet_id")]
