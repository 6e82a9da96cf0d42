"""What becomes of a request to X on its way: in words, and whether it may have been charged."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from core.fetching.client import DEFAULT_API_URL, Broken, XClient, api_url_of, is_x
from core.fetching.token import Token


def broken(monkeypatch: pytest.MonkeyPatch, error: Exception) -> Broken:
    def send(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(HTTPAdapter, "send", send)
    client = XClient(Token("a-token-that-is-long-enough", "test"), "https://api.x.com", 5.0)
    with pytest.raises(Broken) as raised:
        client.user("ann", lambda: False)
    client.close()
    return raised.value


def max_retries(reason: Exception) -> MaxRetryError:
    return MaxRetryError(None, "/2/users", reason)  # type: ignore[arg-type]


UNKNOWN = NameResolutionError("x", None, OSError())  # type: ignore[arg-type]
CLOSED = NewConnectionError(None, "refused")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "why", "sent"),
    [
        (requests.exceptions.SSLError(), "the certificate is not trusted", False),
        (requests.exceptions.ProxyError(), "the proxy refused", False),
        (requests.exceptions.ConnectTimeout(), "nothing answers there", False),
        (requests.exceptions.ReadTimeout(), "nothing came for 30 s", True),
        (
            requests.exceptions.ConnectionError(max_retries(UNKNOWN)),
            "the name of the host is not known",
            False,
        ),
        (requests.exceptions.ConnectionError(max_retries(CLOSED)), "nothing answers there", False),
        (requests.exceptions.ConnectionError("reset"), "the connection was dropped", True),
        (requests.exceptions.ConnectionError(), "the connection was dropped", True),
    ],
)
def test_what_went_wrong_and_whether_it_may_cost(
    error: Exception, why: str, sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = broken(monkeypatch, error)
    assert (found.why, found.sent, found.final) == (why, sent, False)


def test_an_answer_without_end_is_given_up_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.fetching.client._LARGEST", 5_000)
    for size, over in ((5_000, False), (5_001, True)):
        answer = requests.Response()
        answer.status_code, answer.raw = 200, io.BytesIO()
        monkeypatch.setattr(answer, "iter_content", lambda _, size=size: [b"x" * size])
        monkeypatch.setattr(HTTPAdapter, "send", lambda *_, answer=answer, **__: answer)
        client = XClient(Token("a-token-that-is-long-enough", "test"), "https://api.x.com", 5.0)
        if not over:
            assert client.user("ann", lambda: False).body is None
            continue
        with pytest.raises(Broken, match="larger than any page") as raised:
            client.user("ann", lambda: False)
        assert (raised.value.sent, raised.value.final) == (True, True)


def test_where_requests_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MYNAH_X_API_URL", raising=False)
    assert api_url_of(None) == DEFAULT_API_URL
    assert is_x(DEFAULT_API_URL)
    monkeypatch.setenv("MYNAH_X_API_URL", "http://127.0.0.1:8099/ ")
    assert api_url_of(None) == "http://127.0.0.1:8099"
    assert api_url_of("https://api.twitter.com") == "https://api.twitter.com"
    assert is_x("https://api.twitter.com")
    for other in ("http://127.0.0.1:8099", "https://x.com.example.org", "https://notx.com", "odd"):
        assert not is_x(other)
