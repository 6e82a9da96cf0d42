"""What counts in a line of each program's, field by field; everything else is passed over.

Names and types are the programs' own: twarc (API v1.1 and v2), twscrape and snscrape.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class Url(Struct, gc=False):
    url: str | None = None
    expanded_url: str | None = None


class Entities(Struct, gc=False):
    urls: list[Url] | None = None


class Something(Struct, gc=False):
    """An object, whatever is in it."""


class UserV1(Struct, gc=False):
    screen_name: str | None = None
    protected: bool | None = None


class Extended(Struct, gc=False):
    full_text: str | None = None
    entities: Entities | None = None


class TweetV1(Struct, gc=False):
    id_str: str | None = None
    id: str | int | None = None
    created_at: str | None = None
    full_text: str | None = None
    text: str | None = None
    lang: str | None = None
    user: UserV1 | None = None
    entities: Entities | None = None
    extended_tweet: Extended | None = None
    in_reply_to_screen_name: str | None = None
    in_reply_to_status_id_str: str | int | None = None
    in_reply_to_status_id: str | int | None = None
    in_reply_to_user_id_str: str | int | None = None
    in_reply_to_user_id: str | int | None = None
    retweeted_status: Something | None = None
    quoted_status: Something | None = None
    is_quote_status: bool | None = None
    possibly_sensitive: bool | None = None
    favorite_count: int | None = None
    retweet_count: int | None = None


class UserV2(Struct, gc=False):
    id: str | None = None
    username: str | None = None
    protected: bool | None = None


class Note(Struct, gc=False):
    text: str | None = None
    entities: Entities | None = None


class Reference(Struct, gc=False):
    type: str | None = None


class Metrics(Struct, gc=False):
    like_count: int | None = None
    retweet_count: int | UnsetType | None = UNSET
    repost_count: int | None = None


class TweetV2(Struct, gc=False):
    id: str | None = None
    text: str | UnsetType | None = UNSET
    created_at: str | None = None
    lang: str | None = None
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
    possibly_sensitive: bool | None = None


class Includes(Struct, gc=False):
    users: list[UserV2] | None = None


class LineV2(TweetV2, gc=False):
    """A tweet, or a page of tweets with the people they name."""

    data: list[TweetV2] | TweetV2 | None = None
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
    retweetedTweet: Something | None = None  # noqa: N815
    quotedTweet: Something | None = None  # noqa: N815
    inReplyToTweetId: str | int | None = None  # noqa: N815
    inReplyToTweetIdStr: str | int | None = None  # noqa: N815
    inReplyToUser: UserScraped | None = None  # noqa: N815
    links: list[Link] | None = None
    possibly_sensitive: bool | None = None
    likeCount: int | None = None  # noqa: N815
    retweetCount: int | None = None  # noqa: N815
