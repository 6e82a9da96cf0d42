"""Bytes to text: guessing a file's encoding, decoding it as UTF-8, counting what is broken."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from core.sources.encoding import encoding_title, read_encoding

_ENTITIES: Final = (b"&amp;", b"&lt;", b"&gt;")
_SPELT: Final = re.compile(rb"\\u0026")
_PRINTED: Final = bytes([9, 10, 13, *range(32, 127)])
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_REPLACED: Final = "\ufffd".encode()
_BROKEN: Final = re.compile("[\udc80-\udcff]")
# A block with characters beyond ASCII that is UTF-8 throughout is no accident.
_EVIDENCE: Final = 1_000
# What people write: quotes, dashes and dots weigh most, then small accented letters.
_TYPOGRAPHY: Final = "‘’“”–—…•\u00a0"
_SMALL: Final = "àáâãäåæçèéêëìíîïñòóôõöøùúûüÿœßª°«»¿¡€£"


def count_byte(block: bytes, byte: bytes) -> int:
    """``block.count(byte)``, several times as fast, and other threads may go on meanwhile."""
    return int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == byte[0]))


def without_surrogates(text: str) -> str:
    """``text`` without lone surrogates, which JSON can spell and UTF-8 cannot: U+FFFD instead."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@dataclass(frozen=True)
class Encoding:
    """How a file's bytes become text. ``broken`` counts bytes that are wrong in a UTF-8 file.

    ``chosen``: the person named it; then ``broken`` counts what does not exist in it.
    """

    name: str = "utf-8"
    bom: bool = False
    broken: int = 0
    first: int = 0  # the line of the first byte that is not UTF-8
    chosen: bool = False

    @classmethod
    def named(cls, given: str, head: bytes) -> Encoding:
        """The encoding a person named, for a file that begins with ``head``; raises WrongUsage."""
        name = read_encoding(given)
        if name == "utf-16":  # the file shows which of the two
            looks = guess_encoding(head).name
            name = looks if looks.startswith("utf-16") else "utf-16-le"
        return cls(name, chosen=True)

    @property
    def title(self) -> str:
        return encoding_title(self.name)

    @property
    def is_guess(self) -> bool:
        """Whether neither the file nor the person names the encoding, so that it may be wrong."""
        return self.name != "utf-8" and not self.bom and not self.chosen

    def sentence(self) -> str:
        """What to tell the person; nothing for clean UTF-8."""
        if self.chosen:
            lost = "1 sign does" if self.broken == 1 else f"{self.broken:,} signs do"
            return f"Read as {self.title} because you said so." + (
                f" {lost} not exist in it: it may be another one." if self.broken else ""
            )
        if self.name in ("utf-16-le", "utf-16-be"):
            return "Read as UTF-16" + ("." if self.bom else ", though no mark says so.")
        if self.name != "utf-8":
            return (
                f"Read as {self.title}: line {self.first:,} is not UTF-8, and this fits "
                "best. Check accents and quotation marks; save it as UTF-8 if they are wrong."
            )
        return ""


def guess_encoding(head: bytes) -> Encoding:
    """The encoding by a file's first bytes, of which the last character may be cut off."""
    if head.startswith(codecs.BOM_UTF8):
        return Encoding(bom=True)
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return Encoding(name, bom=True)
    if len(head) >= 8:
        half = len(head) // 2
        odd, even = head[1::2].count(0), head[::2].count(0)
        for name, zeros, others, letters in (
            ("utf-16-le", odd, even, head[::2]),
            ("utf-16-be", even, odd, head[1::2]),
        ):
            text = zeros > half * 0.4 and others < half * 0.05
            if text and len(letters.translate(None, _PRINTED)) < half * 0.3:
                return Encoding(name)
    census = _Census()
    census.take(head)
    return census.encoding(cut=True)


@dataclass(frozen=True)
class TextFacts:
    """What one pass over a file's bytes finds."""

    size: int
    entities: bool  # &amp; &lt; or &gt; occurs
    bare_ampersand: bool  # an & followed by a space occurs
    encoding: Encoding


