"""Fetching from the fake API: what comes, what it costs, and what survives."""

from __future__ import annotations

import http.client
import json
import logging
import stat
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.corpus.importing import import_path
from core.corpus.store import Corpus
from core.errors import InputRefused, WrongUsage
from core.fetching.client import Reply, api_url_of
from core.fetching.engine import fetch, fetch_lock
from core.fetching.estimate import FetchEstimate, estimate_fetch
from core.fetching.outcome import (
    FetchInterrupted,
    FetchProgress,
    FetchResult,
    XMisunderstood,
    XRefused,
)
from core.fetching.prices import load_terms
from core.fetching.refusals import Retry, judge
from core.fetching.token import Token
from core.home import Home
from core.processes import Owner
from tests.fakes.x_api import OWNER, WALKER, FakeX, Plan
from tests.fixtures.x_archive import archive_files, as_zip, tweet
from tests.oracles.corpus import tweets

EDITOR = "second_thoughts_daily"
QUICK = """
[patience]
tries = 3
first_pause = 0.01
answer = 1.0
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    (home.root / "x_api.toml").write_text(QUICK)
    return home


def planned(home: Home, fake: FakeX, handle: str = WALKER, **how: Any) -> FetchEstimate:
    how.setdefault("token", Token(fake.token, "test"))
    return estimate_fetch(home, handle, api_url=fake.url, **how)


def fetched(home: Home, fake: FakeX, handle: str = WALKER, **how: Any) -> FetchResult:
    given = {name: how.pop(name) for name in ("max_posts", "token") if name in how}
    return fetch(home, planned(home, fake, handle, **given), **how)


def ids(home: Home, handle: str = WALKER) -> list[str]:
    return tweets(Corpus(home.corpus), [handle])["tweet_id"].to_list()


def there(fake: FakeX, handle: str = WALKER) -> list[str]:
    return [str(post.id) for post in fake.account(handle).live()]


def ask(home: Home, sql: str) -> list[Any]:
    with Corpus(home.corpus).reading() as connection:
        return connection.execute(sql).fetchall()


def test_everything_comes_once_and_is_paid_once(home: Home) -> None:
    steps: list[FetchProgress] = []
    with FakeX() as fake:
        result = fetched(home, fake, progress=steps.append)
        assert ids(home) == there(fake)
        # as a process leaves it that is killed once the last page is there
        with Corpus(home.corpus).writing() as connection:
            connection.execute("DELETE FROM verdicts WHERE recipe = 'classic'")
        left = home.root / f".mynah-curating-{Owner.this_process().machine}-4194999-1-abcdefgh"
        left.mkdir()
        again = fetched(home, fake)
        ledger = fake.ledger()
    assert not left.exists()
    assert result.to_json() == {
        "handle": WALKER,
        "pages": 2,
        "posts": 130,
        "new": 130,
        "updated": 0,
        "cost_usd": 0.66,
        "complete": True,
        "resumes_from": None,
        "stopped_by": "",
        "unsure_usd": 0.0,
        "name": "Walker of Long Shores",
        "notes": [],
    }
    assert [step.kind for step in steps] == ["account", "page", "page"]
    assert (steps[-1].posts, steps[-1].cost_usd, steps[-1].posts_at_most) == (130, 0.66, 3200)
    assert (steps[0].pages_at_most, steps[-1].pages_at_most) == (32, 2 + 31)
    assert (again.posts, again.cost_usd, again.complete) == (0, 0.0, True)
    assert (again.new, again.updated) == (0, 0)
    assert (ledger["posts"], ledger["users"], ledger["deduplicated"]) == (130, 1, 0)
    ((name, picture, posts),) = ask(home, "SELECT name, picture_url, posts FROM accounts")
    assert (name, posts) == ("Walker of Long Shores", 130)
    assert picture.startswith("https://")
    # the verdicts behind the public views are there too
    assert ask(home, "SELECT recipe, count(*) FROM curated GROUP BY 1 ORDER BY 1") == [
        ("classic", 130), ("standard", 130)
    ]  # fmt: skip


def test_rows_are_what_was_written(home: Home) -> None:
    with FakeX() as fake:
        fetched(home, fake)
        posts = {str(post.id): post for post in fake.account(WALKER).live()}
    rows = {row["tweet_id"]: row for row in tweets(Corpus(home.corpus), [WALKER]).to_dicts()}
    kinds = {row["kind"] for row in rows.values()}
    assert kinds == {"original", "reply", "retweet", "quote"}
    notes = 0
    for tweet_id, post in posts.items():
        row = rows[tweet_id]
        text = row["text"].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        assert row["created_at"] == post.created_at.replace(microsecond=0)
        if post.retweet_of:
            assert row["kind"] == "retweet"
            continue
        links = {link["url"]: link["expanded_url"] for link in json.loads(row["urls"] or "[]")}
        assert all(links[link.url] == link.expanded for link in post.links)
        if row["note_id"]:
            notes += 1
            assert post.text.startswith(text)
            assert len(text) > 280
        else:
            assert text == post.text
    assert notes


def test_only_what_is_new_is_paid(home: Home) -> None:
    with FakeX() as fake:
        fetched(home, fake)
        fake.add_post(WALKER, "One more.")
        fake.add_post(WALKER, "And one more.")
        before = fake.ledger()["posts"]
        result = fetched(home, fake)
        assert ids(home) == there(fake)
        assert fake.ledger()["posts"] - before == 2
    assert (result.new, result.pages, result.cost_usd) == (2, 1, 0.01)


def test_a_limit_is_kept_and_the_next_fetch_goes_on(home: Home) -> None:
    with FakeX() as fake:
        first = fetched(home, fake, max_posts=40)
        assert (first.posts, first.stopped_by, first.complete) == (first.posts, "max", False)
        assert first.posts <= 40
        assert first.resumes_from == ids(home)[-1]
        fake.add_post(WALKER, "Newer than all of it.")
        second = fetched(home, fake)
        # below a limit of one's own there is no hurry: what is new comes first
        bounds = [one.query for one in fake.requests if one.path.endswith("/tweets")]
        assert "since_id" in bounds[2] or "since_id" in bounds[1]
        assert second.complete
        assert ids(home) == there(fake)
        assert fake.ledger()["posts"] == 131
        assert fake.ledger()["deduplicated"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("budget", [0, 0.009, 0.03, 0.05, 0.4, 0.66, 1])
def test_a_budget_is_never_exceeded(budget: float, home: Home) -> None:
    with FakeX() as fake:
        result = fetched(home, fake, budget=budget)
        assert fake.ledger()["cost_usd"] <= budget
        assert fake.ledger()["cost_usd"] == result.cost_usd
        assert result.stopped_by == ("" if budget == 1 else "budget")
        rest = fetched(home, fake)
        assert rest.complete
        assert ids(home) == there(fake)
        assert fake.ledger()["posts"] == 130


@pytest.mark.parametrize("budget", [float("nan"), float("inf"), -1])
def test_what_is_no_amount_is_no_budget(budget: float, home: Home) -> None:
    with FakeX() as fake:
        with pytest.raises(InputRefused, match="no amount of dollars"):
            fetched(home, fake, budget=budget)
        assert fake.ledger()["cost_usd"] == 0


def test_a_lost_answer_counts_against_the_budget(home: Home) -> None:
    with FakeX(faults=[{"kind": "drop_body", "path": "*/tweets"}]) as fake:
        result = fetched(home, fake, budget=0.8)
        cost = fake.ledger()["cost_usd"]
    assert cost <= 0.8
    assert result.unsure_usd == 0.5
    assert result.stopped_by == "budget"
    assert "lost on their way" in result.notes[0]


def test_holes_are_filled_first(home: Home) -> None:
    with FakeX(faults=[{"kind": "credits", "path": "*/tweets", "nth": 2, "times": 1}]) as fake:
        with pytest.raises(XRefused, match="out of credit") as stopped:
            fetched(home, fake)
        assert stopped.value.result is not None
        assert stopped.value.result.pages == 1
        kept = ids(home)
        assert stopped.value.result.resumes_from == kept[-1]
        fake.add_post(WALKER, "Meanwhile.")
        asked = len(fake.requests)
        assert any("hole" in notice for notice in planned(home, fake).notices)
        assert fetched(home, fake).complete
        order = [one.query.get("until_id", "top") for one in fake.requests[asked:]]
        assert order == [kept[-1], "top"]
        assert ids(home) == there(fake)
        assert fake.ledger()["deduplicated"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "empty_page"},
        {"kind": "empty_page", "times": 3},
        {"kind": "short_page", "keep": 3, "times": 4},
        {"kind": "new_post", "nth": 2},
        {"kind": "duplicate", "nth": 2},
        {"kind": "same_token"},
        {"kind": "html502", "times": 2},
        {"kind": "json503", "nth": 2},
        {"kind": "drop", "times": 2},
        {"kind": "drop_body"},
        {"kind": "truncated_json"},
        {"kind": "json_array"},
        {"kind": "not_json"},
        {"kind": "bad_gzip"},
        {"kind": "wrong_type"},
        {"kind": "plain"},
        {"kind": "slow", "seconds": 30},
        {"kind": "hang", "seconds": 30},
        {"kind": "oversize", "size": 1_000_000},
        {"kind": "rate_limited_bare"},
        {"kind": "rate_limited", "seconds": 0.2},
    ],
    ids=lambda fault: fault["kind"],
)
def test_surprises_change_nothing_in_the_end(fault: dict[str, Any], home: Home) -> None:
    with FakeX(faults=[{"path": "*/tweets", **fault}]) as fake:
        expected = set(there(fake))
        result = fetched(home, fake)
        assert result.complete
        assert expected <= set(ids(home)) <= set(there(fake))


@pytest.mark.parametrize("spelling", ["tweet", "post"])
def test_both_spellings_of_fields(spelling: str, home: Home) -> None:
    with FakeX(spelling=spelling) as fake:
        assert fetched(home, fake).complete
        assert fake.ledger()["posts"] == 130
    assert ask(home, "SELECT count(*) FROM tweets WHERE kind = 'reply'")[0][0]
    assert ask(home, "SELECT count(*) FROM tweets WHERE note_id IS NOT NULL")[0][0]


def test_a_countdown_can_be_seen_and_stopped(home: Home) -> None:
    seen: list[FetchProgress] = []

    def hear(step: FetchProgress) -> None:
        seen.append(step)

    faults = [{"kind": "rate_limited", "path": "*/tweets", "nth": 2, "seconds": 600}]
    with FakeX(faults=faults) as fake:
        with pytest.raises(FetchInterrupted) as stopped:
            fetched(home, fake, progress=hear, cancelled=lambda: seen[-1:] and _waits(seen[-1]))
        assert stopped.value.result is not None
        assert stopped.value.result.stopped_by == "interrupted"
        assert stopped.value.result.pages == 1
        assert stopped.value.result.resumes_from == ids(home)[-1]
    waits = [step for step in seen if step.kind == "waiting"]
    assert waits
    assert 590 < (waits[0].seconds or 0) <= 603


def _waits(step: FetchProgress) -> bool:
    return step.kind == "waiting"


def test_a_wait_is_by_the_service_s_clock() -> None:
    def wait(**headers: str) -> float | None:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        again = judge(Reply(429, given, None), "a", Token("A" * 20, "test"))
        assert isinstance(again, Retry)
        return again.wait

    there = {"date": "Wed, 01 Jan 2031 00:00:00 GMT"}  # 1924992000, and here it is another day
    assert wait(**there, x_rate_limit_reset="1924992090") == 91
    assert wait(**there, x_rate_limit_reset="1924992000") == 1
    assert wait(**there, x_rate_limit_reset="1924991000") is None  # over: a back-off will do
    assert wait(**there, x_rate_limit_reset="soon") is None
    assert wait() is None
    near = wait(x_rate_limit_reset=str(int(time.time()) + 90), date="yesterday")
    assert near is not None
    assert 80 < near < 92


def test_two_waits_and_on(home: Home) -> None:
    with FakeX(rate_limit=(1, 1.0)) as fake:
        assert fetched(home, fake).complete
        assert ids(home) == there(fake)


def test_a_rate_limit_without_end_is_not_waited_for(home: Home) -> None:
    faults = [{"kind": "rate_limited", "path": "*/tweets", "seconds": 9 * 3600}]
    with FakeX(faults=faults) as fake, pytest.raises(XRefused, match="too many requests"):
        fetched(home, fake)


@pytest.mark.parametrize(
    ("kind", "unsure"),
    [("html503", 0), ("drop", 1.5), ("hang", 1.5), ("not_json", 1.5), ("rate_limited_bare", 0)],
)
def test_trying_again_has_an_end(kind: str, unsure: float, home: Home) -> None:
    faults = [{"kind": kind, "path": "*/tweets", "times": 0, "seconds": 5}]
    with FakeX(faults=faults) as fake:
        with pytest.raises(XRefused) as refused:
            fetched(home, fake)
        assert sum(one.path.endswith("/tweets") for one in fake.requests) == 3
    assert refused.value.result is not None
    assert refused.value.result.unsure_usd == unsure


@pytest.mark.parametrize("first", [1, 2])
def test_empty_pages_without_end_are_the_end(
    home: Home, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    monkeypatch.setattr("core.fetching.engine._EMPTY_PAGES", 5)
    faults = [{"kind": "empty_page", "path": "*/tweets", "nth": first, "times": 0}]
    with FakeX(faults=faults) as fake:
        with pytest.raises(XRefused, match="empty pages"):
            fetched(home, fake)
        assert sum(one.path.endswith("/tweets") for one in fake.requests) == 5 + first


def test_stopping_keeps_the_page_that_is_under_way(home: Home) -> None:
    with FakeX(faults=[{"kind": "slow", "path": "*/tweets", "seconds": 0.6}]) as fake:

        def stop() -> bool:
            return any(one.path.endswith("/tweets") for one in fake.requests)

        with pytest.raises(FetchInterrupted) as stopped:
            fetched(home, fake, cancelled=stop)
        assert stopped.value.result is not None
        assert stopped.value.result.posts == fake.ledger()["posts"] > 0
        assert stopped.value.result.unsure_usd == 0


def test_stopping_does_not_wait_long_for_an_answer(home: Home) -> None:
    stop = threading.Event()
    with FakeX(faults=[{"kind": "hang", "path": "*/tweets", "seconds": 30}]) as fake:
        (home.root / "x_api.toml").write_text(QUICK.replace("1.0", "60.0"))
        timer = threading.Timer(0.3, stop.set)
        timer.start()
        started = time.monotonic()
        with pytest.raises(FetchInterrupted):
            fetched(home, fake, cancelled=stop.is_set)
        assert time.monotonic() - started < 20


def test_edited_posts_replace_their_earlier_versions(home: Home) -> None:
    with FakeX() as fake:
        fetched(home, fake, EDITOR)
        post = fake.add_post(EDITOR, "Frist.")
        fetched(home, fake, EDITOR)
        assert str(post.id) in ids(home, EDITOR)
        better = fake.edit_post(post, "First.")
        fetched(home, fake, EDITOR)
        assert ids(home, EDITOR) == there(fake, EDITOR)
        assert ids(home, EDITOR)[0] == str(better.id)


@pytest.mark.parametrize(("most", "pages"), [(5, 1), (100, 1), (101, 2), (102, 2), (105, 2)])
def test_as_many_as_asked_for_though_the_rest_is_too_small_for_a_page(
    home: Home, most: int, pages: int
) -> None:
    writer = "writer_of_full_pages"
    with FakeX([Plan(writer, "Writer", 130, mix={"original": 1}, edits=0, deletes=0)]) as fake:
        result = fetched(home, fake, writer, max_posts=most)
        assert (result.posts, fake.ledger()["posts"], result.stopped_by) == (most, most, "max")
        assert result.pages == pages
        assert ids(home, writer) == there(fake, writer)[:most]


@pytest.mark.parametrize(("budget", "posts"), [(0.034, 0), (0.035, 5), (0.036, 5), (0.51, 100)])
def test_a_budget_that_ends_in_the_middle_buys_what_it_can(
    home: Home, budget: float, posts: int
) -> None:
    """A cent is for the look-up, half a cent for a post; fewer than five cannot be asked for."""
    writer = "writer_of_full_pages"
    with FakeX([Plan(writer, "Writer", 130, mix={"original": 1}, edits=0, deletes=0)]) as fake:
        result = fetched(home, fake, writer, budget=budget)
        assert (result.posts, fake.ledger()["posts"], result.stopped_by) == (posts, posts, "budget")
        assert result.cost_usd == pytest.approx(0.01 + posts * 0.005)
        plan = planned(home, fake, writer)
        assert not any("hole" in notice for notice in plan.notices), "the limit was one's own"


def test_the_plan_of_own_posts_has_their_price(home: Home) -> None:
    with FakeX() as fake:
        token = Token(fake.owner_token, "test")
        plan = planned(home, fake, OWNER, token=token, look_up=True)
        assert (plan.posts_at_most, plan.cost_usd) == (200, 0.2), "a tenth of a cent each"


def test_own_posts_are_cheaper(home: Home) -> None:
    with FakeX() as fake:
        token = Token(fake.owner_token, "test")
        result = fetched(home, fake, OWNER, token=token)
        assert fake.ledger()["owned_reads"] == 110
        assert result.cost_usd == fake.ledger()["cost_usd"] == 0.12
        other = fetched(home, fake, "keeper_of_few_words", token=token)
        assert other.cost_usd == pytest.approx(0.02 + 12 * 0.005)


@pytest.mark.parametrize(
    ("handle", "said"),
    [
        ("behind_the_garden_gate", "are protected"),
        ("closed_by_the_moderators", "has suspended"),
        ("nobody_at_all", "no account"),
    ],
)
def test_what_became_of_an_account(handle: str, said: str, home: Home) -> None:
    with FakeX() as fake, pytest.raises(XRefused, match=said) as refused:
        fetched(home, fake, handle)
    assert refused.value.about_account
    assert refused.value.exit_code == 4


def test_a_name_that_x_does_not_take_is_nobodys() -> None:
    """X answers 400, and names the parameter that it does not like."""
    told = {"errors": [{"parameters": {"username": ["a b"]}, "message": "The value is not valid"}]}
    token = Token("a-token-that-is-long-enough", "test")
    nobody = judge(Reply(400, {}, told), "a b", token)
    assert "There is no account" in str(nobody)
    other = {
        "errors": [{"parameters": {"max_results": ["0"]}, "message": "The value is not valid"}]
    }
    ours = judge(Reply(400, {}, other), "ann", token)
    assert isinstance(ours, XMisunderstood)
    again = judge(Reply(503, {}, told), "ann", token)
    assert isinstance(again, Retry)


def test_a_budget_of_nothing_asks_for_nothing(home: Home) -> None:
    with FakeX() as fake:
        result = fetched(home, fake, budget=0)
        assert (result.new, result.stopped_by, fake.ledger()["cost_usd"]) == (0, "budget", 0)


def test_an_account_of_somebody_else_has_the_full_price(home: Home) -> None:
    """The second fetch knows the account, and asks only whose the token is."""
    with FakeX() as fake:
        token = Token(fake.owner_token, "test")
        for _ in range(2):
            fetched(home, fake, "keeper_of_few_words", token=token)
            fake.add_post("keeper_of_few_words", "One more.")
        assert fake.ledger()["owned_reads"] == 0
        for _ in range(2):
            fetched(home, fake, OWNER, token=token)
            fake.add_post(OWNER, "One more.")
        assert fake.ledger()["owned_reads"] == 111


def test_a_renamed_account_is_recognised_and_not_paid_again(home: Home) -> None:
    old, new = "keeper_of_few_words", "keeper_of_fewer"
    with FakeX() as fake:
        fetched(home, fake, old)
        fake.rename(old, new)
        _forget_the_look_up(home)
        with pytest.raises(XRefused, match=f"@{old} is called @{new} now") as refused:
            fetched(home, fake, old)
        assert refused.value.about_account
        fake.add_post(new, "Under another name.")
        before = fake.ledger()["posts"]
        result = fetched(home, fake, new)
        assert fake.ledger()["posts"] - before == 1
        assert f"@{old}" in result.notes[0]


def test_a_name_that_changed_hands_is_refused(home: Home) -> None:
    with FakeX() as fake:
        fetched(home, fake, "keeper_of_few_words")
        fake.rename("keeper_of_few_words", "keeper_of_fewer")
        fake.rename(EDITOR, "keeper_of_few_words")
        _forget_the_look_up(home)
        with pytest.raises(XRefused, match="somebody else's account now") as refused:
            fetched(home, fake, "keeper_of_few_words")
        assert refused.value.about_account


def test_nor_are_the_posts_of_a_stranger_added_to_an_archive(home: Home, tmp_path: Path) -> None:
    with FakeX() as fake:
        owner = fake.account(WALKER).id + 1  # somebody who had the name before
        import_path(Corpus(home.corpus), archive_of(tmp_path, there(fake)[4:], owner))
        with pytest.raises(XRefused, match="somebody else's account now"):
            fetched(home, fake)
        assert fake.ledger()["posts"] == 0


def _forget_the_look_up(home: Home) -> None:
    with Corpus(home.corpus).writing() as connection:
        connection.execute("UPDATE accounts SET looked_up_at = looked_up_at - INTERVAL 1 DAY")


def archive_of(folder: Path, post_ids: list[str], account_id: int) -> Path:
    owner = {"username": WALKER, "accountId": str(account_id), "accountDisplayName": "W"}
    files = archive_files([tweet(post_id, "from the archive") for post_id in post_ids])
    files["data/account.js"] = f"window.YTD.account.part0 = {json.dumps([{'account': owner}])}"
    return as_zip(folder / "a.zip", files)


def test_an_archive_need_not_be_paid_for(home: Home, tmp_path: Path) -> None:
    with FakeX() as fake:
        archive = archive_of(tmp_path, there(fake)[4:], fake.account(WALKER).id)
        import_path(Corpus(home.corpus), archive)
        plan = planned(home, fake)
        assert plan.already_here == 126
        assert any("archive of @walker" in notice for notice in plan.notices)
        result = fetched(home, fake)
        assert (result.posts, result.new, result.complete) == (4, 4, True)
        assert ids(home) == there(fake)


def test_what_was_fetched_and_is_in_an_archive_counts_once(home: Home, tmp_path: Path) -> None:
    with FakeX() as fake:
        fetched(home, fake)
        archive = archive_of(tmp_path, there(fake)[4:], fake.account(WALKER).id)
        import_path(Corpus(home.corpus), archive)
        assert planned(home, fake).already_here == 130


def test_what_was_forgotten_is_fetched_again(home: Home) -> None:
    with FakeX() as fake:
        fetched(home, fake)
        with Corpus(home.corpus).writing() as connection:
            connection.execute("DELETE FROM tweets")
        assert planned(home, fake).already_here == 0
        assert fetched(home, fake).new == 130


def test_plans_before_and_after_asking(home: Home) -> None:
    with FakeX() as fake:
        plan = planned(home, fake)
        assert not fake.requests
        assert (plan.posts_at_most, plan.pages_at_most, plan.cost_usd) == (3200, 32, 16.01)
        assert (plan.looked_up, plan.posts_expected) == (False, None)
        assert "forbid training" in plan.notices[0]
        assert "token" not in json.dumps(plan.to_json()).replace("The token", "")
        assert fake.token not in repr(plan)
        exact = planned(home, fake, look_up=True)
        assert (exact.posts_expected, exact.posts_at_most, exact.cost_usd) == (130, 200, 1.0)
        assert fake.ledger()["cost_usd"] == 0.01
        fetch(home, exact)
        assert fake.ledger()["users"] == 1
        assert fake.ledger()["deduplicated"] == 0
        later = planned(home, fake)
        assert (later.posts_expected, later.posts_at_most, later.already_here) == (0, 100, 130)
        for most in (5, 7):
            assert planned(home, fake, max_posts=most).posts_at_most == most
        with pytest.raises(WrongUsage, match="At least 5"):
            planned(home, fake, max_posts=4)


def test_the_window_has_words(home: Home) -> None:
    posts = Plan("writer_without_end", "Writer", 60, mix={"original": 1}, edits=0, deletes=0)
    (home.root / "x_api.toml").write_text("[limits]\nwindow = 50")
    with FakeX([posts]) as fake:
        plan = planned(home, fake, "writer_without_end", look_up=True)
        assert any("only the newest 50 of" in notice for notice in plan.notices)
        stopped = fetched(home, fake, "writer_without_end", max_posts=10)
        assert (stopped.stopped_by, stopped.notes) == ("max", [])  # the rest may be had
        whole = fetched(home, fake, "writer_without_end")
        assert any("only the newest 50 of" in notice for notice in whole.notes)


def test_prices_are_a_file_with_a_date(home: Home) -> None:
    terms = load_terms(home)
    assert terms.post_read == Decimal("0.005")
    assert terms.as_of >= "2026-08"
    assert terms.source.startswith("https://")
    own = home.root / "x_api.toml"
    own.write_text('as_of = "2031-01"\n[prices]\npost_read = 0.5')
    assert load_terms(home).post_read == Decimal("0.5")
    assert load_terms(home).user_read == terms.user_read
    assert load_terms(home).as_of == "2031-01"
    for wrong in ("[prices]\npost_read = -1", "[prices]\npost_read = 'much'", "[", "limits = 3",
                  "[limits]\npage = 0"):  # fmt: skip
        own.write_text(wrong)
        with pytest.raises(InputRefused, match=str(own)):
            load_terms(home)


HOLD = """
import duckdb, sys
held = duckdb.connect(sys.argv[1], read_only=True)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_page_that_cannot_be_stored_is_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Corpus.__init__, "__defaults__", (0.2,))
    holders: list[subprocess.Popen[str]] = []
    seen: list[FetchProgress] = []

    def hold(step: FetchProgress) -> None:
        """Another program opens the corpus once the account is known."""
        seen.append(step)
        if step.kind == "account" and not holders:
            command = [sys.executable, "-c", HOLD, str(home.corpus)]
            pipe = subprocess.PIPE
            holders.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
            assert holders[0].stdout is not None
            assert holders[0].stdout.readline() == "held\n"

    def give_up() -> bool:
        return sum(step.kind == "storing" for step in seen) > 1

    with FakeX() as fake:
        try:
            with pytest.raises(FetchInterrupted) as stopped:
                fetched(home, fake, progress=hold, cancelled=give_up)
        finally:
            for holder in holders:
                holder.communicate()
        paid = fake.ledger()["posts"]
        assert paid
        assert stopped.value.result is not None
        assert stopped.value.result.cost_usd == fake.ledger()["cost_usd"]
        (kept,) = (home.root / "fetch-pending").iterdir()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert "in use by process" in next(s.why for s in seen if s.kind == "storing")
        result = fetched(home, fake)
        assert not kept.exists()
        assert result.complete
        assert (result.posts, result.new) == (130 - paid, 130)
        assert ids(home) == there(fake)
        assert (fake.ledger()["posts"], fake.ledger()["deduplicated"]) == (130, 0)


