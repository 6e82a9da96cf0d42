"""Covered ranges: no id is gained, lost or asked for twice, whatever interrupts a walk."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.fetching.ranges import Covered, Gap, covered_by_page, gaps, merged, posts_expected

IDS = st.integers(1, 60)
PARTS = st.lists(
    st.builds(
        lambda a, b, posts: Covered(max(a, b), min(a, b), posts), IDS, IDS, st.integers(0, 9)
    ),
    max_size=8,
)


def ids(parts: list[Covered]) -> set[int]:
    return {one for part in parts for one in range(part.oldest, part.newest + 1)}


@given(PARTS, st.randoms(use_true_random=False))
def test_merging_keeps_every_id_and_every_post(parts: list[Covered], chance: random.Random) -> None:
    whole = merged(parts)
    assert ids(whole) == ids(parts)
    assert sum(part.posts for part in whole) == sum(part.posts for part in parts)
    # apart from each other by at least one id, newest first
    assert all(above.oldest - 1 > below.newest for above, below in pairwise(whole))
    assert merged(whole) == whole
    shuffled = list(parts)
    chance.shuffle(shuffled)
    assert merged(shuffled) == whole


@given(PARTS)
def test_gaps_are_what_is_not_covered(parts: list[Covered]) -> None:
    found = gaps(parts)
    open_ids = [
        one
        for gap in found
        for one in range((gap.since or 0) + 1, gap.until if gap.until is not None else 70)
    ]
    assert len(open_ids) == len(set(open_ids))
    assert set(open_ids) == set(range(1, 70)) - ids(parts)


def test_the_order_of_work() -> None:
    upper, lower = Covered(90, 80), Covered(60, 50)
    hole, tail, top = Gap(60, 80, "hole"), Gap(None, 50, "hole"), Gap(90, None, "top")
    assert gaps([]) == [Gap(None, None, "top")]
    assert gaps([lower, upper]) == [hole, tail, top]
    # below a limit that the person set, there is no hurry
    assert gaps([upper, replace(lower, limited=True)]) == [hole, top, replace(tail, where="tail")]
    assert gaps([upper, replace(lower, reached_end=True)]) == [hole, top]


@given(
    st.sets(st.integers(1, 400), max_size=60),
    st.lists(st.integers(0, 12), max_size=8),
    st.integers(5, 9),
    st.randoms(use_true_random=False),
)
def test_any_interrupted_walk_brings_every_post_once(
    timeline: set[int], cuts: list[int], size: int, chance: random.Random
) -> None:
    """``cuts``: after how many pages each fetch is killed; between fetches posts arrive."""
    parts: list[Covered] = []
    brought: list[int] = []
    everybody = set(timeline)

    def page(gap: Gap, until: int | None) -> tuple[list[int], bool]:
        inside = sorted(
            (i for i in everybody if (gap.since or 0) < i < (until or 10**9)), reverse=True
        )
        most = chance.randint(1, size)
        return inside[:most], len(inside) <= most

    for cut in [*cuts, 10**6]:
        pages = 0
        for gap in gaps(parts):
            until, last = gap.until, False
            while not last and pages < cut:
                posts, last = page(gap, until)
                pages += 1
                brought += posts
                newest, oldest = (posts[0], posts[-1]) if posts else (None, None)
                covers = covered_by_page(gap, until, newest, oldest, last=last)
                if covers:
                    parts.append(covers)
                until = oldest if oldest is not None else until
        everybody |= {max(everybody, default=0) + n for n in range(1, chance.randint(1, 9))}
    everybody = {i for i in everybody if parts and i <= merged(parts)[0].newest}
    assert sorted(brought) == sorted(everybody)
    assert len(merged(parts)) <= 1


def test_what_a_page_compares() -> None:
    hole, top = Gap(60, 80, "hole"), Gap(None, None, "top")
    assert covered_by_page(hole, 80, 75, 70, last=False) == Covered(79, 70)
    assert covered_by_page(hole, 70, 65, 63, last=True) == Covered(69, 61)
    assert covered_by_page(hole, 80, None, None, last=False) is None
    assert covered_by_page(hole, 80, None, None, last=True) == Covered(79, 61)
    assert covered_by_page(top, None, 90, 85, last=False) == Covered(90, 85)
    assert covered_by_page(top, 85, 84, 2, last=True) == Covered(84, 2, reached_end=True)
    assert covered_by_page(top, None, None, None, last=True) is None


def test_how_many_are_expected() -> None:
    assert posts_expected([], 130, 3200) == 130
    assert posts_expected([], 9000, 3200) == 3200
    assert posts_expected([], None, 3200) == 3200
    done = Covered(900, 1, 130, reached_end=True, account_posts=130)
    assert posts_expected([done], 130, 3200) == 0
    assert posts_expected([done], 142, 3200) == 12
    assert posts_expected([done], 120, 3200) == 0  # ten were deleted
    half = Covered(900, 500, 1000, account_posts=9000)
    assert posts_expected([half], 9000, 3200) == 2200
    assert posts_expected([half], 9100, 3200) == 2200  # 100 new, and 100 fell out of the window
    assert posts_expected([half], 8990, 3200) == 2200  # ten were deleted
    assert posts_expected([replace(half, posts=4000)], 9000, 3200) == 0
    hole = [Covered(2000, 1900, 100, account_posts=500), replace(done, account_posts=130)]
    assert posts_expected(hole, 500, 3200) == 270
    assert posts_expected(hole, 150, 3200) == 0
    unknown = Covered(900, 500, 1000)  # of a time when X did not say how many there are
    assert posts_expected([unknown], 9000, 3200) == 2200
    assert posts_expected([unknown], 400, 3200) == 0
    archive = Covered(900, 1, 5000, reached_end=True, account_posts=5000)
    assert posts_expected([archive], 5020, 3200) == 20
