"""How much of a set of texts stands in the training tweets: whole copies, and n-grams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from core.report.intervals import Estimate, ratio, share
from core.sampling.copies import CopyIndex
from core.words import words

SIZES: Final = tuple(range(2, 13))


def copies(
    training: Sequence[str], points: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Estimate]]:
    """By kind (verbatim, near; copied: either) and point: the share of texts that copy a tweet.

    What counts as a copy is for ``core.sampling.copies`` to say.
    """
    index = CopyIndex(training, [None] * len(training))
    verdicts = {
        point: [index.check(text).verdict for text in texts] for point, texts in points.items()
    }
    kinds = {"copied": ("verbatim", "near"), "verbatim": ("verbatim",), "near": ("near",)}
    return {
        kind: {
            point: share([verdict in meant for verdict in found])
            for point, found in verdicts.items()
        }
        for kind, meant in kinds.items()
    }


class Novelty:
    """Which n-grams of words do not occur in the training tweets.

    An n-gram never crosses the end of a tweet. Source of the measure: McCoy et al. 2023, RAVEN,
    arXiv 2111.09509; of the author's own unseen tweets as its yardstick: Merrill et al. 2024,
    arXiv 2406.13069.
    """

    def __init__(self, training: Sequence[str]) -> None:
        self._known = {size: set[int]() for size in SIZES}
        for text in training:
            said = words(text)
            for size, known in self._known.items():
                known.update(_grams(said, size))

    def of(self, texts: Sequence[str]) -> dict[int, Estimate]:
        """By size: the share of the n-grams of ``texts`` that are new; ``n`` counts the texts that
        have one of that size.
        """
        spoken = [words(text) for text in texts]
        found = {}
        for size, known in self._known.items():
            grams = [_grams(said, size) for said in spoken]
            new = [sum(gram not in known for gram in own) for own in grams]
            found[size] = ratio(np.asarray(new, float).tolist(), [float(len(own)) for own in grams])
        return found


def _grams(said: Sequence[str], size: int) -> list[int]:
    """The n-grams as hashes of 64 bits: a million of them take 60 MB less than as words."""
    return [hash(tuple(said[at : at + size])) for at in range(len(said) - size + 1)]
