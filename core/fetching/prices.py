"""What X charges and allows, from a dated file because both change, and the budget of a fetch."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputRefused, kind_and_line
from core.home import bundled
from core.toml import parse_toml

if TYPE_CHECKING:
    from core.home import Home

_FILE = "x_api.toml"


@dataclass(frozen=True)
class Terms:
    """Prices in US dollars for each resource returned; ``as_of`` says from when they are.

    ``window`` is how many of an account's newest posts can be had at all, ``page`` and
    ``smallest_page`` bound ``max_results``. The rest is patience: ``tries`` of one request with
    pauses from ``first_pause`` doubling to ``longest_pause`` seconds, at most ``answer`` seconds
    for one answer and ``rate_limit`` seconds of waiting for a rate limit.
    """

    as_of: str
    source: str
    post_read: Decimal
    user_read: Decimal
    owned_read: Decimal
    window: int
    page: int
    smallest_page: int
    tries: int
    first_pause: float
    longest_pause: float
    answer: float
    rate_limit: float


@dataclass
class Budget:
    """What a fetch may spend and has spent, in US dollars; ``limit`` None: no limit.

    ``unsure`` is for answers that were lost and may have been charged.
    """

    limit: Decimal | None
    spent: Decimal = Decimal(0)
    unsure: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal | None:
        return None if self.limit is None else self.limit - self.spent - self.unsure

    def affords(self, cost: Decimal) -> bool:
        return self.left is None or cost <= self.left

    def how_many(self, price: Decimal) -> int | None:
        """How many things of that price can still be paid; None: any number."""
        if self.left is None or not price:
            return None
        return max(0, int((self.left / price).to_integral_value(ROUND_FLOOR)))


def load_terms(home: Home) -> Terms:
    """The bundled terms, with what ``x_api.toml`` in the home says instead.

    Raises InputRefused for a file that is not TOML or holds values that make no sense.
    """
    values = _read(bundled("prices", _FILE))
    own = home.root / _FILE
    if own.is_file():
        for key, value in _read(own).items():
            known = values.get(key)
            if isinstance(known, dict) and isinstance(value, dict):
                values[key] = known | value
            else:
                values[key] = value
    try:
        return _terms(values)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise InputRefused(
            f"{own} cannot be used.",
            f"{kind_and_line(error)}.",
            f"Compare it with {bundled('prices', _FILE)}, or take it away.",
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        # prices stay exact: 0.005 as a float is not 0.005
        return parse_toml(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise InputRefused(f"{path} cannot be read.", f"{error}.") from None


def _terms(values: dict[str, Any]) -> Terms:
    prices, limits, patience = values["prices"], values["limits"], values["patience"]
    terms = Terms(
        as_of=str(values["as_of"]),
        source=str(values["source"]),
        post_read=Decimal(prices["post_read"]),
        user_read=Decimal(prices["user_read"]),
        owned_read=Decimal(prices["owned_read"]),
        window=int(limits["window"]),
        page=int(limits["page"]),
        smallest_page=int(limits["smallest_page"]),
        tries=int(patience["tries"]),
        first_pause=float(patience["first_pause"]),
        longest_pause=float(patience["longest_pause"]),
        answer=float(patience["answer"]),
        rate_limit=float(patience["rate_limit"]),
    )
    if min(terms.post_read, terms.user_read, terms.owned_read) < 0:
        raise ValueError("a price below zero")
    if not 1 <= terms.smallest_page <= terms.page or terms.window < 1 or terms.tries < 1:
        raise ValueError("limits that leave nothing to fetch")
    if min(terms.first_pause, terms.longest_pause, terms.rate_limit) < 0 or terms.answer <= 0:
        raise ValueError("patience below zero")
    return terms
