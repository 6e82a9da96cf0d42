"""Posts, users and media as the API writes them.

Field names: the tweet object of X API v2. `text` has & < > as entities, a retweet is cut to 140
characters with …, and a post of more than 280 characters is cut at a word with no mark at all; the
whole of it is in `note_tweet`. Entity positions count characters of the text they come with.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

from tests.fakes.x_api.model import EDIT_WINDOW, MAX_EDITS, Account, Link, Media, Post, World

RETWEET_LENGTH = 140
POST_LENGTH = 280

POST_FIELDS = frozenset(
    """article attachments author_id card_uri community_id context_annotations conversation_id
    created_at display_text_range edit_controls edit_history_tweet_ids entities geo id
    in_reply_to_user_id lang matched_media_notes media_metadata non_public_metrics note_tweet
    note_request_suggestions organic_metrics paid_partnership possibly_sensitive promoted_metrics
    public_metrics referenced_tweets reply_settings rest_id scopes source suggested_source_links
    suggested_source_links_with_counts text username withheld""".split()
)
# The second vocabulary: `post.fields` also takes these names for the same things.
POST_SPELLINGS = {
    "edit_history_post_ids": "edit_history_tweet_ids",
    "referenced_posts": "referenced_tweets",
    "note_post": "note_tweet",
    "article_title": "article",
}
USER_FIELDS = frozenset(
    """affiliation confirmed_email connection_status created_at description entities id
    is_identity_verified location most_recent_tweet_id name parody pinned_tweet_id
    profile_banner_url profile_image_url protected public_metrics receives_your_dm subscribes_to_you
    subscription subscription_type url username verified verified_followers_count verified_type
    withheld""".split()
)
MEDIA_FIELDS = frozenset(
    """alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url
    promoted_metrics public_metrics type url variants width""".split()
)
_DEFAULT_POST = ("id", "text", "edit_history_tweet_ids")

_MENTION = re.compile(r"(?<![\w@])@(\w{1,64})")
_HASHTAG = re.compile(r"(?<![\w&#])#(\w*[^\W\d]\w*)")


def api_time(when: datetime) -> str:
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def is_note(post: Post) -> bool:
    return post.retweet_of is None and len(_without_media(post)) > POST_LENGTH


def _without_media(post: Post) -> str:
    text = post.text
    for link in post.links:
        if link.media is not None:
            text = text.replace(link.url, "")
    return text.rstrip()


def served_text(post: Post) -> str:
    """The `text` field, cut and escaped."""
    text = post.text
    if post.retweet_of is not None and len(text) > RETWEET_LENGTH:
        text = text[: RETWEET_LENGTH - 1] + "…"
    elif is_note(post):
        media = [link.url for link in post.links if link.media is not None]
        text = _without_media(post)[: POST_LENGTH - 5].rsplit(None, 1)[0]
        text = " ".join([text, *media])
    return escaped(text)


def note(world: World, post: Post) -> dict[str, Any] | None:
    """`note_tweet` of a long post: the whole text without media links, and its own entities."""
    if not is_note(post):
        return None
    text = escaped(_without_media(post))
    found = entities(world, text, tuple(link for link in post.links if link.media is None))
    return {"text": text, **({"entities": found} if found else {})}


def entities(world: World, text: str, links: tuple[Link, ...]) -> dict[str, Any]:
    """urls, mentions and hashtags that stand whole in ``text``; kinds without any are absent."""
    urls = []
    for link in links:
        start = text.find(link.url)
        if start < 0:
            continue
        shown = link.expanded.split("://", 1)[-1]
        if link.media is not None:
            shown = "pic.x.com/" + link.url.rsplit("/", 1)[-1]
        elif len(shown) > 27:
            shown = shown[:26] + "…"
        entry: dict[str, Any] = {
            "start": start,
            "end": start + len(link.url),
            "url": link.url,
            "expanded_url": link.expanded,
            "display_url": shown,
        }
        if link.media is not None:
            entry["media_key"] = link.media.key
        urls.append(entry)
    mentions = []
    for match in _MENTION.finditer(text):
        account = world.named(match[1])
        if account is not None:
            place = {"start": match.start(), "end": match.end()}
            mentions.append({**place, "username": account.username, "id": str(account.id)})
    tags = [
        {"start": match.start(), "end": match.end(), "tag": match[1]}
        for match in _HASHTAG.finditer(text)
    ]
    found = {"urls": sorted(urls, key=lambda url: url["start"]), "mentions": mentions}
    return {kind: value for kind, value in {**found, "hashtags": tags}.items() if value}


def _display_range(post: Post, text: str) -> list[int]:
    start, end = 0, len(text)
    if post.reply_to_user_id is not None and (mentions := re.match(r"(@\w+ )+", text)):
        start = mentions.end()
    for link in reversed(post.links):
        if link.media is not None and text[:end].rstrip().endswith(link.url):
            end = len(text[:end].rstrip()) - len(link.url)
            end = len(text[:end].rstrip())
    return [start, max(start, end)]


def _counts(post: Post) -> dict[str, int]:
    """Invented but steady numbers."""
    seed = post.versions[0] % 9973
    retweet = post.retweet_of is not None
    return {
        "retweet_count": seed % 41,
        "reply_count": 0 if retweet else seed % 7,
        "like_count": 0 if retweet else seed % 230,
        "quote_count": 0 if retweet else seed % 5,
        "bookmark_count": 0 if retweet else seed % 3,
        "impression_count": seed * 13,
    }


def _edit_controls(post: Post, world: World) -> dict[str, Any]:
    first = world.posts[post.versions[0]]
    return {
        "edits_remaining": MAX_EDITS + 1 - len(post.versions),
        "is_edit_eligible": post.retweet_of is None and post.reply_to_user_id is None,
        "editable_until": api_time(first.created_at + EDIT_WINDOW),
    }


def render_post(world: World, post: Post, fields: frozenset[str]) -> dict[str, Any]:
    """The defaults and what was asked; a field that has nothing to say is absent."""
    text = served_text(post)
    media = [link.media.key for link in post.links if link.media is not None]
    makers: dict[str, Any] = {
        "id": lambda: str(post.id),
        "text": lambda: text,
        "edit_history_tweet_ids": lambda: [str(version) for version in post.versions],
        "attachments": lambda: {"media_keys": media} if media else None,
        "author_id": lambda: str(post.author_id),
        "conversation_id": lambda: str(post.conversation_id),
        "created_at": lambda: api_time(post.created_at),
        "display_text_range": lambda: _display_range(post, text),
        "edit_controls": lambda: _edit_controls(post, world),
        "entities": lambda: entities(world, text, post.links) or None,
        "in_reply_to_user_id": lambda: (
            None if post.reply_to_user_id is None else str(post.reply_to_user_id)
        ),
        "lang": lambda: post.lang,
        "note_tweet": lambda: note(world, post),
        "possibly_sensitive": lambda: post.sensitive,
        "public_metrics": lambda: _counts(post),
        "referenced_tweets": lambda: (
            [{"type": kind, "id": str(ref)} for kind, ref in post.referenced] or None
        ),
        "reply_settings": lambda: "everyone",
        "rest_id": lambda: str(post.id),
        "source": lambda: None,
    }
    rendered = {}
    for name in (*_DEFAULT_POST, *sorted(fields - set(_DEFAULT_POST))):
        # asked in the post vocabulary: answered in it
        maker = makers.get(POST_SPELLINGS.get(name, name))
        value = maker() if maker else None
        if value is not None:
            rendered[name] = value
    return rendered


def render_user(account: Account, fields: frozenset[str]) -> dict[str, Any]:
    """id, name, username and what was asked. There is never an e-mail address."""
    live = account.live()
    values: dict[str, Any] = {
        "id": str(account.id),
        "name": account.name,
        "username": account.username,
        "created_at": api_time(account.created_at),
        "description": account.description,
        "most_recent_tweet_id": str(live[0].id) if live and not account.protected else None,
        "parody": account.parody,
        "profile_image_url": f"https://pbs.twimg.com/profile_images/{account.id}/shell_normal.jpg",
        "protected": account.protected,
        "public_metrics": {
            "followers_count": account.id % 877,
            "following_count": account.id % 331,
            "tweet_count": len(live),
            "listed_count": account.id % 13,
            "like_count": account.id % 2039,
            "media_count": sum(any(link.media for link in post.links) for post in live),
        },
        "url": "",
        "verified": False,
        "verified_type": "none",
    }
    wanted = ("id", "name", "username", *sorted(fields - {"id", "name", "username"}))
    return {name: values[name] for name in wanted if values.get(name) is not None}


def render_media(media: Media, fields: frozenset[str]) -> dict[str, Any]:
    picture = f"https://pbs.twimg.com/media/{media.key}.jpg"
    values: dict[str, Any] = {
        "media_key": media.key,
        "type": media.kind,
        "url": picture if media.kind == "photo" else None,
        "preview_image_url": None if media.kind == "photo" else picture,
        "alt_text": media.alt or None,
        "duration_ms": None if media.kind == "photo" else 7000,
        "width": 1200,
        "height": 800,
    }
    wanted = ("media_key", "type", *sorted(fields - {"media_key", "type"}))
    return {name: values[name] for name in wanted if values.get(name) is not None}
