"""The files of an archive, in a zip or a folder, read in place and never unpacked.

A zip comes from outside: names that leave the archive, encrypted entries and bombs are refused,
and every limit holds for the bytes that really come out, whatever the headers claim.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Final, TypeVar

from core.errors import InputRefused

MAX_ENTRIES: Final = 200_000
MAX_ENTRY_BYTES: Final = 2 << 30
MAX_TOTAL_BYTES: Final = 4 << 30
MAX_RATIO: Final = 200
# Below this much, a high ratio is just repetitive text.
RATIO_FREE_BYTES: Final = 50 << 20
_CHUNK: Final = 1 << 20

_TWEET_PART = re.compile(r"tweets?(-part\d+)?\.js")
_F = TypeVar("_F", bound="Files")


class Unsafe(InputRefused):
    """Made to do harm, or larger than anything that may be read: nothing of it is taken."""


# What zipfile raises for hostile or cut-off bytes (found by mutating real zips).
ZIP_TROUBLE: Final = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,  # also NotImplementedError: an unknown compression method
    ValueError,  # also UnicodeDecodeError: a file name
    OverflowError,
    struct.error,
    KeyError,  # an entry that the directory lists under another name
)


class Files(ABC):
    """Named files that belong together; names are relative, with ``/``.

    ``damage`` is a sentence when files may be missing, else empty.
    """

    damage = ""
    # whether the end of the data is where a file ends, or damage
    ends_anywhere = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._total = 0

    def __enter__(self: _F) -> _F:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def names(self) -> list[str]: ...

    @abstractmethod
    def packed_size(self, name: str) -> int:
        """Bytes that the file takes up at most."""

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Its bytes; raises InputRefused, and while they are read what ZIP_TROUBLE lists."""

    def blocks(self, name: str) -> Iterator[bytes]:
        """Its bytes in blocks; raises Unsafe, or InputRefused at the place that is damaged."""
        size = 0
        try:
            with self.open(name) as stream:
                packed = self.packed_size(name)
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    self._check(name, len(chunk), size, packed)
                    yield chunk
        except EOFError as error:
            if not self.ends_anywhere:
                raise damaged(self.path, error, name) from error
        except ZIP_TROUBLE as error:
            raise damaged(self.path, error, name) from error

    def read(self, name: str) -> bytes:
        """A small file at once; raises as ``blocks`` does."""
        return b"".join(self.blocks(name))

    def _check(self, name: str, size: int, so_far: int, packed: int) -> None:
        """``size`` more bytes of ``name``, ``so_far`` of it, which takes up ``packed``."""
        self._total += size
        why = ""
        if so_far > MAX_ENTRY_BYTES:
            why = f"It unpacks to more than {MAX_ENTRY_BYTES >> 30} GB."
        elif self._total > MAX_TOTAL_BYTES:
            why = f"With what was read before it is more than {MAX_TOTAL_BYTES >> 30} GB."
        elif so_far > RATIO_FREE_BYTES and so_far > MAX_RATIO * max(packed, 1):
            why = f"It unpacks to more than {MAX_RATIO} times its size."
        if why:
            raise Unsafe(f"{name} in {self.path} is not safe to read.", why)


class FolderFiles(Files):
    """An unpacked archive. Looks three levels deep: archive, ``data``, and one wrapper folder."""

    def close(self) -> None:
        pass

    def names(self) -> list[str]:
        found: list[str] = []
        for pattern in ("*.js", "data/*.js", "*/data/*.js"):
            # is_file: a pipe or a device named like a part would hang the reader
            found += [p.relative_to(self.path).as_posix() for p in self.path.glob(pattern)]
            if find_data_folder(found) is not None:
                break
        return sorted(name for name in set(found) if (self.path / name).is_file())

    def packed_size(self, name: str) -> int:
        return (self.path / name).stat().st_size

    def open(self, name: str) -> BinaryIO:
        path = self.path / name
        try:
            if path.stat().st_size > MAX_ENTRY_BYTES:
                raise Unsafe(f"{path} is larger than {MAX_ENTRY_BYTES >> 30} GB.")
            return path.open("rb")
        except OSError as error:
            raise InputRefused(f"{path} cannot be read.", f"{error.strerror or error}.") from error


