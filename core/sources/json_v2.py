"""Tweets of X's API v2, as twarc2 saves them: pages, or one flattened tweet a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from core.sources.json_formats import Columns, Entities, Format, Taken, urls_of
from core.sources.json_objects import alt_text

_NONE: Final[dict[str | None, str | None]] = {}


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


def _tweets_v2(items: Sequence[LineV2 | None], lines: Sequence[int]) -> Taken:
    """The tweets of lines, their people and media put in."""
    if not any(x is None or x.data is not None or x.text is UNSET for x in items):
        found: list[Any] = list(items)
        if not any((a := x.author) is not None and a.protected is True for x in found):
            return found, list(lines), []
    tweets: list[TweetV2] = []
    line_numbers: list[int] = []
    lost: list[tuple[int, str]] = []
    for item, line in zip(items, lines, strict=True):
        for tweet in [None] if item is None else _page_v2(item):
            if tweet is None:
                lost.append((line, "not_a_tweet"))
            elif tweet.author is not None and tweet.author.protected is True:
                lost.append((line, "protected"))
            else:
                tweets.append(tweet)
                line_numbers.append(line)
    return tweets, line_numbers, lost


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
        "reply_id": [some.get("replied_to") or None for some in types],
        "quoted_id": [some.get("quoted") or None for some in types],
        "conversation_id": [x.conversation_id or None for x in tweets],
        "alt_text": [
            alt_text(m.alt_text for m in shown.media)
            if (shown := x.attachments) is not None and shown.media
            else None
            for x in tweets
        ],
    }


V2: Final = Format(LineV2, _tweets_v2, _columns_v2, flagged=True)
