"""Which post ids of an account were fetched and which are missing. No network, no file.

A fetch keeps ranges, never one high-water mark: a mark that moves while a walk is under way skips
for ever what an interruption left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

Where = Literal["hole", "top", "tail"]


@dataclass(frozen=True)
class Covered:
    """Every post with ``oldest`` <= id <= ``newest`` has been fetched.

    ``reached_end``: nothing older can be had. ``limited``: the person's own limit ended the walk
    at ``oldest``. ``posts`` were paid for in it; ``account_posts`` is how many the account had
    when ``newest`` was its newest post, None when that is not known.
    """

    newest: int
    oldest: int
    posts: int = 0
    reached_end: bool = False
    limited: bool = False
    account_posts: int | None = None


@dataclass(frozen=True)
class Gap:
    """Ids still to be had: ``since`` < id < ``until``, both exclusive as X takes them.

    None is no bound. ``hole`` lies between or below fetched posts, ``top`` is newer than all of
    them, ``tail`` is older than where the person's limit stopped.
    """

    since: int | None
    until: int | None
    where: Where


def merged(parts: Iterable[Covered]) -> list[Covered]:
    """Ranges that touch or overlap as one, newest first; no id is gained or lost.

    Posts are added up. What is said about an end of a range is kept from the part that has it.
    """
    ranges: list[Covered] = []
    for part in sorted(parts, key=lambda part: (-part.newest, part.oldest)):
        above = ranges[-1] if ranges else None
        if above is None or part.newest < above.oldest - 1:
            ranges.append(part)
            continue
        lower = part if part.oldest < above.oldest else above
        ranges[-1] = replace(
            above,
            oldest=lower.oldest,
            posts=above.posts + part.posts,
            reached_end=above.reached_end or part.reached_end,
            limited=lower.limited,
            account_posts=(
                part.account_posts
                if part.newest == above.newest and above.account_posts is None
                else above.account_posts
            ),
        )
    return ranges


def covered_by_page(
    gap: Gap, until: int | None, newest: int | None, oldest: int | None, *, last: bool
) -> Covered | None:
    """The ids that a page of ``gap`` compares, which was asked for below ``until``.

    ``newest`` and ``oldest`` are its posts', None when it is empty. A page compares from its upper
    bound down to its oldest post; the ``last`` one down to the gap's other end. An empty page that
    is not the last compares nothing, nor does a last one of an account that has nothing new.
    """
    if until is not None:
        newest = until - 1
    if last and gap.since is not None:
        oldest = gap.since + 1
    elif last and oldest is None:
        oldest = newest
    if newest is None or oldest is None or oldest > newest:
        return None
    return Covered(newest, oldest, reached_end=last and gap.since is None)


def gaps(parts: Iterable[Covered]) -> list[Gap]:
    """What is still to be had, in the order to fetch it.

    Holes first, the newest of them first, because the 3,200 newest posts are all that X gives and
    every new post pushes an old one out; then what is new; last what lies below a limit that the
    person set. Nothing covered: one gap without bounds.
    """
    ranges = merged(parts)
    if not ranges:
        return [Gap(None, None, "top")]
    found = [
        Gap(below.newest, above.oldest, "hole")
        for above, below in pairwise(ranges)
        if not above.reached_end
    ]
    lowest = ranges[-1]
    tail = [] if lowest.reached_end else [Gap(None, lowest.oldest, "hole")]
    top = Gap(ranges[0].newest, None, "top")
    if tail and lowest.limited:
        return [*found, top, replace(tail[0], where="tail")]
    return [*found, *tail, top]


def posts_expected(parts: Iterable[Covered], account_posts: int | None, window: int) -> int:
    """How many posts are still to be had: at most ``window``, fewer by what is covered.

    ``account_posts`` is how many the account has now; None: not known, and the answer is
    ``window``. Deleted posts make this an estimate, never a promise.
    """
    ranges = merged(parts)
    if account_posts is None:
        return window
    if not ranges:
        return min(window, account_posts)
    lowest = ranges[-1]
    if lowest.account_posts is None:
        newer = window if lowest.reached_end else min(window, account_posts)
        return max(0, newer - sum(part.posts for part in ranges))
    since = max(0, account_posts - lowest.account_posts)
    above = max(0, since - sum(part.posts for part in ranges[:-1]))
    below = 0
    if not lowest.reached_end:
        below = max(0, min(window, account_posts) - since - lowest.posts)
    return min(window, above + below)
