"""The X API through tweepy, with our host and time limits, and the token only in the request sent.

tweepy 4.17 has no setting for the host, no time limits, and prints the bearer token in its debug
log. So it gets a placeholder for a token, and every request of its session goes through an adapter
that puts the real one into a copy of the request on its way out.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import tweepy  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from core.errors import InputRefused
from core.fetching.token import Token

DEFAULT_API_URL: Final = "https://api.x.com"
_HOSTS: Final = ("https://api.twitter.com", "https://api.x.com")
_PLACEHOLDER: Final = "kept-by-mynah"
_TWEET_FIELDS: Final = "tweet.fields="
_CONNECT, _READ = 10.0, 30.0
_GRACE: Final = 2.0
_LARGEST: Final = 32 * 2**20

USER_FIELDS: Final = (
    "created_at,description,name,profile_image_url,protected,public_metrics,username"
)
POST_FIELDS: Final = (
    "conversation_id,created_at,entities,in_reply_to_user_id,lang,note_tweet,possibly_sensitive,"
    "public_metrics,referenced_tweets"
)


class Broken(Exception):
    """No whole answer came. ``sent``: X may have read the request, and charged for it."""

    def __init__(self, why: str, *, sent: bool, final: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
        self.final = final


@dataclass(frozen=True)
class Reply:
    """An answer: ``body`` is its JSON object, None when it is not one."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any] | None


