"""How many words a text has, in any script.

Where a script puts spaces between words, a word is a run of letters and digits (with apostrophes,
hyphens and dots inside it: don't, well-known, 3.5). Where it puts none, the number of words is
taken from the length of each run of one script, by the usual length of a word there: two Han
characters, three Hiragana, six Katakana, five Thai, Lao, Khmer or Burmese. This is an
approximation for telling "ok" from a sentence; a dictionary would be needed to do better.
Emoji and punctuation are no words.
"""

from __future__ import annotations

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
