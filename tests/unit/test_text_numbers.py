"""Numbers and times as people read them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from core.numbers import percent, plural
from tui.text.numbers import (
    about,
    ago,
    clock,
    count,
    day,
    exact,
    loss,
    rate,
    short_count,
    signed,
    time_left,
    usd,
)

NOW = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("delta", "said"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=70), "2 mo"),
        (timedelta(days=900), "2 y"),
    ],
)
def test_ago(delta: timedelta, said: str) -> None:
    assert ago(NOW - delta, NOW) == said


@pytest.mark.parametrize(
    ("delta", "said"),
    [
        (timedelta(days=7), "7 d"),
        (timedelta(days=7, seconds=-1), "7 d"),
        (timedelta(days=1), "24 h"),
        (timedelta(minutes=20), "20 min"),
        (timedelta(seconds=-5), "0 min"),
    ],
)
def test_what_is_left_is_rounded_up(
    delta: timedelta, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.text.numbers.now", lambda: NOW)
    assert time_left(NOW + delta) == said


def test_ago_of_an_unknown_time_is_empty() -> None:
    assert ago(None, NOW) == ""


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (9_815, "9.8k"),
        (215_000, "215k"),
        (1_234_567, "1.2M"),
        (7.25, "7.2"),
        (980, "980"),
        (84_200, "84.2k"),
        (999_900, "1.0M"),
        (None, "–"),
    ],
)
def test_short_count(number: int | None, said: str) -> None:
    assert short_count(number) == said


def test_the_rest() -> None:
    assert count(3245) == "3,245"
    assert count(None) == "–"
    assert (signed(12), signed(-12), signed(0)) == ("+12", "−12", "")
    assert (clock(48), clock(725), clock(11_220), clock(None), clock(float("nan"))) == (
        "0:48", "12:05", "3:07:00", "–", "–",
    )  # fmt: skip
    assert plural(1, "account") == "1 account"
    assert plural(2_000, "row") == "2,000 rows"
    assert about(120) == "about 2 min"
    assert about(7) == "about 5 s"
    assert (percent(0.5), percent(0.042), percent(0.0003), percent(None)) == (
        "50 %", "4.2 %", "0.03 %", "–",
    )  # fmt: skip
    assert (loss(3.61249), loss(None), loss(float("nan")), loss(3.6, 2)) == (
        "3.612", "–", "–", "3.60",
    )  # fmt: skip
    assert (usd(1234.5), usd(0.0051, 3), rate(2100.4)) == ("$1,234.50", "$0.005", "2,100 a second")
    # a sum that is not to be exceeded is not rounded down, nor what was paid
    assert [usd(dollars) for dollars in (0.045, 0.007, 16.015, 0.11 + 0.22, 0)] == [
        "$0.045", "$0.007", "$16.015", "$0.33", "$0.00"
    ]  # fmt: skip


def test_days_and_times_have_no_leading_zero() -> None:
    morning = datetime(2024, 11, 5, 4, 3, tzinfo=timezone.utc)
    assert day(morning) == "5 Nov 2024"
    assert exact(morning) == "Tue 5 Nov 2024, 04:03 UTC"
    assert exact(None) == "time unknown"


def test_no_time_is_written_in_a_way_that_windows_refuses() -> None:
    """``%-d`` and its like are an extension of glibc; Windows raises ValueError at them."""
    root = Path(__file__).parents[2]
    directive = re.compile(r"""%[-#][dHIjmMSUwWyeklu]""")
    found = [
        f"{file.relative_to(root)}: {line.strip()}"
        for folder in ("core", "tui", "tests", "benchmarks")
        for file in (root / folder).rglob("*.py")
        if file != Path(__file__)
        for line in file.read_text(encoding="utf-8").splitlines()
        if directive.search(line)
    ]
    assert not found
