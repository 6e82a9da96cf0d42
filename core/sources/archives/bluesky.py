"""A Bluesky repository (CAR v1), as com.atproto.sync.getRepo gives it.

A repository is a signed commit, a search tree of nodes that names the records, and the records.
Formats: ipld.io/specs/transport/car/carv1, atproto.com/specs/repository. Signatures are not
checked, but every block is checked against its content identifier.

A repository names its account by a number (a DID) alone; the handle is written nowhere in it but,
perhaps, in the profile. Without ``--handle`` and without that, the number itself serves as one:
``did:plc:abc`` becomes ``did-plc-abc``, which cannot be anybody's handle, as those have a dot.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO, Final

import libipld
import polars as pl

from core.errors import InputRefused
from core.sources.columns import GUESSES, Canonical
from core.sources.json_objects import Row, alt_text, links_text, object_of, row_of, text_of
from core.sources.opened import Content
from core.sources.source import Account, Detected, HandleMissing, SourceSummary, Tick
from core.sources.times import parse_times

_POSTS: Final = "app.bsky.feed.post/"
_PROFILE: Final = "app.bsky.actor.profile"
_LARGEST: Final = 4 << 20  # bytes of a block; atproto's own limit is lower
_MOST_POSTS: Final = 3_000_000
_ROWS: Final = 20_000
_COLUMNS: Final = (*GUESSES, "urls")
_DID: Final = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,128}")
# atproto.com/specs/handle: a domain name
_HANDLE: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,62})\.)+[a-z]([a-z0-9-]{0,62})", re.ASCII)


def is_car(head: bytes) -> bool:
    """Whether a file begins with the header of a CAR v1."""
    size, at = _varint_at(head, 0)
    if not 10 < size <= 4096 or len(head) < at + size:
        return False
    try:
        header = _decoded(head[at : at + size])
    except ValueError:
        return False
    return isinstance(header, dict) and header.get("version") == 1 and "roots" in header


class BlueskyCar:
    """The posts that the repository's tree names; anything else in the file was deleted."""

    def __init__(self, found: Detected, content: Content, owner: str | None) -> None:
        self._content = content
        self._owner = owner
        self._keys: dict[bytes, str] = {}
        self._did: str | None = None
        self._profile: dict[str, Any] = {}
        self.summary = SourceSummary(found.path, "bluesky", handle=owner)
        if not owner:
            self._owner = self._named()
            self.summary.handle = self._owner

    @property
    def accounts(self) -> list[Account]:
        created = text_of(self._profile.get("createdAt"))
        when = parse_times(pl.Series([created], dtype=pl.String))[0]
        return [
            Account(
                handle=self._owner or "",
                name=text_of(self._profile.get("displayName")),
                account_id=self._did,
                bio=text_of(self._profile.get("description")),
                created=when if isinstance(when, datetime) else None,
            )
        ]

    def outline(self) -> list[str]:
        lines = [f"Bluesky repository (CAR) of @{self._owner}"]
        if self.summary.number:
            lines.append(_unnamed(self._did or "", self._owner or ""))
        return lines

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; damaged blocks are left out and listed by their number."""
        handle = self._owner or ""
        self._read_tree()
        if self.summary.number:
            self.summary.warnings.append(_unnamed(self._did or "", handle))
        canonical = Canonical(
            self.summary, owner=self._owner, escaped=False, generate_ids=False, snowflakes=False
        )
        rows: list[tuple[str | None, ...]] = []
        seen, empty = 0, True
        for _, cid, value in self._values(report=True):
            if not isinstance(value, dict):
                continue
            kind = value.get("$type")
            if kind == "app.bsky.feed.repost":
                self.summary.skip(handle, "repost")
            if kind != _POSTS[:-1]:
                continue
            seen += 1
            key = self._keys.get(cid)
            if key is None:
                self.summary.skip(handle, "deleted")
            else:
                row: Row = bluesky_row(value, key, None, {})
                rows.append(tuple(row.get(role) for role in _COLUMNS))
            if tick and seen % 2_000 == 0:
                tick(seen, len(self._keys))
            if len(rows) >= _ROWS:
                for frame in self._frames(canonical, rows):
                    empty = False
                    yield frame
        for frame in self._frames(canonical, rows):
            empty = False
            yield frame
        if empty:
            raise InputRefused(
                f"There are no posts in {self._content.title}.", self.summary.left_out
            )
        self.summary.warn_of_broken()

    def _frames(
        self, canonical: Canonical, rows: list[tuple[str | None, ...]]
    ) -> Iterator[pl.DataFrame]:
        schema = dict.fromkeys(_COLUMNS, pl.String())
        frame = canonical.frame(pl.DataFrame(rows, schema=schema, orient="row"))
        rows.clear()
        if frame.height:
            self.summary.saw(frame)
            yield frame

    def _read_tree(self) -> None:
        """First pass: what the tree's nodes call each record, and whose repository it is."""
        for _, _, value in self._values(report=False):
            if not isinstance(value, dict):
                continue
            if value.get("$type") == _PROFILE:
                self._profile = value
            elif isinstance(value.get("e"), list) and "l" in value:
                self._node(value["e"])
            elif "did" in value and "data" in value:
                self._did = text_of(value["did"])

    def _named(self) -> str:
        """The handle that the profile gives, else one made of the commit's number."""
        for _, _, value in self._values(report=False, wanted=(b"cdid", _PROFILE.encode())):
            if not isinstance(value, dict):
                continue
            if value.get("$type") == _PROFILE:
                self._profile = value
            elif "did" in value and "data" in value:
                self._did = text_of(value["did"])
            if self._did and self._profile:
                break
        handle = (text_of(self._profile.get("handle")) or "").lower().removeprefix("@")
        if _HANDLE.fullmatch(handle):
            return handle
        if not self._did or not _DID.fullmatch(self._did):
            raise HandleMissing(
                f"{self._content.title} does not say whose posts it holds.",
                "There is no commit in it that could be read.",
                "Name the account with --handle, such as --handle alice.bsky.social.",
            )
        self.summary.number = True
        return re.sub(r"[^a-z0-9._-]", "-", self._did.lower())[:64]

    def _node(self, entries: list[Any]) -> None:
        """Keys of a node share beginnings: ``p`` bytes of the one before, then ``k``."""
        before = b""
        for entry in entries:
            if not isinstance(entry, dict):
                return
            shared, rest, link = entry.get("p"), entry.get("k"), entry.get("v")
            if not isinstance(shared, int) or not isinstance(rest, bytes) or shared > len(before):
                return
            before = before[:shared] + rest
            if before.startswith(_POSTS.encode()) and isinstance(link, bytes):
                if len(self._keys) >= _MOST_POSTS:
                    raise InputRefused(
                        f"{self._content.title} names more than {_MOST_POSTS:,} posts."
                    )
                self._keys[link] = before[len(_POSTS) :].decode("ascii", "replace")

    def _values(
        self, *, report: bool, wanted: tuple[bytes, ...] = ()
    ) -> Iterator[tuple[int, bytes, Any]]:
        """Number, identifier and value of each block that is sound; only those ``wanted``.

        A block is wanted when it holds one of the byte strings; with none, all are.
        """
        handle = self._owner or ""
        with self._content.raw() as stream:
            number = 0
            while (block := _section(stream)) is not None:
                number += 1
                if number == 1:
                    continue  # the header
                problem = ""
                if isinstance(block, str):
                    problem = block
                else:
                    if wanted and not any(sign in block for sign in wanted):
                        continue
                    cid, data, sound = _split(block)
                    try:
                        if not sound:
                            raise ValueError("its bytes do not fit its identifier")
                        value = _decoded(data)
                    except ValueError as error:
                        problem = str(error)
                    else:
                        yield number, cid, value
                        continue
                if report:
                    self.summary.skip_line(handle, "bad_block", 0, f"block {number:,}: {problem}")
                if isinstance(block, str):
                    return


