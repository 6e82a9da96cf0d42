"""A profile in sentences, for those who cannot see its plots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from core.numbers import percent, plural
from core.safe_text import printable
from tui.profile.panels import KINDS, summary

if TYPE_CHECKING:
    from core.curation.profile import Profile

_MOST_NAMED: Final = 8
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()
)


def profile_sentences(profile: Profile) -> list[str]:
    """What each plot shows, a paragraph each, in the order of the plots."""
    who = "All accounts together" if profile.together else f"@{profile.handle}"
    return [
        f"{printable(who)}: {summary(profile).replace(' · ', ', ')}.",
        _months(profile),
        _lengths(profile),
        _hours(profile),
        _listed("Kinds of tweets", [
            (f"{title} {percent(profile.kinds[kind] / profile.tweets)}", profile.kinds[kind])
            for kind, title in KINDS.items() if profile.kinds[kind]
        ]),
        _listed("The commonest words", profile.words),
        *([_listed("Words that set it apart from the others", profile.apart)]
          if profile.apart else []),
        _listed("Hashtags", profile.hashtags),
        _listed("Languages, as the source says", [
            ("unknown" if code == "und" else code, number)
            for code, number in profile.languages.most_common()
        ]),
    ]  # fmt: skip


def _months(profile: Profile) -> str:
    if not profile.months:
        return "No tweet has a date."
    months = list(profile.months)
    kept = {month: pair[1] for month, pair in profile.months.items()}
    busiest = max(kept, key=lambda month: kept[month])
    years: dict[str, int] = {}
    for month, number in kept.items():
        years[month[:4]] = years.get(month[:4], 0) + number
    by_year = ", ".join(f"{number:,} in {year}" for year, number in years.items())
    return (
        f"The tweets are from {_month(months[0])} to {_month(months[-1])}. Kept by year: "
        f"{by_year}. The busiest month was {_month(busiest)}, with {kept[busiest]:,} kept."
    )


def _month(month: str) -> str:
    """``2019-03`` as ``March 2019``."""
    year, _, number = month.partition("-")
    return f"{_MONTHS[int(number) - 1]} {year}"


def _lengths(profile: Profile) -> str:
    from core.curation.profile import LENGTH_STEP

    total = sum(profile.lengths)
    if not total:
        return "No tweet is kept, so there are no lengths."
    edges = [0, 3, 7, len(profile.lengths)]  # under 60, under 140, the rest
    short, middle, long = (
        sum(profile.lengths[first:end]) / total for first, end in pairwise(edges)
    )
    commonest = max(range(len(profile.lengths)), key=lambda place: profile.lengths[place])
    begin = commonest * LENGTH_STEP
    last = commonest == len(profile.lengths) - 1
    most = f"{begin} or more" if last else f"{begin} to {begin + LENGTH_STEP - 1}"
    return (
        f"Lengths of the cleaned tweets: {percent(short)} have under {edges[1] * LENGTH_STEP} "
        f"characters, {percent(middle)} from there to {edges[2] * LENGTH_STEP - 1}, "
        f"{percent(long)} have more. The commonest length is {most}."
    )


def _hours(profile: Profile) -> str:
    total = sum(profile.hours)
    if not total:
        return "No kept tweet has a time."
    busiest = max(range(24), key=lambda hour: profile.hours[hour])
    quarters = [sum(profile.hours[first : first + 6]) / total for first in range(0, 24, 6)]
    names = ("from 0 to 6", "from 6 to 12", "from 12 to 18", "from 18 to 24")
    parts = ", ".join(f"{percent(s)} {name}" for s, name in zip(quarters, names, strict=True))
    return (
        f"Hours in UTC, for exports tell no time zone: {parts} o'clock. The busiest hour begins "
        f"at {busiest}, with {plural(profile.hours[busiest], 'tweet')}."
    )


def _listed(title: str, pairs: Iterable[tuple[str, int]]) -> str:
    shown: Sequence[tuple[str, int]] = list(pairs)[:_MOST_NAMED]
    if not shown:
        return f"{title}: none."
    return f"{title}: {', '.join(f'{printable(name)} ({number:,})' for name, number in shown)}."
