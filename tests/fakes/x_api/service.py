"""The API itself, without sockets: a request comes in, an Answer goes out, a ledger is kept."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from tests.fakes.x_api import problems, render
from tests.fakes.x_api.accounting import Ledger, RateLimits
from tests.fakes.x_api.faults import GATEWAY, PAGING, REFUSALS, Fault, refusal, strike
from tests.fakes.x_api.model import Account, Post, World
from tests.fakes.x_api.problems import Answer, Refused
from tests.fakes.x_api.query import TIMELINE_PARAMETERS, USER_PARAMETERS, Query, read_query
from tests.fakes.x_api.timeline import page

_ROUTES = (
    ("user_by_username", re.compile(r"/2/users/by/username/([^/]+)")),
    ("me", re.compile(r"/2/users/me()")),
    ("user_tweets", re.compile(r"/2/users/([^/]+)/tweets")),
    ("user_by_id", re.compile(r"/2/users/([^/]+)")),
    ("usage", re.compile(r"/2/usage/tweets()")),
)


@dataclass(frozen=True)
class Bearer:
    """What a token stands for: the app alone, or a person who let the app in."""

    user_id: int | None = None

    @property
    def who(self) -> str:
        return "app" if self.user_id is None else f"user:{self.user_id}"


@dataclass
class Asked:
    """One line of the request log. The token itself is never in it."""

    number: int
    method: str
    path: str
    query: dict[str, str]
    who: str  # app, user:<id>, unknown, or none
    status: int = 0  # 0: no answer was sent
    fault: str | None = None
    posts: int = 0
    accept_encoding: str = ""
    user_agent: str = ""


@dataclass
class Service:
    world: World
    tokens: dict[str, Bearer]
    owner_id: int | None = None
    host: str = "api.x.com"
    spelling: str = "both"  # of post fields: "tweet" or "post" where X knows but one
    clock: Callable[[], float] = time.time
    credits_usd: Decimal | None = None
    rate_limit: tuple[int, float] | None = None
    faults: list[Fault] = field(default_factory=list)
    requests: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.ledger = Ledger(self.clock, self.credits_usd)
        self.limits = RateLimits(self.clock, self.rate_limit)

    # -- requests ---------------------------------------------------------------------------

    def answer(
        self, asked: Asked, query: str, authorization: str
    ) -> tuple[Answer | None, Fault | None]:
        """The answer (None: say nothing) and the fault that struck, if one did."""
        with self.lock:
            asked.number = len(self.requests) + 1
            asked.query = {
                name: "(a token)" if value in self.tokens else value
                for name, value in asked.query.items()
            }
            self.requests.append(asked)
            token = authorization[7:] if authorization.lower().startswith("bearer ") else ""
            bearer = self.tokens.get(token)
            asked.who = bearer.who if bearer else "unknown" if authorization else "none"
            fault = strike(self.faults, asked.path)
            asked.fault = fault.kind if fault else None
            answer = self._answer(asked, query, bearer, fault)
            asked.status = answer.status if answer else 0
            return answer, fault

    def _answer(
        self, asked: Asked, query: str, bearer: Bearer | None, fault: Fault | None
    ) -> Answer | None:
        kind = fault.kind if fault else ""
        if fault and kind in GATEWAY:
            return None if kind in ("drop", "hang") else refusal(fault, self.host, asked.path)
        endpoint, argument = _route(asked)
        if endpoint is None:
            return Answer(404, b"")
        if bearer is None:
            return problems.unauthorized()
        if kind == "rate_limited" and fault:
            self.limits.exhaust(bearer.who, endpoint, fault.seconds)
        granted = self.limits.take(bearer.who, endpoint)
        if fault and kind in REFUSALS:
            answer = refusal(fault, self.host, asked.path)
        elif not granted:
            answer = problems.rate_limited()
        elif self.ledger.out_of_credits:
            answer = problems.credits_depleted(self.host)
        else:
            try:
                answer = getattr(self, f"_{endpoint}")(bearer, argument, query, fault)
            except Refused as refused:
                answer = refused.answer
        if kind != "rate_limited_bare":
            answer.headers = {**self.limits.headers(bearer.who, endpoint), **answer.headers}
        if isinstance(answer.body, dict):
            asked.posts = len(answer.body.get("data", ())) if endpoint == "user_tweets" else 0
        return answer

    # -- endpoints --------------------------------------------------------------------------

    def _user_by_username(
        self, bearer: Bearer, name: str, query: str, _fault: Fault | None
    ) -> Answer:
        checked = self._read(query, USER_PARAMETERS)
        account = self.world.named(name)
        # X says {1,15}; invented handles are longer, so that they can be nobody's
        if not re.fullmatch(r"[A-Za-z0-9_]{1,64}", name):
            message = f"The `username` query parameter value [{name}] does not match "
            message += "^[A-Za-z0-9_]{1,15}$"
            raise Refused(problems.invalid(self.host, "username", name, message))
        return self._user(account, "username", name, checked)

    def _user_by_id(self, bearer: Bearer, user_id: str, query: str, _fault: Fault | None) -> Answer:
        checked = self._read(query, USER_PARAMETERS)
        return self._user(self._by_id(user_id), "id", user_id, checked)

    def _me(self, bearer: Bearer, _: str, query: str, _fault: Fault | None) -> Answer:
        if bearer.user_id is None:
            raise Refused(problems.unsupported_authentication(self.host))
        checked = self._read(query, USER_PARAMETERS)
        user_id = str(bearer.user_id)
        return self._user(self._by_id(user_id), "id", user_id, checked)

    def _usage(self, bearer: Bearer, _: str, query: str, _fault: Fault | None) -> Answer:
        read_query(self.host, query, ("days", "usage.fields"))  # taken, and without effect
        used = self.ledger.charged["posts"] + self.ledger.charged["owned_reads"]
        data = {"project_id": "2000000000000000000", "project_cap": "3000000"}
        return Answer(200, {"data": {**data, "project_usage": str(used), "cap_reset_day": 7}})

    def _user_tweets(self, bearer: Bearer, user_id: str, query: str, fault: Fault | None) -> Answer:
        account = self._by_id(user_id)
        checked = self._read(query, TIMELINE_PARAMETERS, int(user_id))
        if account is None or account.suspended:
            make = problems.suspended if account else problems.not_found
            return Answer(200, {"errors": [make(self.host, "id", user_id)]})
        if account.protected and bearer.user_id != account.id:
            return Answer(200, {"errors": [problems.not_authorized(self.host, "id", user_id)]})
        twist = fault.kind if fault and fault.kind in PAGING else ""
        if twist == "new_post":
            self.publish(account, "This one arrived while you were reading.")
        one = page(account, checked, twist=twist, keep=fault.keep if fault else 1)
        fields = checked.post_fields | _brought_by(checked.of("expansions"))
        body: dict[str, Any] = {}
        if one.posts:
            body["data"] = [render.render_post(self.world, post, fields) for post in one.posts]
        includes, errors = self._includes(one.posts, checked, fields)
        body |= {
            name: found for name, found in (("includes", includes), ("errors", errors)) if found
        }
        body["meta"] = one.meta
        owned = bearer.user_id == account.id == self.owner_id
        for post in one.posts:
            self.ledger.charge("owned_reads" if owned else "posts", "post", post.id)
        return Answer(200, body)

    def _read(self, query: str, allowed: tuple[str, ...], user_id: int = 0) -> Query:
        other = {"tweet": "post.fields", "post": "tweet.fields"}.get(self.spelling)
        known = tuple(name for name in allowed if name != other)
        return read_query(self.host, query, known, user_id)

    def _by_id(self, user_id: str) -> Account | None:
        if not re.fullmatch(r"[0-9]{1,19}", user_id):
            message = f"The `id` query parameter value [{user_id}] is not valid"
            raise Refused(problems.invalid(self.host, "id", user_id, message))
        return self.world.accounts.get(int(user_id))

    def _user(self, account: Account | None, parameter: str, value: str, query: Query) -> Answer:
        if account is None or account.suspended:
            make = problems.suspended if account else problems.not_found
            return Answer(200, {"errors": [make(self.host, parameter, value)]})
        self.ledger.charge("users", "user", account.id)
        return Answer(200, {"data": render.render_user(account, query.of("user.fields"))})

    # -- expansions -------------------------------------------------------------------------

    def _includes(
        self, posts: list[Post], query: Query, fields: frozenset[str]
    ) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """Other things that were asked along; each post and user among them is billed too."""
        wanted = query.of("expansions")
        tweets: dict[int, Post] = {}
        users: dict[int, Account] = {}
        errors: list[dict[str, str]] = []
        for post in posts:
            if "author_id" in wanted:
                users[post.author_id] = self.world.accounts[post.author_id]
            if "in_reply_to_user_id" in wanted and post.reply_to_user_id is not None:
                users[post.reply_to_user_id] = self.world.accounts[post.reply_to_user_id]
            if "edit_history_tweet_ids" in wanted:
                tweets |= {one: self.world.posts[one] for one in post.versions if one != post.id}
            if "entities.mentions.username" in wanted:
                found = render.entities(self.world, render.served_text(post), post.links)
                mentioned = [int(one["id"]) for one in found.get("mentions", ())]
                users |= {one: self.world.accounts[one] for one in mentioned}
            if any(name.startswith("referenced_tweets") for name in wanted):
                for _, ref in post.referenced:
                    other = self.world.posts[ref]
                    author = self.world.accounts[other.author_id]
                    if author.protected or author.suspended:
                        make = problems.not_authorized
                    elif other.deleted:
                        make = problems.not_found
                    else:
                        tweets[ref] = other
                        if "referenced_tweets.id.author_id" in wanted:
                            users[author.id] = author
                        continue
                    errors.append(make(self.host, "referenced_tweets.id", str(ref), "tweet"))
        users = {one: account for one, account in users.items() if not account.suspended}
        for post_id in tweets:
            self.ledger.charge("posts", "post", post_id)
        for account_id in users:
            self.ledger.charge("users", "user", account_id)
        shown = [*posts, *tweets.values()]
        media = {link.media.key: link.media for post in shown for link in post.links if link.media}
        if "attachments.media_keys" not in wanted:
            media = {}
        asked = {
            "media": [render.render_media(one, query.of("media.fields")) for one in media.values()],
            "users": [render.render_user(one, query.of("user.fields")) for one in users.values()],
            "tweets": [render.render_post(self.world, one, fields) for one in tweets.values()],
        }
        return {name: found for name, found in asked.items() if found}, errors

    # -- what a test does to the world -------------------------------------------------------

    def now_after(self, account: Account) -> datetime:
        """The clock's time, or just after the newest post where that is later."""
        now = datetime.fromtimestamp(self.clock(), timezone.utc)
        newest = account.posts[-1].created_at if account.posts else now
        return max(now, newest + timedelta(seconds=1))

    def publish(self, account: Account, text: str, **how: Any) -> Post:
        with self.lock:
            return self.world.publish(account, text, self.now_after(account), **how)


def _route(asked: Asked) -> tuple[str | None, str]:
    if asked.method == "GET":
        for endpoint, pattern in _ROUTES:
            if match := pattern.fullmatch(asked.path):
                return endpoint, match[1]
    return None, ""


def _brought_by(expansions: frozenset[str]) -> frozenset[str]:
    """An expansion adds the field it follows."""
    brought = {
        "author_id": "author_id",
        "in_reply_to_user_id": "in_reply_to_user_id",
        "attachments.media_keys": "attachments",
        "entities.mentions.username": "entities",
    }
    fields = {field for name, field in brought.items() if name in expansions}
    if any(name.startswith("referenced_tweets") for name in expansions):
        fields.add("referenced_tweets")
    return frozenset(fields)
