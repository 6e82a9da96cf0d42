"""Texts without their subject: only words that everybody here uses stay, the rest is a shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from core.report.profiles import HASHTAG, LINK, MENTION

# Words that stay at most: the function words of a language, and little more.
MOST_WORDS: Final = 300
# A word that stays is in so large a share of the texts of both sides, and in so many of each.
_LEAST_SHARE: Final = 0.002
_LEAST_TEXTS: Final = 3
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")


def common_words(authors: Sequence[str], others: Sequence[str]) -> frozenset[str]:
    """The words that both sides use most: by the smaller of the shares of texts that have them.

    So a word that one side alone is fond of, which is mostly its subject, is not among them.
    """
    own, its = _texts_with(authors), _texts_with(others)
    shares = {
        word: min(times / len(authors), its[word] / len(others))
        for word, times in own.items()
        if min(times, its[word]) >= _LEAST_TEXTS
    }
    shares = {word: share for word, share in shares.items() if share >= _LEAST_SHARE}
    ranked = sorted(shares, key=lambda word: (-shares[word], word))
    return frozenset(ranked[:MOST_WORDS])


def mask(text: str, common: frozenset[str]) -> str:
    """``text`` with links, @names, #tags, numbers and words not ``common`` (in lower case) masked.

    A word becomes x, X or XX by its capitals, so that spelling in capitals, spacing, punctuation
    and emoji stay as they are. After Stamatatos 2017, Authorship attribution using text distortion
    (its variant with a single mark for each word).
    """
    text = HASHTAG.sub("#", MENTION.sub("@", LINK.sub("/", text)))
    text = _NUMBER.sub("0", text)
    return _WORD.sub(lambda found: _masked(found[0], common), text)


def _masked(word: str, common: frozenset[str]) -> str:
    if word.lower() in common:
        return word
    if len(word) > 1 and word.isupper():
        return "XX"
    return "X" if word[0].isupper() else "x"


def _texts_with(texts: Iterable[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text in texts:
        bare = HASHTAG.sub(" ", MENTION.sub(" ", LINK.sub(" ", text)))
        found.update({word.lower() for word in _WORD.findall(bare)})
    return found
