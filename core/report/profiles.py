"""What texts look like from outside: length, emoji, tags, names, links, capitals, punctuation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.report.intervals import Estimate, Floats, distance, mean

# Pictographs and flags; a joined group (family, skin tone, flag) counts as one.
_ONE_EMOJI: Final = "[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
_EMOJI: Final = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|{_ONE_EMOJI}[\ufe0f\U0001f3fb-\U0001f3ff]*"
    f"(?:\u200d{_ONE_EMOJI}[\ufe0f\U0001f3fb-\U0001f3ff]*)*"
)
HASHTAG: Final = re.compile(r"(?<![\w&/])[#＃]\w*[^\W\d_]\w*")
MENTION: Final = re.compile(r"(?<![\w.+-])[@＠]\w+")
LINK: Final = re.compile(r"(?i)\bhttps?://\S+")
# By kind, because a keyboard decides which quote or dash it is.
_MARKS: Final = (".", ",", "!", "?", "…", ":", ";", "-–—", "\"'“”‘’«»", "()[]", "&", "/|")
_MARK_OF: Final = {mark: kind for kind, marks in enumerate(_MARKS) for mark in marks}


def _capitals(text: str) -> float:
    letters = [letter for letter in text if letter.isalpha()]
    return sum(map(str.isupper, letters)) / len(letters) if letters else 0.0


def _marks(text: str) -> list[float]:
    """How often each kind of mark stands in a text without its links, names and tags."""
    found = [0.0] * len(_MARKS)
    for letter in MENTION.sub("", HASHTAG.sub("", LINK.sub("", text))):
        kind = _MARK_OF.get(letter)
        if kind is not None:
            found[kind] += 1
    return found


@dataclass(frozen=True)
class Feature:
    """One number of each text; ``edges`` are those between the bins of its histogram."""

    name: str
    title: str
    of: Callable[[str], float]
    edges: tuple[float, ...]

    def histogram(self, texts: Sequence[str]) -> Floats:
        """(texts, bins), a single 1 in each row."""
        places = np.searchsorted(self.edges, [self.of(text) for text in texts], side="right")
        return np.eye(len(self.edges) + 1)[places]


_FEW: Final = (1, 2, 3)
FEATURES: Final = (
    Feature("length", "characters", len, tuple(range(20, 301, 20))),
    Feature("emoji", "emoji", lambda text: len(_EMOJI.findall(text)), _FEW),
    Feature("hashtags", "hashtags", lambda text: len(HASHTAG.findall(text)), _FEW),
    Feature("mentions", "@names", lambda text: len(MENTION.findall(text)), _FEW),
    Feature("links", "links", lambda text: len(LINK.findall(text)), _FEW),
    Feature("capitals", "share of capitals", _capitals, (1e-9, 0.03, 0.06, 0.1, 0.2, 0.5)),
    Feature("punctuation", "punctuation marks", lambda text: sum(_marks(text)), ()),
)


class Profiles:
    """How far texts are from ``training`` in each feature.

    The distance is the Jensen-Shannon divergence in bits (Lin 1991): 0 for the same distribution,
    1 for two that share nothing. Of punctuation it is between the kinds of marks, a text without
    any counting as a kind; of the rest between histograms.
    """

    def __init__(self, training: Sequence[str]) -> None:
        self._targets = {feature.name: _rows(feature, training).sum(axis=0) for feature in FEATURES}

    def of(self, texts: Sequence[str]) -> dict[str, tuple[Estimate, Estimate]]:
        """By feature: its mean over ``texts``, and the distance of their distribution."""
        return {
            feature.name: (
                mean([feature.of(text) for text in texts]),
                distance(
                    _rows(feature, texts), _divergence_from(self._targets[feature.name]), most=1.0
                ),
            )
            for feature in FEATURES
        }


def _rows(feature: Feature, texts: Sequence[str]) -> Floats:
    if feature.name != "punctuation":
        return feature.histogram(texts)
    counted = np.array([_marks(text) for text in texts]).reshape(len(texts), len(_MARKS))
    return np.hstack([counted, (counted.sum(axis=1, keepdims=True) == 0).astype(float)])


def _divergence_from(target: Floats) -> Callable[[Floats], Floats]:
    return lambda sums: jensen_shannon(sums, target)


def jensen_shannon(counts: Any, target: Any) -> Floats:
    """In bits, of each row of ``counts`` (rows, k) from ``target`` (k), which need not add to 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p = counts / counts.sum(axis=1, keepdims=True)
        q = np.broadcast_to(target / target.sum(), p.shape)
        middle = (p + q) / 2
        parts = [np.where(one > 0, one * np.log2(one / middle), 0.0).sum(axis=1) for one in (p, q)]
    return np.asarray((parts[0] + parts[1]) / 2)
