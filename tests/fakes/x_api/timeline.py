"""One page of a user's posts: the window, the bounds, and what a page leaves out.

The window is the newest 3,200 posts, or 800 when replies are excluded. A page takes `max_results`
slots of it and only then drops retweets and replies (when excluded) and deleted or replaced posts,
so a page may be short, or empty, and still have a `next_token`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.fakes.x_api.model import Account, Post
from tests.fakes.x_api.query import Query
from tests.fakes.x_api.tokens import Place, make_token

WINDOW = 3200
WINDOW_WITHOUT_REPLIES = 800


@dataclass
class Page:
    posts: list[Post]
    meta: dict[str, Any]


def _slots(account: Account, query: Query) -> list[Post]:
    """Newest first, with hidden posts in their places.

    `since_id` older than the window needs no care: it is moved to the window's end in silence.
    """
    room = WINDOW_WITHOUT_REPLIES if "replies" in query.of("exclude") else WINDOW
    slots = []
    for post in reversed(account.posts):
        if not post.hidden:
            room -= 1
            if room < 0:
                break
        if query.since_id is not None and post.id <= query.since_id:
            continue
        if query.until_id is not None and post.id >= query.until_id:
            continue
        second = post.created_at.replace(microsecond=0)
        if query.start_time is not None and second < query.start_time:
            continue
        if query.end_time is not None and second > query.end_time:
            continue
        slots.append(post)
    return slots


def _shown(post: Post, query: Query) -> bool:
    excluded = query.of("exclude")
    if post.hidden or ("retweets" in excluded and post.retweet_of is not None):
        return False
    return not ("replies" in excluded and post.reply_to_user_id is not None)


def page(account: Account, query: Query, *, twist: str = "", keep: int = 1) -> Page:
    """``twist`` is one of the paging faults: empty_page, short_page, duplicate, same_token."""
    slots = _slots(account, query)
    place = query.place or Place(0)
    start = max(0, place.slot - 1) if twist == "duplicate" else place.slot
    stop = start + query.max_results
    shown = [post for post in slots[start:stop] if _shown(post, query)]
    after: Place | None = Place(stop) if stop < len(slots) else None
    if twist == "empty_page":
        shown, after = [], Place(place.slot, place.repeat + 1)
    elif twist == "short_page" and len(shown) > keep:
        after = Place(slots.index(shown[keep], start))
        shown = shown[:keep]
    elif twist == "same_token":
        after = place
    meta: dict[str, Any] = {"result_count": len(shown)}
    if shown:
        meta |= {"newest_id": str(shown[0].id), "oldest_id": str(shown[-1].id)}
    if after is not None:
        meta["next_token"] = make_token(account.id, after)
    if place.slot > 0:
        before = Place(max(0, place.slot - query.max_results))
        meta["previous_token"] = make_token(account.id, before)
    return Page(shown, meta)
