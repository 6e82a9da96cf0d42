"""Mastodon's archive: the notes of ``outbox.json`` (HTML) and the account of ``actor.json``.

The addresses of a note say who may read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.errors import InputRefused
from core.handles import normal_handle
from core.json_lines import parse_json
from core.safe_text import with_known_characters
from core.sources.json_objects import Row, alt_text, links_text, text_of
from core.sources.opened import open_files, tar_member
from core.sources.source import Account, Detected
from core.sources.times import parse_times

# The names of the public audience (ActivityPub, section 5.6).
_PUBLIC: Final = {"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"}
_BLOCKS: Final = {"p", "div", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
_UNSEEN: Final = {"script", "style", "template"}
# Characters of a text as HTML: no server takes as many.
_LONGEST: Final = 1 << 16
# Bytes of an actor.json.
_LARGEST: Final = 1 << 20
_GAPS: Final = re.compile(r"\n{3,}")
# What opens no tag: HTMLParser would read to the end of the text from each.
_NO_TAG: Final = re.compile(r"<(?![^<>]*>)")


def mastodon_rows(item: Any) -> Iterator[Row | str]:
    """One activity. Only what is addressed to everybody is read: the rest is private."""
    if not isinstance(item, dict):
        yield "not_a_tweet"
        return
    if item.get("type") == "Announce":
        yield "boost"
        return
    note = item.get("object")
    if item.get("type") != "Create" or not isinstance(note, dict) or note.get("type") != "Note":
        yield "not_a_post"
        return
    for thing in (item, note):
        addressed = _addresses(thing)
        if not addressed & _PUBLIC and (thing is note or addressed):
            followers = any(address.endswith("/followers") for address in addressed)
            yield "followers_only" if followers else "direct_message"
            return
    content = note.get("contentMap")
    languages = content if isinstance(content, dict) else {}
    html = text_of(note.get("content")) or next(filter(None, map(text_of, languages.values())), "")
    if html and len(html) > _LONGEST:
        yield "too_long"
        return
    text = html_text(html or "")
    reply = bool(text_of(note.get("inReplyTo")))
    address = text_of(note.get("id")) or text_of(note.get("url")) or ""
    row: Row = {"text": text, "tweet_id": address.rstrip("/").rpartition("/")[2]}
    row["kind"] = "reply" if reply else "quote" if note.get("quote") else "original"
    for role, value in (
        ("created", text_of(note.get("published")) or text_of(item.get("published"))),
        ("author", author_of(text_of(note.get("attributedTo")) or text_of(item.get("actor")))),
        ("lang", next(iter(languages), None)),
        ("reply_name", _answered(note) if reply else None),
        ("urls", _links(html or "")),
        ("reply_id", _answered_id(note, address)),
        ("alt_text", _descriptions(note)),
    ):
        if value:
            row[role] = value
    if isinstance(note.get("sensitive"), bool):
        row["sensitive"] = str(note["sensitive"]).lower()
    yield row


def author_of(actor: str | None) -> str | None:
    """``https://example.social/users/Alice`` (or ``/@Alice``) is ``alice@example.social``."""
    match = re.fullmatch(r"https?://([\w.\-]+)/(?:users/|@)([\w.\-]+)/?", actor or "")
    return f"{match[2]}@{match[1]}".lower() if match else None


def html_text(html: str) -> str:
    """The text of a note: paragraphs apart, links written out as Mastodon hides them."""
    return _GAPS.sub("\n\n", "".join(_read(html).parts)).strip()


def _read(html: str) -> _Reader:
    reader = _Reader()
    try:
        reader.feed(with_known_characters(_NO_TAG.sub("&lt;", html)))
        reader.close()
    except AssertionError:  # how HTMLParser says that a <!…> makes no sense
        reader.parts.append(re.sub("<[^>]*>", "", reader.rawdata))
    return reader


class _Reader(HTMLParser):
    """Collects text. Mastodon splits a link into spans that it shows or hides; all are text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.links: list[str] = []
        self._unseen = 0
        self._fallback = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag in _BLOCKS:
            # for servers without quotes: the address of the quoted post, not the author's words
            self._fallback = "quote-inline" in classes
            self.parts.append("\n\n" if self.parts else "")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag == "a" and not {"mention", "hashtag"} & set(classes):
            self.links.append(given.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self._fallback = False

    def handle_data(self, data: str) -> None:
        if not self._unseen and not self._fallback:
            self.parts.append(data)


def _links(html: str) -> str | None:
    if "<a " not in html:
        return None
    hrefs = [link for link in _read(html).links if link.startswith("http")]
    return links_text([{"url": link, "expanded_url": link} for link in hrefs])


def _addresses(thing: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for key in ("to", "cc"):
        value = thing.get(key)
        found |= {v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)}
    return found


def _answered_id(note: dict[str, Any], address: str) -> str | None:
    """The number of the note that is answered, when it stands on the same server."""
    answered = re.fullmatch(
        r"https?://([\w.\-]+)/(?:users/[\w.\-]+/statuses|@[\w.\-]+)/(\d+)/?",
        text_of(note.get("inReplyTo")) or "",
    )
    own = re.match(r"https?://([\w.\-]+)/", address)
    if not answered or not own or answered[1].lower() != own[1].lower():
        return None
    return answered[2]


def _descriptions(note: dict[str, Any]) -> str | None:
    files = note.get("attachment")
    return alt_text(
        text_of(one.get("name"))
        for one in (files if isinstance(files, list) else ())
        if isinstance(one, dict)
    )


def _answered(note: dict[str, Any]) -> str | None:
    tags = note.get("tag")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, dict) and tag.get("type") == "Mention":
            name = text_of(tag.get("name"))
            return name.removeprefix("@").lower() if name else None
    return author_of((text_of(note.get("inReplyTo")) or "").partition("/statuses/")[0])


def read_actor(found: Detected) -> Account | None:
    """The account, or None when there is no actor.json that can be read."""
    try:
        actor = parse_json(_bytes(found))
    except (InputRefused, OSError, ValueError, KeyError, RecursionError):
        return None
    if not isinstance(actor, dict):
        return None
    name = text_of(actor.get("preferredUsername"))
    address = author_of(text_of(actor.get("id"))) or author_of(text_of(actor.get("url")))
    if not name and not address:
        return None
    try:
        handle = normal_handle(address or name or "")
    except InputRefused:
        return None
    created = parse_times(pl.Series([text_of(actor.get("published"))], dtype=pl.String))[0]
    bio: Any = text_of(actor.get("summary"))
    return Account(
        handle=handle,
        name=text_of(actor.get("name")) or name,
        account_id=text_of(actor.get("id")),
        bio=html_text(bio[:_LONGEST]) if bio else None,
        created=created if isinstance(created, datetime) else None,
    )


def _bytes(found: Detected) -> bytes:
    if found.member is None:
        path: Path = found.root.with_name("actor.json")
        if path.stat().st_size > _LARGEST:
            return b""
        return path.read_bytes()
    name = f"{found.member.rpartition('/')[0]}/actor.json".lstrip("/")
    if found.tar:
        with tar_member(found.root, name) as inner:
            data: bytes = inner.read(_LARGEST)
            return data
    with open_files(found.root) as files:
        return files.read(name)
