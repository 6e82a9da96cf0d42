"""Repeating requests to X: back-off, rate limits, cancelling, and the budget before each try."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final, Literal

from core.fetching.client import Broken, Reply
from core.fetching.outcome import FetchInterrupted
from core.fetching.prices import Budget, Terms
from core.fetching.refusals import Retry, judge, unreachable
from core.fetching.token import Token

_TICK: Final = 0.2

# Called while waiting with: kind, seconds left, number of the next try, reason.
ReportWait = Callable[
    [Literal["waiting", "retrying", "storing"], "float | None", "int | None", str], None
]


class OverBudget(Exception):
    """The next request could cost more than is left."""


class RetryingClient:
    """Repeats a request until its answer can be used, the tries are used up, or it is stopped."""

    def __init__(
        self,
        terms: Terms,
        token: Token,
        api_url: str,
        budget: Budget,
        report: ReportWait,
        cancelled: Callable[[], bool],
    ) -> None:
        self._terms = terms
        self._token = token
        self._api_url = api_url
        self._budget = budget
        self._report = report
        self._cancelled = cancelled

    def ask(
        self, request: Callable[[Callable[[], bool]], Reply], *, handle: str, worst: Decimal
    ) -> Reply:
        """An answer to ``request`` that holds data; ``worst`` is what one could cost.

        Raises what ``judge`` says, OverBudget before a request that could cost too much, and
        FetchInterrupted.
        """
        tries = 0
        while True:
            self.check()
            if not self._budget.affords(worst):
                raise OverBudget
            try:
                reply = request(self._cancelled)
            except Broken as broken:
                if broken.sent:
                    self._budget.unsure += worst
                self.check()
                refusal = unreachable(self._api_url, broken.why)
                if broken.final:
                    raise refusal from None
                retry = Retry(None, broken.why, refusal)
            else:
                judgement = judge(reply, handle, self._token)
                if judgement is None:
                    return reply
                if not isinstance(judgement, Retry):
                    raise judgement
                retry = judgement
                if reply.status == 200:  # it came, and cannot be read
                    self._budget.unsure += worst
            tries += 1
            if tries >= self._terms.tries or (retry.wait or 0) > self._terms.rate_limit:
                raise retry.instead
            self._pause(retry, tries)

    def check(self) -> None:
        if self._cancelled():
            raise FetchInterrupted("The fetch was stopped.")

    def pause(self, seconds: float, report: Callable[[float], None]) -> None:
        """Wait, reporting every fifth of a second how long still."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            report(left)
            self.check()
            time.sleep(min(_TICK, left))

    def _pause(self, retry: Retry, tries: int) -> None:
        if retry.wait is not None:
            self.pause(retry.wait, lambda left: self._report("waiting", left, None, retry.why))
            return
        doubled = self._terms.first_pause * 2 ** (tries - 1)
        seconds = min(doubled, self._terms.longest_pause)
        self.pause(seconds, lambda left: self._report("retrying", left, tries + 1, retry.why))
