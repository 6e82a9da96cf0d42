"""Who a text sounds like: a classifier, with and without the subject, and Burrows's Delta.

scikit-learn is loaded when a classifier is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from core.report.intervals import Estimate, Floats, distance, share
from core.report.masking import common_words, mask
from core.words import words

# With fewer real texts of either side a classifier's answers are mostly chance.
FEWEST_TO_LEARN: Final = 50
# More learns little, and takes longer.
MOST_TO_LEARN: Final = 2000
MOST_FOR_DELTA: Final = 10_000
# Hashing keeps memory the same for every corpus; so many columns make collisions rare.
_COLUMNS: Final = 2**18
_C: Final = 10.0
_FREQUENT_WORDS: Final = 100
# Words of a part of the real texts whose frequencies say how much a word varies.
_PART: Final = 500


class Classifier:
    """Whether a text is the author's or somebody else's, learned from real texts of both.

    A linear model (logistic regression, both sides with equal weight) on TF-IDF of 3 to 5
    characters, which short texts are told apart by as well as by anything larger (see docs).
    ``masked``: names, tags, links, numbers and words that not both sides use are hidden first, so
    that what is left to judge by is style (``core.report.masking``).
    """

    def __init__(self, author: Sequence[str], others: Sequence[str], *, masked: bool) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        author, others = author[:MOST_TO_LEARN], others[:MOST_TO_LEARN]
        self._common = common_words(author, others) if masked else None
        self._model: Any = make_pipeline(
            HashingVectorizer(
                analyzer="char",
                ngram_range=(3, 5),
                lowercase=False,
                n_features=_COLUMNS,
                alternate_sign=False,
                norm=None,
            ),
            TfidfTransformer(sublinear_tf=True),
            LogisticRegression(
                solver="liblinear", C=_C, class_weight="balanced", random_state=0, max_iter=1000
            ),
        )
        self._model.fit(self._seen([*author, *others]), [1] * len(author) + [0] * len(others))

    def called_author(self, texts: Sequence[str]) -> Estimate:
        """The share of ``texts`` that it takes for the author's."""
        if not texts:
            return Estimate(None, 0)
        return share([bool(label) for label in self._model.predict(self._seen(texts))])

    def _seen(self, texts: Sequence[str]) -> list[str]:
        common = self._common
        return list(texts) if common is None else [mask(text, common) for text in texts]


def deltas(
    author: Sequence[str], others: Sequence[str], points: Mapping[str, Sequence[str]]
) -> dict[str, Estimate]:
    """Burrows's Delta of each point from the author's real texts, over the 100 commonest words.

    The mean difference of the words' frequencies, each in standard deviations of that word over
    parts of 500 words of all real texts: 0 is the same use of these words. Source: Burrows 2002,
    Delta: a measure of stylistic difference and a guide to likely authorship.
    """
    author, others = author[:MOST_FOR_DELTA], others[:MOST_FOR_DELTA]
    spoken = [words(text) for text in [*author, *others]]
    ranked = Counter(word for said in spoken for word in said).most_common(_FREQUENT_WORDS)
    places = {word: place for place, (word, _) in enumerate(ranked)}
    counted = _counts(author, places)
    parts = [*_parts(counted), *_parts(_counts(others, places))]
    if len(parts) < 2:
        return {point: Estimate(None, len(texts)) for point, texts in points.items()}
    spread = _frequencies(np.array(parts)).std(axis=0, ddof=1)
    varying = spread > 0
    own = _frequencies(counted.sum(axis=0, keepdims=True))

    def delta(sums: Floats) -> Floats:
        apart = np.abs(_frequencies(sums) - own)[:, varying] / spread[varying]
        return np.asarray(apart.mean(axis=1))

    return {point: distance(_counts(texts, places), delta) for point, texts in points.items()}


def _counts(texts: Sequence[str], places: Mapping[str, int]) -> Floats:
    """(texts, words + 1): how often each of the words stands in a text; the last: all its words."""
    counts = np.zeros((len(texts), len(places) + 1))
    for row, text in enumerate(texts):
        said = words(text)
        counts[row, -1] = len(said)
        for word in said:
            place = places.get(word)
            if place is not None:
                counts[row, place] += 1
    return counts


def _frequencies(sums: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums[:, :-1] / sums[:, -1:])


def _parts(counts: Floats) -> list[Floats]:
    """The sums (words + 1) of parts of about _PART words; what is left after the last is no part.

    A text that is longer than a part is one by itself.
    """
    number = np.cumsum(counts[:, -1]) // _PART
    return [counts[number == part].sum(axis=0) for part in np.unique(number)[:-1]]
