"""Links as the names of their sites: ``read this: nasa.gov``.

Where X's shortener stands in a text, the site is read from the export (column ``urls``); a link
whose site is not known goes as ``links.drop_links`` takes it out, and so does one that leads to the
pictures of a post. A name is the host in small letters, without ``www.`` and the port.
"""

from __future__ import annotations

import json
from typing import Any, Final

import polars as pl

from core.curation.links import LINK, drop_cut_off, has_link, take_out

# RFC 3986, 3.2: the authority stands before the first / ? or #, with a user before @ and a port
# after the colon. A site's name has a dot, which "localhost" has not.
_LABEL: Final = r"[\p{L}\p{N}][\p{L}\p{N}\p{M}_\-]*"
_HOST: Final = (
    rf"(?i)^(?:https?://)?(?:[^/?#@]*@)?(?:www\.)?((?:{_LABEL}\.)+\p{{L}}[\p{{L}}\p{{N}}\-]+)"
    r"\.?(?::\d*)?(?:[/?#]|$)"
)
_SAY_NOTHING: Final = ("t.co", "pic.twitter.com", "pic.x.com")
# What X appends to a post that has a picture: no address that a person typed.
_PICTURE: Final = r"(?i)^https?://(?:\w+\.)?(?:twitter|x)\.com/\w+/status/\d+/(?:photo|video)/"
_URLS: Final = pl.List(pl.Struct({"url": pl.String, "expanded_url": pl.String}))
_LETTER: Final = r"[\p{L}\p{N}]"


def links_to_sites(texts: pl.Series, urls: pl.Series | None) -> pl.Series:
    """``texts`` with each link as its site, or without it.

    ``urls`` are those of the rows, as ``core.tweet`` describes them; without them only the sites
    that a text names itself are known.
    """
    rows = has_link(texts).arg_true()
    if rows.is_empty():
        return texts
    # NUL marks the links on the way, so that no other may be there.
    part = drop_cut_off(texts.gather(rows).str.replace_all("\0", "", literal=True))
    return texts.clone().scatter(rows, take_out(_named(part, _expanded(urls, rows))))


def site(links: pl.Series) -> pl.Series:
    """The site of each address, null where it has none that says anything (see the module)."""
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
    said = pl.Series([None] * len(rows), dtype=pl.String) if urls is None else urls.gather(rows)
    listed = pl.DataFrame({"urls": said}).with_row_index("row").drop_nulls()
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
        found = json.loads(text)
    except ValueError:
        return []
    keys = ("url", "expanded_url")
    links = found if isinstance(found, list) else []
    return [
        {key: link[key] for key in keys}
        for link in links
        if isinstance(link, dict) and all(isinstance(link.get(key), str) for key in keys)
    ]
