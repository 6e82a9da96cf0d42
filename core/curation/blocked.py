"""Words and phrases that a recipe blocks, found as whole words in any case.

A word ends where letters, digits and marks end; an apostrophe does not end it (blocking ``can``
leaves ``can't``), but ``'s`` after it does not hide it (``trump`` finds ``Trump's``). In a script
without spaces a word is found anywhere. Tags and names count (``nasa`` finds ``#NASA``), addresses
of links do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from core.curation.links import drop_links, has_link
from core.curation.words import NO_SPACES, SPACE, change_where

_BEFORE: Final = r"(?:^|[^\w'’]|(?:^|[^\w'’])['’]+)"
_AFTER: Final = r"(?:['’][Ss])?(?:[^\w'’]|['’]+(?:[^\w'’]|$)|$)"
_IN_A_WORD: Final = rf"[\w&&[^{NO_SPACES}]]"
# One pattern of very many words would be refused for its size.
_AT_ONCE: Final = 250


def find_blocked(texts: pl.Series, words: Sequence[str]) -> pl.Series:
    """The first blocked word of each text, as it stands there; null where there is none.

    ``texts`` are as published, with nothing cleaned but the entities.
    """
    found = texts.clear(len(texts))
    for start in range(0, len(words), _AT_ONCE):
        pattern, groups = _pattern(words[start : start + _AT_ONCE])
        rows = (found.is_null() & texts.str.contains(pattern)).arg_true()
        if rows.is_empty():
            continue
        part = texts.gather(rows).str.replace_all("\0", "", literal=True)
        part = change_where(part, has_link(part), drop_links)
        each = [part.str.extract(pattern, group + 1) for group in range(groups)]
        found = found.scatter(rows, pl.select(pl.coalesce(each)).to_series())
    return found


def _pattern(words: Sequence[str]) -> tuple[str, int]:
    """A Rust pattern, and how many groups it has: one of them is the word that was found."""
    column = pl.Series(words, dtype=pl.String)
    starts = column.str.contains(f"^{_IN_A_WORD}")
    ends = column.str.contains(rf"{_IN_A_WORD}\z")
    alike: dict[tuple[bool, bool], list[str]] = {}
    for word, start, end in zip(words, starts, ends, strict=True):
        parts = [pl.escape_regex(part) for part in word.split()]
        alike.setdefault((start, end), []).append(rf"[{SPACE}]+".join(parts))
    groups = (
        f"{_BEFORE if start else ''}({'|'.join(choices)}){_AFTER if end else ''}"
        for (start, end), choices in alike.items()
    )
    return f"(?i){'|'.join(groups)}", len(alike)
