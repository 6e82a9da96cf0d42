"""What is left of a zip without a sound list of its files, such as a download that broke off.

The list stands at the end of a zip, but each file also has a header in front of it (.ZIP File
Format Specification 6.3, 4.3.7). Files are found by those, and what a file holds up to the cut is
given.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import InputRefused
from core.sources.archives import archive_files as limits

_SIGN: Final = b"PK\x03\x04"
_AFTER: Final = b"PK\x07\x08"  # stands behind a file whose size was not known at first
_HEADER: Final = struct.Struct("<4xHHHHHLLLHH")
_BLOCK: Final = 1 << 20
_NEWEST: Final = 63  # the highest version of the format
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,512}")


@dataclass(frozen=True)
class _Entry:
    """``packed``: bytes in the zip, None when the header does not say. ``at``: the first one."""

    at: int
    flags: int
    method: int
    crc: int
    packed: int | None


class BrokenZipFiles(limits.Files):
    """What is left of a zip; the same limits hold as for a sound one."""

    damage = "The zip is cut off or damaged; what is left of it was read."
    ends_anywhere = True

    def __init__(self, path: Path) -> None:
        """Raises InputRefused when the file cannot be read or a name is not safe."""
        super().__init__(path)
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputRefused(f"{path} cannot be read.", f"{error.strerror or error}.") from error
        try:
            self._size = self._file.seek(0, 2)
            self._entries = self._found()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        self._file.close()

    def names(self) -> list[str]:
        return list(self._entries)

    def packed_size(self, name: str) -> int:
        entry = self._entries[name]
        rest = max(self._size - entry.at, 0)
        return rest if entry.packed is None else min(entry.packed, rest)

    def open(self, name: str) -> BinaryIO:
        """A stream that raises EOFError at the cut, and BadZipFile or zlib.error at damage."""
        entry = self._entries[name]
        limits.must_be_usual(self.path, name, entry.flags, entry.method)
        return _Stream(self._file, entry, name)  # type: ignore[return-value]

    def _found(self) -> dict[str, _Entry]:
        entries: dict[str, _Entry] = {}
        at = 0
        while (at := self._next(at)) >= 0:
            name, entry = self._entry(at)
            if entry is None:
                at += len(_SIGN)
                continue
            if limits.is_wanted(self.path, name):
                entries.setdefault(name, entry)
            if len(entries) > limits.MAX_ENTRIES:
                raise limits.too_many(self.path, len(entries))
            at = entry.at + (entry.packed or 0)
        return entries

    def _next(self, at: int) -> int:
        """Where the next header is, from ``at`` on; -1 behind the last."""
        while at < self._size:
            self._file.seek(at)
            block = self._file.read(_BLOCK)
            found = block.find(_SIGN)
            if found >= 0:
                return at + found
            if len(block) < _BLOCK:
                break
            at += len(block) - len(_SIGN) + 1
        return -1

    def _entry(self, at: int) -> tuple[str, _Entry | None]:
        """The file whose header is at ``at``; None where the four bytes are there by chance."""
        self._file.seek(at)
        head = self._file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return "", None
        version, flags, method, _, _, crc, packed, _, named, extra = _HEADER.unpack(head)
        try:
            name = self._file.read(named).decode("utf-8").replace("\\", "/")
        except UnicodeDecodeError:
            return "", None
        if version > _NEWEST or method > 99 or not _NAME.fullmatch(name):
            return "", None
        start = at + _HEADER.size + named + extra
        unknown = flags & 0x8 or packed == 0xFFFFFFFF
        return name, _Entry(start, flags, method, crc, None if unknown else packed)


class _Stream(io.BufferedIOBase):
    """One file, unpacked; its checksum is compared where the zip says one."""

    def __init__(self, file: Any, entry: _Entry, name: str) -> None:
        self._file = file
        self._entry = entry
        self._name = name
        self._at = entry.at
        self._left = entry.packed
        self._stored = entry.method == zipfile.ZIP_STORED
        self._unpack = zlib.decompressobj(-15)
        self._crc = 0
        self._done = False
        self._peeked = b""

    def readable(self) -> bool:
        return True

    def peek(self, size: int) -> bytes:
        with suppress(EOFError):
            if len(self._peeked) < size:
                self._peeked += self._more(size)
        return self._peeked

    def read(self, size: int | None = -1) -> bytes:
        """At most one block, so that what stands before damage comes before its error."""
        size = size or -1
        given, self._peeked = self._peeked, b""
        return given or self._more(size if size > 0 else _BLOCK)

    def _more(self, size: int) -> bytes:
        while not self._done:
            chunk = self._stored_bytes(size) if self._stored else self._inflated(size)
            self._crc = zlib.crc32(chunk, self._crc)
            if chunk:
                return chunk
        return b""

    def _raw(self, size: int) -> bytes:
        """The next bytes of the zip; raises EOFError where it is cut off."""
        wanted = size if self._left is None else min(size, self._left)
        self._file.seek(self._at)
        data: bytes = self._file.read(wanted)
        self._at += len(data)
        if self._left is not None:
            self._left -= len(data)
        if not data:
            raise EOFError("the zip is cut off here")
        return data

    def _stored_bytes(self, size: int) -> bytes:
        if self._left == 0:
            return self._ended(self._entry.crc)
        data = self._raw(max(size, _BLOCK) if self._left is None else size)
        if self._left is None and (end := data.find(_AFTER)) >= 0:
            self._done = True
            return data[:end]
        return data

    def _inflated(self, size: int) -> bytes:
        if self._unpack.eof:
            crc: int | None = self._entry.crc
            if self._entry.packed is None:
                self._file.seek(self._at - len(self._unpack.unused_data))
                behind = self._file.read(8)
                crc = None
                if len(behind) == 8 and behind[:4] == _AFTER:
                    (crc,) = struct.unpack("<4xL", behind)
            return self._ended(crc)
        data = self._unpack.unconsumed_tail
        if not data:
            try:
                data = self._raw(_BLOCK)
            except EOFError:
                if rest := self._unpack.decompress(b"", size):
                    return rest
                if self._left == 0:
                    raise zlib.error("the packed data does not end") from None
                raise
        return self._unpack.decompress(data, size)

    def _ended(self, crc: int | None) -> bytes:
        self._done = True
        if crc is not None and crc != self._crc:
            raise zipfile.BadZipFile(f"Bad CRC-32 for file {self._name!r}")
        return b""
