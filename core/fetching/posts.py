"""Posts and users as the X API gives them, to canonical rows. Both spellings: tweets and posts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from core.sources.json_objects import count_of, text_of
from core.tweet import snowflake_time, tweet_schema

if TYPE_CHECKING:
    import polars as pl

FORMAT: Final = "x-api"
SOURCE_FILE: Final = "X API"

_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_MENTION = re.compile(r"@(\w{1,50})", re.ASCII)
_HANDLE = re.compile(r"\w{1,50}", re.ASCII)  # 15 on X itself
# & that begins none of the three entities X writes, or < and >, which it never leaves as they are
_UNESCAPED = re.compile(r"[<>]|&(?!(?:amp|lt|gt);)")
_REFERENCES: Final = {"retweeted": "retweet", "reposted": "retweet", "replied_to": "reply",
                      "quoted": "quote"}  # fmt: skip


@dataclass(frozen=True)
class XAccount:
    """Who X says an account is. ``posts`` is how many it has, retweets and replies included."""

    account_id: str
    handle: str
    name: str | None = None
    bio: str | None = None
    created: datetime | None = None
    picture_url: str | None = None
    protected: bool = False
    posts: int | None = None


@dataclass(frozen=True)
class Page:
    """One page: canonical rows and the bounds of the ids in them, None without rows.

    ``skipped`` posts could not be read. ``replaced`` are ids that an edited post on this page
    had before. ``next_token`` None: there is nothing older within the bounds that were asked for.
    """

    rows: pl.DataFrame
    newest: int | None
    oldest: int | None
    returned: int
    skipped: int
    replaced: tuple[str, ...]
    next_token: str | None


def account_of(body: dict[str, Any]) -> XAccount | None:
    """The user of an answer's ``data``; None when it is not a user."""
    user = body.get("data")
    if not isinstance(user, dict):
        return None
    account_id, handle = text_of(user.get("id")), text_of(user.get("username"))
    if not account_id or not _ID.fullmatch(account_id):
        return None
    if not handle or not _HANDLE.fullmatch(handle):
        return None
    metrics = user.get("public_metrics")
    metrics = metrics if isinstance(metrics, dict) else {}
    picture = text_of(user.get("profile_image_url"))
    return XAccount(
        account_id=account_id,
        handle=handle.lower(),
        name=text_of(user.get("name")),
        bio=text_of(user.get("description")) or None,
        created=_time(user.get("created_at")),
        picture_url=picture if picture and picture.startswith("https://") else None,
        protected=user.get("protected") is True,
        posts=count_of(metrics.get("tweet_count", metrics.get("post_count"))),
    )


def page_of(
    body: dict[str, Any], account: XAccount, *, since: int | None, until: int | None
) -> Page:
    """A timeline page. Posts outside ``since`` < id < ``until`` were not asked for: left out."""
    import polars as pl

    data = body.get("data")
    posts = data if isinstance(data, list) else []
    rows: dict[str, tuple[object, ...]] = {}
    replaced: list[str] = []
    for post in posts:
        row = row_of(post, account) if isinstance(post, dict) else None
        if row is None or not _between(int(str(row[0])), since, until):
            continue
        rows[str(row[0])] = row
        replaced += _earlier(post, str(row[0]))
    meta = body.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    ids = [int(tweet_id) for tweet_id in rows]
    return Page(
        rows=pl.DataFrame(list(rows.values()), schema=tweet_schema(), orient="row"),
        newest=max(ids, default=None),
        oldest=min(ids, default=None),
        returned=len(posts),
        skipped=len(posts) - len(rows),
        replaced=tuple(tweet_id for tweet_id in replaced if tweet_id not in rows),
        next_token=text_of(meta.get("next_token")) or None,
    )


