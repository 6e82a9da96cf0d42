"""The cleaning and the word count of huggingtweets, to the byte, bugs included.

Source: huggingtweets-demo.ipynb of borisdayma/huggingtweets, functions clean_tweet and
boring_tweet. Known oddities that are kept on purpose: a link takes the bracket after it along and
may glue the words around it, and HTTP:// in capitals is not taken away.
"""

from __future__ import annotations

import polars as pl

from core.curation.words import SPACE, change_where, one_line, replace, strip

_WORD = rf"[^{SPACE}]+"
_BORING = rf"[^{SPACE}]*(?:[@#]|[Hh][Tt][Tt][Pp])[^{SPACE}]*"


def drop_links(texts: pl.Series) -> pl.Series:
    """Takes links away: five passes for http:, then the same five for https:."""
    for prefix in ("http:", "https:"):
        link = rf"{prefix}[^{SPACE}]+"
        for pattern in (f" {link}", f"{link} ", f"\n{link} ", f"\n{link}", link):
            # Most links stand after a space: after the first pass few rows are left to look at.
            rows = texts.str.contains(prefix, literal=True)
            texts = change_where(texts, rows, replace(pattern, ""))
    return texts


def tidy(texts: pl.Series, line_breaks: str) -> pl.Series:
    """Even spaces; with line breaks kept, only runs of the plain space are touched."""
    if line_breaks == "space":
        return one_line(texts)
    rows = texts.str.contains("  ", literal=True)
    return strip(change_where(texts, rows, replace(" +", " ")))


def has_words(texts: pl.Series, least: int) -> pl.Series:
    """Whether a cleaned text has ``least`` words, between white space, without http, @ and #."""
    left = _without_boring(texts)
    if least == 3:  # the usual case: stop reading at the third word
        return left.str.contains(rf"{_WORD}(?:[{SPACE}]+{_WORD}){{2}}")
    return left.str.count_matches(_WORD) >= least


def count_words(texts: pl.Series) -> pl.Series:
    """The words that ``has_words`` counts."""
    return _without_boring(texts).str.count_matches(_WORD)


def _without_boring(texts: pl.Series) -> pl.Series:
    marked = texts.str.contains("[@#]") | texts.str.contains("[Hh][Tt][Tt][Pp]")
    return change_where(texts, marked, replace(_BORING, ""))
