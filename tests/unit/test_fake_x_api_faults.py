"""The fake X API going wrong as told, steered and watched, and read by a client of others."""

from __future__ import annotations

import gzip
import http.client
import json
import threading
import time
import urllib.parse
import zlib
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.fakes.x_api import KINDS, OWNER, WALKER, FakeX
from tests.fakes.x_api.asking import ask, ids, steer, tweets_path, walk
from tests.fakes.x_api.faults import CARRIAGE, GATEWAY, PAGING, REFUSALS


@pytest.fixture
def fake() -> Iterator[FakeX]:
    with FakeX("small") as running:
        yield running


def test_faults_strike_the_nth_matching_request(fake: FakeX) -> None:
    fake.schedule({"path": "/2/users/*/tweets", "nth": 2, "times": 2, "kind": "json502"})
    statuses = []
    for _ in range(4):
        assert ask(fake, f"/2/users/by/username/{WALKER}").status == 200
        statuses.append(ask(fake, tweets_path(fake)).status)
    assert statuses == [200, 502, 502, 200]
    assert fake.service.faults == []


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("unauthorized", 401, "Unauthorized"),
        ("credits", 402, "CreditsDepleted"),
        ("client_forbidden", 403, "client-not-enrolled"),
        ("unsupported_auth", 403, "OAuth 2.0 Application-Only is forbidden"),
        ("bad_request", 400, "Invalid Request"),
        ("not_found", 404, "Not Found Error"),
        ("not_found_empty", 404, '""'),
        ("usage_cap", 429, "UsageCapExceeded"),
        ("json500", 500, "Internal Server Error"),
        ("html502", 502, "<!DOCTYPE html>"),
        ("html503", 503, "<!DOCTYPE html>"),
        ("json504", 504, "Gateway Timeout"),
    ],
)
def test_refusals(fake: FakeX, kind: str, status: int, words: str) -> None:
    fake.schedule(kind=kind)
    reply = ask(fake, tweets_path(fake))
    assert reply.status == status
    assert words in json.dumps(reply.body)
    assert ask(fake, tweets_path(fake)).status == 200
    assert ("x-rate-limit-remaining" in reply.headers) == (not kind.startswith("html"))
    if kind == "usage_cap":
        assert int(reply.headers["x-rate-limit-remaining"]) > 0


def test_rate_limited_lasts_until_its_reset(fake: FakeX) -> None:
    fake.schedule(kind="rate_limited", seconds=0.2)
    first, second = ask(fake, tweets_path(fake)), ask(fake, tweets_path(fake))
    assert first.status == 429
    reset = int(first.headers["x-rate-limit-reset"])
    assert second.status == 429 or time.time() >= reset
    time.sleep(max(0, reset - time.time()))
    assert ask(fake, tweets_path(fake)).status == 200
    fake.schedule(kind="rate_limited_bare")
    bare = ask(fake, tweets_path(fake))
    assert bare.status == 429
    assert "x-rate-limit-reset" not in bare.headers


@pytest.mark.parametrize("host", ["api.x.com", "api.twitter.com"])
def test_type_addresses_have_either_host(host: str) -> None:
    with FakeX("small", [{"kind": "usage_cap"}], host=host) as fake:
        assert ask(fake, tweets_path(fake)).body["type"].startswith(f"https://{host}/")
        missing = ask(fake, "/2/users/by/username/nobody").body["errors"][0]
        assert missing["type"] == f"https://{host}/2/problems/resource-not-found"
        fake.schedule(kind="credits", host="api.twitter.com")
        assert ask(fake, tweets_path(fake)).body["type"].startswith("https://api.twitter.com/")


def test_surprising_pages_lose_nothing(fake: FakeX) -> None:
    expected = ids(*walk(fake))
    for kind in ("empty_page", "short_page"):
        for nth in (1, 2):
            fake.schedule(kind=kind, nth=nth, keep=3)
            pages = walk(fake, max_results=50)
            assert ids(*pages) == expected
            assert pages[nth - 1]["meta"]["result_count"] == (0 if kind == "empty_page" else 3)
    fake.schedule(kind="duplicate", nth=2)
    found = ids(*walk(fake, max_results=50))
    assert len(found) == len(expected) + 1
    assert list(dict.fromkeys(found)) == expected
    fake.schedule(kind="same_token", nth=2)
    first = ask(fake, tweets_path(fake)).body["meta"]
    token = first["next_token"]
    second = ask(fake, tweets_path(fake), pagination_token=token).body["meta"]
    assert second["next_token"] == token
    fake.schedule(kind="new_post")
    newest = ask(fake, tweets_path(fake)).body["data"][0]["id"]
    assert int(newest) not in expected