def row_of(post: dict[str, Any], account: XAccount) -> tuple[object, ...] | None:
    """A canonical row, or None for what has no id or no text.

    A long post's whole text is in ``note_tweet``; the API gives notes no id of their own, so
    ``note_id`` is the post's. Retweets stay as cut off as ``text`` has them: the whole text would
    be one more post to pay for, and curation drops them.
    """
    tweet_id = text_of(post.get("id"))
    text = text_of(post.get("text"))
    if not tweet_id or not _ID.fullmatch(tweet_id) or not text:
        return None
    escaped, note_id = True, None
    note = post.get("note_tweet", post.get("note_post"))
    full_text = text_of(note.get("text")) if isinstance(note, dict) else None
    if full_text:
        text, escaped, note_id = full_text, not _UNESCAPED.search(full_text), tweet_id
    kind = _kind(post)
    metrics = post.get("public_metrics")
    metrics = metrics if isinstance(metrics, dict) else {}
    links = _links(post, note)
    sensitive = post.get("possibly_sensitive")
    return (
        tweet_id,
        account.handle,
        _time(post.get("created_at")) or snowflake_time(tweet_id),
        text,
        escaped,
        kind,
        text_of(post.get("lang")) or None,
        _reply_to(post, text, account) if kind == "reply" else None,
        json.dumps(links, ensure_ascii=False, separators=(",", ":")) if links else None,
        sensitive if isinstance(sensitive, bool) else None,
        count_of(metrics.get("like_count")),
        count_of(metrics.get("retweet_count", metrics.get("repost_count"))),
        note_id,
        "public",
        FORMAT,
        SOURCE_FILE,
        _referenced(post, "reply"),
        _referenced(post, "quote"),
        _id(post.get("conversation_id")),
        None,  # media, and with them their descriptions, are not asked for: they could cost
    )


def _between(tweet_id: int, since: int | None, until: int | None) -> bool:
    return (since is None or tweet_id > since) and (until is None or tweet_id < until)


def _kind(post: dict[str, Any]) -> str:
    """A retweet before anything else; an answer that also quotes is an answer."""
    kinds = {kind for kind, _ in _references(post)}
    for kind in ("retweet", "reply", "quote"):
        if kind in kinds:
            return kind
    return "reply" if text_of(post.get("in_reply_to_user_id")) else "original"


def _references(post: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    """What a post refers to: the kind that makes it, and the id of the other post."""
    listed = post.get("referenced_tweets", post.get("referenced_posts"))
    return [
        (_REFERENCES.get(str(reference.get("type"))), _id(reference.get("id")))
        for reference in (listed if isinstance(listed, list) else ())
        if isinstance(reference, dict)
    ]


def _referenced(post: dict[str, Any], wanted: str) -> str | None:
    return next((other for kind, other in _references(post) if kind == wanted and other), None)


def _id(value: object) -> str | None:
    written = text_of(value)
    return written if written and _ID.fullmatch(written) else None


def _reply_to(post: dict[str, Any], text: str, account: XAccount) -> str | None:
    """The name of whom a post answers, from its own entities: asking for users would cost."""
    whom = text_of(post.get("in_reply_to_user_id"))
    if whom == account.account_id:
        return account.handle
    for mention in _entities(post, "mentions"):
        name = text_of(mention.get("username"))
        if whom and text_of(mention.get("id")) == whom and name and _HANDLE.fullmatch(name):
            return name.lower()
    first = _MENTION.match(text)
    return first[1].lower() if first else None


def _links(post: dict[str, Any], note: object) -> list[dict[str, str]]:
    """Links of the post and of its long text, each short address once; media are links too."""
    found: dict[str, str] = {}
    for holder in (post, note):
        for link in _entities(holder, "urls"):
            url, expanded = text_of(link.get("url")), text_of(link.get("expanded_url"))
            if url and expanded:
                found.setdefault(url, expanded)
    return [{"url": url, "expanded_url": expanded} for url, expanded in found.items()]


def _entities(holder: object, name: str) -> list[dict[str, Any]]:
    entities = holder.get("entities") if isinstance(holder, dict) else None
    items = entities.get(name) if isinstance(entities, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _earlier(post: dict[str, Any], tweet_id: str) -> list[str]:
    """The ids that an edited post had before; each version has one of its own."""
    listed = post.get("edit_history_tweet_ids", post.get("edit_history_post_ids"))
    ids = [text_of(item) for item in listed] if isinstance(listed, list) else []
    return [i for i in ids if i and _ID.fullmatch(i) and int(i) < int(tweet_id)]


def _time(value: object) -> datetime | None:
    """ISO 8601 with Z, which Python 3.10 does not read by itself."""
    written = text_of(value)
    try:
        at = datetime.fromisoformat(written.replace("Z", "+00:00")) if written else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None
