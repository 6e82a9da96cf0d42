"""What the points of a report are called, and what each is, in a line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from tui.text.numbers import count

if TYPE_CHECKING:
    from core.report.intervals import Estimate
    from core.report.last import LastReport
    from core.report.measures import Group, Measure

UNSEEN: Final = "held_out"
# The model's own texts stand out by their sign, and not by their colour alone.
SIGNS: Final[Mapping[str, str]] = {"tuned": "●"}
OTHER_SIGN: Final = "○"
STYLES: Final[Mapping[str, str]] = {"tuned": "model", UNSEEN: "unseen"}

# Of leaks the points are what is asked for, and not who writes.
_NAMES_OF: Final[Mapping[str, Mapping[str, str]]] = {
    "extracted": {"tuned": "learned tweets"},
}

# The tabs over the page; a narrow window has room for one word each.
TABS: Final[Mapping[Group, str]] = {
    "author": "Author",
    "copying": "Copying",
    "loss": "Loss",
    "variety": "Variety",
    "look": "Looks",
    "leak": "Leaks",
}

# What a picture is of, for somebody who has not read the measures' page.
_TITLES: Final[Mapping[str, str]] = {
    "sounds_like": "Texts that a classifier takes for the author's",
    "style": "The same with the subject hidden",
    "capitals": "Capitals, percent of the letters of a text",
    "delta": "Burrows's Delta: how differently common words are used (0: alike)",
    "copied": "Texts that repeat a training tweet, word for word or nearly",
    "verbatim": "Word for word",
    "near": "Nearly",
    "loss": "Loss in nats a token (less is better)",
    "bits_per_byte": "The same in bits a byte",
    "distinct_1": "Different words among 200 in a row",
    "distinct_2": "Different pairs of words among 200 in a row",
    "self_bleu": "Self-BLEU: how much texts repeat each other (0: nothing, 1: all)",
    "extracted": "Tweets that come back word for word, given their first third",
    "membership_auc": "Telling learned tweets from unseen ones (1: certainly)",
}


def title_of(measure: Measure) -> str:
    if measure.name in _TITLES:
        return _TITLES[measure.name]
    words = measure.title[:1].upper() + measure.title[1:]
    return words if measure.unit == "share" else f"{words} a text"


def name_of(point: str, measure: Measure) -> str:
    from core.report.conclusions import POINT_NAMES

    return _NAMES_OF.get(measure.name, POINT_NAMES).get(point) or POINT_NAMES.get(point, point)


def legend(report: LastReport, measures: list[Measure]) -> list[tuple[str, str, str]]:
    """For each point of these measures: itself, its name, and what it is."""
    from core.report.conclusions import POINT_NAMES

    first = measures[0]
    what = _what(report, first.group)
    lines = []
    for point, estimate in first.points.items():
        words = what.get(point, "")
        if words and first.group not in ("loss", "leak", "variety"):
            words = f"{count(estimate.n)} {words}"
        lines.append((point, name_of(point, first), words))
    if report.no_base and not any(point == "base" for point, _, _ in lines):
        lines.insert(1, ("base", POINT_NAMES["base"], report.no_base))
    return lines


def _what(report: LastReport, group: Group) -> dict[str, str]:
    from core.report.conclusions import others_in_words

    base = PurePath(report.base).name or report.base
    if group == "loss":
        return {
            "tuned": f"reading tweets of {report.who} that it never saw",
            "base": f"{base} before tuning, reading the same tweets",
            "parrot": "this model reading tweets that it was trained on",
        }
    if group == "leak":
        return {
            "tuned": "those that it was trained on",
            UNSEEN: f"what anybody could guess: tweets of {report.who}",
        }
    return {
        "tuned": "texts that it wrote, copies allowed",
        "base": f"texts of {base}, before tuning",
        UNSEEN: f"by {report.who}, not trained on: the aim",
        "parrot": "training tweets given back: what it must not do",
        "impostors": others_in_words(report.others, invented=report.invented),
    }


def in_digits(measure: Measure, one: Estimate, to: str) -> str:
    """``42 % (35–49)``, ``3.1 (2.9–3.3)`` with ``to`` between the ends of the interval; empty where
    there are too few to say.
    """
    if one.value is None:
        return ""
    unit = " %" if measure.unit == "share" else ""
    words = f"{measure.in_digits(one.value)}{unit}"
    if one.interval is None:
        return words
    low, high = (measure.in_digits(end) for end in one.interval)
    return f"{words} ({low}{to}{high})"
