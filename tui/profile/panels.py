"""A profile as titled blocks of lines, for the Plots screen and for ``mynah profile``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.numbers import percent
from core.safe_text import printable
from tui.text.bars import level_bar, tall_bars
from tui.text.numbers import count
from tui.widgets.cells import cell_len, cut

if TYPE_CHECKING:
    from core.curation.profile import Profile

MOST_ROWS: Final = 8
HEIGHT: Final = 5
KINDS: Final = {
    "original": "original",
    "reply": "replies",
    "quote": "quotes",
    "retweet": "retweets",
    "manual_retweet": "typed retweets",
}


@dataclass(frozen=True)
class Block:
    """``title``, what its right corner says, and lines of at most the width that was asked for."""

    title: str
    status: str
    lines: list[str]


def profile_blocks(profile: Profile, width: int) -> list[Block]:
    """The blocks in reading order, for columns of ``width`` cells."""
    from core.curation.profile import LENGTH_STEP

    longest = (len(profile.lengths) - 1) * LENGTH_STEP
    return [
        _months(profile, width),
        Block(
            "Length",
            "characters, cleaned",
            _chart(profile.lengths, width, ["0", str(longest // 2), f"{longest}+"]),
        ),
        Block(
            "Hours", "UTC: exports tell no time zone", _chart(profile.hours, width, _clock(width))
        ),
        Block("Kinds", "of all tweets", _kinds(profile, width)),
        Block("Words", "commonest, kept tweets", _bars(profile.words, width)),
        *(
            [Block("Sets apart", "from the other accounts", _bars(profile.apart, width))]
            if profile.apart
            else []
        ),
        Block("Hashtags", "as published", _bars(profile.hashtags, width)),
        Block("Languages", "as the source says", _bars(_languages(profile), width)),
    ]


def summary(profile: Profile) -> str:
    """One line: how many tweets, what is kept, the share of replies and of near copies."""
    parts = [
        f"{count(profile.kept)} kept of {count(profile.tweets)}",
        f"replies {percent(profile.replies)} of own tweets",
    ]
    if profile.alike is not None and profile.kept:
        parts.append(f"near copies {percent(profile.alike / profile.kept)} of kept")
    return " · ".join(parts)


def _months(profile: Profile, width: int) -> Block:
    months = list(profile.months)
    if not months:
        return Block("Months", "", ["No tweet has a date."])
    kept = [pair[1] for pair in profile.months.values()]
    busiest = max(profile.months, key=lambda month: profile.months[month][1])
    status = f"busiest {busiest}: {count(profile.months[busiest][1])} kept"
    ends = [months[0], months[-1]] if len(months) > 1 else [months[0]]
    return Block("Months", status, _chart(kept, width, ends))


def _clock(width: int) -> list[str]:
    return ["0", "6", "12", "18", "23"] if width >= 24 else ["0", "23"]


def _chart(values: Sequence[float], width: int, marks: Sequence[str]) -> list[str]:
    """Columns, and under them ``marks``: the first at the left end, the last at the right."""
    if not any(values):
        return ["Nothing to count."]
    lines = tall_bars(values, width, HEIGHT)
    long = max(map(len, lines))
    axis = [" "] * long
    for index, mark in enumerate(marks):
        start = round(index * (long - len(mark)) / max(len(marks) - 1, 1))
        axis[start : start + len(mark)] = mark
    return [*lines, "".join(axis[:width])]


def _kinds(profile: Profile, width: int) -> list[str]:
    pairs = [(title, profile.kinds[kind]) for kind, title in KINDS.items() if profile.kinds[kind]]
    return _bars(pairs, width, of=profile.tweets)


def _languages(profile: Profile) -> list[tuple[str, int]]:
    return [
        ("unknown" if code == "und" else code, number)
        for code, number in profile.languages.most_common()
    ]


def _bars(pairs: Iterable[tuple[str, int]], width: int, of: int = 0) -> list[str]:
    shown = [(printable(label), number) for label, number in pairs][:MOST_ROWS]
    if not shown:
        return ["None."]
    widest = min(max(cell_len(label) for label, _ in shown), max(8, width // 3))
    numbers = [
        count(number) + (f" {100 * number / of:3.0f} %" if of else "") for _, number in shown
    ]
    right = max(map(len, numbers))
    top = max(number for _, number in shown)
    lines = []
    for (label, number), words in zip(shown, numbers, strict=True):
        name = cut(label, widest)
        bar = level_bar(number, top, max(4, width - widest - right - 2))
        lines.append(f"{name}{' ' * (widest - cell_len(name))} {bar} {words:>{right}}")
    return lines
