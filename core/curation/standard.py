"""The cleaning of the ``standard`` recipe: what huggingtweets meant, without its bugs."""

from __future__ import annotations

import polars as pl

from core.curation.links import only_words
from core.curation.spaces import SPACE, change_where, is_odd, one_line, strip
from core.curation.words import count_words

# Every way to end a line becomes \n; the separators of old terminals become a space; the other
# C0 controls have no place in a tweet. Bidi marks and joiners stay: writing systems need them.
_LINE_END = r"\r\n|[\r\x0b\x0c\x{85}\x{2028}\x{2029}]"
_SEPARATOR = r"[\x1c-\x1f]"
_CONTROL = r"[\x00-\x08\x0e-\x1b]"
# Sets of at most ten characters are searched for at the speed of a literal.
_ASCII_TO_CHANGE = r"[\x00-\x08]|[\x0b-\x14]|[\x15-\x1e]|\x1f"
_OTHERS_TO_CHANGE = r"[\x{85}\x{2028}\x{2029}]"
_STOP = "[,.;:!?]*"


def drop_controls(texts: pl.Series) -> pl.Series:
    """NUL and the other C0 controls out, line ends made ``\\n``, tabs kept."""
    rows = texts.str.contains(_ASCII_TO_CHANGE) | texts.str.contains(_OTHERS_TO_CHANGE)

    def change(part: pl.Series) -> pl.Series:
        for pattern, by in ((_LINE_END, "\n"), (_SEPARATOR, " "), (_CONTROL, "")):
            part = part.str.replace_all(pattern, by)
        return part

    return change_where(texts, rows, change)


def tidy(texts: pl.Series, line_breaks: str) -> pl.Series:
    """One space between words; kept line breaks stand alone, at most two in a row."""
    if line_breaks == "space":
        return one_line(texts)
    rows = texts.str.contains("  ", literal=True) | is_odd(texts)

    def change(part: pl.Series) -> pl.Series:
        part = part.str.replace_all(rf"[{SPACE}&&[^\n]]+", " ")
        part = part.str.replace_all(r" ?\n ?", "\n")
        return part.str.replace_all(r"\n{3,}", "\n\n")

    return strip(change_where(texts, rows, change))


def has_words(texts: pl.Series, least: int) -> pl.Series:
    """Whether a cleaned text has ``least`` words; links, @names and #tags are none."""
    # Most texts have that many pieces of plain Latin letters between spaces, each of them a word
    # and no part of a link, name or tag. That is seen in a fiftieth of the time of counting.
    if 1 <= least <= 5:
        more = rf"(?:[A-Za-z]+{_STOP}[ \n](?:.*?[ \n])??){{{least - 1}}}"
        sure = texts.str.contains(rf"(?s)(?:^|[ \n]){more}[A-Za-z]+{_STOP}(?:[ \n]|$)")
    else:
        sure = texts.str.len_bytes() < 0
    places = (~sure).arg_true()
    return sure.scatter(places, count(texts.gather(places)) >= least)


def count(texts: pl.Series) -> pl.Series:
    """The words that ``has_words`` counts."""
    return count_words(only_words(texts))
