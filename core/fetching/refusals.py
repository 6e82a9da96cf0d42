"""What an answer of X means: it can be used, is worth a retry, or ends the fetch with an error.

A status has several meanings: 429 is a rate limit or a used-up month, 403 a wrong token or missing
credit, and an unknown account comes with 200. Problem types are compared by the last part of their
URI, which X writes with api.x.com and api.twitter.com.
"""

from __future__ import annotations

import contextlib
import email.utils
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.errors import MynahError
from core.fetching.outcome import GoneAccount, NotForThisToken, XMisunderstood, XRefused

if TYPE_CHECKING:
    from core.fetching.client import Reply
    from core.fetching.token import Token

_ARCHIVE: Final = "Their own archive, if they give it to you, works: mynah import PATH."
_CONSOLE: Final = "console.x.com"
_LONGEST_DETAIL: Final = 300
_SPENT: Final = re.compile("(?<!su)spend")  # a suspended account is another matter


@dataclass(frozen=True)
class Retry:
    """The request is to be repeated: after ``wait`` seconds if X names them, else with back-off.

    ``instead`` is what to say when the tries are used up.
    """

    wait: float | None
    why: str
    instead: MynahError


def judge(reply: Reply, handle: str, token: Token) -> Retry | MynahError | None:
    """None for an answer that can be used; otherwise what to do or what to say."""
    if reply.status == 200:
        return _of_ok(reply, handle)
    kinds = set(_kinds(reply.body))
    detail = _detail(reply.body)
    words = f"{' '.join(kinds)} {detail}".lower()
    if reply.status == 402 or (reply.status in (403, 429) and _is_credit(words)):
        return _no_credit(words, detail)
    if reply.status == 429:
        return _too_many(reply, kinds, words, detail)
    if reply.status >= 500:
        return Retry(
            None,
            f"X is out of order ({reply.status})",
            XRefused(
                f"X is out of order: it kept answering with {reply.status}.",
                detail,
                "Nothing was lost; run the same command later and it goes on.",
            ),
        )
    if reply.status == 400 and _complains_of(reply.body, "username"):
        return _nobody(handle)
    if reply.status == 400:
        return XMisunderstood(
            "X did not understand what mynah asked for (400).",
            detail,
            "That is a bug in mynah: please report it with this line.",
        )
    if reply.status == 401:
        return XRefused(
            f"X does not accept the token from the {token.where} (401).",
            detail,
            f"Make a new bearer token at {_CONSOLE} and store it: mynah fetch --save-token.",
        )
    if reply.status == 403:
        return _forbidden(kinds, words, handle, detail)
    if reply.status == 404:
        return _of_errors(reply, handle) or NotForThisToken(
            f"X has nothing where @{handle} should be (404).",
            detail or "The answer gives no reason.",
            "Check the name, and --api-url if you set it.",
            about_account=True,
        )
    return XRefused(f"X answered with {reply.status}, which is not foreseen.", detail)


def _of_ok(reply: Reply, handle: str) -> Retry | MynahError | None:
    body = reply.body
    if body is not None and (body.get("data") is not None or "meta" in body):
        return None
    if body is not None and body.get("errors"):
        return _of_errors(reply, handle) or XRefused(
            f"X gives nothing of @{handle}.", _detail(body), about_account=True
        )
    return Retry(
        None,
        "the answer is not the X API's",
        XRefused(
            "What answers is not the X API.",
            "It sent pages that are not JSON, or not X's.",
            "Check the connection (a login page of the network?), and --api-url if you set it.",
        ),
    )


def _of_errors(reply: Reply, handle: str) -> MynahError | None:
    """The error for an unknown, suspended or protected account, by problem type and detail."""
    kinds = set(_kinds(reply.body))
    detail = _detail(reply.body)
    if "suspended" in detail.lower():
        return suspended(handle)
    if "not-authorized-for-resource" in kinds or "protected" in detail.lower():
        return protected(handle)
    if "resource-not-found" in kinds or "could not find user" in detail.lower():
        return _nobody(handle)
    return None


def _nobody(handle: str) -> GoneAccount:
    return GoneAccount(
        f"There is no account @{handle} on X.",
        "Nobody goes by that name: it may be misspelt, deleted, or renamed.",
        "Check the name on x.com.",
        about_account=True,
    )


def suspended(handle: str) -> XRefused:
    return XRefused(
        f"X has suspended @{handle}.",
        "It gives no posts of suspended accounts.",
        f"What is already here stays. {_ARCHIVE}",
        about_account=True,
    )


