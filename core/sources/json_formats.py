"""How the programs that save nested tweets write them: the one mapping of each to columns.

What counts in a tweet is named field by field, everything else is passed over. Names and types are
the programs' own: twarc (API v1.1 and v2), twscrape and snscrape, X's and Twitter's archives.
msgspec reads what has the types that it should have; ``json_objects.fitted`` makes the same object
of any other JSON, without the values that are something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from msgspec import Struct
from msgspec.json import Encoder

from core.sources.json_objects import alt_text, fitted

# The roles of columns.GUESSES that these columns fill, and the links.
_SCHEMA: Final = {
    "tweet_id": pl.String(), "text": pl.String(), "created": pl.String(), "author": pl.String(),
    "lang": pl.String(), "reply_name": pl.String(), "sensitive": pl.Boolean(),
    "favourites": pl.Int64(), "reposts": pl.Int64(), "urls": pl.String(),
    "reply_id": pl.String(), "quoted_id": pl.String(), "conversation_id": pl.String(),
    "alt_text": pl.String(),
}  # fmt: skip
_KINDS: Final = dict.fromkeys(("is_retweet", "is_reply", "is_quote"), pl.Boolean())
_NO_ID: Final = (None, "")
_MENTION: Final = re.compile(r"@(\w{1,20})")
_encode: Final = Encoder().encode

# Lists by the names of _SCHEMA and _KINDS; what is missing or empty is None.
Columns = dict[str, list[Any]]


class Url(Struct, gc=False):
    url: str | None = None
    expanded_url: str | None = None


class Entities(Struct, gc=False):
    urls: list[Url] | None = None


class Medium(Struct, gc=False):
    ext_alt_text: str | None = None


class Media(Struct, gc=False):
    media: list[Medium] | None = None


class UserV1(Struct, gc=False):
    screen_name: str | None = None
    protected: bool | None = None


class Extended(Struct, gc=False):
    full_text: str | None = None
    entities: Entities | None = None


class Known(Struct, gc=False):
    """A tweet of which only the id counts."""

    id_str: str | None = None
    id: str | int | None = None


class TweetV1(Struct, gc=False):
    """A tweet of the API v1.1; archives write its counts as text, and without a user."""

    id_str: str | None = None
    id: str | int | None = None
    created_at: str | None = None
    full_text: str | None = None
    text: str | None = None
    lang: str | None = None
    user: UserV1 | None = None
    entities: Entities | None = None
    extended_entities: Media | None = None
    extended_tweet: Extended | None = None
    in_reply_to_screen_name: str | None = None
    in_reply_to_status_id_str: str | int | None = None
    in_reply_to_status_id: str | int | None = None
    in_reply_to_user_id_str: str | int | None = None
    in_reply_to_user_id: str | int | None = None
    retweeted_status: Known | None = None
    quoted_status: Known | None = None
    quoted_status_id_str: str | int | None = None
    is_quote_status: bool | None = None
    possibly_sensitive: bool | None = None
    favorite_count: int | str | None = None
    retweet_count: int | str | None = None


class UserScraped(Struct, gc=False):
    username: str | None = None
    protected: bool | None = None


class Link(Struct, gc=False):
    tcourl: str | None = None
    url: str | None = None


class Scraped(Struct, gc=False):
    id_str: str | None = None
    id: str | int | None = None
    date: str | None = None
    rawContent: str | None = None  # noqa: N815 - as the file has it
    content: str | None = None
    lang: str | None = None
    user: UserScraped | None = None
    retweetedTweet: Known | None = None  # noqa: N815
    quotedTweet: Known | None = None  # noqa: N815
    conversationId: str | int | None = None  # noqa: N815
    conversationIdStr: str | int | None = None  # noqa: N815
    inReplyToTweetId: str | int | None = None  # noqa: N815
    inReplyToTweetIdStr: str | int | None = None  # noqa: N815
    inReplyToUser: UserScraped | None = None  # noqa: N815
    links: list[Link] | None = None
    possibly_sensitive: bool | None = None
    likeCount: int | None = None  # noqa: N815
    retweetCount: int | None = None  # noqa: N815


# Tweets of some objects, the line of each, and the lines of what gives none with the reason.
Taken = tuple[list[Any], list[int], list[tuple[int, str]]]


@dataclass(frozen=True)
class Format:
    """One program's objects.

    ``tweets`` gives those of some objects (None where there was no object) at some lines.
    ``flagged`` is whether a reply may begin with ``RT @``.
    """

    object: type[Struct]
    tweets: Callable[[Sequence[Any], Sequence[int]], Taken]
    columns: Callable[[Sequence[Any]], Columns]
    flagged: bool = False


class Gathering:
    """Tweets of many runs of objects on their way to one frame; ``lines`` are those of its rows."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._columns: Columns = {name: [] for name in (*_SCHEMA, *_KINDS)}
        self.lines: list[int] = []

    def take(
        self, items: Sequence[Any], lines: Sequence[int]
    ) -> tuple[list[Any], list[tuple[int, str]]]:
        """Add objects of the format, or plain JSON; the tweets, and what gives none."""
        kind = self._form.object
        objects = [item if type(item) is kind else fitted(item, kind) for item in items]
        tweets, line_numbers, lost = self._form.tweets(objects, lines)
        columns = self._form.columns(tweets)
        for name, values in self._columns.items():
            values += columns[name] if name in columns else [None] * len(tweets)
        self.lines += line_numbers
        return tweets, lost

    def frame(self) -> pl.DataFrame:
        """What was added since the last one, by ``columns.GUESSES`` roles and _SCHEMA's names."""
        columns, self._columns = self._columns, {name: [] for name in self._columns}
        self.lines = []
        rows = pl.DataFrame(
            [_series(name, columns[name], kind) for name, kind in {**_SCHEMA, **_KINDS}.items()]
        )
        return _with_kinds(rows, flagged=self._form.flagged)


