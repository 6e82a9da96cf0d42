"""The words of a tweet as they would be learned: for the engine ``standard``, and for the choice.

``standard`` does what huggingtweets meant, without its bugs; what that did is in ``huggingtweets``.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import polars as pl

from core.curation import huggingtweets as classic
from core.curation import links
from core.curation.recipe import Recipe
from core.curation.words import SPACE, change_where, count_words, is_odd, one_line, strip
from core.tweet import ENTITIES

CLEANING: Final = ("engine", "unescape", "links", "mentions", "hashtags", "line_breaks")
"""The rules that ``clean_texts`` reads: recipes that agree in them clean alike."""

# Every way to end a line becomes \n; the separators of old terminals become a space; the other
# C0 controls have no place in a tweet. Bidi marks and joiners stay: writing systems need them.
_LINE_END = r"\r\n|[\r\x0b\x0c\x{85}\x{2028}\x{2029}]"
_SEPARATOR = r"[\x1c-\x1f]"
_CONTROL = r"[\x00-\x08\x0e-\x1b]"
# Sets of at most ten characters are searched for at the speed of a literal.
_ASCII_TO_CHANGE = r"[\x00-\x08]|[\x0b-\x14]|[\x15-\x1e]|\x1f"
_OTHERS_TO_CHANGE = r"[\x{85}\x{2028}\x{2029}]"
_STOP = "[,.;:!?]*"

# huggingtweets went in this order, and so turned &amp;lt; into <.
_SEED = (("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))

Part = TypeVar("Part", pl.Series, pl.DataFrame)

_LEAST_ROWS: Final = 8_000  # below this, starting threads costs more than they gain
_MOST_PARTS: Final = 8


def clean_texts(
    texts: pl.Series, escaped: pl.Series, recipe: Recipe, urls: pl.Series | None = None
) -> pl.Series:
    """The words as they would be learned, for texts as published (no nulls).

    ``urls`` (see ``core.tweet``) are read only where links become the names of their sites; without
    them, X's shortened links are dropped there.
    """

    def clean(rows: slice) -> pl.Series:
        leading_to = None if urls is None else urls[rows]
        return clean_part(texts[rows], escaped[rows], recipe, leading_to)

    return in_parts(len(texts), clean)


def clean_part(
    texts: pl.Series, escaped: pl.Series, recipe: Recipe, urls: pl.Series | None
) -> pl.Series:
    """``clean_texts`` on one core."""
    clean = unescape(texts, escaped, recipe.unescape)
    if recipe.engine == "standard":
        clean = drop_controls(clean)
    if recipe.links == "drop":
        drop_links = classic.drop_links if recipe.engine == "classic" else links.drop_links
        clean = drop_links(clean)
    elif recipe.links == "domain":
        clean = links.links_to_sites(clean, urls)
    if recipe.mentions == "strip_leading_replies":
        clean = links.strip_leading_mentions(clean)
    elif recipe.mentions == "drop":
        clean = links.drop_mentions(clean)
    if recipe.hashtags == "drop":
        clean = links.drop_hashtags(clean)
    even = classic.tidy if recipe.engine == "classic" else tidy
    return even(clean, recipe.line_breaks)


def unescape(texts: pl.Series, escaped: pl.Series, how: str) -> pl.Series:
    """``texts`` unescaped as the recipe says.

    ``escaped`` (one boolean a row) says which texts come from a source that escapes; "seed" takes
    no notice of it, as huggingtweets took none. Other entities stay as they are.
    """
    if how == "none":
        return texts
    rows = texts.str.contains("&", literal=True)
    if how == "once":
        rows = rows & escaped
    order = _SEED if how == "seed" else ENTITIES

    def change(part: pl.Series) -> pl.Series:
        for entity, character in order:
            part = part.str.replace_all(entity, character, literal=True)
        return part

    return change_where(texts, rows, change)


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
        sure = pl.repeat(False, len(texts), dtype=pl.Boolean, eager=True)
    places = (~sure).arg_true()
    return sure.scatter(places, count_own_words(texts.gather(places)) >= least)


def count_own_words(texts: pl.Series) -> pl.Series:
    """The words that ``has_words`` counts."""
    return count_words(links.only_words(texts))


def in_parts(rows: int, work: Callable[[slice], Part]) -> Part:
    """What ``work`` gives for each part of ``rows`` rows, in their order, on all cores.

    Polars runs a string operation of one column on one core, and lets other threads go on.
    """
    count = min(pl.thread_pool_size(), _MOST_PARTS, rows // _LEAST_ROWS)
    if count < 2:
        return work(slice(0, rows))
    size = -(-rows // count)
    parts = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    with ThreadPoolExecutor(count) as pool:
        return pl.concat(list(pool.map(work, parts)), rechunk=True)
