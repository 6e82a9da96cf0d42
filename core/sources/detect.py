"""Tell what a path holds by looking inside, never by its name alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.errors import InputRefused, WrongUsage
from core.handles import normal_handle
from core.sources.model import Detected, HandleMissing, Source

_TITLES: Final = {
    "x-archive": "the archive that X gives you (a zip or its unpacked folder)",
    "csv": "a CSV or TSV file with a column of texts",
    "jsonl": "JSON, one tweet object per line or one array of them",
}

_MAGIC: Final = (
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "gzip-compressed; unpack it first"),
    (b"\xfd7zXZ", "xz-compressed; unpack it first"),
    (b"BZh", "bzip2-compressed; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
)
_ACCEPTED = (
    "mynah reads an X archive (zip or folder), CSV or TSV with a column of texts, and JSON lines."
)


def formats() -> dict[str, str]:
    """Names for ``--format`` and what each is."""
    return dict(_TITLES)


def detect(path: str | os.PathLike[str], *, format: str | None = None) -> Detected:  # noqa: A002
    """What ``path`` holds; raises InputRefused (what, why, next step) when it is nothing we read.

    Fast enough to ask while somebody types: the first rows, or an archive's own list, are read.
    """
    found = _find(Path(path), format)
    try:
        source = _open(found, None, frozenset())
    except HandleMissing:
        source = _open(found, "unknown", frozenset())
        return replace(found, needs_handle=True, outline=tuple(source.outline()))
    return replace(found, handle=source.summary.handle, outline=tuple(source.outline()))


def _find(path: Path, format: str | None) -> Detected:  # noqa: A002
    if format is not None and format not in _TITLES:
        raise WrongUsage(f"There is no format {format!r}.", f"There are: {', '.join(_TITLES)}.")
    try:
        found = _in_folder(path) if path.is_dir() else _in_file(path)
    except OSError as error:
        raise InputRefused(f"{path} cannot be read.", f"{error.strerror or error}.") from error
    except ValueError as error:  # a path with a NUL byte
        raise InputRefused("That is not a path.", f"{error}.") from error
    if format is not None and format != found.format:
        raise InputRefused(
            f"{path} is not {_TITLES[format]}.",
            f"It is {_TITLES[found.format]}.",
            "Leave --format out to let mynah look.",
        )
    return found


def _open(found: Detected, owner: str | None, include: frozenset[str]) -> Source:
    if found.format == "x-archive":
        from core.sources.x_archive import XArchive

        return XArchive(found, owner, include)
    if found.format == "jsonl":
        from core.sources.json_lines import JsonLines

        return JsonLines(found, owner)
    from core.sources.delimited import Delimited

    return Delimited(found, owner)


def open_source(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    handle: str | None = None,
    include: frozenset[str] = frozenset(),
) -> Source:
    """Open ``path`` for reading; raises InputRefused when it holds no tweets we can read.

    ``handle`` is whose tweets these are, and wins over what the source says.
    ``include`` may hold "deleted" and "circle", which are left out otherwise.
    """
    if unknown := include - {"deleted", "circle"}:
        raise WrongUsage(f"Cannot include {', '.join(sorted(unknown))}; there are deleted, circle.")
    owner = normal_handle(handle) if handle is not None else None
    return _open(_find(Path(path), format), owner, include)


def _in_folder(path: Path) -> Detected:
    from core.sources.archive_files import find_data_folder, open_files

    with open_files(path) as files:
        if find_data_folder(files.names()) is None:
            raise InputRefused(
                f"No tweets were found in the folder {path}.",
                "There is no data/tweets.js or data/manifest.js in it.",
                "Choose the folder that the archive was unpacked to, or the zip itself.",
            )
    return Detected(path, "x-archive", path)


def _in_file(path: Path) -> Detected:
    if not path.exists():
        raise InputRefused(f"{path} does not exist.", "", "Check the spelling of the path.")
    if not path.is_file():
        raise InputRefused(f"{path} is not a file or a folder.", _ACCEPTED)
    with path.open("rb") as stream:
        head = stream.read(65_536)
    if not head.strip():
        raise InputRefused(f"{path} is empty.", "", "Was the download finished?")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _in_zip(path)
    for magic, title in _MAGIC:
        if head.startswith(magic):
            raise InputRefused(f"{path} holds no tweets: it is {title}.", _ACCEPTED)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputRefused(
            f"{path} is not UTF-8: it begins like UTF-16 (byte 0).",
            "",
            "Save it as UTF-8 and try again.",
        )
    if head.count(0) > len(head) // 10:
        raise InputRefused(f"{path} holds no tweets: it is binary data.", _ACCEPTED)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"window.YTD.", b"window.__THAR_CONFIG")):
        from core.sources.archive_files import find_data_folder

        if find_data_folder([path.name]) is None:
            raise InputRefused(
                f"{path} is one part of an X archive, and not the one with the tweets.",
                "",
                "Choose the archive's zip, its folder, or data/tweets.js.",
            )
        return Detected(path, "x-archive", path.parent)
    if start.startswith((b"{", b"[")):
        return Detected(path, "jsonl", path)
    from core.sources.delimited import text_column

    text_column(path, head)  # raises when the first line is no header with a column of texts
    return Detected(path, "csv", path)


def _in_zip(path: Path) -> Detected:
    from core.sources.archive_files import find_data_folder, open_files

    with open_files(path) as files:
        names = files.names()
        if find_data_folder(names) is None:
            inside = ", ".join(sorted(names)[:3]) or "nothing"
            raise InputRefused(
                f"No tweets were found in {path}.",
                f"There is no data/tweets.js in it; it holds {inside}"
                + (f" and {len(names) - 3:,} more." if len(names) > 3 else "."),
                "If it holds a CSV or JSON file, unpack it and import that file.",
            )
    return Detected(path, "x-archive", path)