def look_through(blocks: Iterable[bytes], start: Encoding, *, signs: bool = True) -> TextFacts:
    """One pass over unpacked blocks: the encoding by all the bytes, and whether entities occur.

    Blocks of a file in UTF-16, or in an encoding that the person named, come as UTF-8. Without
    ``signs`` no entities are looked for.
    """
    census = _Census()
    size = replaced = 0
    entities = bare = False
    tail = b""
    for block in blocks:
        size += len(block)
        census.take(block)
        if start.chosen and start.name != "utf-8":
            replaced += block.count(_REPLACED)
        if signs and not (entities and bare):
            for part in (tail + block[:6], block):
                some, space = _ampersands(part)
                entities, bare = entities or some, bare or space
                # JSON may spell the sign as \u0026; then only the parsed texts can tell
                if b"\\" in part and _SPELT.search(part):
                    entities = bare = True
        tail = block[-6:]
    if start.chosen:
        broken = census.encoding(bom=True).broken if start.name == "utf-8" else replaced
        encoding = replace(start, broken=broken)
    else:
        utf16 = start.name.startswith("utf-16")
        encoding = start if utf16 else census.encoding(bom=start.bom)
    return TextFacts(size, entities, bare, encoding)


def _ampersands(block: bytes) -> tuple[bool, bool]:
    """Whether an entity occurs, and whether an & before a space does."""
    data = np.frombuffer(block, dtype=np.uint8)
    at = np.flatnonzero(data == ord("&"))
    bare = bool((data[at[at < data.size - 1] + 1] == ord(" ")).any())
    for entity in _ENTITIES:
        found = at[at <= data.size - len(entity)]
        for step, sign in enumerate(entity):
            found = found[data[found + step] == sign]
        if found.size:
            return True, bare
    return False, bare


class _Census:
    """Counts the bytes that distinguish UTF-8 from encodings of one byte a character."""

    def __init__(self) -> None:
        self._cut = b""
        self._clean = True
        self._lines = 0
        self._first = 0
        self._good = 0
        self._bytes: Counter[int] = Counter()

    def take(self, block: bytes) -> None:
        # a character may reach over the end of a block
        block = self._cut + block if self._cut else block
        ends = len(block) - _unfinished(block)
        block, self._cut = block[:ends], block[ends:]
        if self._clean:
            with suppress(pl.exceptions.PolarsError):
                if not block.isascii():
                    pl.Series([block]).cast(pl.String)  # checks without making a str
                    self._good += _EVIDENCE
                self._lines += count_byte(block, b"\n")
                return
            try:
                self._good += len(block) - len(block.decode())
            except UnicodeDecodeError as error:
                self._clean = False
                self._first = self._lines + block.count(b"\n", 0, error.start) + 1
        text = block.decode("utf-8", "surrogateescape")
        wrong = len(_BROKEN.findall(text))
        self._good += len(_NOT_ASCII.findall(text)) - wrong
        self._bytes.update(ord(sign) & 0xFF for sign in _BROKEN.findall(text))

    def encoding(self, *, bom: bool = False, cut: bool = False) -> Encoding:
        """What it comes to; ``cut`` when the last character may go on behind the sample."""
        rest, self._cut = self._cut, b""
        if rest and not cut:
            self._first = self._first or self._lines + 1
            self._clean = False
            self._bytes.update(rest)
        wrong = self._bytes.total()
        if self._clean or not wrong:
            return Encoding(bom=bom)
        if bom or self._good > wrong:
            return Encoding(bom=bom, broken=wrong, first=self._first)
        fits = {name: _fit(self._bytes, name) for name in ("cp1252", "mac_roman")}
        best = max(fits, key=lambda name: fits[name])
        return Encoding(best, broken=wrong, first=self._first)


def _unfinished(block: bytes) -> int:
    """How many bytes at the end begin a character that is not complete."""
    for back in range(1, min(4, len(block) + 1)):
        byte = block[-back]
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if needed > back else 0
        if byte < 0x80:
            return 0
    return 0


def _fit(found: Counter[int], name: str) -> float:
    """How much the high bytes look like writing when read in an encoding."""
    score = 0.0
    for byte, times in found.items():
        sign = bytes([byte]).decode(name, "replace")
        if sign in _TYPOGRAPHY:
            weight = 2.0
        elif sign in _SMALL:
            weight = 1.0
        elif sign == "\ufffd":
            weight = -5.0
        else:
            weight = 0.2 if sign.isalpha() else -0.5
        score += weight * times
    return score


def recoded(blocks: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """Blocks as UTF-8 without a byte order mark; UTF-8 goes through as it is."""
    if encoding.name == "utf-8":
        first = True
        for block in blocks:
            yield block.removeprefix(codecs.BOM_UTF8) if first else block
            first = False
        return
    decoder = codecs.getincrementaldecoder(encoding.name)("replace")
    first = True
    for block in blocks:
        text = decoder.decode(block)
        if text:
            yield without_surrogates(text.removeprefix("\ufeff") if first else text).encode()
            first = False
    if rest := decoder.decode(b"", True):
        yield without_surrogates(rest).encode()


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
