"""Asking X with patience that ends: back-off, countdowns that can be stopped, and a purse."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final, Literal

from core.fetching.client import Broken, Reply
from core.fetching.prices import Terms
from core.fetching.refusals import Again, FetchInterrupted, judge, unreachable
from core.fetching.token import Token

_TICK: Final = 0.2

# kind, seconds left, number of the next try, reason
Tell = Callable[
    [Literal["waiting", "retrying", "storing"], "float | None", "int | None", str], None
]


class OverBudget(Exception):
    """The next request could cost more than is left."""


@dataclass
class Purse:
    """``spent`` for what came, ``unsure`` for answers that were lost and may have been charged."""

    budget: Decimal | None
    spent: Decimal = Decimal(0)
    unsure: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal | None:
        return None if self.budget is None else self.budget - self.spent - self.unsure

    def affords(self, cost: Decimal) -> bool:
        return self.left is None or cost <= self.left

    def how_many(self, price: Decimal) -> int | None:
        """How many things of that price can still be paid; None: any number."""
        if self.left is None or not price:
            return None
        return max(0, int((self.left / price).to_integral_value(ROUND_FLOOR)))


class Asker:
    """Asks until there is an answer that can be used, the tries are used up, or it is stopped."""

    def __init__(
        self,
        terms: Terms,
        token: Token,
        api_url: str,
        purse: Purse,
        tell: Tell,
        cancelled: Callable[[], bool],
    ) -> None:
        self._terms = terms
        self._token = token
        self._api_url = api_url
        self._purse = purse
        self._tell = tell
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
            if not self._purse.affords(worst):
                raise OverBudget
            try:
                reply = request(self._cancelled)
            except Broken as broken:
                if broken.sent:
                    self._purse.unsure += worst
                self.check()
                refusal = unreachable(self._api_url, broken.why)
                if broken.final:
                    raise refusal from None
                again = Again(None, broken.why, refusal)
            else:
                verdict = judge(reply, handle, self._token)
                if verdict is None:
                    return reply
                if not isinstance(verdict, Again):
                    raise verdict
                again = verdict
                if reply.status == 200:  # it came, and cannot be read
                    self._purse.unsure += worst
            tries += 1
            if tries >= self._terms.tries or (again.wait or 0) > self._terms.rate_limit:
                raise again.instead
            self._pause(again, tries)

    def check(self) -> None:
        if self._cancelled():
            raise FetchInterrupted("The fetch was stopped.")

    def pause(self, seconds: float, tell: Callable[[float], None]) -> None:
        """Wait, telling every fifth of a second how long still."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            tell(left)
            self.check()
            time.sleep(min(_TICK, left))

    def _pause(self, again: Again, tries: int) -> None:
        if again.wait is not None:
            self.pause(again.wait, lambda left: self._tell("waiting", left, None, again.why))
            return
        doubled = self._terms.first_pause * 2 ** (tries - 1)
        seconds = min(doubled, self._terms.longest_pause)
        self.pause(seconds, lambda left: self._tell("retrying", left, tries + 1, again.why))
