"""Requests that fail are repeated with longer and longer pauses, and never over the budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from core.fetching.client import Broken, Reply
from core.fetching.outcome import FetchInterrupted, XRefused
from core.fetching.prices import Budget, load_terms
from core.fetching.retrying import OverBudget, RetryingClient
from core.fetching.token import Token
from core.home import Home

WORST = Decimal("0.5")


def client(
    tmp_path: Path, paused: list[float], *, limit: str | None = None, stopped: bool = False
) -> tuple[RetryingClient, Budget]:
    terms = replace(
        load_terms(Home(tmp_path)), tries=5, first_pause=1.0, longest_pause=5.0, rate_limit=900.0
    )
    budget = Budget(None if limit is None else Decimal(limit))
    made = RetryingClient(
        terms,
        Token("a-token-that-is-long-enough", "test"),
        "http://x",
        budget,
        lambda *told: None,
        lambda: stopped,
    )
    made.pause = lambda seconds, report: paused.append(seconds)  # type: ignore[method-assign]
    return made, budget


def failing(*, sent: bool) -> Callable[[Callable[[], bool]], Reply]:
    def request(cancelled: Callable[[], bool]) -> Reply:
        raise Broken("the line is dead", sent=sent)

    return request


def test_pauses_double_up_to_the_longest(tmp_path: Path) -> None:
    paused: list[float] = []
    asked, budget = client(tmp_path, paused)
    with pytest.raises(XRefused):
        asked.ask(failing(sent=False), handle="ann", worst=WORST)
    assert paused == [1.0, 2.0, 4.0, 5.0], "five tries"
    assert budget.unsure == 0, "what was not sent costs nothing"


def test_a_lost_answer_may_have_cost_the_most_it_could(tmp_path: Path) -> None:
    paused: list[float] = []
    asked, budget = client(tmp_path, paused, limit="1.2")
    with pytest.raises(OverBudget):
        asked.ask(failing(sent=True), handle="ann", worst=WORST)
    assert budget.unsure == 2 * WORST
    assert paused == [1.0, 2.0]


def test_a_rate_limit_is_waited_for_by_the_clock_of_x(tmp_path: Path) -> None:
    paused: list[float] = []
    asked, _ = client(tmp_path, paused)
    told = {"date": "Thu, 01 Jan 2026 00:00:00 GMT", "x-rate-limit-reset": "1767225630"}
    answers = [Reply(429, told, None), Reply(200, {}, {"data": []})]
    reply = asked.ask(lambda cancelled: answers.pop(0), handle="ann", worst=WORST)
    assert reply.status == 200
    assert paused == [31.0], "thirty seconds, and one, because X counts whole ones"


def test_a_stopped_fetch_asks_nothing(tmp_path: Path) -> None:
    asked, _ = client(tmp_path, [], stopped=True)
    with pytest.raises(FetchInterrupted):
        asked.ask(failing(sent=False), handle="ann", worst=WORST)
