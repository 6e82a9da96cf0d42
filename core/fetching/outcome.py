"""What a fetch reports while it runs and how it ends: progress, result, errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from core.errors import Interrupted, MynahError, ServiceRefused

ProgressKind = Literal["account", "page", "waiting", "retrying", "storing"]
StoppedBy = Literal["", "max", "budget", "plan", "refused", "interrupted"]


@dataclass(frozen=True)
class FetchProgress:
    """One step of a fetch, or one tick of a countdown.

    ``page``: a page is stored. ``waiting``: for X's rate limit, ``seconds`` until it goes on.
    ``retrying``: after ``why``, the try ``attempt`` comes in ``seconds``. ``storing``: the corpus
    is held by another program. ``pages_at_most`` are those so far and those that the rest would
    fill, so that short pages make it grow. Costs are US dollars, of this fetch alone.
    """

    kind: ProgressKind
    handle: str
    pages: int
    pages_at_most: int
    posts: int
    posts_at_most: int
    new: int
    cost_usd: float
    seconds: float | None = None
    attempt: int | None = None
    why: str = ""


@dataclass(frozen=True)
class FetchResult:
    """What became of one account.

    ``complete``: everything that X gives is here. Otherwise ``resumes_from`` is the post below
    which the rest is missing (None: only newer ones are), and ``stopped_by`` says why it ended.
    ``unsure_usd`` may have been charged on top, for answers that were lost on their way.
    """

    handle: str
    pages: int = 0
    posts: int = 0
    new: int = 0
    updated: int = 0
    cost_usd: float = 0.0
    complete: bool = False
    resumes_from: str | None = None
    stopped_by: StoppedBy = ""
    unsure_usd: float = 0.0
    name: str | None = None
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah fetch --json``."""
        return asdict(self)


class XRefused(ServiceRefused):
    """X refused. ``about_account``: another account may still be fetched with the same token.

    ``result`` is what was fetched before, when anything was.
    """

    def __init__(
        self, what: str, why: str = "", next_step: str = "", *, about_account: bool = False
    ) -> None:
        super().__init__(what, why, next_step)
        self.about_account = about_account
        self.result: FetchResult | None = None


class XMisunderstood(MynahError):
    """X answers that a request is invalid, which is a bug of mynah."""

    result: FetchResult | None = None


class FetchInterrupted(Interrupted):
    """The person stopped the fetch; ``result`` is what was fetched before."""

    result: FetchResult | None = None


class GoneAccount(XRefused):
    """X has no account of this name or id; it may have been renamed."""


class NotForThisToken(XRefused):
    """X accepts the token, but not for this request."""
