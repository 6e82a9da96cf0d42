"""HTML entities back into characters. X escapes exactly ``& < >``, and so do its exports."""

from __future__ import annotations

import polars as pl

from core.curation.spaces import change_where

# &amp; last makes three passes the same as one: no pass can make what a later one looks for.
_ONCE = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
# huggingtweets went in this order, and so turned &amp;lt; into <.
_SEED = (("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))


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
    order = _SEED if how == "seed" else _ONCE

    def change(part: pl.Series) -> pl.Series:
        for entity, character in order:
            part = part.str.replace_all(entity, character, literal=True)
        return part

    return change_where(texts, rows, change)