def raw(fake: FakeX, **headers: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"), timeout=20)
    headers = {"Authorization": f"Bearer {fake.token}", **headers}
    connection.request("GET", tweets_path(fake), headers=headers)
    return connection


def test_answers_are_gzip_for_those_who_take_it(fake: FakeX) -> None:
    connection = raw(fake, **{"Accept-Encoding": "gzip, deflate"})
    reply = connection.getresponse()
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["api-version"]
    assert len(json.loads(gzip.decompress(reply.read()))["data"]) == 10
    connection.close()
    fake.schedule(kind="bad_gzip")
    connection = raw(fake, **{"Accept-Encoding": "gzip"})
    with pytest.raises((OSError, EOFError, zlib.error)):
        gzip.decompress(connection.getresponse().read())
    connection.close()


def test_carriage_faults(fake: FakeX) -> None:
    fake.schedule(kind="drop")
    connection = raw(fake)
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    fake.schedule(kind="hang", seconds=0.1)
    connection = raw(fake)
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    assert fake.ledger()["posts"] == 0
    fake.schedule(kind="drop_body")
    with pytest.raises(http.client.IncompleteRead):
        raw(fake).getresponse().read()
    assert fake.ledger()["posts"] == 10, "X did give it"
    fake.schedule(kind="slow", seconds=0.2)
    assert len(json.loads(raw(fake).getresponse().read())["data"]) == 10
    fake.schedule(kind="wrong_type")
    reply = raw(fake).getresponse()
    assert reply.headers["content-type"].startswith("text/html")
    assert json.loads(reply.read())["data"]
    fake.schedule(kind="not_json")
    reply = raw(fake).getresponse()
    assert (reply.status, reply.headers["content-type"][:16]) == (200, "application/json")
    assert reply.read().startswith(b"<!DOCTYPE html>")
    fake.schedule(kind="truncated_json")
    with pytest.raises(ValueError):
        json.loads(raw(fake).getresponse().read())
    fake.schedule(kind="json_array")
    assert isinstance(json.loads(raw(fake).getresponse().read()), list)
    fake.schedule(kind="oversize", size=300_000)
    assert len(raw(fake).getresponse().read()) > 300_000
    fake.schedule(kind="redirect", headers={"location": "http://127.0.0.1:9/"})
    reply = raw(fake).getresponse()
    assert (reply.status, reply.headers["location"]) == (302, "http://127.0.0.1:9/")
    fake.schedule(kind="answer", status=418, body={"title": "I'm a teapot"})
    reply = raw(fake).getresponse()
    assert (reply.status, json.loads(reply.read())) == (418, {"title": "I'm a teapot"})


def test_every_kind_is_explained_and_unknown_ones_are_refused(fake: FakeX) -> None:
    import tests.fakes.x_api as package

    assert GATEWAY | REFUSALS | PAGING | CARRIAGE == KINDS
    assert package.__doc__ is not None
    words = set(package.__doc__.split())
    assert not KINDS - words
    with pytest.raises(ValueError, match="earthquake"):
        fake.schedule(kind="earthquake")
    with pytest.raises(ValueError, match="when"):
        fake.schedule({"kind": "drop", "when": "later"})


# -- steering and watching ------------------------------------------------------------------------


def test_it_is_steered_over_http_too(fake: FakeX) -> None:
    made = steer(fake, "/_post", {"username": WALKER, "text": "Hello & goodbye", "photo": True})
    (newest, *_) = ask(fake, tweets_path(fake)).body["data"]
    assert newest["id"] == made.body["id"]
    assert newest["text"].startswith("Hello &amp; goodbye https://t.co/")
    edited = steer(fake, "/_edit", {"id": made.body["id"], "text": "Hello"}).body["id"]
    assert ask(fake, tweets_path(fake)).body["data"][0]["id"] == edited
    steer(fake, "/_delete", {"id": edited})
    assert ask(fake, tweets_path(fake)).body["data"][0]["id"] not in (edited, made.body["id"])
    steer(fake, "/_account", {"username": WALKER, "suspended": True})
    assert "suspended" in ask(fake, tweets_path(fake)).body["errors"][0]["detail"]
    scheduled = steer(fake, "/_faults", [{"kind": "html503", "nth": 2}, {"kind": "drop", "nth": 9}])
    assert [fault["kind"] for fault in scheduled.body["faults"]] == ["html503", "drop"]
    assert steer(fake, "/_faults", None, "DELETE").body == {"faults": []}
    assert steer(fake, "/_next_day", {}).body["day"] > datetime.now(timezone.utc).date().isoformat()
    assert {row["username"] for row in ask(fake, "/_accounts").body["accounts"]} >= {WALKER, OWNER}
    assert "/_ledger" in ask(fake, "/").body


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/_faults", [{"kind": "earthquake"}], 400),
        ("/_faults", [7], 400),
        ("/_post", {"username": "nobody_there", "text": "x"}, 404),
        ("/_post", {"username": WALKER}, 400),
        ("/_edit", {"id": "7", "text": "x"}, 404),
        ("/_nothing", {}, 404),
    ],
)
def test_wrong_steering_is_told(fake: FakeX, path: str, body: Any, status: int) -> None:
    assert steer(fake, path, body).status == status


