"""Detecting the format of a path by its content, never by its name alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.errors import InputRefused, WrongUsage
from core.handles import normal_handle
from core.sources.source import Detected, HandleMissing, Source

_TITLES: Final = {
    "x-archive": "the archive that X gives you (a zip or its unpacked folder)",
    "grailbird": "the archive that Twitter gave until 2018",
    "twarc-v1": "tweets of the API v1.1, as twarc saves them",
    "twarc-v2": "tweets of the API v2, as twarc2 saves them",
    "twscrape": "tweets as twscrape saves them",
    "snscrape": "tweets as snscrape saves them",
    "community-archive": "tweets of the Community Archive",
    "trump-archive": "a CSV with the columns of the Trump Twitter Archive",
    "mastodon": "the archive of a Mastodon account, or its outbox.json",
    "bluesky": "a Bluesky repository (CAR), or its posts as JSON",
    "mynah-export": "an export of mynah",
    "csv": "a CSV or TSV file with a column of texts",
    "jsonl": "JSON, one tweet object per line or one array of them",
    "parquet": "a Parquet file with a column of texts",
}
# what --format calls a whole family
_FAMILIES: Final = {
    "csv": {"trump-archive", "grailbird", "mynah-export"},
    "jsonl": {"twarc-v1", "twarc-v2", "twscrape", "snscrape", "community-archive", "bluesky",
              "mastodon", "mynah-export"},
    "parquet": {"mynah-export"},
}  # fmt: skip

_MAGIC: Final = (
    (b"%PDF", "a PDF"),
    (b"\xfd7zXZ", "xz-compressed; unpack it first"),
    (b"BZh", "bzip2-compressed; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x7fELF", "a program"),
)
_ACCEPTED: Final = (
    "mynah reads archives of X, Twitter, Mastodon and Bluesky, CSV, TSV and Parquet with a column "
    "of texts, and JSON lines."
)
# without tab, line breaks, form feed, and the escape that a terminal's colours begin with
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
_NOTHING: Final[Mapping[str, str]] = {}


def detect(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str] = _NOTHING,
    encoding: str | None = None,
    date_format: str | None = None,
) -> Detected:
    """What ``path`` holds; raises InputRefused (what, why, next step) when it is nothing we read.

    Fast enough to ask while somebody types: the first rows, or an archive's own list, are read.
    """
    found = find(Path(path), format, columns, encoding, date_format)
    try:
        source = _open(found, None, frozenset(), columns)
    except HandleMissing:
        source = _open(found, "unknown", frozenset(), columns)
        return replace(found, needs_handle=True, outline=tuple(source.outline()))
    return replace(
        found,
        handle=source.summary.handle,
        number=source.summary.number,
        outline=tuple(source.outline()),
    )


def open_source(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    handle: str | None = None,
    include: frozenset[str] = frozenset(),
    columns: Mapping[str, str] = _NOTHING,
    encoding: str | None = None,
    date_format: str | None = None,
) -> Source:
    """Open ``path`` for reading; raises InputRefused when it holds no tweets we can read.

    ``handle`` is whose tweets these are, and wins over what the source says.
    ``include`` may hold "deleted" and "circle", which are left out otherwise (posts in communities
    are not: anybody can read them).
    ``columns`` (role → column, see ``columns.read_map``) overrides what would be guessed; the file
    is then read as a plain table. ``encoding`` wins over what the bytes look like.
    ``date_format`` is how its dates are written (see ``times.read_date_format``).
    """
    if unknown := include - {"deleted", "circle"}:
        raise WrongUsage(f"Cannot include {', '.join(sorted(unknown))}; there are deleted, circle.")
    owner = normal_handle(handle) if handle is not None else None
    found = find(Path(path), format, columns, encoding, date_format)
    return _open(found, owner, include, columns)


def find(
    path: Path,
    format: str | None,  # noqa: A002
    columns: Mapping[str, str],
    encoding: str | None,
    date_format: str | None,
) -> Detected:
    """What ``path`` holds, without what its first rows would tell; raises as ``detect`` does."""
    if date_format is not None:
        from core.sources.times import read_date_format

        date_format = read_date_format(date_format)
    if encoding is not None:
        from core.sources.encoding import read_encoding

        encoding = read_encoding(encoding)
    if format is not None and format not in _TITLES:
        raise WrongUsage(f"There is no format {format!r}.", f"There are: {', '.join(_TITLES)}.")
    try:
        found = (_in_folder if path.is_dir() else _in_file)(path, columns, encoding)
    except OSError as error:
        raise InputRefused(f"{path} cannot be read.", f"{error.strerror or error}.") from error
    except ValueError as error:  # a path with a NUL byte
        raise InputRefused("That is not a path.", f"{error}.") from error
    if encoding is not None and found.reader not in ("csv", "json"):
        raise WrongUsage(
            f"{path} has no encoding to choose: it is {_TITLES[found.format]}.",
            "",
            "--encoding is for CSV, TSV and JSON files.",
        )
    if date_format is not None and found.reader not in ("csv", "json", "parquet"):
        raise WrongUsage(
            f"{path} has no form of dates to choose: it is {_TITLES[found.format]}.",
            "",
            "--date-format is for CSV, TSV, JSON and Parquet files.",
        )
    found = replace(found, date_format=date_format)
    if format is not None and format != found.format:
        family = _FAMILIES.get(format, set())
        if found.format in family and found.reader == format.removesuffix("l"):
            return replace(found, format=format, as_table=True)
        raise InputRefused(
            f"{path} is not {_TITLES[format]}.",
            f"It is {_TITLES[found.format]}.",
            "Leave --format out to let mynah look.",
        )
    return found


def _open(
    found: Detected, owner: str | None, include: frozenset[str], columns: Mapping[str, str]
) -> Source:
    if found.format == "x-archive":
        from core.sources.archives.x_archive import XArchive

        return XArchive(found, owner, include)
    if found.reader == "archive":
        from core.sources.archives.twitter_2018 import Twitter2018

        return Twitter2018(found, owner)
    if found.reader == "parquet":
        from core.sources.tables import ParquetTable

        return ParquetTable(found, owner, include, columns)
    from core.sources.opened import Content

    content = Content.of(found.root, found.member, tar=found.tar, encoding=found.chosen_encoding)
    if found.reader == "csv":
        from core.sources.tables import CsvTable

        return CsvTable(found, content, owner, include, columns)
    if found.reader == "car":
        from core.sources.archives.bluesky import BlueskyCar

        return BlueskyCar(found, content, owner)
    from core.sources.json_objects import generic_rows
    from core.sources.json_shape import shape_of
    from core.sources.json_source import JsonSource

    shape = shape_of(content, columns)
    if shape.parts:
        from core.sources.archives.community_archive import CommunityArchive

        return CommunityArchive(found, content, owner, include)
    if found.as_table:
        shape = replace(
            shape, format="jsonl", objects=generic_rows({}), escaped="file", replies_marked=False
        )
    account = None
    if shape.format == "mastodon":
        from core.sources.archives.mastodon import read_actor

        account = read_actor(found)
        if account and owner:
            account = replace(account, handle=owner)
    return JsonSource(found, content, shape, owner, include, account=account)


def _in_folder(path: Path, columns: Mapping[str, str], encoding: str | None) -> Detected:
    from core.sources.opened import in_folder

    bundle = in_folder(path)
    if bundle.format:
        return Detected(path, bundle.format, path)
    return replace(_in_file(path / bundle.member, columns, encoding), path=path)


def _in_file(path: Path, columns: Mapping[str, str], encoding: str | None) -> Detected:
    from core.sources.opened import in_tar, in_zip, looks_like_tar

    if not path.exists():
        raise InputRefused(f"{path} does not exist.", "", "Check the spelling of the path.")
    if not path.is_file():
        raise InputRefused(f"{path} is not a file or a folder.", _ACCEPTED)
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        bundle = in_zip(path)
        if bundle.format:
            return Detected(path, bundle.format, path)
        return _in_content(path, bundle.member, columns, encoding)
    if looks_like_tar(path) and (held := in_tar(path)):
        return _in_content(path, held.member, columns, encoding, tar=True)
    return _in_content(path, None, columns, encoding)


def _is_binary(head: bytes) -> bool:
    """Whether there are more control characters than in a text of any encoding but UTF-16."""
    return len(head) - len(head.translate(None, _CONTROLS)) > len(head) // 20


def _in_content(
    path: Path,
    member: str | None,
    columns: Mapping[str, str],
    encoding: str | None,
    *,
    tar: bool = False,
) -> Detected:
    from core.sources.archives.bluesky import is_car
    from core.sources.decoding import Encoding
    from core.sources.json_shape import shape_of
    from core.sources.opened import Content
    from core.sources.tables import csv_format

    content = Content.of(path, member, tar=tar, encoding=encoding)
    head = content.raw_head()

    def found(reader: str, format_: str) -> Detected:
        shown = content.encoding if reader in ("csv", "json") else Encoding("")
        return Detected(
            path,
            format_,
            path,
            reader,
            member,
            tar,
            chosen_encoding=encoding,
            encoding=shown.title,
            encoding_guessed=shown.is_guess and bool(shown.name),
        )

    if not head.strip():
        raise InputRefused(
            f"{content.title} is empty.", content.damage, "Was the download finished?"
        )
    if head.startswith(b"PAR1"):
        if member is not None or content.packed:
            raise InputRefused(
                f"{content.title} is a Parquet file inside another one.", "", "Unpack it first."
            )
        from core.sources.tables import column_names, table_format

        names = column_names(path)
        format_ = "csv" if columns else table_format(names)
        return found("parquet", "parquet" if format_ == "csv" else format_)
    if is_car(head):
        return found("car", "bluesky")
    for magic, title in _MAGIC:
        if head.startswith(magic):
            raise InputRefused(f"{content.title} holds no tweets: it is {title}.", _ACCEPTED)
    text = content.head().lstrip()
    if not content.encoding.name.startswith("utf-16") and _is_binary(head):
        no_zip = path.suffix.lower() == ".zip" and member is None
        raise InputRefused(
            f"{content.title} {'is no zip' if no_zip else 'holds no tweets: it is binary data'}.",
            "What is in it does not begin as a zip does." if no_zip else _ACCEPTED,
            "Download it again." if no_zip else "",
        )
    if text[:14].lower().startswith(("<!doctype html", "<html")):
        raise InputRefused(
            f"{content.title} holds no tweets: it is a web page.",
            "It may have been saved in place of what was to be downloaded.",
            "Download it again.",
        )
    if text.startswith(("window.YTD.", "window.__THAR_CONFIG", "Grailbird.data.")):
        from core.sources.archives.archive_files import find_data_folder

        if not text.startswith("window") or find_data_folder([path.name]) is None or member:
            raise InputRefused(
                f"{content.title} is one part of an X archive, and not the one with the tweets.",
                "",
                "Choose the archive's zip, its folder, or data/tweets.js.",
            )
        return Detected(path, "x-archive", path.parent)
    if text.startswith(("{", "[")):
        return found("json", shape_of(content, columns).format)
    return found("csv", csv_format(content, columns))
