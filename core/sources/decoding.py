"""Bytes to text: UTF-8, with or without a byte order mark, and no silent repairs."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputRefused

_CHUNK = 1 << 22
_ENTITIES = (b"&amp;", b"&lt;", b"&gt;")


def whole(text: str) -> str:
    """``text`` without lone surrogates, which JSON can spell and UTF-8 cannot: U+FFFD instead."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def decode(data: bytes, where: str) -> str:
    """UTF-8 to text; raises InputRefused naming the first byte and line that is not."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # utf-8-sig counts from behind the byte order mark
        offset = error.start + (3 if data.startswith(codecs.BOM_UTF8) else 0)
        raise not_utf8(where, offset, data.count(b"\n", 0, offset) + 1) from None


def not_utf8(where: str, offset: int, line: int) -> InputRefused:
    return InputRefused(
        f"{where} is not UTF-8: byte {offset:,}, in line {line:,}.",
        "It was probably saved in another encoding.",
        "Save it as UTF-8 and try again.",
    )


@dataclass(frozen=True)
class TextFacts:
    """What one pass over a file's bytes tells."""

    size: int
    entities: bool  # &amp; &lt; or &gt; occurs
    bare_ampersand: bool  # an & followed by a space occurs


def look_through(path: Path) -> TextFacts:
    """Check that a file is UTF-8 throughout; raises InputRefused naming byte and line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = lines = 0
    entities = bare = False
    tail = b""
    try:
        with path.open("rb") as stream:
            while True:
                chunk = stream.read(_CHUNK)
                pending = len(decoder.getstate()[0])
                try:
                    decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError as error:
                    offset = size - pending + error.start
                    raise not_utf8(
                        str(path),
                        offset,
                        lines + chunk.count(b"\n", 0, max(0, error.start - pending)) + 1,
                    ) from None
                if not chunk:
                    return TextFacts(size, entities, bare)
                size += len(chunk)
                lines += chunk.count(b"\n")
                joined = tail + chunk
                entities = entities or any(entity in joined for entity in _ENTITIES)
                bare = bare or b"& " in joined
                # JSON may spell the sign as \u0026; then only the parsed texts can tell
                if b"\\u0026" in joined:
                    entities = bare = True
                tail = chunk[-6:]
    except OSError as error:
        raise InputRefused(f"{path} cannot be read.", f"{error.strerror or error}.") from error


def is_escaped(facts: TextFacts, texts: Callable[[], Iterable[str]]) -> bool:
    """Whether a file writes ``& < >`` as HTML entities, decided once per file.

    The rule: an entity (``&amp;``, ``&lt;``, ``&gt;``) occurs in its texts, and no ``&`` followed
    by a space does. X's API escapes every ``&``, so a bare one shows that the file was unescaped
    and the entity was typed. ``texts`` is only asked when other columns may have misled the pass
    over the bytes.
    """
    if not facts.entities:
        return False
    if not facts.bare_ampersand:
        return True
    found = False
    for text in texts():
        if "& " in text:
            return False
        found = found or "&amp;" in text or "&lt;" in text or "&gt;" in text
    return found