def test_one_fetch_at_a_time(home: Home) -> None:
    with FakeX() as fake, fetch_lock(home):
        with pytest.raises(InputRefused, match="Another fetch"):
            fetched(home, fake)
        assert not fake.requests


def test_without_a_token_nothing_is_asked(home: Home) -> None:
    with FakeX() as fake:
        with pytest.raises(InputRefused, match="no X API token"):
            fetched(home, fake, token=None)
        assert not fake.requests


def test_the_token_is_in_no_log_message_or_file(
    home: Home, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("tweepy", "tweepy.client", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    said = []
    faults = [
        {"kind": "drop", "path": "*/tweets"},
        {"kind": "html503", "path": "*/tweets", "nth": 2},
        {"kind": "answer", "path": "*/tweets", "nth": 4, "status": 403,
         "body": {"detail": "You sent AAAAAAAAAAAAAAAAAAAAAMynahFakeAppToken, which is secret"}},
    ]  # fmt: skip
    with FakeX(faults=faults) as fake:
        plan = planned(home, fake)
        with pytest.raises(XRefused) as refused:
            fetch(home, plan, progress=lambda step: said.append(repr(step)))
        error: BaseException | None = refused.value
        while error is not None:
            said += [str(error), repr(error), repr(vars(error))]
            error = error.__cause__ or error.__context__
        assert "[token]" in str(refused.value)
        fetch(home, plan)
        said += [repr(plan), repr(plan.to_json()), caplog.text, *capfd.readouterr()]
        kept = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
        assert fake.token not in "".join(said)
        assert fake.token.encode() not in kept
    assert "Making API request" not in caplog.text
    assert http.client.HTTPConnection.debuglevel == 0


def test_the_token_goes_nowhere_else(home: Home) -> None:
    with FakeX() as other:
        elsewhere = {"kind": "redirect", "headers": {"location": f"{other.url}/2/users/1"}}
        with FakeX(faults=[elsewhere]) as fake:
            with pytest.raises(XRefused, match="sends elsewhere") as refused:
                fetched(home, fake)
            assert len(fake.requests) == 1
            assert refused.value.result is not None
            assert refused.value.result.unsure_usd == 0
        assert not other.requests


@pytest.mark.parametrize(
    ("given", "fine"),
    [
        ("https://api.x.com", True),
        ("https://api.twitter.com/", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost:1/prefix", True),
        ("http://api.x.com", False),
        ("http://127.0.0.1.example.com", False),
        ("ftp://127.0.0.1", False),
        ("api.x.com", False),
        ("https://user:word@api.x.com", False),
        ("https://api.x.com?a=1", False),
        ("https://api.x.com#a", False),
        ("https://api.x.com:port", False),
        ("https://", False),
    ],
)
def test_addresses(given: str, fine: bool) -> None:
    if fine:
        assert api_url_of(given) == given.rstrip("/")
    else:
        with pytest.raises(InputRefused):
            api_url_of(given)


def test_an_address_where_nothing_answers(home: Home) -> None:
    token = Token("AAAAAAAAAAAAAAAAAAAA", "test")
    plan = estimate_fetch(home, "nasa", api_url="http://127.0.0.1:9", token=token)
    with pytest.raises(XRefused, match="nothing answers there") as refused:
        fetch(home, plan)
    assert refused.value.result is not None
    assert refused.value.result.unsure_usd == 0


def test_our_own_mistake_is_called_one(home: Home) -> None:
    faults = [{"kind": "bad_request", "path": "*/tweets"}]
    with FakeX(faults=faults) as fake, pytest.raises(XMisunderstood, match="max_results"):
        fetched(home, fake)


def test_an_older_corpus_is_brought_up_to_date(home: Home) -> None:
    """A corpus of version 1 that has accounts already."""
    from core.corpus.migrations import run_script
    from core.home import bundled

    with Corpus(home.corpus).writing() as connection:
        for table in ("fetched_ranges", "import_skips", "forgotten_tweets", "excluded_tweets"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP VIEW account_stats")
        for column in ("picture_url", "posts", "looked_up_at"):
            connection.execute(f"ALTER TABLE accounts DROP COLUMN {column}")
        for column in ("reply_to_id", "quoted_id", "conversation_id", "alt_text"):
            connection.execute(f"ALTER TABLE tweets DROP COLUMN {column}")
        connection.execute("ALTER TABLE imports DROP COLUMN undated")
        run_script(connection, bundled("sql", "views.sql").read_text())
        connection.execute("DELETE FROM schema_version WHERE version > 1")
        connection.execute("INSERT INTO accounts (handle, name) VALUES ('old', 'Old')")
    with FakeX() as fake:
        assert planned(home, fake).already_here == 0
        assert fetched(home, fake).complete
    assert ask(home, "SELECT name FROM accounts WHERE handle = 'old'") == [("Old",)]
    assert pl.Series(ask(home, "SELECT max(version) FROM schema_version")[0]).item() >= 2
