"""Words and white space in any script, and how to work on only those texts that need it.

Where a script puts spaces between words, a word is a run of letters and digits (with apostrophes,
hyphens and dots inside it: don't, well-known, 3.5). Where it puts none, the number of words is
taken from the length of each run of one script, by the usual length of a word there: two Han
characters, three Hiragana, six Katakana, five Thai, Lao, Khmer or Burmese. This is an
approximation for telling "ok" from a sentence; a dictionary would be needed to do better.
Emoji and punctuation are no words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

# U+30FC, the Japanese long-vowel mark, is of no script of its own.
_SOUTH_EAST: Final = r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
NO_SPACES: Final = rf"\p{{Han}}\p{{Hiragana}}\p{{Katakana}}\x{{30FC}}{_SOUTH_EAST}"

_LETTER: Final = rf"[\p{{L}}\p{{N}}&&[^{NO_SPACES}]]"
_INSIDE: Final = rf"[\p{{L}}\p{{N}}\p{{M}}&&[^{NO_SPACES}]]"
_WORD: Final = (
    rf"{_LETTER}{_INSIDE}*(?:[\-'’._&]{_LETTER}{_INSIDE}*)*"
    rf"|\p{{Han}}{{1,2}}|\p{{Hiragana}}{{1,3}}|[\p{{Katakana}}\x{{30FC}}]{{1,6}}"
    rf"|[{_SOUTH_EAST}]{{1,5}}"
)


def count_words(texts: pl.Series) -> pl.Series:
    """Words per text, as unsigned integers."""
    return texts.str.count_matches(_WORD)


# The 29 characters on which Python's \s, str.isspace and str.split agree. Rust's \s (Polars)
# lacks U+001C to U+001F, so every pattern here spells the class out.
SPACE: Final = (
    r"\t-\r\x1c-\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
)
_SPACE_CHARACTERS: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f\x20\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_ODD_ASCII: Final = r"[\t-\r\x1c-\x1f]"
_ODD_OTHERS: Final = (
    r"[\x{85}\x{a0}\x{1680}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]|[\x{2000}-\x{2009}]|\x{200a}"
)


def change_where(
    texts: pl.Series, mask: pl.Series, change: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """``texts`` with ``change`` applied to the rows where ``mask`` is true, the others untouched.

    A regular expression costs its full pass over a text even where it finds nothing; a literal
    search costs a tenth of that, so passes run only on rows that a cheap mask has found.
    """
    places = mask.arg_true()
    if len(places) == 0:
        return texts
    if len(places) == len(texts):
        return change(texts)
    # The clone shares its memory until it is written to; ``texts`` stays as it is.
    return texts.clone().scatter(places, change(texts.gather(places)))


def replace(pattern: str, by: str) -> Callable[[pl.Series], pl.Series]:
    """Replaces every match of a Rust regular expression; ``by`` may name groups as ``${1}``."""
    return lambda texts: texts.str.replace_all(pattern, by)


def strip(texts: pl.Series) -> pl.Series:
    """What ``str.strip()`` does."""
    return texts.str.strip_chars(_SPACE_CHARACTERS)


def is_odd(texts: pl.Series) -> pl.Series:
    """Whether there is white space other than the plain space in each text.

    Two searches: a set of few characters of one kind is found at the speed of a literal, the
    29 of SPACE together at a fifth of that.
    """
    return texts.str.contains(_ODD_ASCII) | texts.str.contains(_ODD_OTHERS)


def one_line(texts: pl.Series) -> pl.Series:
    """What ``' '.join(text.split())`` does."""
    texts = strip(texts)
    texts = change_where(texts, is_odd(texts), replace(rf"[{SPACE}&&[^ ]]", " "))
    doubled = texts.str.contains("  ", literal=True)
    return change_where(texts, doubled, replace(" {2,}", " "))