def protected(handle: str) -> XRefused:
    return XRefused(
        f"The posts of @{handle} are protected.",
        "Only followers that the account approved may read them, and this token is not one's.",
        _ARCHIVE,
        about_account=True,
    )


def renamed(handle: str, now: str) -> XRefused:
    return XRefused(
        f"@{handle} is called @{now} now.",
        "The account is the same, only its name changed.",
        f"Fetch it by its new name: mynah fetch {now}. The posts of @{handle} stay here.",
        about_account=True,
    )


def taken_over(handle: str) -> XRefused:
    return XRefused(
        f"@{handle} is somebody else's account now.",
        "X gives another account id for the name than for the posts that are here.",
        f"To start over with the new owner: mynah forget {handle}, then fetch.",
        about_account=True,
    )


def unreachable(api_url: str, why: str) -> XRefused:
    return XRefused(
        f"{api_url} cannot be reached: {why}.",
        "",
        "Check the connection; the same command goes on where it stopped.",
    )


def _forbidden(kinds: set[str], words: str, handle: str, detail: str) -> MynahError:
    if "unsupported-authentication" in kinds:
        return NotForThisToken(
            "X wants another kind of token for this (403).",
            detail,
            f"Make a bearer token of an app, or a user's token, at {_CONSOLE}.",
        )
    if "client-forbidden" in kinds or "client-not-enrolled" in words:
        return NotForThisToken(
            "The app that this token belongs to may not read posts (403).",
            detail,
            f"Put the app into a project with API access at {_CONSOLE}.",
        )
    if "suspended" in words:
        return suspended(handle)
    if "not-authorized-for-resource" in kinds:
        return protected(handle)
    return NotForThisToken(
        "X forbids this (403).", detail, f"See what the app may do at {_CONSOLE}."
    )


def _no_credit(words: str, detail: str) -> MynahError:
    if _SPENT.search(words):
        return XRefused(
            "The spending limit of the X account is reached.",
            detail,
            f"Raise it at {_CONSOLE}; the same command then goes on where it stopped.",
        )
    return XRefused(
        "The X account behind the token is out of credit.",
        detail,
        f"Add credit at {_CONSOLE}; the same command then goes on where it stopped.",
    )


def _too_many(reply: Reply, kinds: set[str], words: str, detail: str) -> Retry | MynahError:
    if "usage-capped" in kinds or "usagecapexceeded" in words:
        return XRefused(
            "The cap on post reads is used up (UsageCapExceeded).",
            f"{detail} Waiting does not help before the next period.".strip(),
            f"See usage and caps at {_CONSOLE}; the same command then goes on where it stopped.",
        )
    return Retry(
        _until_reset(reply),
        "X's rate limit is reached",
        XRefused(
            "X keeps saying that there were too many requests (429).",
            detail,
            "Run the same command later; it goes on where it stopped.",
        ),
    )


def _until_reset(reply: Reply) -> float | None:
    """Seconds by X's own clock, when it says when; one more, because it counts whole seconds."""
    try:
        reset = int(reply.headers.get("x-rate-limit-reset", ""))
    except ValueError:
        return None
    now = time.time()
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        now = email.utils.parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
    return reset - now + 1 if reset > now - 1 else None


def _is_credit(words: str) -> bool:
    return "credit" in words or "balance" in words or _SPENT.search(words) is not None


def _problems(body: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    if body is None:
        return
    errors = body.get("errors")
    yield body
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            yield error


def _complains_of(body: dict[str, Any] | None, parameter: str) -> bool:
    return any(
        isinstance(problem.get("parameters"), dict) and parameter in problem["parameters"]
        for problem in _problems(body)
    )


def _kinds(body: dict[str, Any] | None) -> Iterator[str]:
    for problem in _problems(body):
        kind = problem.get("type")
        if isinstance(kind, str):
            yield kind.rstrip("/").rsplit("/", 1)[-1].lower()
        for name in ("title", "reason"):
            if isinstance(problem.get(name), str):
                yield problem[name].lower()


def _detail(body: dict[str, Any] | None) -> str:
    """X's own words, the first that say something, on one line."""
    for problem in reversed(list(_problems(body))):  # errors say more than what is around them
        for name in ("detail", "message", "title"):
            words_of_x = problem.get(name)
            if isinstance(words_of_x, str) and words_of_x.strip():
                line = " ".join(words_of_x.split())[:_LONGEST_DETAIL]
                return f"X says: {line}" + ("" if line.endswith((".", "!", "?")) else ".")
    return ""
