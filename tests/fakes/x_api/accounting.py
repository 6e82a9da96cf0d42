"""What is counted: billed resources, rate limits, and the requests themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

PRICES = {"posts": Decimal("0.005"), "users": Decimal("0.010"), "owned_reads": Decimal("0.001")}
WINDOW_SECONDS = 15 * 60
# per endpoint: (limit of an app-only token, limit of a user token) in a quarter of an hour
LIMITS = {
    "user_tweets": (10_000, 900),
    "user_by_username": (300, 900),
    "user_by_id": (300, 900),
    "me": (75, 75),
    "usage": (50, 50),
}


@dataclass
class Ledger:
    """Resources returned and not yet charged on this UTC day; errors cost nothing."""

    clock: Callable[[], float]
    credits_usd: Decimal | None = None
    charged: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PRICES, 0))
    deduplicated: int = 0
    days_ahead: int = 0
    _day: str = ""
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def day(self) -> str:
        seconds = self.clock() + self.days_ahead * 86400
        return datetime.fromtimestamp(seconds, timezone.utc).date().isoformat()

    def charge(self, price: str, resource: str, resource_id: int) -> bool:
        """Whether this one was new today."""
        if self._day != self.day():
            self._day, self._seen = self.day(), set()
        if (resource, resource_id) in self._seen:
            self.deduplicated += 1
            return False
        self._seen.add((resource, resource_id))
        self.charged[price] += 1
        return True

    @property
    def cost(self) -> Decimal:
        return sum((PRICES[name] * count for name, count in self.charged.items()), Decimal(0))

    @property
    def out_of_credits(self) -> bool:
        return self.credits_usd is not None and self.cost >= self.credits_usd

    def report(self) -> dict[str, Any]:
        return {
            "day": self.day(),
            **self.charged,
            "deduplicated": self.deduplicated,
            "cost_usd": float(self.cost),
            "credits_usd": None if self.credits_usd is None else float(self.credits_usd),
            "prices_usd": {name: float(price) for name, price in PRICES.items()},
        }


@dataclass
class _Bucket:
    limit: int
    remaining: int
    reset: int  # Unix seconds


class RateLimits:
    """One bucket for each token and endpoint.

    A window ends on a whole second, because the header can say no other: the wait announced is the
    wait there is. ``given`` is (requests, seconds) for every endpoint in place of X's own numbers.
    """

    def __init__(self, clock: Callable[[], float], given: tuple[int, float] | None) -> None:
        self._clock = clock
        self._given = given
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def _bucket(self, who: str, endpoint: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get((who, endpoint))
        if bucket is None or now >= bucket.reset:
            limit: int = LIMITS[endpoint][0 if who == "app" else 1]
            seconds: float = WINDOW_SECONDS
            if self._given is not None:
                limit, seconds = self._given
            bucket = _Bucket(limit, limit, math.ceil(now + seconds))
            self._buckets[who, endpoint] = bucket
        return bucket

    def take(self, who: str, endpoint: str) -> bool:
        """Count one request; False when there was nothing left to take."""
        bucket = self._bucket(who, endpoint)
        if bucket.remaining <= 0:
            return False
        bucket.remaining -= 1
        return True

    def exhaust(self, who: str, endpoint: str, seconds: float) -> None:
        """From now until the reset every request is refused."""
        bucket = self._bucket(who, endpoint)
        bucket.remaining = 0
        bucket.reset = math.ceil(self._clock() + seconds)

    def headers(self, who: str, endpoint: str) -> dict[str, str]:
        bucket = self._bucket(who, endpoint)
        return {
            "x-rate-limit-limit": str(bucket.limit),
            "x-rate-limit-remaining": str(bucket.remaining),
            "x-rate-limit-reset": str(bucket.reset),
        }
