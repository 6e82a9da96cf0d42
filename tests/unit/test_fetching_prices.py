"""What a fetch may cost: budgets, terms, and the plan made of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import InputRefused
from core.fetching.estimate import FetchEstimate, is_fresh, make_estimate
from core.fetching.posts import XAccount
from core.fetching.prices import Budget, load_terms
from core.fetching.ranges import Covered
from core.fetching.store import Known
from core.fetching.token import Token
from core.home import Home
from tui.text.previews import lines_of_fetch

APP = Token("A" * 20, "test")
USER = Token("b-token-of-a-user", "test")


def test_a_budget_to_the_last_cent() -> None:
    budget = Budget(Decimal("1.00"), spent=Decimal("0.30"), unsure=Decimal("0.20"))
    assert budget.left == Decimal("0.50")
    assert budget.affords(Decimal("0.50"))
    assert not budget.affords(Decimal("0.501"))
    assert budget.how_many(Decimal("0.005")) == 100
    assert budget.how_many(Decimal("0.15")) == 3
    assert budget.how_many(Decimal("0.51")) == 0
    assert budget.how_many(Decimal(0)) is None
    assert Budget(Decimal(1), unsure=Decimal(2)).how_many(Decimal(1)) == 0
    endless = Budget(None, spent=Decimal(9))
    assert endless.left is endless.how_many(Decimal(1)) is None
    assert endless.affords(Decimal(10**9))
    assert Budget(Decimal(1)).left == 1


@pytest.mark.parametrize(
    ("written", "fine"),
    [
        ("[prices]\npost_read = 0\nuser_read = 0\nowned_read = 0", True),
        ("[prices]\nuser_read = -0.001", False),
        ("[prices]\nowned_read = -0.001", False),
        ("[limits]\nsmallest_page = 1\npage = 1\nwindow = 1\n[patience]\ntries = 1", True),
        ("[limits]\nsmallest_page = 0", False),
        ("[limits]\nsmallest_page = 8\npage = 7", False),
        ("[limits]\nwindow = 0", False),
        ("[limits]\nwindow = 'many'", False),
        ("[patience]\ntries = 0", False),
        ("[patience]\nfirst_pause = 0\nlongest_pause = 0\nrate_limit = 0\nanswer = 0.5", True),
        ("[patience]\nfirst_pause = -0.1", False),
        ("[patience]\nlongest_pause = -0.1", False),
        ("[patience]\nrate_limit = -0.1", False),
        ("[patience]\nanswer = 0", False),
    ],
)
def test_terms_that_make_sense(tmp_path: Path, written: str, fine: bool) -> None:
    (tmp_path / "x_api.toml").write_text(written)
    if fine:
        load_terms(Home(tmp_path))
    else:
        with pytest.raises(InputRefused, match="cannot be used"):
            load_terms(Home(tmp_path))


def test_what_x_said_is_good_for_a_quarter_of_an_hour() -> None:
    now = datetime.now(timezone.utc)
    for minutes, fresh in ((0, True), (14.9, True), (15.1, False), (-60, False), (60, False)):
        assert is_fresh(Known(looked_up=now - timedelta(minutes=minutes))) is fresh
    assert not is_fresh(Known())


def plan(
    tmp_path: Path, account: XAccount | None, *, known: Known | None = None,
    owned: bool | None = False, token: Token | None = APP, most: int | None = None,
) -> FetchEstimate:  # fmt: skip
    terms = replace(load_terms(Home(tmp_path)), window=200)
    return make_estimate("ann", known or Known(), account, owned, terms, "u", token, most)


def ann(posts: int | None, *, protected: bool = False) -> XAccount:
    return XAccount("7", "ann", posts=posts, protected=protected)


def test_what_a_plan_costs_at_most(tmp_path: Path) -> None:
    unknown = plan(tmp_path, None)
    assert (unknown.posts_at_most, unknown.pages_at_most, unknown.posts_expected) == (200, 2, None)
    assert unknown.cost_usd == 1.01
    assert plan(tmp_path, None, token=USER).cost_usd == 1.02
    assert plan(tmp_path, None, token=None).cost_usd == 1.02
    assert plan(tmp_path, ann(None)).posts_at_most == 200
    # full pages, with room for five more than the count
    for posts, most in ((0, 100), (95, 100), (96, 200), (195, 200), (5_000, 200)):
        found = plan(tmp_path, ann(posts))
        assert (found.posts_at_most, found.pages_at_most) == (most, most // 100)
        assert found.posts_expected == min(posts, 200)
        assert found.cost_usd == most * 0.005
    assert plan(tmp_path, ann(96), owned=True).cost_usd == 0.2
    few = plan(tmp_path, ann(150), most=101)
    assert (few.posts_at_most, few.pages_at_most, few.posts_expected) == (101, 2, 101)
    assert few.cost_usd == 0.505
    assert plan(tmp_path, ann(150), most=500).posts_at_most == 200


def test_what_a_plan_gives_notice_of(tmp_path: Path) -> None:
    policy, asked = plan(tmp_path, None).notices
    assert "forbid training" in policy
    assert asked.startswith(
        "How many posts there are is not known yet. X is asked first, for $0.010"
    )
    assert asked.endswith("$0.010 (one user read); fewer posts then cost less than this.")
    for token in (USER, None):  # whose token it is, is asked as well
        assert (
            "for at most $0.020 (two user reads);" in plan(tmp_path, None, token=token).notices[1]
        )
    assert plan(tmp_path, ann(200)).notices == (policy,)
    window = plan(tmp_path, ann(201)).notices
    assert window[1] == (
        "X gives only the newest 200 of @ann's 201 posts; the account's own archive has them all."
    )
    assert "@ann is protected" in plan(tmp_path, ann(5, protected=True)).notices[1]
    assert "$0.001 each" in plan(tmp_path, ann(5), owned=True).notices[1]
    maybe = plan(tmp_path, ann(5), owned=None).notices[1]
    assert maybe == (
        "If the token turns out to be @ann's own, a post costs $0.001 instead of $0.005."
    )


def test_what_the_app_says_a_plan_costs(tmp_path: Path) -> None:
    first, _ = lines_of_fetch(plan(tmp_path, ann(5)))[0]
    assert first.startswith("At most 100 posts in 1 page, at most $0.50 (prices of ")
    for posts, words in ((1, "1 post is here already"), (2, "2 posts are here already")):
        known = Known(posts_here=posts)  # fetched, or of an archive
        here, _ = lines_of_fetch(plan(tmp_path, ann(5), known=known))[1]
        assert here == f"{words} and will not be paid for again."
    few, _ = lines_of_fetch(plan(tmp_path, None, most=7))[0]
    assert few.startswith("At most 7 posts in 1 page, at most $0.045 (")


def test_a_plan_says_what_is_here(tmp_path: Path) -> None:
    whole = Covered(90, 10, posts=4, reached_end=True, account_posts=4)
    hole = Known(covered=(Covered(200, 150, posts=3, account_posts=9), whole), posts_here=7)
    found = plan(tmp_path, ann(9), known=hole)
    assert found.already_here == 7
    assert found.notices[1:] == ("An earlier fetch left a hole; it is filled first.",)
    assert [gap.where for gap in found.gaps] == ["hole", "top"]
    assert len(plan(tmp_path, ann(9), known=Known(covered=(whole,))).notices) == 1
    limited = replace(whole, reached_end=False, limited=True)
    assert len(plan(tmp_path, ann(9), known=Known(covered=(limited,))).notices) == 1
    cut = replace(whole, reached_end=False)
    assert "hole" in plan(tmp_path, ann(9), known=Known(covered=(cut,))).notices[1]
    day = datetime(2016, 12, 31, tzinfo=timezone.utc)
    archive = plan(tmp_path, ann(4), known=Known(archive=whole, archive_until=day))
    assert archive.notices[1] == (
        "An archive of @ann is here to 2016-12-31: only what is newer is fetched."
    )
    undated = plan(tmp_path, ann(4), known=Known(archive=whole))
    assert undated.notices[1].startswith("An archive of @ann is here: only")