class ZipFiles(Files):
    """A zip, looked into but never unpacked."""

    def __init__(self, path: Path) -> None:
        """Raises InputRefused when it is damaged, Unsafe when it is made to do harm."""
        super().__init__(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except ZIP_TROUBLE as error:
            raise damaged(path, error) from error
        try:
            self._entries = self._checked()
        except BaseException:
            self._zip.close()
            raise

    def close(self) -> None:
        self._zip.close()

    def names(self) -> list[str]:
        return list(self._entries)

    def packed_size(self, name: str) -> int:
        return self._entries[name].compress_size

    def open(self, name: str) -> BinaryIO:
        entry = self._entries[name]
        must_be_usual(self.path, name, entry.flag_bits, zipfile.ZIP_STORED)
        try:
            return self._zip.open(entry)  # type: ignore[return-value]
        except ZIP_TROUBLE as error:
            raise damaged(self.path, error, name) from error

    def blocks(self, name: str) -> Iterator[bytes]:
        entry = self._entries[name]
        must_be_usual(self.path, name, entry.flag_bits, entry.compress_type)
        return super().blocks(name)

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MAX_ENTRIES:
            raise too_many(self.path, len(infos))
        named = ((info.filename.replace("\\", "/"), info) for info in infos)
        # not is_dir(), which fails at an empty name
        return {
            name: info
            for name, info in named
            if is_wanted(self.path, name) and not name.endswith("/")
        }


def is_tweet_part(name: str) -> bool:
    """Whether a file name (no folders) is a list of the owner's tweets."""
    return _TWEET_PART.fullmatch(name) is not None


def find_data_folder(names: Iterable[str]) -> str | None:
    """The folder (``"data/"``, ``""``, …) that holds the tweets; None when there is none.

    Raises InputRefused when two archives lie side by side.
    """
    folders = {
        name[: len(name) - len(base)]
        for name in names
        if (base := name.rsplit("/", 1)[-1]) and (base == "manifest.js" or is_tweet_part(base))
    }
    if not folders:
        return None
    depth = min(folder.count("/") for folder in folders)
    nearest = sorted(folder for folder in folders if folder.count("/") == depth)
    if len(nearest) > 1:
        raise InputRefused(
            f"There are {len(nearest)} archives in one: {', '.join(nearest[:3])}.",
            "",
            "Import them one at a time.",
        )
    return nearest[0]


def is_wanted(path: Path, name: str) -> bool:
    """Whether an entry of a zip is a file of the archive's; raises Unsafe when it leaves it."""
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
        raise Unsafe(
            f"{path} is not safe to read.",
            f"It holds a file that points outside of it: {name!r}.",
            "Download the archive from X again.",
        )
    return not name.endswith("/") and "__MACOSX" not in parts


def must_be_usual(path: Path, name: str, flags: int, method: int) -> None:
    """Raises InputRefused for an entry that is encrypted, or packed in an unusual way."""
    if flags & 0x1:
        raise InputRefused(
            f"{name} in {path} is encrypted.",
            "mynah does not ask for passwords.",
            "Unpack the archive and import the folder.",
        )
    if method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputRefused(
            f"{name} in {path} is packed in a way that X does not use.",
            "",
            "Unpack the archive and import the folder.",
        )


def too_many(path: Path, entries: int) -> Unsafe:
    return Unsafe(
        f"{path} has {entries:,} entries.",
        f"More than {MAX_ENTRIES:,} is not an archive of tweets.",
    )


def damaged(path: Path, error: Exception, name: str = "") -> InputRefused:
    where = f"{name} in {path}" if name else str(path)
    return InputRefused(
        f"{where} is damaged or not finished: {str(error) or type(error).__name__}.",
        "",
        "Download the archive again.",
    )


def cut_off(path: Path) -> InputRefused:
    """Of a zip in whose readable part are no tweets."""
    return InputRefused(
        f"No tweets were found in {path}.",
        "The zip is cut off before them, or damaged.",
        "Download the archive again.",
    )
