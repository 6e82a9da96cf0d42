"""One tweet object of an X archive to one canonical row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from core.sources.decoding import whole

# The columns that need the source's own JSON; the rest is filled in for a whole frame at once.
ROW_COLUMNS: Final = (
    "tweet_id", "written_at", "text", "kind", "lang", "reply_to", "urls", "sensitive",
    "favourites", "reposts", "audience", "source_file",
)  # fmt: skip

_STATUS_LINK = re.compile(
    r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/[^/]+/status(?:es)?/\d+(?!.*/(?:photo|video)/)",
    re.IGNORECASE,
)
_FIRST_MENTION = re.compile(r"@(\w{1,20})")


def text_of(value: Any) -> str | None:
    """A JSON value as text where it is text or a whole number, else None."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def count_of(value: Any) -> int | None:
    """A count, which archives write as text; None where it is missing or not one."""
    written = text_of(value)
    if written is None or not re.fullmatch(r"\d{1,15}", written, re.ASCII):
        return None
    return int(written)


def links_of(tweet: dict[str, Any]) -> list[dict[str, str]]:
    """``entities.urls`` as ``{"url", "expanded_url"}``; anything malformed is passed over."""
    entities = tweet.get("entities")
    urls = entities.get("urls") if isinstance(entities, dict) else None
    found = []
    for link in urls if isinstance(urls, list) else ():
        if isinstance(link, dict):
            url, expanded = text_of(link.get("url")), text_of(link.get("expanded_url"))
            if url and expanded:
                found.append({"url": url, "expanded_url": expanded})
    return found


def reply_target(tweet: dict[str, Any], text: str) -> tuple[bool, str | None]:
    """Whether a tweet answers another, and whom. Archives may lack the name of the answered."""
    name = text_of(tweet.get("in_reply_to_screen_name"))
    ids = (
        text_of(tweet.get(key))
        for key in (
            "in_reply_to_status_id_str",
            "in_reply_to_status_id",
            "in_reply_to_user_id_str",
            "in_reply_to_user_id",
        )
    )
    if not name and not any(ids):
        return False, None
    if not name:
        mention = _FIRST_MENTION.match(text)
        name = mention[1] if mention else None
    return True, name.lower() if name else None


def kind_of(text: str, *, reply: bool, links: Iterable[dict[str, str]]) -> str:
    """original, reply, quote or retweet. An archive has no retweet flag: ``RT @`` decides."""
    if text.startswith("RT @"):
        return "retweet"
    if reply:
        return "reply"
    if any(_STATUS_LINK.match(link["expanded_url"]) for link in links):
        return "quote"
    return "original"


def row_of(
    tweet: dict[str, Any], *, audience: str, source_file: str
) -> tuple[tuple[object, ...] | None, str]:
    """A row of ROW_COLUMNS, or None and the reason why the tweet cannot be one."""
    tweet_id = text_of(tweet.get("id_str")) or text_of(tweet.get("id"))
    if not tweet_id or not tweet_id.strip():
        return None, "no_id"
    text = text_of(tweet.get("full_text"))
    if text is None:
        text = text_of(tweet.get("text"))
    if not text:
        return None, "no_text"
    links = links_of(tweet)
    reply, reply_to = reply_target(tweet, text)
    sensitive = tweet.get("possibly_sensitive")
    lang = text_of(tweet.get("lang"))
    return (
        tweet_id.strip(),
        text_of(tweet.get("created_at")),
        text,
        kind_of(text, reply=reply, links=links),
        lang or None,
        reply_to,
        json.dumps(links, ensure_ascii=False, separators=(",", ":")) if links else None,
        sensitive if isinstance(sensitive, bool) else None,
        count_of(tweet.get("favorite_count")),
        count_of(tweet.get("retweet_count")),
        audience,
        source_file,
    ), ""


def earlier_versions(tweet: dict[str, Any]) -> tuple[set[str], str]:
    """Ids that ``tweet``'s edit history shows to be earlier versions, and the last one's id.

    Each version of an edited tweet is an entry of its own, with an ``edit_info`` that lists the
    versions known when it was written: under ``initial`` for the first, under ``edit`` (with
    ``initialTweetId``) for the later ones. The newest has the largest id.
    """
    own = text_of(tweet.get("id_str")) or text_of(tweet.get("id"))
    ids: set[str] = set()
    pending: list[Any] = [tweet.get("edit_info")]
    while pending:  # the nesting differs between archives, so look at every level
        value = pending.pop()
        if not isinstance(value, dict):
            continue
        listed = value.get("editTweetIds")
        ids.update(i for i in map(text_of, listed if isinstance(listed, list) else ()) if i)
        if initial := text_of(value.get("initialTweetId")):
            ids.add(initial)
            if own:
                ids.add(own)
        pending.extend(value.values())
    numbers = {int(i) for i in ids if re.fullmatch(r"\d{1,20}", i, re.ASCII)}
    if len(numbers) < 2:
        return set(), ""
    last = max(numbers)
    return {str(number) for number in numbers - {last}}, str(last)
