"""The plainest client there is, for tests of the fake itself: no retries, no pooling, no mercy."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.fakes.x_api.invented import WALKER
from tests.fakes.x_api.server import FakeX


@dataclass
class Reply:
    """``body`` is the parsed JSON, or the text where it is none."""

    status: int
    headers: http.client.HTTPMessage
    body: Any


def ask(fake: FakeX, path: str, token: str | None = None, **query: Any) -> Reply:
    """GET with the app's token (``token=""``: none); names in ``query`` have __ for the dot."""
    pairs = {name.replace("__", "."): value for name, value in query.items() if value is not None}
    headers = {"Authorization": f"Bearer {fake.token if token is None else token}"}
    address = f"{path}?{urlencode(pairs)}"
    return _exchange(fake, "GET", address, None, {} if token == "" else headers)


def steer(fake: FakeX, path: str, body: Any, method: str = "POST") -> Reply:
    """Send JSON to one of the addresses that begin with an underscore."""
    return _exchange(fake, method, path, json.dumps(body).encode(), {})


def _exchange(
    fake: FakeX, method: str, address: str, sent: bytes | None, headers: dict[str, str]
) -> Reply:
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, address, sent, headers)
        answer = connection.getresponse()
        got = answer.read()
    finally:
        connection.close()
    try:
        body = json.loads(got)
    except ValueError:
        body = got.decode("utf-8", "replace")
    return Reply(answer.status, answer.headers, body)


def tweets_path(fake: FakeX, username: str = WALKER) -> str:
    return f"/2/users/{fake.account(username).id}/tweets"


def walk(
    fake: FakeX, username: str = WALKER, token: str | None = None, **query: Any
) -> list[dict[str, Any]]:
    """Every page from the newest to the last."""
    pages: list[dict[str, Any]] = []
    query = {"max_results": 100, **query}
    while True:
        reply = ask(fake, tweets_path(fake, username), token, **query)
        assert reply.status == 200, reply.body
        pages.append(reply.body)
        query["pagination_token"] = reply.body["meta"].get("next_token")
        if query["pagination_token"] is None:
            return pages


def ids(*pages: dict[str, Any]) -> list[int]:
    return [int(post["id"]) for page in pages for post in page.get("data", ())]
