"""Numbers and times as people read them; pure functions, shared by the app and the commands."""

from __future__ import annotations

from datetime import datetime, timezone
from math import ceil
from typing import Final

SIGNS: Final = {
    "kept": "●",
    "dropped": "○",
    "retweet": "↻",
    "manual_retweet": "↻",
    "reply": "↳",
    "quote": "❝",
    "note": "¶",
    "verbatim": "≡",
    "near": "≈",
    "favourite": "✦",
    "warning": "▲",
}


def count(number: int | None) -> str:
    """``3245`` is ``3,245``; None is ``–``, never a zero that was not counted."""
    return "–" if number is None else f"{number:,}"


def short_count(number: float | None) -> str:
    """At most five characters: ``7.2``, ``950``, ``9.8k``, ``215k``, ``1.2M``."""
    if number is None:
        return "–"
    if number < 999.5:
        return f"{number:.1f}" if number != int(number) and number < 9.95 else f"{number:.0f}"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size * 0.9995:
            scaled = number / size
            return f"{scaled:.1f}{letter}" if scaled < 99.95 else f"{scaled:.0f}{letter}"
    return f"{number:.0f}"


def signed(number: int) -> str:
    """A change: ``+12``, ``−12``, or nothing."""
    if not number:
        return ""
    return f"+{number:,}" if number > 0 else f"−{-number:,}"


def now() -> datetime:
    """The present; every relative time in the app is counted from here."""
    return datetime.now(timezone.utc)


# Seconds of a month, as a year has twelve.
_MONTH: Final = 2_629_746


def ago(when: datetime | None, since: datetime | None = None) -> str:
    """``now``, ``5 min``, ``2 h``, ``3 d``, ``4 mo``, ``7 y``; empty when the time is unknown."""
    if when is None:
        return ""
    seconds = ((since or now()) - when).total_seconds()
    for size, word in (
        (31_556_952, "y"),
        (_MONTH, "mo"),
        (86_400, "d"),
        (3600, "h"),
        (60, "min"),
    ):
        if seconds >= size:
            return f"{int(seconds // size)} {word}"
    return "now"


def time_left(until: datetime) -> str:
    """``7 d``, ``20 h``, ``5 min``: rounded up, so that a week begins with ``7 d``."""
    seconds = max(0.0, (until - now()).total_seconds())
    size, word = next(
        ((size, word) for size, word in ((86_400, "d"), (3600, "h")) if seconds > size),
        (60, "min"),
    )
    return f"{ceil(seconds / size)} {word}"


def age_or_day(when: datetime | None, since: datetime | None = None) -> str:
    """The age of what is younger than a month, else its day, ``2018-03-12``: ages in months and
    years are all alike. At most ten cells; empty when the time is unknown."""
    if when is None:
        return ""
    present = since or now()
    young = (present - when).total_seconds() < _MONTH
    return ago(when, present) if young else f"{when:%Y-%m-%d}"


def day(when: datetime) -> str:
    """``5 Nov 2024``; strftime has no day without its zero that works on every system."""
    return f"{when.day} {when:%b %Y}"


def exact(when: datetime | None) -> str:
    """``Tue 5 Nov 2024, 14:03 UTC``."""
    return "time unknown" if when is None else f"{when:%a} {day(when)}, {when:%H:%M} UTC"


def clock(seconds: float | None) -> str:
    """Time left or spent: ``0:48``, ``12:05``, ``3:07:00``; ``–`` when unknown."""
    if seconds is None or seconds != seconds or seconds < 0:
        return "–"
    rounded = int(seconds + 0.5)
    if rounded >= 3600:
        return f"{rounded // 3600}:{rounded // 60 % 60:02d}:{rounded % 60:02d}"
    return f"{rounded // 60}:{rounded % 60:02d}"


def about(seconds: float | None) -> str:
    """An expected time in words: ``about 2 min``."""
    if seconds is None:
        return "an unknown time"
    if seconds < 90:
        return f"about {max(5, round(seconds / 5) * 5):.0f} s"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} h"


def rate(per_second: float) -> str:
    """``2,100 a second``."""
    return f"{per_second:,.0f} a second"


def usd(amount: float, decimals: int | None = None) -> str:
    """``$16.01``; three places where single posts count, and where two would not be exact."""
    if decimals is None:
        decimals = 2 if abs(amount - round(amount, 2)) < 1e-6 else 3
    return f"${amount:,.{decimals}f}"


def loss(value: float | None, decimals: int = 3) -> str:
    """Nats a token: ``3.612``; ``–`` for one that is unknown or was no number."""
    return "–" if value is None or value != value else f"{value:.{decimals}f}"