def _series(name: str, values: list[Any], kind: pl.DataType) -> pl.Series:
    try:  # a count beyond 64 bits is none
        return pl.Series(name, values, dtype=kind, strict=kind != pl.Int64())
    except (TypeError, pl.exceptions.PolarsError):
        written = [None if value is None else str(value) for value in values]
        return pl.Series(name, written, dtype=pl.String())


def one_each(items: Sequence[Any], lines: Sequence[int]) -> Taken:
    odd = [x is None or ((user := x.user) is not None and user.protected is True) for x in items]
    if True not in odd:
        return list(items), list(lines), []
    pairs = list(zip(items, lines, odd, strict=True))
    return (
        [x for x, _, out in pairs if not out],
        [line for _, line, out in pairs if not out],
        [(line, "not_a_tweet" if x is None else "protected") for x, line, out in pairs if out],
    )


def columns_v1(tweets: Sequence[TweetV1]) -> Columns:
    """Tweets of the API v1.1. Archives may lack the name of whom a tweet answers."""
    texts = [
        (longer.full_text if (longer := x.extended_tweet) is not None else None)
        or x.full_text or x.text or ""
        for x in tweets
    ]  # fmt: skip
    answered = [_id(x.in_reply_to_status_id_str) or _id(x.in_reply_to_status_id) for x in tweets]
    names = [x.in_reply_to_screen_name or None for x in tweets]
    replies = [
        name is not None or answer is not None
        or x.in_reply_to_user_id_str not in _NO_ID or x.in_reply_to_user_id not in _NO_ID
        for x, name, answer in zip(tweets, names, answered, strict=True)
    ]  # fmt: skip
    return {
        "tweet_id": [x.id_str or _id(x.id) for x in tweets],
        "text": texts,
        "created": [x.created_at or None for x in tweets],
        "author": [u.screen_name or None if (u := x.user) is not None else None for x in tweets],
        "is_retweet": [x.retweeted_status is not None for x in tweets],
        "is_reply": replies,
        "is_quote": [x.is_quote_status is True or x.quoted_status is not None for x in tweets],
        "lang": [x.lang or None for x in tweets],
        "reply_name": [
            name.lower() if name else _mention(text) if reply else None
            for name, reply, text in zip(names, replies, texts, strict=True)
        ],
        "sensitive": [x.possibly_sensitive for x in tweets],
        "favourites": [x.favorite_count for x in tweets],
        "reposts": [x.retweet_count for x in tweets],
        "urls": [
            (urls_of(longer.entities) if (longer := x.extended_tweet) is not None else None)
            or (urls_of(some) if (some := x.entities) is not None and some.urls else None)
            for x in tweets
        ],
        "reply_id": answered,
        "quoted_id": [
            _id(x.quoted_status_id_str)
            or (_id(quoted.id_str or quoted.id) if (quoted := x.quoted_status) else None)
            for x in tweets
        ],
        "alt_text": [
            alt_text(m.ext_alt_text for m in shown.media)
            if (shown := x.extended_entities) is not None and shown.media
            else None
            for x in tweets
        ],
    }