def test_the_request_log_never_holds_a_token(fake: FakeX) -> None:
    ask(fake, tweets_path(fake), max_results=7)
    ask(fake, tweets_path(fake), fake.owner_token)
    ask(fake, tweets_path(fake), "a-secret-from-elsewhere")
    ask(fake, tweets_path(fake), "", access_token=fake.token)
    log = ask(fake, "/_requests").body["requests"]
    owner = fake.account(OWNER).id
    assert [line["who"] for line in log] == ["app", f"user:{owner}", "unknown", "none"]
    assert log[0]["query"] == {"max_results": "7"}
    assert [line["status"] for line in log] == [200, 200, 401, 401]
    assert log[0]["posts"] == 7
    for secret in (fake.token, fake.owner_token, "a-secret-from-elsewhere"):
        assert secret not in json.dumps(log)


def test_leaving_ends_every_thread_even_with_open_connections() -> None:
    before = set(threading.enumerate())
    with FakeX("small", [{"kind": "hang", "nth": 2, "seconds": 600}]) as fake:
        idle = raw(fake)
        idle.getresponse().read()
        hanging = raw(fake)
    assert set(threading.enumerate()) <= before
    idle.close()
    hanging.close()
    with pytest.raises(RuntimeError):
        _ = fake.url


def test_requests_may_come_at_once(fake: FakeX) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(len(ids(*walk(fake, max_results=20)))))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [130] * 6
    assert fake.ledger()["posts"] == 130


# -- a client written by others -------------------------------------------------------------------


@pytest.fixture
def tweepy_client(fake: FakeX) -> Any:
    tweepy = pytest.importorskip("tweepy")
    requests = pytest.importorskip("requests")

    class ToTheFake(requests.adapters.HTTPAdapter):  # type: ignore[misc]
        def send(self, request: Any, *args: Any, **more: Any) -> Any:
            parts = urllib.parse.urlsplit(request.url)
            request.url = fake.url + urllib.parse.urlunsplit(("", "", *parts[2:4], ""))
            return super().send(request, *args, **more)

    client = tweepy.Client(fake.token)
    for host in ("https://api.twitter.com", "https://api.x.com"):
        client.session.mount(host, ToTheFake())
    yield client
    client.session.close()


def test_tweepy_walks_it(fake: FakeX, tweepy_client: Any) -> None:
    import tweepy

    user = tweepy_client.get_user(username=WALKER, user_fields=["protected"]).data
    assert user.username == WALKER
    pages = tweepy.Paginator(
        tweepy_client.get_users_tweets,
        user.id,
        max_results=50,
        tweet_fields=["created_at", "note_tweet", "referenced_tweets", "entities"],
    )
    posts = [post for page in pages for post in page.data or ()]
    assert [post.id for post in posts] == [post.id for post in fake.account(WALKER).live()]
    assert posts[0].created_at == fake.account(WALKER).live()[0].created_at.replace(microsecond=0)
    assert {line.who for line in fake.requests} == {"app"}
    assert "Tweepy" in fake.requests[0].user_agent
    assert fake.requests[0].accept_encoding


def test_tweepy_reads_what_comes_along(fake: FakeX, tweepy_client: Any) -> None:
    original = fake.add_post("cousin_of_the_tide", "word " * 40)
    fake.add_post(WALKER, retweet=original)
    page = tweepy_client.get_users_tweets(
        fake.account(WALKER).id, expansions=["referenced_tweets.id", "author_id"]
    )
    assert original.id in {post.id for post in page.includes["tweets"]}
    assert page.includes["users"][0].username == WALKER


def test_tweepy_sees_the_refusals(fake: FakeX, tweepy_client: Any) -> None:
    import tweepy

    missing = tweepy_client.get_user(username="nobody")
    assert missing.data is None
    assert missing.errors[0]["title"] == "Not Found Error"
    for kind, error in (
        ("unauthorized", tweepy.Unauthorized),
        ("credits", tweepy.HTTPException),
        ("client_forbidden", tweepy.Forbidden),
        ("not_found_empty", tweepy.NotFound),
        ("bad_request", tweepy.BadRequest),
        ("html503", tweepy.TwitterServerError),
        ("rate_limited", tweepy.TooManyRequests),
    ):
        fake.schedule(kind=kind)
        with pytest.raises(error) as caught:
            tweepy_client.get_users_tweets(fake.account(WALKER).id)
        if kind == "rate_limited":
            assert caught.value.reset_time >= int(time.time())
