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


class Files(Protocol):
    """Named files that belong together; names are relative, with ``/``."""

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
    """The files in the zip or folder at ``path``; raises InputRefused for an unsafe zip."""
    return FolderFiles(path) if path.is_dir() else ZipFiles(path)


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
                raise InputRefused(f"{path} is larger than {MAX_ENTRY_BYTES >> 30} GB.")
            return path.read_bytes()
        except OSError as error:
            raise InputRefused(f"{path} cannot be read.", f"{error.strerror or error}.") from error


class ZipFiles(_Closing):
    """A zip, looked into but never unpacked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._total = 0
        try:
            self._zip = zipfile.ZipFile(path)
        except ZIP_TROUBLE as error:
            raise self._damaged(error) from error
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
        if entry.flag_bits & 0x1:
            raise InputRefused(
                f"{name} in {self._path} is encrypted.",
                "mynah does not ask for passwords.",
                "Unpack the archive and import the folder.",
            )
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputRefused(
                f"{name} in {self._path} is packed in a way that X does not use.",
                "",
                "Unpack the archive and import the folder.",
            )
        parts: list[bytes] = []
        size = 0
        try:
            with self._zip.open(entry) as stream:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    self._total += len(chunk)
                    self._within_limits(name, size, entry.compress_size)
                    parts.append(chunk)
        except ZIP_TROUBLE as error:
            raise self._damaged(error, name) from error
        return b"".join(parts)

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MAX_ENTRIES:
            raise InputRefused(
                f"{self._path} has {len(infos):,} entries.",
                f"More than {MAX_ENTRIES:,} is not an archive of tweets.",
            )
        entries: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            name = info.filename.replace("\\", "/")
            parts = PurePosixPath(name).parts
            if name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name):
                raise InputRefused(
                    f"{self._path} is not safe to read.",
                    f"It holds a file that points outside of it: {name!r}.",
                    "Download the archive from X again.",
                )
            if not info.is_dir() and "__MACOSX" not in parts:
                entries[name] = info
        return entries

    def _within_limits(self, name: str, size: int, packed: int) -> None:
        why = ""
        if size > MAX_ENTRY_BYTES or self._total > MAX_TOTAL_BYTES:
            why = f"It unpacks to more than {MAX_TOTAL_BYTES >> 30} GB."
        elif size > RATIO_FREE_BYTES and size > MAX_RATIO * max(packed, 1):
            why = f"It unpacks to more than {MAX_RATIO} times its size."
        if why:
            raise InputRefused(f"{name} in {self._path} is not safe to read.", why)

    def _damaged(self, error: Exception, name: str = "") -> InputRefused:
        where = f"{name} in {self._path}" if name else str(self._path)
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
