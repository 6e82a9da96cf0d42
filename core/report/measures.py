"""The measures of a report: what is measured of each point, and under which name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any, Final, Literal

from core.numbers import share_in_digits
from core.report import authorship
from core.report.copying import copies, novelty
from core.report.intervals import Estimate, ratio
from core.report.likelihood import TextNats
from core.report.points import RealTexts
from core.report.profiles import FEATURES, Profiles
from core.report.variety import FEWEST_COMPARED, MOST_COMPARED, distinct, self_bleu
from core.sampling.copies import CopyIndex

Group = Literal["author", "copying", "loss", "variety", "look", "leak"]
Unit = Literal["share", "number"]

# In the order of a page.
POINTS: Final = ("tuned", "base", "held_out", "parrot", "impostors")

# What a report is to be believed with at least, of each point.
FEWEST: Final = 20


@dataclass(frozen=True)
class Measure:
    """One measure of every point that it makes sense for; ``title`` has its unit.

    ``value`` of the JSON is the tuned model's, ``of`` what it is compared with.
    """

    name: str
    title: str
    group: Group
    unit: Unit
    points: Mapping[str, Estimate]
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """``value``, ``n`` and ``interval`` of the tuned model, ``of``: the same by point."""
        tuned = self.points.get("tuned", Estimate(None, 0))
        others = {point: found.to_json() for point, found in self.points.items()}
        others.pop("tuned", None)
        return {
            **tuned.to_json(),
            "of": others,
            "group": self.group,
            "unit": self.unit,
            "title": self.title,
            **self.more,
        }

    @classmethod
    def from_json(cls, name: str, fields: Mapping[str, Any]) -> Measure:
        """What `to_json` gave, with the points in the order of a page."""
        found = {"tuned": fields, **fields["of"]}
        points = {
            point: Estimate.from_json(found[point])
            for point in (*POINTS, *(set(found) - set(POINTS)))
            if point in found
        }
        more = {"tweets": fields["tweets"]} if "tweets" in fields else {}
        return cls(name, fields["title"], fields["group"], fields["unit"], points, more)

    def in_digits(self, value: float) -> str:
        """The digits that mean something: 187, 42, 3.1, 0.42; a share in percent, a loss 2.97."""
        if self.unit == "share":
            return share_in_digits(value)
        if value >= 9.95:
            return f"{value:,.0f}"
        coarse = value >= 0.995 and self.group != "loss"
        shown = f"{value:.1f}" if coarse else f"{value:.2f}"
        return shown.rstrip("0").rstrip(".")


def of_losses(nats: Mapping[str, tuple[Sequence[str], Sequence[TextNats]]]) -> list[Measure]:
    """``nats``: by point the texts and what they cost. Of ``parrot`` they are training tweets and
    the model is the tuned one; of the others they are held-out tweets.
    """
    loss, bits = {}, {}
    for point, (texts, found) in nats.items():
        sums = [one.nats for one in found]
        loss[point] = ratio(sums, [float(one.tokens) for one in found])
        # one byte more for each end mark, as a run counts them
        sizes = [log(2) * (len(text.encode("utf-8", "replace")) + 1) for text in texts]
        bits[point] = ratio(sums, sizes)
    return [
        Measure("loss", "loss, nats a token", "loss", "number", loss),
        Measure("bits_per_byte", "bits a byte", "loss", "number", bits),
    ]


def of_copying(
    index: CopyIndex, train: Sequence[str], points: Mapping[str, Sequence[str]]
) -> list[Measure]:
    """Whole copies of what is in ``index``, and n-grams that are not in ``train``."""
    found = copies(index, points)
    titles = {
        "copied": "copied",
        "verbatim": "· word for word",
        "near": "· nearly",
    }
    made = [Measure(kind, title, "copying", "share", found[kind]) for kind, title in titles.items()]
    for size, of_size in novelty(train, points).items():
        title = f"new {size}-word phrases"
        made.append(Measure(f"novelty_{size}", title, "copying", "share", of_size))
    return made


def of_variety(points: Mapping[str, Sequence[str]]) -> list[Measure]:
    """Of as many texts of each point, because more of them are more alike."""
    enough = [len(texts) for texts in points.values() if len(texts) >= FEWEST_COMPARED]
    most = min([MOST_COMPARED, *enough])
    bleu = {
        point: self_bleu(texts[:most]) if len(texts) >= most else Estimate(None, len(texts))
        for point, texts in points.items()
    }
    return [
        *(
            Measure(
                f"distinct_{size}",
                f"different {what}",
                "variety",
                "share",
                {point: distinct(texts, size) for point, texts in points.items()},
            )
            for size, what in ((1, "words"), (2, "pairs"))
        ),
        Measure("self_bleu", "self-BLEU", "variety", "number", bleu),
    ]


def of_looks(train: Sequence[str], points: Mapping[str, Sequence[str]]) -> list[Measure]:
    """The mean of each feature, then how far its distribution is from the training tweets'."""
    profiles = Profiles(train)
    found = {point: profiles.of(texts) for point, texts in points.items() if texts}
    means, distances = [], []
    for feature in FEATURES:
        both = {point: of[feature.name] for point, of in found.items()}
        share = feature.name == "capitals"
        means.append(
            Measure(
                feature.name,
                "capitals" if share else feature.title,
                "look",
                "share" if share else "number",
                {point: mean for point, (mean, _) in both.items()},
            )
        )
        distances.append(
            Measure(
                f"{feature.name}_distance",
                f"≠ {means[-1].title}",
                "look",
                "number",
                {point: apart for point, (_, apart) in both.items()},
            )
        )
    return [*means, *distances]


def of_authors(real: RealTexts, points: Mapping[str, Sequence[str]]) -> list[Measure]:
    """Who the texts sound like, as they are and with the subject masked, and Burrows's Delta.

    None of the texts that are scored are among those that are learned from.
    """
    others = real.impostors_to_learn
    titles = {
        "sounds_like": "taken for author",
        "style": "· subject hidden",
    }
    enough = min(len(real.to_learn), len(others)) >= authorship.FEWEST_TO_LEARN
    made = []
    for name, title in titles.items():
        found = {point: Estimate(None, len(texts)) for point, texts in points.items()}
        if enough:
            classifier = authorship.Classifier(real.to_learn, others, masked=name == "style")
            found = {point: classifier.called_author(texts) for point, texts in points.items()}
        made.append(Measure(name, title, "author", "share", found))
    delta = authorship.deltas(real.to_learn, others, points)
    return [*made, Measure("delta", "Burrows's Delta", "author", "number", delta)]
