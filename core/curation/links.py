"""Links, @mentions and #hashtags: what they look like, and how to take them out of a text.

Taking a link out glues nothing and keeps the punctuation around it:

    see (https://t.co/abc) now      see now            empty brackets go with their link
    wordhttps://t.co/a tail         word tail
    is it (https://t.co/a)?         is it?
    (read https://t.co/a).          (read).
    HTTPS://T.CO/X big news         big news
    RT @a: what a day https://t…    RT @a: what a day  a link cut off at the end goes too
"""

from __future__ import annotations

from typing import Final

import polars as pl

from core.curation.spaces import SPACE, change_where, replace, strip
from core.curation.words import NO_SPACES

# RFC 3986 characters, and letters of scripts that put spaces between words (in the others, text
# goes on right after the address). Brackets count only in pairs; the last character may not be
# punctuation, which belongs to the sentence.
_END: Final = rf"[\p{{L}}\p{{N}}_~/@$&*+=%|#\-&&[^{NO_SPACES}]]"
_INSIDE: Final = rf"[\p{{L}}\p{{N}}\p{{M}}_~/@$&*+=%|#\-.,:;?!'&&[^{NO_SPACES}]]"
_PAIR: Final = rf"\({_INSIDE}*\)"
_SHORT: Final = r"(?:t\.co|pic\.twitter\.com|pic\.x\.com)/[A-Za-z0-9]+"
LINK: Final = (
    rf"(?i:https?://(?:{_SHORT}|(?:{_INSIDE}|{_PAIR})*(?:{_END}|{_PAIR})|)|(?-u:\b){_SHORT})"
)
# A link is first made one NUL, which a text has none of by then, so that what stands around it
# can be told from what is in it.
_MARK: Final = r"\x00"
_IN_BRACKETS: Final = "|".join(
    rf"{opening}[{SPACE}]*{_MARK}[{SPACE}{_MARK},;|]*{closing}"
    for opening, closing in ((r"\(", r"\)"), (r"\[", r"\]"), ("<", ">"), ("“", "”"), ("«", "»"))
)
_BEFORE_PUNCTUATION: Final = rf"[{SPACE}{_MARK}]*{_MARK}([.,!?;:…)\]}}»”])"
_CUT_OFF: Final = rf"(?i:(?-u:\b)htt|https?(?::[^{SPACE}…]*)?)(?:…|\.\.\.)[{SPACE}]*\z"

# A name on X is ASCII; Mastodon adds a server, Bluesky is a domain.
_NAME: Final = (
    r"[@＠][A-Za-z0-9_]+(?:@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+|(?:\.[A-Za-z0-9\-]+){2,})?"
)
_LEADING_NAMES: Final = rf"^[{SPACE}]*(?:{_NAME}[,:]?(?:[{SPACE}]+|\z))+"
_MENTION: Final = rf"(^|[^\p{{L}}\p{{N}}_@/.]){_NAME}(?:['’]s\b)?"
# A tag needs a letter: #1 is a rank.
_TAG_CHARACTER: Final = r"[\p{L}\p{M}\p{N}_]"
_HASHTAG: Final = rf"(^|[^\p{{L}}\p{{N}}_&/])[#＃]{_TAG_CHARACTER}*\p{{L}}{_TAG_CHARACTER}*"


def drop_links(texts: pl.Series) -> pl.Series:
    """Every link out; where it stood a space stays, for tidying up. The texts hold no NUL."""
    rows = texts.str.contains_any(
        ["http", "t.co/", "pic.twitter.com/", "pic.x.com/", "htt…", "htt..."],
        ascii_case_insensitive=True,
    )

    def change(part: pl.Series) -> pl.Series:
        stripped = strip(part)
        cut = stripped.str.ends_with("…") | stripped.str.ends_with("...")
        part = change_where(part, cut, replace(_CUT_OFF, " "))
        part = part.str.replace_all(LINK, "\0")
        part = part.str.replace_all(_IN_BRACKETS, "\0")
        part = part.str.replace_all(_BEFORE_PUNCTUATION, "${1}")
        return part.str.replace_all("\0", " ", literal=True)

    return change_where(texts, rows, change)


def strip_leading_mentions(texts: pl.Series) -> pl.Series:
    """The @names in front of a text out, as X puts them there for a reply; ``@bob's`` stays."""
    rows = texts.str.contains_any(["@", "＠"])
    return change_where(texts, rows, replace(_LEADING_NAMES, ""))


def drop_mentions(texts: pl.Series) -> pl.Series:
    """Every @name out; an e-mail address is not one."""
    rows = texts.str.contains_any(["@", "＠"])
    return change_where(texts, rows, replace(_MENTION, "${1} "))


def drop_hashtags(texts: pl.Series) -> pl.Series:
    """Every #tag out, word and all; #1 stays."""
    rows = texts.str.contains_any(["#", "＃"])
    return change_where(texts, rows, replace(_HASHTAG, "${1} "))


def only_words(texts: pl.Series) -> pl.Series:
    """Texts without links, @names, #tags and keycap emoji, for counting words."""
    rows = texts.str.contains_any(["@", "＠", "#", "＃", "\u20e3"]) | texts.str.contains_any(
        ["http", "t.co/", "pic.twitter.com/", "pic.x.com/"], ascii_case_insensitive=True
    )

    def change(part: pl.Series) -> pl.Series:
        for pattern in (LINK, r"[0-9#*]\x{FE0F}?\x{20E3}"):
            part = part.str.replace_all(pattern, " ")
        return drop_hashtags(drop_mentions(part))

    return change_where(texts, rows, change)
