"""Canonical frames for tests: rows from a few words, and texts made to break cleaning."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import polars as pl
from hypothesis import strategies as st

from core.tweet import KINDS, id_order, tweet_schema

START = datetime(2020, 1, 1, tzinfo=timezone.utc)

SPACES = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
NOT_SPACES = "\u200b\u180e\u2060\ufeff\u200d\u202e\x00\x1b\x7f"
FRAGMENTS = [
    *SPACES,
    *NOT_SPACES,
    *("a", "word", "don't", "ß", "İ", "今日は", "สวัสดี", "😀", "☺️", "1️⃣", "3.5", "-", "…", "K"),
    *("http:", "https:", "http://", "https://t.co/a1", "http://t.co/x", "HTTP://T.CO/X", "htt…"),
    *(
        "Https://e.org/a_(b)?c=d&amp;e#f",
        "https://t.co/日本",
        "pic.twitter.com/a",
        "http",
        "https…",
    ),
    *("&amp;", "&lt;", "&gt;", "&amp;amp;lt;", "&amp;", "&quot;", "&#39;", "&", ";", "lt;", "amp;"),
    *(
        "@a",
        "@",
        "＠b",
        "@b@c.social",
        "c@d.e",
        "#tag",
        "#1",
        "#",
        "＃日本",
        "RT @bob: ",
        "rt @x",
        "$1",
    ),
    *("(", ")", "[", "]", "“", "”", "<", ">", ".", ",", "!", "?", ":", ";", "'", "\\0", "${1}"),
    *(" ", " ", " ", "\n", "one ", "two ", "three "),
]

LINKS = '[{"url": "https://t.co/a1", "expanded_url": "https://www.e.org/x"}]'

_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qi ro su ta ve wi xo zu".split()


def in_order(tweets: pl.DataFrame, *ties: str) -> pl.DataFrame:
    """``tweets`` in the order of SQL_ORDER; ``ties`` decide where an id is there twice."""
    return tweets.sort("handle", "created_at", *id_order(), *ties, nulls_last=True)


def different_texts(count: int, about: str = "") -> list[str]:
    """Texts of eight words that are no near copies of one another: numbers alone do not differ."""
    drawn = random.Random(about)  # repeatable on purpose
    words = ["".join(drawn.choices(_SYLLABLES, k=3)) for _ in range(8 * count)]
    return [" ".join(words[8 * i : 8 * i + 8]) for i in range(count)]


hostile_texts = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)


def frame(
    texts: Sequence[str], *, handle: str | Sequence[str] = "someone", **columns: Sequence[Any]
) -> pl.DataFrame:
    """A canonical frame: ids count from 1, one tweet an hour, escaped originals from an archive."""
    size = len(texts)
    values: dict[str, Any] = {name: [None] * size for name in tweet_schema()}
    values |= {
        "tweet_id": [str(i + 1) for i in range(size)],
        "handle": [handle] * size if isinstance(handle, str) else handle,
        "created_at": [START + timedelta(hours=i) for i in range(size)],
        "text": texts,
        "text_escaped": [True] * size,
        "kind": ["original"] * size,
        "audience": ["public"] * size,
        "source": ["x-archive"] * size,
        "source_file": ["tweets.js"] * size,
    }
    return pl.DataFrame(values | columns, schema=tweet_schema())


@st.composite
def hostile_frames(draw: st.DrawFn, max_size: int = 25) -> pl.DataFrame:
    """Frames with every kind of row, and texts that repeat."""
    few = draw(st.lists(hostile_texts, min_size=1, max_size=max_size))
    size = draw(st.integers(0, max_size))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=size, max_size=size))

    texts = column(st.sampled_from(few))
    return frame(
        texts,
        handle=column(st.sampled_from(["a", "b"])),
        kind=column(st.sampled_from(KINDS)),
        text_escaped=column(st.booleans()),
        lang=column(st.sampled_from([None, "en", "ja", "und", "en-GB", "EN"])),
        reply_to=column(st.sampled_from([None, "a", "b", "c"])),
        reply_to_id=column(st.sampled_from([None, None, "1", "2", "3"])),
        sensitive=column(st.sampled_from([None, True, False])),
        urls=column(st.sampled_from([None, "[]", "not JSON", LINKS])),
        created_at=column(st.sampled_from([None, START, START + timedelta(days=1)])),
    )
