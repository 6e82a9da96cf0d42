"""One object of a JSON export to rows of text by role, format by format.

A row maps the roles of ``columns.GUESSES`` (and ``urls``) to text; a plain string instead of a row
is the reason why an object gives none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from core.sources.columns import GUESSES, plain_name
from core.sources.decoding import whole
from core.sources.x_tweet import links_of, reply_target, text_of

Row = dict[str, str]
Rows = Callable[[Any], Iterator["Row | str"]]

_NAMES: Final = ("screenname", "username", "handle", "name")
_REPOSTED: Final = ("retweetedstatus", "retweetedtweet")
_MOST_KEYS: Final = 100  # of an object whose plan is kept
_NO_KEY: Final = "\ud800"  # in no object
_MENTION: Final = re.compile(r"@(\w{1,20})")


def generic_rows(mapping: Mapping[str, str]) -> Rows:
    """Objects of any program: known names, or the ones that ``mapping`` gives (role → key)."""

    def rows(item: Any) -> Iterator[Row | str]:
        if not isinstance(item, dict):
            yield "not_a_tweet"
            return
        row = flat(item)
        for role, key in mapping.items():
            value: Any = item
            for part in [key] if key in item else key.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            text = _text(value, role)
            row.pop(role, None)
            if text is not None:
                row[role] = text
        yield row

    return rows


def flat(item: dict[str, Any]) -> Row:
    """The values that GUESSES names, as text; the author may be one level down."""
    inner = item.get("tweet")
    if isinstance(inner, dict):
        item = inner
    keys = tuple(item)
    plan = _plan(keys) if len(keys) <= _MOST_KEYS else _plan_of(keys)
    longer = item[plan.longer].get("full_text") if isinstance(item.get(plan.longer), dict) else None
    row: Row = {}
    for role, options in plan.roles:
        for key in options:
            if key == plan.full_text and isinstance(longer, str):
                value: Any = longer
            else:
                value = item.get(key)
            if isinstance(value, dict) and role == "author":
                names = {plain_name(key): inside for key, inside in value.items()}
                value = next((names[name] for name in _NAMES if names.get(name)), None)
            text = _text(value, role)
            if text is not None and (text or role == "text"):
                row[role] = text
                break
    if plan.reposted:
        if any(isinstance(item[key], dict) for key in plan.reposted):
            row["retweet"] = "true"
        else:
            row.setdefault("retweet", "false")
    return row


@dataclass(frozen=True)
class _Plan:
    """Which keys of an object say what; the object in ``longer`` may hold a better full text."""

    roles: tuple[tuple[str, tuple[str, ...]], ...]
    full_text: str
    longer: str
    reposted: tuple[str, ...]


def _plan_of(keys: tuple[str, ...]) -> _Plan:
    known: dict[str, str] = {}
    for key in keys:
        known.setdefault(plain_name(key), key)
    longer = known.get("extendedtweet", "")
    if longer:
        known.setdefault("fulltext", _NO_KEY)
    found = {
        role: tuple(known[option] for option in options if option in known)
        for role, options in GUESSES.items()
    }
    return _Plan(
        tuple((role, names) for role, names in found.items() if names),
        known.get("fulltext", _NO_KEY),
        longer,
        tuple(known[name] for name in _REPOSTED if name in known),
    )


# one program writes few kinds of objects
_plan: Final = lru_cache(maxsize=256)(_plan_of)


def _text(value: Any, role: str) -> str | None:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and role == "tweet_id":
        return f"{value:e}"  # seen as rounded later on
    return text_of(value)


def v1_rows(item: Any) -> Iterator[Row | str]:
    """A tweet of the API v1.1, as twarc saves it."""
    if not isinstance(item, dict):
        yield "not_a_tweet"
        return
    user = _object(item, "user")
    if user.get("protected") is True:
        yield "protected"
        return
    longer = _object(item, "extended_tweet")
    text = text_of(longer.get("full_text")) or text_of(item.get("full_text"))
    text = text or text_of(item.get("text")) or ""
    links = links_of(longer) or links_of(item)
    reply, reply_to = reply_target(item, text)
    if isinstance(item.get("retweeted_status"), dict):
        kind = "retweet"
    elif text.startswith("RT @"):
        kind = "manual_retweet"
    elif reply:
        kind = "reply"
    elif item.get("is_quote_status") is True or isinstance(item.get("quoted_status"), dict):
        kind = "quote"
    else:
        kind = "original"
    yield _row(
        tweet_id=item.get("id_str") or item.get("id"), text=text, created=item.get("created_at"),
        author=user.get("screen_name"), kind=kind, lang=item.get("lang"), reply_name=reply_to,
        sensitive=item.get("possibly_sensitive"), favourites=item.get("favorite_count"),
        reposts=item.get("retweet_count"), urls=_links(links),
    )  # fmt: skip


def v2_rows(item: Any) -> Iterator[Row | str]:
    """A page of the API v2 as twarc2 saves it, or one of its tweets with the author put in."""
    if not isinstance(item, dict):
        yield "not_a_tweet"
        return
    data = item.get("data")
    if data is None and "text" in item:
        yield _v2_row(item, {})
        return
    includes = _object(item, "includes")
    people = includes.get("users")
    users = {
        user["id"]: user
        for user in (people if isinstance(people, list) else ())
        if isinstance(user, dict) and isinstance(user.get("id"), str)
    }
    for tweet in data if isinstance(data, list) else [data] if data is not None else []:
        yield _v2_row(tweet, users) if isinstance(tweet, dict) else "not_a_tweet"


def _v2_row(tweet: dict[str, Any], users: dict[str, Any]) -> Row | str:
    author = _object(tweet, "author") or users.get(str(tweet.get("author_id"))) or {}
    if author.get("protected") is True:
        return "protected"
    note = _object(tweet, "note_tweet") or _object(tweet, "note_post")
    text = text_of(note.get("text")) or text_of(tweet.get("text")) or ""
    referenced = tweet.get("referenced_tweets", tweet.get("referenced_posts"))
    types = {
        one.get("type")
        for one in (referenced if isinstance(referenced, list) else ())
        if isinstance(one, dict) and isinstance(one.get("type"), str)
    }
    kinds = {"retweeted": "retweet", "replied_to": "reply", "quoted": "quote"}
    kind = next((kind for name, kind in kinds.items() if name in types), "original")
    if kind not in ("retweet", "reply") and text.startswith("RT @"):
        kind = "manual_retweet"
    answered = str(tweet.get("in_reply_to_user_id"))
    answered_user = _object(tweet, "in_reply_to_user") or users.get(answered) or {}
    counts = _object(tweet, "public_metrics")
    links = links_of({"entities": note.get("entities")}) if note else []
    return _row(
        tweet_id=tweet.get("id"), text=text, created=tweet.get("created_at"), kind=kind,
        author=author.get("username"), lang=tweet.get("lang"),
        reply_name=answered_user.get("username"), sensitive=tweet.get("possibly_sensitive"),
        favourites=counts.get("like_count"),
        reposts=counts.get("retweet_count", counts.get("repost_count")),
        urls=_links(links or links_of(tweet)),
    )  # fmt: skip


def scraped_rows(item: Any) -> Iterator[Row | str]:
    """A tweet as snscrape or twscrape saves it. twscrape writes retweets as ``RT @…``."""
    if not isinstance(item, dict):
        yield "not_a_tweet"
        return
    user = _object(item, "user")
    if user.get("protected") is True:
        yield "protected"
        return
    text = text_of(item.get("rawContent")) or text_of(item.get("content")) or ""
    if isinstance(item.get("retweetedTweet"), dict):
        kind = "retweet"
    elif text.startswith("RT @"):
        kind = "manual_retweet"
    elif item.get("inReplyToTweetId") or item.get("inReplyToTweetIdStr"):
        kind = "reply"
    else:
        kind = "quote" if isinstance(item.get("quotedTweet"), dict) else "original"
    listed = item.get("links")
    links = [
        {"url": short, "expanded_url": full}
        for link in (listed if isinstance(listed, list) else ())
        if isinstance(link, dict)
        and (short := text_of(link.get("tcourl")))
        and (full := text_of(link.get("url")))
    ]
    yield _row(
        tweet_id=item.get("id_str") or item.get("id"), text=text, created=item.get("date"),
        author=user.get("username"), kind=kind, lang=item.get("lang"),
        reply_name=_object(item, "inReplyToUser").get("username"),
        sensitive=item.get("possibly_sensitive"), favourites=item.get("likeCount"),
        reposts=item.get("retweetCount"), urls=_links(links),
    )  # fmt: skip


def bluesky_rows(item: Any) -> Iterator[Row | str]:
    """A post record: bare, as listRecords gives it, or in the view of a feed."""
    if not isinstance(item, dict):
        yield "not_a_tweet"
        return
    post = _object(item, "post") or item
    if item.get("reason"):
        yield "repost"
        return
    record = _object(post, "value") or _object(post, "record") or post
    uri = text_of(post.get("uri")) or ""
    collection, _, key = uri.rpartition("/")
    if record.get("$type") != "app.bsky.feed.post" or (
        uri and not collection.endswith("app.bsky.feed.post")
    ):
        yield "repost" if str(record.get("$type")).endswith(".repost") else "not_a_post"
        return
    author = _object(post, "author").get("handle")
    yield bluesky_row(record, key or text_of(post.get("rkey")), text_of(author), post)


def bluesky_row(
    record: Mapping[str, Any], key: str | None, author: str | None, counts: Mapping[str, Any]
) -> Row:
    """``app.bsky.feed.post`` (atproto lexicon); facets count bytes of UTF-8."""
    text = text_of(record.get("text")) or ""
    data = text.encode()
    links = []
    for facet in record["facets"] if isinstance(record.get("facets"), list) else ():
        span = _object(facet, "index")
        start, end = span.get("byteStart"), span.get("byteEnd")
        features = facet.get("features") if isinstance(facet, dict) else None
        for feature in features if isinstance(features, list) else ():
            uri = text_of(feature.get("uri")) if isinstance(feature, dict) else None
            if uri and type(start) is int and type(end) is int and 0 <= start < end <= len(data):
                links.append({"url": data[start:end].decode("utf-8", "replace"),
                              "expanded_url": uri})  # fmt: skip
    embed = str(_object(record, "embed").get("$type"))
    kind = "original"
    if isinstance(record.get("reply"), dict):
        kind = "reply"
    elif embed.startswith("app.bsky.embed.record"):
        kind = "quote"
    langs = record.get("langs")
    labels = _object(record, "labels").get("values")
    return _row(
        tweet_id=key, text=text, created=record.get("createdAt"), author=author, kind=kind,
        lang=langs[0] if isinstance(langs, list) and langs else None,
        sensitive=True if isinstance(labels, list) and labels else None,
        favourites=counts.get("likeCount"), reposts=counts.get("repostCount"), urls=_links(links),
    )  # fmt: skip


def _row(**values: Any) -> Row:
    """Values as text where they are any; a missing text stays an empty one."""
    row: Row = {"text": values.pop("text") or ""}
    for role, value in values.items():
        text = _text(value, role)
        if text:
            row[role] = text
    return row


def _links(links: list[dict[str, str]]) -> str | None:
    return json.dumps(links, ensure_ascii=False, separators=(",", ":")) if links else None


def _object(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def shown_keys(item: dict[str, Any]) -> str:
    """The first keys of an object, for a sentence about it."""
    return whole(", ".join(key[:40] for key in list(item)[:8]))
