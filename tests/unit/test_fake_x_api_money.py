"""The fake X API's ledger and limits, and the fake as a program of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.x_api import OWNER, WALKER, FakeX
from tests.fakes.x_api.asking import ask, tweets_path, walk


@pytest.fixture
def fake() -> Iterator[FakeX]:
    with FakeX("small") as running:
        yield running


def test_each_resource_is_billed_once_a_day(fake: FakeX) -> None:
    ask(fake, f"/2/users/by/username/{WALKER}")
    walk(fake)
    walk(fake)
    report = fake.ledger()
    assert (report["posts"], report["users"], report["deduplicated"]) == (130, 1, 130)
    assert report["cost_usd"] == pytest.approx(130 * 0.005 + 0.010)
    fake.next_day()
    walk(fake)
    assert fake.ledger()["posts"] == 260
    assert ask(fake, "/2/usage/tweets").body["data"]["project_usage"] == "260"
    assert ask(fake, "/_ledger").body == fake.ledger()


def test_only_the_owners_own_posts_are_owned_reads(fake: FakeX) -> None:
    walk(fake, OWNER, fake.owner_token)
    assert fake.ledger()["owned_reads"] == 110
    assert fake.ledger()["posts"] == 0
    walk(fake, WALKER, fake.owner_token)
    walk(fake, "cousin_of_the_tide", fake.reader_token)  # one's own, but not the app's owner
    assert (fake.ledger()["owned_reads"], fake.ledger()["posts"]) == (110, 220)


def test_errors_cost_nothing(fake: FakeX) -> None:
    for kind in ("html503", "json500", "usage_cap", "credits", "rate_limited"):
        fake.schedule(kind=kind)
        assert ask(fake, tweets_path(fake)).status >= 400
    assert fake.ledger()["cost_usd"] == 0


def test_credit_runs_out() -> None:
    with FakeX("small", credits_usd=0.05) as fake:
        assert ask(fake, tweets_path(fake)).status == 200
        reply = ask(fake, tweets_path(fake))
        assert reply.status == 402
        assert reply.body["title"] == "CreditsDepleted"


def test_the_limit_counts_down_and_comes_back() -> None:
    with FakeX("small", rate_limit=(3, 0.5)) as fake:
        left = [ask(fake, tweets_path(fake)).headers["x-rate-limit-remaining"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        other = ask(fake, f"/2/users/by/username/{WALKER}")
        assert other.headers["x-rate-limit-remaining"] == "2", "each endpoint has its own"
        person = ask(fake, tweets_path(fake), fake.reader_token)
        assert person.headers["x-rate-limit-remaining"] == "2", "and each token"
        refused = ask(fake, tweets_path(fake))
        while refused.status != 429:  # the window may just have ended
            refused = ask(fake, tweets_path(fake))
        assert refused.body["title"] == "Too Many Requests"
        assert refused.headers["x-rate-limit-remaining"] == "0"
        wait = int(refused.headers["x-rate-limit-reset"]) - time.time()
        assert wait <= 2
        time.sleep(max(0, wait))
        assert ask(fake, tweets_path(fake)).status == 200


def test_x_own_limits_for_apps_and_people(fake: FakeX) -> None:
    def limit(path: str, token: str) -> str:
        return ask(fake, path, token).headers["x-rate-limit-limit"]

    lookup = f"/2/users/by/username/{WALKER}"
    assert limit(tweets_path(fake), fake.token) == "10000"
    assert limit(tweets_path(fake), fake.reader_token) == "900"
    assert limit(lookup, fake.token) == "300"
    assert limit(lookup, fake.reader_token) == "900"


def test_it_runs_as_a_program_until_it_is_told_to_stop() -> None:
    words = [sys.executable, "-m", "tests.fakes.x_api", "--port", "0", "--accounts", "small"]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        shown = ""
        while "/_next_day" not in shown:
            shown += (line := program.stdout.readline())
            assert line, "it ended early"
        url = next(word for word in shown.split() if word.startswith("http://127.0.0.1:"))
        with urllib.request.urlopen(f"{url}/_ledger", timeout=20) as reply:  # noqa: S310
            assert reply.status == 200
        assert f"mynah fetch {WALKER} --api-url {url}" in shown
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=20) == 0
