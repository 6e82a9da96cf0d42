"""The addresses beginning with an underscore, by which a person or a test steers the fake."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from tests.fakes.x_api.faults import read_faults
from tests.fakes.x_api.model import Account, Media, Post
from tests.fakes.x_api.problems import Answer
from tests.fakes.x_api.service import Service

HELP = """A fake X API with invented accounts. Nothing here reaches the real one.

  GET    /_ledger     what would have been billed
  GET    /_requests   every API request so far (never its token)
  GET    /_accounts   who there is
  GET    /_faults     what is still to go wrong;  DELETE forgets it
  POST   /_faults     [{"kind": "html503", "path": "/2/users/*/tweets", "nth": 3}]
  POST   /_post       {"username": "...", "text": "..."}  also reply_to, quote, retweet (ids),
                      link (an address), photo (true)
  POST   /_edit       {"id": "...", "text": "..."}
  POST   /_delete     {"id": "..."}
  POST   /_account    {"username": "...", "rename": "...", "protected": true, "suspended": true}
  POST   /_next_day   the billing day ends
"""


def answer(service: Service, method: str, path: str, sent: bytes) -> Answer:
    if path == "/":
        return Answer(200, HELP.encode(), content_type="text/plain; charset=utf-8")
    try:
        given = json.loads(sent) if sent else {}
        with service.lock:
            return _ACTIONS[method, path](service, given)
    except KeyError as error:
        return Answer(404, {"detail": f"nothing here knows {error}", "help": HELP})
    except (ValueError, TypeError, AttributeError) as error:
        return Answer(400, {"detail": str(error)})


def _ledger(service: Service, _: Any) -> Answer:
    return Answer(200, service.ledger.report())


def _requests(service: Service, _: Any) -> Answer:
    return Answer(200, {"requests": [asdict(asked) for asked in service.requests]})


def _accounts(service: Service, _: Any) -> Answer:
    return Answer(200, {"accounts": [account_row(one) for one in service.world.accounts.values()]})


def account_row(account: Account) -> dict[str, Any]:
    row: dict[str, Any] = {"id": str(account.id), "username": account.username}
    row |= {"name": account.name, "posts": len(account.live())}
    return row | {flag: True for flag in ("protected", "suspended") if getattr(account, flag)}


def _faults(service: Service, _: Any) -> Answer:
    return Answer(200, {"faults": [fault.report() for fault in service.faults]})


def _schedule(service: Service, given: Any) -> Answer:
    service.faults += read_faults(given if isinstance(given, list) else [given])
    return _faults(service, given)


def _forget(service: Service, given: Any) -> Answer:
    service.faults.clear()
    return _faults(service, given)


def _post(service: Service, given: Any) -> Answer:
    account = service.world.account(given["username"])
    others = {
        name: _find(service, given[name])
        for name in ("reply_to", "quote", "retweet")
        if given.get(name)
    }
    links: list[tuple[str, Media | None]] = []
    if given.get("link"):
        links.append((given["link"], None))
    if given.get("photo"):
        links.append(("", Media(f"3_{len(service.world.posts)}", "photo")))
    text = given.get("text", "")
    if not isinstance(text, str) or not (text or links or "retweet" in others):
        raise ValueError("a post needs a text")
    post = service.publish(account, text, links=tuple(links), **others)
    return Answer(200, {"id": str(post.id)})


def _edit(service: Service, given: Any) -> Answer:
    post = _find(service, given["id"])
    when = service.now_after(service.world.accounts[post.author_id])
    return Answer(200, {"id": str(service.world.edit(post, given["text"], when).id)})


def _delete(service: Service, given: Any) -> Answer:
    service.world.delete(_find(service, given["id"]))
    return Answer(200, {"deleted": given["id"]})


def _account(service: Service, given: Any) -> Answer:
    account = service.world.account(given["username"])
    for flag in ("protected", "suspended"):
        setattr(account, flag, bool(given.get(flag, getattr(account, flag))))
    if given.get("rename"):
        service.world.rename(account.username, given["rename"])
    return Answer(200, account_row(account))


def _next_day(service: Service, _: Any) -> Answer:
    service.ledger.days_ahead += 1
    return _ledger(service, None)


def _find(service: Service, post_id: Any) -> Post:
    return service.world.posts[int(post_id)]


_ACTIONS = {
    ("GET", "/_ledger"): _ledger,
    ("GET", "/_requests"): _requests,
    ("GET", "/_accounts"): _accounts,
    ("GET", "/_faults"): _faults,
    ("POST", "/_faults"): _schedule,
    ("DELETE", "/_faults"): _forget,
    ("POST", "/_post"): _post,
    ("POST", "/_edit"): _edit,
    ("POST", "/_delete"): _delete,
    ("POST", "/_account"): _account,
    ("POST", "/_next_day"): _next_day,
}
