"""Mastodon's outbox: activities whose notes are HTML, with their audience told by addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final

from core.sources.json_rows import Row
from core.sources.x_tweet import text_of

# The names of the public audience (ActivityPub, section 5.6).
_PUBLIC: Final = {"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"}
_BLOCKS: Final = {"p", "div", "ul", "ol", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
_UNSEEN: Final = {"script", "style", "template"}
_LONGEST: Final = 1 << 20  # no server takes as much
_GAPS: Final = re.compile(r"\n{3,}")


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
        reader.feed(html)
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
            # where a quoted post is told to servers that do not know quotes: not the author's words
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
    links = [{"url": link, "expanded_url": link} for link in hrefs]
    return json.dumps(links, ensure_ascii=False, separators=(",", ":")) if links else None


def _addresses(thing: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for key in ("to", "cc"):
        value = thing.get(key)
        found |= {v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)}
    return found


def _answered(note: dict[str, Any]) -> str | None:
    tags = note.get("tag")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, dict) and tag.get("type") == "Mention":
            name = text_of(tag.get("name"))
            return name.removeprefix("@").lower() if name else None
    return author_of((text_of(note.get("inReplyTo")) or "").partition("/statuses/")[0])
