"""The files of an archive, in a zip or a folder, read in place and never unpacked.

A zip comes from outside: names that leave the archive, encrypted entries and bombs are refused,
and every limit holds for the bytes that really come out, whatever the headers claim.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Final, Protocol

from core.errors import InputRefused

MAX_ENTRIES: Final = 200_000
MAX_ENTRY_BYTES: Final = 2 << 30
MAX_TOTAL_BYTES: Final = 4 << 30
MAX_RATIO: Final = 200
RATIO_FREE_BYTES: Final = 50 << 20  # below this much, a high ratio is just repetitive text
_CHUNK: Final = 1 << 20

_TWEET_PART = re.compile(r"tweets?(-part\d+)?\.js")


class Unsafe(InputRefused):
    """Made to do harm, or larger than anything that may be read: nothing of it is taken."""


class Files(Protocol):
    """Named files that belong together; names are relative, with ``/``.

    ``damage`` is a sentence when files may be missing, else empty.
    """

    @property
    def damage(self) -> str: ...
    def names(self) -> list[str]: ...
    def read(self, name: str) -> bytes: ...
    def close(self) -> None: ...
    def __enter__(self) -> Files: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_files(path: Path) -> Files:
    """The files in the zip or folder at ``path``; raises InputRefused for an unsafe zip.

    Of a zip that is cut off, what is left.
    """
    if path.is_dir():
        return FolderFiles(path)
    try:
        return ZipFiles(path)
    except Unsafe:
        raise
    except InputRefused:
        from core.sources.zip_cut import CutZipFiles

        rest = CutZipFiles(path)
        if rest.names():
            return rest
        rest.close()
        raise


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


class _Closing:
    damage = ""

    def close(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class FolderFiles(_Closing):
    """An unpacked archive. Looks three levels deep: archive, ``data``, and one wrapper folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __enter__(self) -> FolderFiles:
        return self

    def names(self) -> list[str]:
        found: list[str] = []
        for pattern in ("*.js", "data/*.js", "*/data/*.js"):
            # is_file: a pipe or a device named like a part would hang the reader
            found += [p.relative_to(self._root).as_posix() for p in self._root.glob(pattern)]
            if find_data_folder(found) is not None:
                break
        return sorted(name for name in set(found) if (self._root / name).is_file())

    def read(self, name: str) -> bytes:
        path = self._root / name
        try:
            if path.stat().st_size > MAX_ENTRY_BYTES:
                raise Unsafe(f"{path} is larger than {MAX_ENTRY_BYTES >> 30} GB.")
            return path.read_bytes()
        except OSError as error:
            raise InputRefused(f"{path} cannot be read.", f"{error.strerror or error}.") from error


class ZipFiles(_Closing):
    """A zip, looked into but never unpacked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = Unpacked(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except ZIP_TROUBLE as error:
            raise damaged(path, error) from error
        try:
            self._entries = self._checked()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> ZipFiles:
        return self

    def close(self) -> None:
        self._zip.close()

    def names(self) -> list[str]:
        return list(self._entries)

    def read(self, name: str) -> bytes:
        entry = self._entries[name]
        must_be_usual(self._path, name, entry.flag_bits, entry.compress_type)
        parts: list[bytes] = []
        size = 0
        try:
            with self._zip.open(entry) as stream:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    self._count.take(name, len(chunk), size, entry.compress_size)
                    parts.append(chunk)
        except ZIP_TROUBLE as error:
            raise damaged(self._path, error, name) from error
        return b"".join(parts)

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MAX_ENTRIES:
            raise too_many(self._path, len(infos))
        named = ((info.filename.replace("\\", "/"), info) for info in infos)
        return {
            name: info for name, info in named if is_wanted(self._path, name) and not info.is_dir()
        }


class Unpacked:
    """Counts what comes out of an archive; raises Unsafe when it is more than there can be."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._total = 0

    def take(self, name: str, size: int, so_far: int, packed: int) -> None:
        """``size`` more bytes of ``name``, ``so_far`` of it, which takes up ``packed``."""
        self._total += size
        why = ""
        if so_far > MAX_ENTRY_BYTES or self._total > MAX_TOTAL_BYTES:
            why = f"It unpacks to more than {MAX_TOTAL_BYTES >> 30} GB."
        elif so_far > RATIO_FREE_BYTES and so_far > MAX_RATIO * max(packed, 1):
            why = f"It unpacks to more than {MAX_RATIO} times its size."
        if why:
            raise Unsafe(f"{name} in {self._path} is not safe to read.", why)


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


# What zipfile raises for hostile or cut-off bytes (found by mutating real zips).
ZIP_TROUBLE = (
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
