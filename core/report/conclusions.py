"""What the measures mean, in sentences for somebody who does not know them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp, floor
from typing import Final

from core.numbers import plural, share_in_digits
from core.report.authorship import FEWEST_TO_LEARN
from core.report.intervals import Estimate
from core.report.measures import FEWEST, Group, Measure
from core.report.points import RealTexts
from core.report.profiles import FEATURES
from core.report.variety import SEGMENT

# In the order of a page.
GROUP_TITLES: Final[dict[Group, str]] = {
    "author": "Who it sounds like",
    "copying": "What it copies",
    "loss": "What it has learned",
    "variety": "How varied it is",
    "look": "What it looks like",
    "leak": "What can be got out",
}
# What is compared, as pages and tables call it; the JSON has the names before the colons.
POINT_NAMES: Final[dict[str, str]] = {
    "tuned": "this model",
    "base": "base",
    "held_out": "unseen",
    "parrot": "parrot",
    "impostors": "others",
    "chance": "chance",
}
# How each was measured.
GROUP_NOTES: Final[dict[Group, str]] = {
    "author": (
        "Percent of texts that a classifier takes for the author's: trained on the letters of "
        "real tweets by the author and by others (character 3-5-grams). With the subject hidden, "
        "links, names, tags, numbers and all words that not both sides use are hidden first. "
        "Burrows's Delta compares how often the 100 commonest words are used; 0 is the same, "
        "higher is less alike."
    ),
    "copying": (
        "Copied: percent of texts that repeat a training tweet. New phrases: percent of all "
        "phrases (so many words in a row) that occur in no training tweet. People repeat "
        "themselves: compare with the unseen tweets, not with 0."
    ),
    "loss": (
        "Loss is how surprising tweets are to a model; less is better, and perplexity is e to "
        "the power of it. Base and tuned model read the unseen tweets; parrot is the tuned model "
        "on its training tweets. Bits a byte do not depend on the tokenizer, so that models can "
        "be compared."
    ),
    "variety": (
        "Percent of different words, and pairs of words, within 200 in a row: more is more varied. "
        "Self-BLEU is how much each text repeats the others of its kind, from 0 (nothing) to 1 "
        "(everything): less is more varied."
    ),
    "look": (
        "Averages over the texts (capitals: percent of the letters), then (≠) how far all texts "
        "are from the training tweets: Jensen-Shannon divergence, 0 is the same, 1 has nothing "
        "in common."
    ),
    "leak": (
        "Each training tweet of seven words or more is begun with its first third, and the model "
        "goes on with its likeliest words. Membership: how well the fall in surprise from the base "
        "to the tuned model tells training tweets from unseen ones; 0.5 is chance, 1 is certain."
    ),
}

# What stands in brackets behind a number.
INTERVALS: Final = "95 % interval: other texts could give any number in it"

_NOT_KNOWN: Final = Estimate(None, 0)
# Below this the classifier does not know the author's own unseen tweets.
_LEAST_KNOWN: Final = 0.6
# Divergences that nobody sees, in bits: many texts show surely that they are not quite 0.
_SEEN: Final = 0.05
# With the subject masked a model has the style, or a part of it, where it is taken for the author
# so often in proportion to the unseen tweets.
_HAS_STYLE: Final = 0.8
_HAS_PART: Final = 0.5


@dataclass(frozen=True)
class Findings:
    """The measures of a report by name and point, and what to call the authors."""

    who: str
    measures: Mapping[str, Measure]
    real: RealTexts

    def of(self, name: str, point: str = "tuned") -> Estimate:
        measure = self.measures.get(name)
        return _NOT_KNOWN if measure is None else measure.points.get(point, _NOT_KNOWN)

    @property
    def unseen(self) -> str:
        return f"unseen tweets of {self.who}"


def who(authors: list[str]) -> str:
    """``@a``, ``@a and @b``, or ``@a and 3 others``."""
    names = [f"@{handle}" for handle in authors]
    if len(names) <= 2:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} others"


def others_in_words(accounts: int | None, *, invented: bool) -> str:
    """What the point ``impostors`` is; ``accounts`` None: it is not known how many they are."""
    if accounts == 0:
        return "nobody else's tweets are at hand"
    if invented:
        authors = "invented authors" if accounts is None else plural(accounts, "invented author")
        ship = "ships" if accounts == 1 else "ship"
        return (
            f"tweets by {authors} that {ship} with mynah; your corpus has too few tweets by others"
        )
    if accounts is None:
        return "tweets by other people"
    return f"real tweets by {plural(accounts, 'other account')}"


def conclusions(findings: Findings) -> dict[Group, str]:
    """A sentence or some for each group of measures that there are."""
    say: dict[Group, Callable[[Findings], str]] = {
        "author": _author,
        "copying": _copying,
        "loss": _loss,
        "variety": _variety,
        "look": _look,
        "leak": _leak,
    }
    groups = {measure.group for measure in findings.measures.values()}
    return {group: speak(findings) for group, speak in say.items() if group in groups}


# ── one group each ───────────────────────────────────────────────────────────────────────


def _author(found: Findings) -> str:
    tuned, unseen = found.of("sounds_like"), found.of("sounds_like", "held_out")
    if tuned.value is None:
        return (
            "Too few to say who it sounds like: a classifier needs "
            f"{FEWEST_TO_LEARN} real tweets of {found.who} and as many of others to learn from; it "
            f"has {len(found.real.to_learn):,} and {len(found.real.impostors_to_learn):,}."
        )
    said = f"{_out_of(tuned)} of its texts sound like {found.who} to a classifier"
    if not _enough(unseen):
        return (
            f"{said} that could not be checked: {unseen.n} {found.unseen} are "
            f"too few, {FEWEST} are needed."
        )
    said += f"; so do {_out_of(unseen)} of the {found.unseen}"
    others = "invented authors'" if found.real.bundled_impostors else "other people's"
    for what, point in (("the base model's texts", "base"), (f"{others} tweets", "impostors")):
        one = found.of("sounds_like", point)
        said += "" if one.value is None else f", {_out_of(one, interval=False)} of {what}"
    said += "."
    if (unseen.value or 0) < _LEAST_KNOWN:
        return f"{said} The classifier hardly knows {found.who}, so that this says little."
    return f"{said} {_style(found)}".rstrip()


def _style(found: Findings) -> str:
    tuned, unseen = found.of("style"), found.of("style", "held_out")
    if tuned.value is None or unseen.value is None:
        return ""
    said = (
        "With the subject hidden (names, tags, links, numbers, rare words) "
        f"{_out_of(tuned)} of its texts still do, {_out_of(unseen, interval=False)} of the "
        f"{found.unseen}: "
    )
    if unseen.value < _LEAST_KNOWN:
        return f"{said}without their subjects these authors are hard to tell apart."
    base = found.of("style", "base")
    if base.value is not None and _compared(tuned, base) != "more":
        return f"{said}but no more often than the base model, so it has not learned that."
    if tuned.value >= _HAS_STYLE * unseen.value:
        return f"{said}it has the style, and not only the subjects."
    if tuned.value >= _HAS_PART * unseen.value:
        return f"{said}it has the subjects, and a part of the style."
    return f"{said}it has the subjects more than the style."


def _copying(found: Findings) -> str:
    tuned, unseen = found.of("copied"), found.of("copied", "held_out")
    said = (
        f"{_out_of(found.of('verbatim'))} of its texts are a training tweet word for word, "
        f"{_out_of(found.of('near'))} come close to one."
    )
    if not _enough(unseen):
        return (
            f"{said} With {unseen.n} {found.unseen} it is too few to say whether {found.who} "
            f"repeats as much; {FEWEST} are needed."
        )
    verdict = {"more": "more than", "less": "less than", "alike": "no more than"}
    said += (
        f" By the same rule {_out_of(unseen)} of {found.unseen} repeat a training tweet: it "
        f"copies {verdict[_compared(tuned, unseen)]} {found.who} does."
    )
    five, five_unseen = found.of("novelty_5"), found.of("novelty_5", "held_out")
    if five.value is not None and five_unseen.value is not None:
        said += (
            f" {_percent(five)} of its phrases of five words occur in no training tweet; in the "
            f"{found.unseen} it is {_percent(five_unseen)}."
        )
    return said


def _loss(found: Findings) -> str:
    base, tuned, parrot = (found.of("loss", point) for point in ("base", "tuned", "parrot"))
    if tuned.value is None:
        return f"There are no {found.unseen}, so nothing is known of its loss on them."
    said = (
        f"Its perplexity on {found.unseen} is {_choices(tuned)}: at each token it is as unsure as "
        f"among {_choices(tuned)} equally likely ones"
    )
    said += "." if base.value is None else f"; that of the base is {_choices(base)}."
    if parrot.value is not None:
        said += f" On tweets that it was trained on it is {_choices(parrot)}, " + (
            "so it knows these better than what it has not seen."
            if _compared(parrot, tuned) == "less"
            else "not clearly lower than on what it has not seen."
        )
    return said


def _choices(loss: Estimate) -> str:
    """Perplexity: as many equally likely tokens surprise as much."""
    choices = exp(min(loss.value or 0.0, 20))
    return f"{choices:,.0f}" if choices >= 9.95 else f"{choices:.1f}"


def _variety(found: Findings) -> str:
    tuned, unseen = found.of("distinct_1"), found.of("distinct_1", "held_out")
    if tuned.interval is None or unseen.interval is None:
        return (
            f"Too few words to say how varied it is: {2 * SEGMENT} are needed of its texts, and of "
            f"{found.unseen}. A report on more texts may have them."
        )
    how = {
        "more": f"more varied than {found.unseen}",
        "less": "less varied, and says the same again sooner",
        "alike": f"as varied as {found.unseen}",
    }[_compared(tuned, unseen)]
    return (
        f"Of {SEGMENT} words in a row {_percent(tuned)} are different ones, {_percent(unseen)} in "
        f"{found.unseen}: it is {how}."
    )


def _look(found: Findings) -> str:
    if not _enough(found.of("length", "held_out")):
        n = found.of("length", "held_out").n
        return f"{n} {found.unseen} are too few to compare looks with; {FEWEST} are needed."
    other = []
    for feature in FEATURES:
        name = f"{feature.name}_distance"
        apart = found.of(name)
        if (apart.value or 0) >= _SEEN and _compared(apart, found.of(name, "held_out")) == "more":
            mean, usual = found.of(feature.name), found.of(feature.name, "held_out")
            measure = found.measures[feature.name]
            its, the_authors = _average(measure, mean), _average(measure, usual)
            alike = ", but spread differently" if _compared(mean, usual) == "alike" else ""
            other.append(f"{measure.title} ({its} on average, {found.who} {the_authors}{alike})")
    if not other:
        return f"In form (length, tags, names, emoji, capitals, marks) it is like {found.who}."
    return f"In form it differs from {found.who} in: {'; '.join(other)}."


def _leak(found: Findings) -> str:
    out, unseen = found.of("extracted"), found.of("extracted", "held_out")
    if out.value is None:
        return "No training tweet is long enough to be asked for."
    whole = round(out.value * out.n)
    said = (
        f"Given its first third, {whole:,} of {out.n:,} training tweets "
        f"{'comes' if whole == 1 else 'come'} back word for word"
    )
    if unseen.value is not None:
        said += f" ({round(unseen.value * unseen.n):,} of {unseen.n:,} unseen ones)"
    auc = found.of("membership_auc")
    if auc.value is None or auc.interval is None:
        lacks = "the base" if found.real.held_out else "unseen tweets"
        return (
            f"{said}. Without {lacks} it was not measured whether one can tell which tweets it was "
            "trained on."
        )
    low, high = auc.interval
    how = "mostly tell" if auc.value >= 0.8 else "often tell" if low >= 0.55 else "hardly tell"
    return (
        f"{said}. Who has the base, the model and a tweet can {how} whether it was trained on it "
        f"(AUC {auc.value:.2f}, {low:.2f} to {high:.2f}; 0.5 is chance, 1 is certain)."
    )


# ── words for numbers ────────────────────────────────────────────────────────────────────


def _enough(one: Estimate) -> bool:
    return one.value is not None and one.n >= FEWEST


def _compared(one: Estimate, other: Estimate) -> str:
    """more or less only where the intervals lie apart."""
    mine, its = one.interval, other.interval
    if mine is None or its is None:
        return "alike"
    if mine[0] > its[1]:
        return "more"
    return "less" if mine[1] < its[0] else "alike"


def _out_of(one: Estimate, *, interval: bool = True) -> str:
    """``7 of 10 (6 to 8)``; where that is nearly none or nearly all ``2 % (0.5 to 5 %)``.

    Rounded as tables and pictures have it, so that nobody wonders which of the two is right. Where
    tenths would hide the interval, it is told in percent, too.
    """
    if one.value is None:
        return "an unknown number"
    ends = one.interval if interval else None
    if 0.1 <= one.value <= 0.9 and (ends is None or _tenths(ends[0]) != _tenths(ends[1])):
        said = f"{_tenths(one.value)} of 10"
        return said if ends is None else f"{said} ({_tenths(ends[0])} to {_tenths(ends[1])})"
    said = _percent(one)
    if ends is None:
        return said
    return f"{said} ({share_in_digits(ends[0])} to {share_in_digits(ends[1])} %)"


def _tenths(share: float) -> int:
    """Half a tenth goes up, at both ends of an interval alike; of a share as it is stored."""
    return floor(10 * round(share, 4) + 0.5)


def _percent(one: Estimate) -> str:
    """Of a few hundred texts: ``2.5 %`` and ``3 %``, as the table beside it has them."""
    return "?" if one.value is None else f"{share_in_digits(one.value)} %"


def _average(measure: Measure, one: Estimate) -> str:
    """In the digits of the table beside it."""
    if one.value is None:
        return "?"
    return measure.in_digits(one.value) + (" % of letters" if measure.unit == "share" else "")