def _unnamed(did: str, handle: str) -> str:
    return (
        f"It names its account only by a number ({did}), so the posts go to @{handle}; "
        "--handle alice.bsky.social, or whatever it is, names it better."
    )


def _section(stream: BinaryIO) -> bytes | str | None:
    """The next length and its bytes; None at the end, a sentence where the file is broken."""
    size = shift = 0
    while True:
        byte = stream.read(1)
        if not byte:
            return None if not shift else "the file ends too early"
        size |= (byte[0] & 0x7F) << shift
        if not byte[0] & 0x80:
            break
        shift += 7
        if shift > 28:
            return "a length that makes no sense"
    if not 0 < size <= _LARGEST:
        return "a length that makes no sense"
    parts = []
    while size and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return "the file ends too early" if size else b"".join(parts)


def _split(block: bytes) -> tuple[bytes, bytes, bool]:
    """Identifier and data; CID v1, DAG-CBOR (0x71), sha2-256 of 32 bytes is what atproto uses."""
    cid, data = block[:36], block[36:]
    known = cid[:4] == b"\x01\x71\x12\x20" and len(cid) == 36
    return cid, data, known and hashlib.sha256(data).digest() == cid[4:]


def _decoded(data: bytes) -> Any:
    """The one value of DAG-CBOR that ``data`` holds, links as bytes; raises ValueError."""
    try:
        return libipld.decode_dag_cbor(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        # one sentence of the library's; it may quote bytes behind a colon
        reason = str(error).removeprefix("Failed to decode DAG-CBOR. ").partition(":")[0]
        raise ValueError(f"no DAG-CBOR: {reason[:80]}") from None


def _varint_at(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    for byte in data[at : at + 4]:
        number |= (byte & 0x7F) << shift
        at += 1
        if not byte & 0x80:
            return number, at
        shift += 7
    return 0, at


def bluesky_rows(item: Any) -> Iterator[Row | str]:
    """A post record: bare, as listRecords gives it, or in the view of a feed."""
    if not isinstance(item, dict):
        yield "not_a_tweet"
        return
    post = object_of(item, "post") or item
    if item.get("reason"):
        yield "repost"
        return
    record = object_of(post, "value") or object_of(post, "record") or post
    uri = text_of(post.get("uri")) or ""
    collection, _, key = uri.rpartition("/")
    if record.get("$type") != "app.bsky.feed.post" or (
        uri and not collection.endswith("app.bsky.feed.post")
    ):
        yield "repost" if str(record.get("$type")).endswith(".repost") else "not_a_post"
        return
    author = object_of(post, "author").get("handle")
    yield bluesky_row(record, key or text_of(post.get("rkey")), text_of(author), post)


def bluesky_row(
    record: Mapping[str, Any], key: str | None, author: str | None, counts: Mapping[str, Any]
) -> Row:
    """``app.bsky.feed.post`` (atproto lexicon); facets count bytes of UTF-8."""
    text = text_of(record.get("text")) or ""
    data = text.encode()
    links = []
    for facet in record["facets"] if isinstance(record.get("facets"), list) else ():
        span = object_of(facet, "index")
        start, end = span.get("byteStart"), span.get("byteEnd")
        features = facet.get("features") if isinstance(facet, dict) else None
        for feature in features if isinstance(features, list) else ():
            uri = text_of(feature.get("uri")) if isinstance(feature, dict) else None
            if uri and type(start) is int and type(end) is int and 0 <= start < end <= len(data):
                links.append({"url": data[start:end].decode("utf-8", "replace"),
                              "expanded_url": uri})  # fmt: skip
    embed, reply = object_of(record, "embed"), object_of(record, "reply")
    quoted = object_of(embed, "record")
    kind = "original"
    if isinstance(record.get("reply"), dict):
        kind = "reply"
    elif str(embed.get("$type")).startswith("app.bsky.embed.record"):
        kind = "quote"
    langs = record.get("langs")
    labels = object_of(record, "labels").get("values")
    return row_of(
        tweet_id=key, text=text, created=record.get("createdAt"), author=author, kind=kind,
        lang=langs[0] if isinstance(langs, list) and langs else None,
        sensitive=True if isinstance(labels, list) and labels else None,
        favourites=counts.get("likeCount"), reposts=counts.get("repostCount"),
        urls=links_text(links), reply_id=_post_key(object_of(reply, "parent")),
        conversation_id=_post_key(object_of(reply, "root")),
        quoted_id=_post_key(object_of(quoted, "record") or quoted), alt_text=_descriptions(embed),
    )  # fmt: skip


def _post_key(link: Mapping[str, Any]) -> str | None:
    """The last part of a post's at:// address, which is its id here; None for other records."""
    collection, _, key = (text_of(link.get("uri")) or "").rpartition("/")
    return key if collection.endswith("/app.bsky.feed.post") else None


def _descriptions(embed: dict[str, Any]) -> str | None:
    """Of the pictures or the video, which stand beside a quoted post as ``media``."""
    media = object_of(embed, "media") or embed
    images = media.get("images")
    shown = [media, *(images if isinstance(images, list) else ())]
    return alt_text(text_of(one.get("alt")) for one in shown if isinstance(one, dict))