def columns_scraped(tweets: Sequence[Scraped]) -> Columns:
    answered = [_id(x.inReplyToTweetIdStr or x.inReplyToTweetId or None) for x in tweets]
    return {
        "tweet_id": [x.id_str or _id(x.id) for x in tweets],
        "text": [x.rawContent or x.content or "" for x in tweets],
        "created": [x.date or None for x in tweets],
        "author": [u.username or None if (u := x.user) is not None else None for x in tweets],
        "is_retweet": [x.retweetedTweet is not None for x in tweets],
        "is_reply": [answer is not None for answer in answered],
        "is_quote": [x.quotedTweet is not None for x in tweets],
        "lang": [x.lang or None for x in tweets],
        "reply_name": [
            u.username or None if (u := x.inReplyToUser) is not None else None for x in tweets
        ],
        "sensitive": [x.possibly_sensitive for x in tweets],
        "favourites": [x.likeCount for x in tweets],
        "reposts": [x.retweetCount for x in tweets],
        "urls": [_links(x.links) if x.links else None for x in tweets],
        "reply_id": answered,
        "quoted_id": [
            _id(quoted.id_str or quoted.id) if (quoted := x.quotedTweet) is not None else None
            for x in tweets
        ],
        "conversation_id": [_id(x.conversationIdStr) or _id(x.conversationId) for x in tweets],
    }


V1: Final = Format(TweetV1, one_each, columns_v1)
SCRAPED: Final = Format(Scraped, one_each, columns_scraped)


def _with_kinds(rows: pl.DataFrame, *, flagged: bool) -> pl.DataFrame:
    """``kind`` in place of _KINDS; ``flagged`` replies may begin with ``RT @``."""
    by_hand = pl.col("text").str.starts_with("RT @")
    kind = (
        pl.when("is_retweet")
        .then(pl.lit("retweet"))
        .when(by_hand & ~pl.col("is_reply") if flagged else by_hand)
        .then(pl.lit("manual_retweet"))
        .when("is_reply")
        .then(pl.lit("reply"))
        .when("is_quote")
        .then(pl.lit("quote"))
        .otherwise(pl.lit("original"))
    )
    return rows.with_columns(kind=kind).drop(_KINDS)


def _mention(text: str) -> str | None:
    found = _MENTION.match(text)
    return found[1].lower() if found else None


def _id(value: str | int | None) -> str | None:
    if isinstance(value, int):
        return str(value)
    return value or None


def urls_of(entities: Entities | None) -> str | None:
    """The links as JSON, without those that do not say where they lead."""
    if entities is None or not entities.urls:
        return None
    links = [link for link in entities.urls if link.url and link.expanded_url]
    return _encode(links).decode() if links else None


def _links(given: list[Link]) -> str | None:
    links = [Url(link.tcourl, link.url) for link in given if link.tcourl and link.url]
    return _encode(links).decode() if links else None
