"""What an answer of X means, by its status and its words."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import MynahError
from core.fetching.client import Reply
from core.fetching.outcome import GoneAccount, NotForThisToken, XMisunderstood, XRefused
from core.fetching.refusals import Retry, judge
from core.fetching.token import Token

TOKEN = Token("a-token-that-is-long-enough", "test")
CREDIT = {"title": "CreditsDepleted", "detail": "No credit is left."}
PROBLEMS = "https://api.twitter.com/2/problems/"


@pytest.mark.parametrize(
    "body", [{"data": {"id": "1"}}, {"meta": {"result_count": 0}}, {"data": [], "errors": [{}]}]
)
def test_what_holds_data_can_be_used(body: dict[str, Any]) -> None:
    assert judge(Reply(200, {}, body), "ann", TOKEN) is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (200, {"errors": [{"detail": "Could not find user."}]}, GoneAccount, "no account"),
        (200, {"errors": [{"type": f"{PROBLEMS}resource-not-found"}]}, GoneAccount, "no account"),
        (200, {"errors": [{"detail": "User has been suspended."}]}, XRefused, "has suspended @ann"),
        (200, {"errors": [{"detail": "It is protected"}]}, XRefused, "of @ann are protected"),
        (200, {"errors": [{"type": f"{PROBLEMS}not-authorized-for-resource/"}]}, XRefused,
         "of @ann are protected"),
        (200, {"errors": [{"message": "odd\n one"}]}, XRefused,
         "gives nothing of @ann. X says: odd one."),
        (400, {"detail": "Bad. "}, XMisunderstood, "(400). X says: Bad. That is a bug"),
        (401, None, XRefused, "does not accept the token from the test (401)"),
        (402, None, XRefused, "out of credit"),
        (402, {"detail": "spend cap"}, XRefused, "spending limit"),
        (403, CREDIT, XRefused, "out of credit"),
        (429, CREDIT, XRefused, "out of credit"),
        (404, CREDIT, NotForThisToken, "nothing where @ann should be (404). X says: No credit"),
        (404, None, NotForThisToken, "(404). The answer gives no reason."),
        (404, {"title": "Not Found", "type": f"{PROBLEMS}resource-not-found"}, GoneAccount,
         "no account"),
        (403, {"title": "Forbidden"}, NotForThisToken, "forbids this (403). X says: Forbidden."),
        (403, {"type": f"{PROBLEMS}unsupported-authentication"}, NotForThisToken, "another kind"),
        (403, {"type": f"{PROBLEMS}client-forbidden"}, NotForThisToken, "may not read posts (403)"),
        (403, {"reason": "client-not-enrolled"}, NotForThisToken, "may not read posts (403)"),
        (403, {"detail": "Suspended!"}, XRefused, "has suspended"),
        (403, {"type": f"{PROBLEMS}not-authorized-for-resource"}, XRefused, "are protected"),
        (429, {"title": "UsageCapExceeded"}, XRefused, "cap on post reads is used up"),
        (429, {"type": f"{PROBLEMS}usage-capped"}, XRefused, "cap on post reads is used up"),
        (418, {"detail": "x" * 400}, XRefused, "answered with 418, which is not foreseen"),
        (499, None, XRefused, "answered with 499"),
    ],
)  # fmt: skip
def test_what_ends_a_fetch(
    status: int, body: dict[str, Any] | None, kind: type[MynahError], said: str
) -> None:
    found = judge(Reply(status, {}, body), "ann", TOKEN)
    assert type(found) is kind
    assert said in " ".join(str(found).split())


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, None, "not the X API's"),
        (200, {"login": "please"}, "not the X API's"),
        (200, {"errors": []}, "not the X API's"),
        (429, None, "rate limit"),
        (500, None, "out of order (500)"),
        (503, CREDIT, "out of order (503)"),
    ],
)
def test_what_is_asked_again(status: int, body: dict[str, Any] | None, why: str) -> None:
    found = judge(Reply(status, {}, body), "ann", TOKEN)
    assert isinstance(found, Retry)
    assert found.wait is None
    assert why in found.why


def test_whether_another_account_may_still_be_fetched() -> None:
    """What is wrong with an account, and what with the token or the connection."""
    account = [
        Reply(200, {}, {"errors": [{"detail": detail}]})
        for detail in ("suspended", "protected", "could not find user", "something else")
    ] + [Reply(404, {}, None)]
    for reply in account:
        found = judge(reply, "ann", TOKEN)
        assert isinstance(found, XRefused)
        assert found.about_account, found
    for status in (401, 402, 403, 418):
        found = judge(Reply(status, {}, None), "ann", TOKEN)
        assert isinstance(found, XRefused)
        assert not found.about_account, found
