"""How varied a set of texts is: distinct-1 and distinct-2, and self-BLEU."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

from core.report.intervals import Estimate, mean
from core.words import words

# The more words, the smaller the share of different ones: so it is taken over parts of so many.
SEGMENT: Final = 200
# Of each point, so that all have as many texts to be like.
MOST_COMPARED: Final = 100
FEWEST_COMPARED: Final = 20
_ORDERS: Final = (1, 2, 3, 4)


def distinct(texts: Sequence[str], size: int) -> Estimate:
    """The share of different n-grams of ``size`` words, mean over parts of SEGMENT words.

    Texts are laid end to end, n-grams do not cross their ends; what is left after the last whole
    part is not counted, and ``n`` is the number of parts. Source of distinct-n: Li et al. 2016,
    arXiv 1510.03055; of the parts: Johnson 1944 (mean segmental type-token ratio).
    """
    shares: list[float] = []
    grams: list[tuple[str, ...]] = []
    for text in texts:
        said = words(text)
        grams += [tuple(said[at : at + size]) for at in range(len(said) - size + 1)]
        while len(grams) >= SEGMENT:
            part, grams = grams[:SEGMENT], grams[SEGMENT:]
            shares.append(len(set(part)) / SEGMENT)
    return mean(shares)


def self_bleu(texts: Sequence[str]) -> Estimate:
    """How much a text repeats the others of its set, 0 to 1: mean BLEU-4 of each against them all.

    Source: Zhu et al. 2018, Texygen, arXiv 1802.01886; BLEU as Papineni et al. 2002 have it, with
    n-grams clipped at their most in one other text, and the smoothing of Lin and Och 2004 (one is
    added to matches and n-grams of the orders above 1). Texts without words are left out.
    """
    said = [own for own in map(words, texts) if own]
    if len(said) < 2:
        return Estimate(None, len(said))
    counts = [
        [Counter(zip(*(own[at:] for at in range(order)), strict=False)) for own in said]
        for order in _ORDERS
    ]
    tops = [_two_largest(of_order) for of_order in counts]
    lengths = Counter(map(len, said))
    scores = []
    for number, own in enumerate(said):
        logs = 0.0
        for order, of_order, top in zip(_ORDERS, counts, tops, strict=True):
            matched = 0
            for gram, times in of_order[number].items():
                first, owner, second = top[gram]
                matched += min(times, second if owner == number else first)
            total = max(len(own) - order + 1, 0)
            more = 0 if order == 1 else 1
            logs += math.log((matched + more) / (total + more)) if matched + more else -math.inf
        scores.append(_brevity(len(own), lengths) * math.exp(logs / len(_ORDERS)))
    return mean(scores)


def _two_largest(
    counts: Sequence[Counter[tuple[str, ...]]],
) -> dict[tuple[str, ...], tuple[int, int, int]]:
    """Of each n-gram its largest count in one text, which text that is, and the second largest."""
    found: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for number, own in enumerate(counts):
        for gram, times in own.items():
            first, owner, second = found.get(gram, (0, -1, 0))
            if times > first:
                found[gram] = (times, number, first)
            else:
                found[gram] = (first, owner, max(second, times))
    return found


def _brevity(length: int, lengths: Counter[int]) -> float:
    """BLEU's penalty for a text shorter than the other that is closest to it in length."""
    others = (other for other, times in lengths.items() if times - (other == length) > 0)
    closest = min(others, key=lambda other: (abs(other - length), other))
    return 1.0 if length >= closest else math.exp(1 - closest / length)