def api_url_of(given: str | None) -> str:
    """``--api-url``, else MYNAH_X_API_URL, else X itself; raises InputRefused for a bad one.

    Only https, because the token travels with every request; http to this machine is for tests.
    """
    url = (given or os.environ.get("MYNAH_X_API_URL") or DEFAULT_API_URL).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or parts.username or parts.query or parts.fragment:
        raise InputRefused(f"{url!r} is not the address of an API.", "", f"Try {DEFAULT_API_URL}.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _this_machine(host)):
        raise InputRefused(
            f"{url} is not https.", "Everybody on the way could read the token.", "Use https."
        )
    return url


def is_x(api_url: str) -> bool:
    """Whether that is X itself, under either of its names."""
    return (urlsplit(api_url).hostname or "").endswith((".x.com", ".twitter.com"))


def _this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name, and whose it is can change
        return False


class _Silent(logging.Filter):
    """Nothing of tweepy's log is for anybody: every request with its headers, every answer whole.

    A filter and not a level, so that no configuration of logging brings it back by accident.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return False


class _Adapter(HTTPAdapter):
    """Sends tweepy's requests to ``base``, with the token and time limits that tweepy lacks."""

    def __init__(self, base: str, token: Token) -> None:
        super().__init__(max_retries=0)
        self._base = base
        self._token = token
        self.fields = "tweet.fields"
        self.last: requests.Response | None = None
        self.abandoned = threading.Event()

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        ours = request.copy()
        query = parts.query.replace(_TWEET_FIELDS, f"{self.fields}=")
        ours.url = self._base + parts.path + (f"?{query}" if query else "")
        ours.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        host = urlsplit(self._base).hostname or ""
        problem: Broken | None = None
        try:
            response = super().send(
                ours,
                stream=True,
                timeout=(_CONNECT, _READ),
                verify=options.get("verify", True),
                cert=options.get("cert"),
                proxies={} if _this_machine(host) else get_environ_proxies(ours.url),
            )
            with contextlib.closing(response):
                if response.is_redirect:
                    raise Broken("the address sends elsewhere", sent=False, final=True)
                body = self._read_body(response)
        except requests.RequestException as error:
            problem = _broken(error)
        if problem is not None:
            raise problem  # out here: the exception above holds the request with the token
        response._content = body.replace(self._token.reveal().encode(), b"[token]")
        response._content_consumed = True
        response.request = request
        self.last = response
        return response

    def _read_body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(4096):
            body += chunk
            if self.abandoned.is_set():
                raise Broken("it was given up", sent=True)
            if len(body) > _LARGEST:
                raise Broken("the answer is larger than any page", sent=True, final=True)
        return bytes(body)


def _broken(error: requests.RequestException) -> Broken:
    """What happened, in words of our own; the library's would quote addresses and objects."""
    if isinstance(error, requests.exceptions.SSLError):
        return Broken("the certificate is not trusted", sent=False)
    if isinstance(error, requests.exceptions.ProxyError):
        return Broken("the proxy refused", sent=False)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Broken("nothing answers there", sent=False)
    if isinstance(error, requests.exceptions.Timeout):
        return Broken(f"nothing came for {_READ:g} s", sent=True)
    reason = type(getattr(error.args[0] if error.args else None, "reason", None)).__name__
    if reason == "NameResolutionError":
        return Broken("the name of the host is not known", sent=False)
    if reason in ("NewConnectionError", "ConnectTimeoutError"):
        return Broken("nothing answers there", sent=False)
    return Broken("the connection was dropped", sent=True)


class XClient:
    """The requests that fetching needs, one at a time; each returns a Reply or raises Broken.

    ``answer`` bounds one whole answer in seconds, dripping ones included.
    """

    def __init__(self, token: Token, api_url: str, answer: float) -> None:
        log = logging.getLogger("tweepy.client")
        if not any(isinstance(known, _Silent) for known in log.filters):
            log.addFilter(_Silent())
        self._token = token
        self._base = api_url
        self._answer = answer
        self._fields = "tweet.fields"  # or post.fields, its later name, which tweepy cannot say
        self._open()

    def user(self, handle: str, cancelled: Callable[[], bool]) -> Reply:
        return self._ask(
            lambda: self._tweepy.get_user(username=handle, user_fields=USER_FIELDS), cancelled
        )

    def user_by_id(self, account_id: str, cancelled: Callable[[], bool]) -> Reply:
        return self._ask(
            lambda: self._tweepy.get_user(id=account_id, user_fields=USER_FIELDS), cancelled
        )

    def me(self, cancelled: Callable[[], bool]) -> Reply:
        """The user that the token belongs to; app-only tokens belong to none."""
        return self._ask(
            lambda: self._tweepy.get_me(user_fields=USER_FIELDS, user_auth=False), cancelled
        )

    def posts(
        self,
        account_id: str,
        *,
        size: int,
        since: int | None,
        until: int | None,
        next_token: str | None,
        cancelled: Callable[[], bool],
    ) -> Reply:
        """A page of ``since`` < id < ``until``, newest first.

        Fields are asked for under the name ``tweet.fields``; where X no longer knows that one,
        under ``post.fields``.
        """
        bounds = {"since_id": since, "until_id": until, "pagination_token": next_token}
        given = {name: value for name, value in bounds.items() if value is not None}

        def ask() -> Reply:
            self._adapter.fields = self._fields
            return self._ask(
                lambda: self._tweepy.get_users_tweets(
                    account_id, max_results=size, tweet_fields=POST_FIELDS, **given
                ),
                cancelled,
            )

        reply = ask()
        if reply.status == 400 and self._fields == "tweet.fields" and _names(reply, self._fields):
            self._fields = "post.fields"
            reply = ask()
        return reply

    def close(self) -> None:
        self._tweepy.session.close()

    def _open(self) -> None:
        self._adapter = _Adapter(self._base, self._token)
        # waiting for rate limits is ours: tweepy's cannot be stopped, or even seen
        self._tweepy = tweepy.Client(
            _PLACEHOLDER, return_type=requests.Response, wait_on_rate_limit=False
        )
        session = self._tweepy.session
        session.adapters.clear()
        for host in _HOSTS:
            session.mount(host, self._adapter)
        session.auth = _as_it_is  # or a netrc entry for the host would replace the token

    def _ask(self, call: Callable[[], object], cancelled: Callable[[], bool]) -> Reply:
        """One request in a thread, so that a connection that hangs or drips can be left."""
        adapter = self._adapter
        adapter.last = None
        raised: list[BaseException] = []

        def send() -> None:
            try:
                call()
            except BaseException as error:
                raised.append(error)

        sender = threading.Thread(target=send, name="x-request", daemon=True)
        sender.start()
        left = self._answer
        while sender.is_alive() and left > 0:
            if cancelled():  # but what is asked for is paid for: see whether it comes at once
                left = min(left, _GRACE)
            sender.join(min(0.1, left))
            left -= 0.1
        if sender.is_alive():
            adapter.abandoned.set()
            self.close()
            self._open()
            raise Broken(f"the answer did not end within {self._answer:g} s", sent=True)
        if adapter.last is not None:
            # tweepy's own exceptions are not looked at: they hide the reasons that X gives
            return _reply(adapter.last)
        for error in raised:
            if isinstance(error, Broken):
                raise Broken(error.why, sent=error.sent, final=error.final) from None
            raise error
        raise Broken("there was no answer", sent=True)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _reply(response: requests.Response) -> Reply:
    body: Any = None
    with contextlib.suppress(ValueError, RecursionError):
        body = response.json()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, body if isinstance(body, dict) else None)


def _names(reply: Reply, words: str) -> bool:
    return words in str(reply.body)
