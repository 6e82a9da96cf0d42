"""How the programs that save nested tweets write them: the one mapping of each to columns.

What counts in a tweet is named field by field, everything else is passed over. Names and types are
the programs' own: twarc (API v1.1 and v2), twscrape and snscrape, X's and Twitter's archives.
msgspec reads what has the types that it should have; ``fitted`` makes the same object of any other
JSON, without the values that are something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import polars as pl
from msgspec import UNSET, MsgspecError, Raw, Struct, UnsetType, convert
from msgspec.json import Encoder

from core.sources.decoding import whole

# The roles of columns.GUESSES that these columns fill, and the links.
_SCHEMA: Final = {
    "tweet_id": pl.String(), "text": pl.String(), "created": pl.String(), "author": pl.String(),
    "lang": pl.String(), "reply_name": pl.String(), "sensitive": pl.Boolean(),
    "favourites": pl.Int64(), "reposts": pl.Int64(), "urls": pl.String(),
    "reply_to_id": pl.String(), "quoted_id": pl.String(), "conversation_id": pl.String(),
    "alt_text": pl.String(),
}  # fmt: skip
_KINDS: Final = dict.fromkeys(("is_retweet", "is_reply", "is_quote"), pl.Boolean())
_MENTION: Final = re.compile(r"@(\w{1,20})")
_encode: Final = Encoder().encode
_S = TypeVar("_S", bound=Struct)

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


class UserV2(Struct, gc=False):
    id: str | None = None
    username: str | None = None
    protected: bool | None = None


class Note(Struct, gc=False):
    text: str | None = None
    entities: Entities | None = None


class Reference(Struct, gc=False):
    type: str | None = None
    id: str | None = None


class Metrics(Struct, gc=False):
    like_count: int | None = None
    retweet_count: int | UnsetType | None = UNSET
    repost_count: int | None = None


class MediumV2(Struct, gc=False):
    media_key: str | None = None
    alt_text: str | None = None


class Attachments(Struct, gc=False):
    media_keys: list[str] | None = None
    media: list[MediumV2] | None = None


class TweetV2(Struct, gc=False):
    id: str | None = None
    text: str | UnsetType | None = UNSET
    created_at: str | None = None
    lang: str | None = None
    conversation_id: str | None = None
    author_id: str | None = None
    author: UserV2 | None = None
    note_tweet: Note | None = None
    note_post: Note | None = None
    referenced_tweets: list[Reference] | UnsetType | None = UNSET
    referenced_posts: list[Reference] | None = None
    in_reply_to_user_id: str | None = None
    in_reply_to_user: UserV2 | None = None
    public_metrics: Metrics | None = None
    entities: Entities | None = None
    attachments: Attachments | None = None
    possibly_sensitive: bool | None = None


class Includes(Struct, gc=False):
    users: list[UserV2] | None = None
    media: list[MediumV2] | None = None


class LineV2(TweetV2, gc=False):
    """A tweet, or a page of tweets with the people they name."""

    data: list[TweetV2 | None] | TweetV2 | None = None
    includes: Includes | None = None


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


# What the tweets of some lines are, and the line of each; and what gives none, with the reason.
Taken = tuple[list[Any], list[int], list[tuple[int, str]]]


@dataclass(frozen=True)
class Format:
    """One program's objects.

    ``tweets`` gives those of some objects at some lines. ``flagged`` is whether a reply may begin
    with ``RT @``.
    """

    object: type[Struct]
    tweets: Callable[[Sequence[Any], Sequence[int]], Taken]
    columns: Callable[[Sequence[Any]], Columns]
    flagged: bool = False

    def frame(self, tweets: Sequence[Any]) -> pl.DataFrame:
        """A frame of ``columns.GUESSES`` roles with ``kind`` and what else _SCHEMA names."""
        columns = self.columns(tweets)
        rows = pl.DataFrame(
            [_series(name, columns.get(name), kind, len(tweets)) for name, kind in _ALL.items()]
        )
        return _with_kinds(rows, flagged=self.flagged)


_ALL: Final = {**_SCHEMA, **_KINDS}


def _series(name: str, values: list[Any] | None, kind: pl.DataType, rows: int) -> pl.Series:
    if values is None:
        return pl.repeat(None, rows, dtype=kind, eager=True).alias(name)
    try:  # a count beyond 64 bits is none
        return pl.Series(name, values, dtype=kind, strict=kind != pl.Int64())
    except (TypeError, pl.exceptions.PolarsError):  # counts that are written as text
        written = [None if value is None else str(value) for value in values]
        return pl.Series(name, written, dtype=pl.String())


def _one_each(items: Sequence[Any], lines: Sequence[int]) -> Taken:
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
    answered = [x.in_reply_to_status_id_str or x.in_reply_to_status_id or None for x in tweets]
    names = [x.in_reply_to_screen_name or None for x in tweets]
    replies = [
        name is not None or answer is not None
        or bool(x.in_reply_to_user_id_str) or bool(x.in_reply_to_user_id)
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
        "reply_to_id": [_id(answer) for answer in answered],
        "quoted_id": [
            _id(x.quoted_status_id_str)
            or (_id(quoted.id_str or quoted.id) if (quoted := x.quoted_status) else None)
            for x in tweets
        ],
        "alt_text": [
            alt_text(m.ext_alt_text for m in some.media)
            if (some := x.extended_entities) is not None and some.media
            else None
            for x in tweets
        ],
    }


def _tweets_v2(items: Sequence[LineV2 | None], lines: Sequence[int]) -> Taken:
    """The tweets of lines, their people and media put in."""
    if not any(x is None or x.data is not None or x.text is UNSET for x in items):
        found: list[Any] = list(items)
        if not any((a := x.author) is not None and a.protected is True for x in found):
            return found, list(lines), []
    tweets: list[TweetV2] = []
    places: list[int] = []
    lost: list[tuple[int, str]] = []
    for item, line in zip(items, lines, strict=True):
        for tweet in [None] if item is None else _page_v2(item):
            if tweet is None:
                lost.append((line, "not_a_tweet"))
            elif tweet.author is not None and tweet.author.protected is True:
                lost.append((line, "protected"))
            else:
                tweets.append(tweet)
                places.append(line)
    return tweets, places, lost


def _page_v2(item: LineV2) -> Sequence[TweetV2 | None]:
    data = item.data
    if data is None:
        return [] if item.text is UNSET else [item]
    tweets = data if isinstance(data, list) else [data]
    shared = item.includes
    if shared is None:
        return tweets
    users = {user.id: user for user in shared.users or () if user.id is not None}
    media = {one.media_key: one for one in shared.media or () if one.media_key is not None}
    for tweet in tweets:
        if tweet is None:
            continue
        # an object without a name may leave it to the list of people
        if tweet.author is None or not tweet.author.username:
            tweet.author = users.get(str(tweet.author_id)) or tweet.author
        if tweet.in_reply_to_user is None or not tweet.in_reply_to_user.username:
            answered = users.get(str(tweet.in_reply_to_user_id))
            tweet.in_reply_to_user = answered or tweet.in_reply_to_user
        if media and (some := tweet.attachments) is not None and not some.media:
            some.media = [media[key] for key in some.media_keys or () if key in media]
    return tweets


def _columns_v2(tweets: Sequence[TweetV2]) -> Columns:
    notes = [
        note if (note := x.note_tweet) is not None and note.text else x.note_post for x in tweets
    ]
    texts = [
        (note.text if note is not None else None) or x.text or ""
        for x, note in zip(tweets, notes, strict=True)
    ]
    referenced = [
        x.referenced_posts if x.referenced_tweets is UNSET else x.referenced_tweets for x in tweets
    ]
    types = [{one.type: one.id for one in some} if some else _NONE for some in referenced]
    counts = [x.public_metrics for x in tweets]
    return {
        "tweet_id": [x.id or None for x in tweets],
        "text": texts,
        "created": [x.created_at or None for x in tweets],
        "author": [a.username or None if (a := x.author) is not None else None for x in tweets],
        "is_retweet": ["retweeted" in some for some in types],
        "is_reply": ["replied_to" in some for some in types],
        "is_quote": ["quoted" in some for some in types],
        "lang": [x.lang or None for x in tweets],
        "reply_name": [
            a.username or None if (a := x.in_reply_to_user) is not None else None for x in tweets
        ],
        "sensitive": [x.possibly_sensitive for x in tweets],
        "favourites": [c.like_count if c is not None else None for c in counts],
        "reposts": [
            None if c is None else c.repost_count if c.retweet_count is UNSET else c.retweet_count
            for c in counts
        ],
        "urls": [
            (urls_of(note.entities) if note is not None else None)
            or (urls_of(some) if (some := x.entities) is not None and some.urls else None)
            for x, note in zip(tweets, notes, strict=True)
        ],
        "reply_to_id": [some.get("replied_to") or None for some in types],
        "quoted_id": [some.get("quoted") or None for some in types],
        "conversation_id": [x.conversation_id or None for x in tweets],
        "alt_text": [
            alt_text(m.alt_text for m in some.media)
            if (some := x.attachments) is not None and some.media
            else None
            for x in tweets
        ],
    }


_NONE: Final[dict[str | None, str | None]] = {}


def _columns_scraped(tweets: Sequence[Scraped]) -> Columns:
    answered = [_id(x.inReplyToTweetIdStr) or _id(x.inReplyToTweetId) for x in tweets]
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
        "reply_to_id": answered,
        "quoted_id": [
            _id(quoted.id_str or quoted.id) if (quoted := x.quotedTweet) is not None else None
            for x in tweets
        ],
        "conversation_id": [_id(x.conversationIdStr) or _id(x.conversationId) for x in tweets],
    }


V1: Final = Format(TweetV1, _one_each, columns_v1)
V2: Final = Format(LineV2, _tweets_v2, _columns_v2, flagged=True)
SCRAPED: Final = Format(Scraped, _one_each, _columns_scraped)


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
        return str(value) if value else None
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
