"""Links, @mentions and #hashtags: what they look like, and how to take them out of a text.

A link goes whole, or becomes the name of its site (``links_to_sites``): ``read this: nasa.gov``.

Taking a link out glues nothing and keeps the punctuation around it:

    see (https://t.co/abc) now      see now            empty brackets go with their link
    wordhttps://t.co/a tail         word tail
    is it (https://t.co/a)?         is it?
    (read https://t.co/a).          (read).
    HTTPS://T.CO/X big news         big news
    RT @a: what a day https://t…    RT @a: what a day  a link cut off at the end goes too
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from core.curation.words import NO_SPACES, SPACE, change_where, replace, strip
from core.json_lines import parse_json

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
_USUAL: Final = "https?://t\\.co/[A-Za-z0-9]+"
_LINK_LIKE: Final = r"(?i:htt|t\.co/|pic\.twitter\.com/|pic\.x\.com/)"
# A link is first made one NUL, which a text has none of by then, so that what stands around it
# can be told from what is in it.
_MARK: Final = r"\x00"
_IN_BRACKETS: Final = "|".join(
    rf"{opening}[{SPACE}]*{_MARK}[{SPACE}{_MARK},;|]*{closing}"
    for opening, closing in ((r"\(", r"\)"), (r"\[", r"\]"), ("<", ">"), ("“", "”"), ("«", "»"))
)
_BEFORE_PUNCTUATION: Final = rf"[{SPACE}{_MARK}]*{_MARK}([.,!?;:…)\]}}»”])"
# What the two patterns above need after a mark, for finding the few rows that have it.
_MAYBE_IN_BRACKETS: Final = rf"{_MARK}[{SPACE}{_MARK},;|]*[)\]>”»]"
_MAYBE_BEFORE_PUNCTUATION: Final = rf"{_MARK}[.,!?;:…)\]}}»”]"
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

    def change(part: pl.Series) -> pl.Series:
        return take_out(mark_links(drop_cut_off(part)))

    return change_where(texts, has_link(texts), change)


def has_link(texts: pl.Series) -> pl.Series:
    """Whether there may be a link, or one cut off, in each text."""
    return texts.str.contains(_LINK_LIKE)


def drop_cut_off(texts: pl.Series) -> pl.Series:
    """A link that the end of a text cut off, as old retweets did, out."""
    stripped = strip(texts)
    cut = stripped.str.ends_with("…") | stripped.str.ends_with("...")
    return change_where(texts, cut, replace(_CUT_OFF, " "))


def mark_links(texts: pl.Series) -> pl.Series:
    """Each link as one NUL."""
    # Nearly all links are of X's shortener, in a form that is found in a fifth of the time.
    quick = texts.str.replace_all(_USUAL, "\0")
    others = quick.str.contains(_LINK_LIKE).arg_true()
    return quick.scatter(others, texts.gather(others).str.replace_all(LINK, "\0"))


def take_out(texts: pl.Series) -> pl.Series:
    """The marks of links out, with brackets that hold nothing else and the space before a stop."""
    texts = change_where(texts, texts.str.contains(_MAYBE_IN_BRACKETS), replace(_IN_BRACKETS, "\0"))
    before = texts.str.contains(_MAYBE_BEFORE_PUNCTUATION)
    texts = change_where(texts, before, replace(_BEFORE_PUNCTUATION, "${1}"))
    return texts.str.replace_all("\0", " ", literal=True)


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
    rows = texts.str.contains_any(["@", "＠", "#", "＃", "\u20e3"]) | has_link(texts)

    def change(part: pl.Series) -> pl.Series:
        for pattern in (LINK, r"[0-9#*]\x{FE0F}?\x{20E3}"):
            part = part.str.replace_all(pattern, " ")
        return drop_hashtags(drop_mentions(part))

    return change_where(texts, rows, change)


# RFC 3986, 3.2: the authority stands before the first / ? or #, with a user before @ and a port
# after the colon. A site's name has a dot, which "localhost" has not.
_HOST_LABEL: Final = r"[\p{L}\p{N}][\p{L}\p{N}\p{M}_\-]*"
_HOST: Final = (
    rf"(?i)^(?:https?://)?(?:[^/?#@]*@)?(?:www\.)?((?:{_HOST_LABEL}\.)+\p{{L}}[\p{{L}}\p{{N}}\-]+)"
    r"\.?(?::\d*)?(?:[/?#]|$)"
)
_SAY_NOTHING: Final = ("t.co", "pic.twitter.com", "pic.x.com")
# What X appends to a post that has a picture: no address that a person typed.
_PICTURE: Final = r"(?i)^https?://(?:\w+\.)?(?:twitter|x)\.com/\w+/status/\d+/(?:photo|video)/"
_URLS: Final = pl.List(pl.Struct({"url": pl.String, "expanded_url": pl.String}))
_LETTER: Final = r"[\p{L}\p{N}]"


def links_to_sites(texts: pl.Series, urls: pl.Series | None) -> pl.Series:
    """``texts`` with each link as its site, or without it.

    A site is the host in small letters, without ``www.`` and the port. Where X's shortener stands
    in a text, it is read from ``urls``, those of the rows as ``core.tweet`` describes them; a link
    whose site is not known goes as in ``drop_links``, and so does one that leads to the pictures
    of a post.
    """
    rows = has_link(texts).arg_true()
    if rows.is_empty():
        return texts
    # NUL marks the links on the way, so that no other may be there.
    part = drop_cut_off(texts.gather(rows).str.replace_all("\0", "", literal=True))
    return texts.clone().scatter(rows, take_out(_named(part, _expanded(urls, rows))))


def site(links: pl.Series) -> pl.Series:
    """The site of each address, null where it has none that says anything."""
    host = links.str.extract(_HOST).str.to_lowercase()
    silent = host.is_in(_SAY_NOTHING) | links.str.contains(_PICTURE)
    return host.zip_with(~silent.fill_null(value=True), host.clear(len(host)))


def _named(texts: pl.Series, expanded: pl.DataFrame) -> pl.Series:
    """Each link as its site, or as one NUL where that is not known."""
    links = _numbered(texts.str.extract_all(LINK)).drop_nulls()
    links = links.with_columns(own=site(links["value"])).join(
        expanded, on=["row", "value"], how="left", maintain_order="left"
    )
    # "" is a link that the export knows and that has no site worth naming.
    named = links.select("row", "place", site=pl.coalesce("site", "own", pl.lit("")))
    pieces = _numbered(texts.str.replace_all(LINK, "\0").str.split("\0")).join(
        named, on=["row", "place"], how="left", maintain_order="left"
    )
    is_site, was_site = pl.col("site") != "", pl.col("site").shift(1).over("row") != ""
    space, nothing = pl.lit(" "), pl.lit("")
    piece = pl.concat_str(
        # A name that would touch a word gets a space between.
        pl.when(was_site, pl.col("value").str.contains("^" + _LETTER))
        .then(space)
        .otherwise(nothing),
        pl.col("value"),
        pl.when(is_site, pl.col("value").str.contains(_LETTER + r"\z"))
        .then(space)
        .otherwise(nothing),
        pl.when(pl.col("site") == "").then(pl.lit("\0")).otherwise(pl.col("site").fill_null("")),
    )
    joined = pieces.with_columns(piece=piece).group_by("row", maintain_order=True)
    return joined.agg(pl.col("piece").str.join(""))["piece"]


def _numbered(lists: pl.Series) -> pl.DataFrame:
    """One row for each item: the row of its list, the item as ``value``, its place in the list."""
    frame = pl.DataFrame({"value": lists}).with_row_index("row").explode("value")
    return frame.with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt32).over("row"))


def _expanded(urls: pl.Series | None, rows: pl.Series) -> pl.DataFrame:
    """row, value (a link) and its site ("" when silent), as far as the export says."""
    texts = pl.Series([None] * len(rows), dtype=pl.String) if urls is None else urls.gather(rows)
    listed = pl.DataFrame({"urls": texts}).with_row_index("row").drop_nulls()
    pairs = (
        listed.with_columns(_decoded(listed["urls"]).alias("urls"))
        .explode("urls")
        .unnest("urls")
        .drop_nulls()
        .unique(["row", "url"], keep="first", maintain_order=True)
    )
    return pairs.select("row", value="url", site=site(pairs["expanded_url"]).fill_null(""))


def _decoded(urls: pl.Series) -> pl.Series:
    try:
        return urls.str.json_decode(_URLS)
    except pl.exceptions.ComputeError:  # one text that is not JSON spoils the column
        return pl.Series([_links(text) for text in urls], dtype=_URLS)


def _links(text: str) -> list[dict[str, Any]]:
    try:
        found = parse_json(text)
    except ValueError:
        return []
    keys = ("url", "expanded_url")
    links = found if isinstance(found, list) else []
    return [
        {key: link[key] for key in keys}
        for link in links
        if isinstance(link, dict) and all(isinstance(link.get(key), str) for key in keys)
    ]
