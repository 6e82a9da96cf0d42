"""Faults that can be scheduled; the package docstring explains each kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

from tests.fakes.x_api import problems
from tests.fakes.x_api.problems import Answer

_STATUSES = (500, 502, 503, 504)
# Answered in place of the API, by the machines in front of it: before the token is looked at.
GATEWAY = frozenset({f"html{status}" for status in _STATUSES} | {"drop", "hang", "redirect"})
# Answered by the API in place of data.
REFUSALS = frozenset(
    {f"json{status}" for status in _STATUSES}
    | set(
        """unauthorized credits client_forbidden unsupported_auth bad_request not_found
        not_found_empty rate_limited rate_limited_bare usage_cap answer""".split()
    )
)
# The data itself is different.
PAGING = frozenset("empty_page short_page duplicate same_token new_post".split())
# The right answer, carried badly; it is billed, because the service did give it.
CARRIAGE = frozenset(
    """drop_body slow wrong_type not_json truncated_json json_array bad_gzip plain
    oversize""".split()
)
KINDS = GATEWAY | REFUSALS | PAGING | CARRIAGE


@dataclass
class Fault:
    """``nth`` counts matching requests from the moment of scheduling, the next one being 1."""

    kind: str
    path: str = "/2/*"  # exact, or with * as in file names
    nth: int = 1
    times: int = 1  # how many requests in a row; 0: for ever
    seconds: float = 1.0  # rate_limited: until the reset; slow, hang: in all
    keep: int = 1  # short_page: posts left
    size: int = 64 * 1024 * 1024  # oversize: bytes of padding
    host: str | None = None  # whose type URIs: api.x.com or api.twitter.com
    status: int = 418  # answer
    body: Any = None  # answer: JSON, or text sent as it is
    headers: dict[str, str] = field(default_factory=dict)  # answer, redirect
    seen: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is not one of {', '.join(sorted(KINDS))}")
        if self.nth < 1 or self.times < 0:
            raise ValueError("nth counts from 1, and times from 0 (for ever)")

    @property
    def spent(self) -> bool:
        return bool(self.times) and self.seen >= self.nth + self.times - 1

    def strikes(self, path: str) -> bool:
        """Count this request if it matches; True when it is one of those to go wrong."""
        if not fnmatchcase(path, self.path):
            return False
        self.seen += 1
        return self.seen >= self.nth and (not self.times or self.seen < self.nth + self.times)

    def report(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": self.path, "nth": self.nth, "times": self.times,
                "seen": self.seen}  # fmt: skip


def read_fault(given: Fault | Mapping[str, Any]) -> Fault:
    """A Fault, or the dict that stands for one; raises ValueError that names what is wrong."""
    if isinstance(given, Fault):
        return given
    known = {item.name for item in fields(Fault)} - {"seen"}
    if unknown := sorted(set(given) - known):
        raise ValueError(f"a fault has no {unknown[0]!r}; it has {', '.join(sorted(known))}")
    if "kind" not in given:
        raise ValueError("a fault needs a kind")
    return Fault(**given)


def strike(faults: list[Fault], path: str) -> Fault | None:
    """The fault for this request; every matching one counts it, the first to strike wins."""
    struck = [fault for fault in faults if fault.strikes(path)]
    faults[:] = [fault for fault in faults if not fault.spent]
    return struck[0] if struck else None


def refusal(fault: Fault, host: str, path: str) -> Answer:
    """The answer of a REFUSALS or GATEWAY kind (those that answer at all)."""
    host = fault.host or host
    if fault.kind[:4] in ("html", "json") and fault.kind[4:].isdigit():
        status = int(fault.kind[4:])
        make = problems.gateway_page if fault.kind.startswith("html") else problems.server_error
        return make(status, HTTPStatus(status).phrase)
    if fault.kind == "answer":
        body = fault.body.encode() if isinstance(fault.body, str) else fault.body
        return Answer(fault.status, body, dict(fault.headers))
    if fault.kind == "redirect":
        return Answer(302, b"", {"location": "/elsewhere", **fault.headers}, from_gateway=True)
    if fault.kind == "not_found":
        value = path.rstrip("/").rsplit("/", 1)[-1]
        return Answer(404, {"errors": [problems.not_found(host, "id", value)]})
    if fault.kind == "not_found_empty":
        return Answer(404, b"")
    if fault.kind == "bad_request":
        message = "The `max_results` query parameter value [7000] is not between 5 and 100"
        return problems.invalid(host, "max_results", "7000", message)
    if fault.kind == "unauthorized":
        return problems.unauthorized()
    if fault.kind in ("rate_limited", "rate_limited_bare"):
        return problems.rate_limited()
    makers = {
        "credits": problems.credits_depleted,
        "client_forbidden": problems.client_forbidden,
        "unsupported_auth": problems.unsupported_authentication,
        "usage_cap": problems.usage_capped,
    }
    return makers[fault.kind](host)


def read_faults(given: Iterable[Fault | Mapping[str, Any]]) -> list[Fault]:
    return [read_fault(one) for one in given]
