"""Error bodies, as X writes them (RFC 7807 "problem" objects, or errors[] beside a 200).

The words are those seen in answers people have published; X may change them, so a client should go
by status and by the last part of `type`, whose host is api.x.com or api.twitter.com.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

GATEWAY_PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>{status} {reason}</title></head>
<body><h1>{reason}</h1><p>Something went wrong on the far side of the fake. <b>&copy; nobody</b></p>
<script>document.title = "not JSON"</script></body></html>
"""


@dataclass
class Answer:
    """What goes back. ``body``: a dict becomes JSON; bytes go as they are."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    from_gateway: bool = False  # an answer of the edge: none of the API's own headers


class Refused(Exception):
    """Carries the answer that says no."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.status)


def invalid(host: str, parameter: str | None, value: str, message: str) -> Answer:
    error: dict[str, Any] = {"message": message}
    if parameter is not None:
        error = {"parameters": {parameter: [value]}, **error}
    return Answer(
        400,
        {
            "errors": [error],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": f"https://{host}/2/problems/invalid-request",
        },
    )


def unauthorized() -> Answer:
    body = {"title": "Unauthorized", "type": "about:blank", "status": 401, "detail": "Unauthorized"}
    return Answer(401, body)


def credits_depleted(host: str) -> Answer:
    return Answer(
        402,
        {
            "account_id": 1700000000000000000,
            "title": "CreditsDepleted",
            "detail": "Your enrolled account [1700000000000000000] does not have any credits "
            "to fulfill this request.",
            "type": f"https://{host}/2/problems/credits",
        },
    )


def client_forbidden(host: str) -> Answer:
    return Answer(
        403,
        {
            "client_id": "10000001",
            "detail": "When authenticating requests to the Twitter API v2 endpoints, you must use "
            "keys and tokens from a Twitter developer App that is attached to a Project.",
            "registration_url": "https://developer.x.com/en/docs/projects/overview",
            "title": "Client Forbidden",
            "required_enrollment": "Appropriate Level of API Access",
            "reason": "client-not-enrolled",
            "type": f"https://{host}/2/problems/client-forbidden",
        },
    )


def unsupported_authentication(host: str) -> Answer:
    return Answer(
        403,
        {
            "title": "Unsupported Authentication",
            "detail": "Authenticating with OAuth 2.0 Application-Only is forbidden for this "
            "endpoint.  Supported authentication types are [OAuth 1.0a User Context, "
            "OAuth 2.0 User Context].",
            "type": f"https://{host}/2/problems/unsupported-authentication",
            "status": 403,
        },
    )


def rate_limited() -> Answer:
    detail = "Too Many Requests"
    return Answer(429, {"title": detail, "detail": detail, "type": "about:blank", "status": 429})


def usage_capped(host: str) -> Answer:
    return Answer(
        429,
        {
            "account_id": 1700000000000000000,
            "product_name": "pay-per-use",
            "title": "UsageCapExceeded",
            "period": "Monthly",
            "scope": "Product",
            "detail": "Usage cap exceeded: Monthly product cap",
            "type": f"https://{host}/2/problems/usage-capped",
        },
    )


def server_error(status: int, reason: str) -> Answer:
    body = {"title": reason, "type": "about:blank", "status": status, "detail": reason}
    return Answer(status, body)


def gateway_page(status: int, reason: str) -> Answer:
    page = GATEWAY_PAGE.format(status=status, reason=reason).encode()
    return Answer(status, page, content_type="text/html; charset=utf-8", from_gateway=True)


def _resource(
    host: str, kind: str, resource: str, parameter: str, value: str, title: str, detail: str
) -> dict[str, str]:
    return {
        "value": value,
        "detail": detail,
        "title": title,
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": f"https://{host}/2/problems/{kind}",
    }


def not_found(host: str, parameter: str, value: str, resource: str = "user") -> dict[str, str]:
    detail = f"Could not find {resource} with {parameter}: [{value}]."
    kind = "resource-not-found"
    return _resource(host, kind, resource, parameter, value, "Not Found Error", detail)


def suspended(host: str, parameter: str, value: str) -> dict[str, str]:
    detail = f"User has been suspended: [{value}]."
    return _resource(host, "resource-not-found", "user", parameter, value, "Forbidden", detail)


def not_authorized(host: str, parameter: str, value: str, resource: str = "user") -> dict[str, str]:
    shown = "Tweet" if resource == "tweet" else "user"
    detail = f"Sorry, you are not authorized to see the {shown} with {parameter}: [{value}]."
    kind = "not-authorized-for-resource"
    return _resource(host, kind, resource, parameter, value, "Authorization Error", detail)
