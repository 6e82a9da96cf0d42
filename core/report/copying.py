"""How much of a set of texts stands in the training tweets: whole copies, and n-grams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from core.report.intervals import Estimate, ratio, share
from core.sampling.copies import CopyIndex
from core.words import words

SIZES: Final = tuple(range(2, 13))


def copies(index: CopyIndex, points: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Estimate]]:
    """By kind (verbatim, near; copied: either) and point: the share of texts that copy a tweet of
    ``index``, which says what counts as a copy.
    """
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


def novelty(
    training: Iterable[str], points: Mapping[str, Sequence[str]]
) -> dict[int, dict[str, Estimate]]:
    """By size and point: the share of the n-grams of words that occur in no training tweet.

    ``n`` counts the texts that have an n-gram of that size; none crosses the end of a text. Memory
    grows with the points, and not with the training tweets. Source of the measure: McCoy et al.
    2023, RAVEN, arXiv 2111.09509; of the author's own unseen tweets as its yardstick: Merrill et
    al. 2024, arXiv 2406.13069.
    """
    grams = {
        size: {point: [_grams(words(text), size) for text in texts]
               for point, texts in points.items()}
        for size in SIZES
    }  # fmt: skip
    wanted = {
        size: {gram for texts in of_size.values() for own in texts for gram in own}
        for size, of_size in grams.items()
    }
    known = {size: set[int]() for size in SIZES}
    for text in training:
        said = words(text)
        for size in SIZES:
            known[size].update(wanted[size].intersection(_grams(said, size)))
    return {
        size: {
            point: ratio(
                [float(sum(gram not in known[size] for gram in own)) for own in texts],
                [float(len(own)) for own in texts],
            )
            for point, texts in of_size.items()
        }
        for size, of_size in grams.items()
    }


def _grams(said: Sequence[str], size: int) -> list[int]:
    """The n-grams as hashes of 64 bits, which take less room than words."""
    return [hash(tuple(said[at : at + size])) for at in range(len(said) - size + 1)]
