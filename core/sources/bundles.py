"""Folders, zips and tars: which archive they are, or which one file in them holds the tweets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import InputRefused
from core.sources.archive_files import find_data_folder, open_files
from core.sources.content import GZIP, ZSTD, Content, tar_names

_MONTH: Final = re.compile(r"(?:.*/)?data/js/tweets/\d{4}_\d{2}\.js")
_DATA: Final = re.compile(r"\.(csv|tsv|jsonl?|ndjson|txt|parquet|car)(\.gz|\.zst)?$", re.IGNORECASE)
_FOLDER_GLOBS: Final = ("{}", "*/{}")


@dataclass(frozen=True)
class Bundle:
    """``format`` of an archive with parts of its own, or ``member`` with everything."""

    format: str = ""
    member: str = ""


def months_of(names: Sequence[str]) -> list[str]:
    """The lists of tweets of an archive as Twitter gave it until 2018, in order."""
    return sorted(name for name in names if _MONTH.fullmatch(name))


def in_folder(path: Path) -> Bundle:
    """What a folder holds; raises InputRefused."""
    with open_files(path) as files:
        if find_data_folder(files.names()) is not None:
            return Bundle("x-archive")
    if months_of(folder_names(path)):
        return Bundle("grailbird")
    for name in ("outbox.json", "tweets.csv", "repo.car"):
        for pattern in _FOLDER_GLOBS:
            for found in sorted(path.glob(pattern.format(name))):
                if found.is_file():
                    return Bundle(member=found.relative_to(path).as_posix())
    raise InputRefused(
        f"No tweets were found in the folder {path}.",
        "There is no data/tweets.js or data/manifest.js in it, and no outbox.json or tweets.csv.",
        "Choose the folder that the archive was unpacked to, or the zip itself.",
    )


def folder_names(path: Path) -> list[str]:
    """The scripts of an unpacked archive of before 2018."""
    found = [*path.glob("data/js/**/*.js"), *path.glob("*/data/js/**/*.js")]
    return sorted(p.relative_to(path).as_posix() for p in found if p.is_file())


def in_zip(path: Path) -> Bundle:
    """What a zip holds; raises InputRefused."""
    with open_files(path) as files:
        names = files.names()
        if find_data_folder(names) is not None:
            return Bundle("x-archive")
    if months_of(names):
        return Bundle("grailbird")
    return Bundle(member=_one_of(path, names))


def in_tar(path: Path) -> Bundle | None:
    """What a tar holds; None when it is no tar."""
    names = tar_names(path)
    return Bundle(member=_one_of(path, names)) if names else None


def looks_like_tar(path: Path) -> bool:
    """Whether there is a tar, perhaps packed with gzip, at ``path``."""
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith((GZIP, ZSTD)):
        start = Content(path).raw_head() if start.startswith(GZIP) else b""
    return start[257:262] == b"ustar"


def _one_of(path: Path, names: Sequence[str]) -> str:
    for known in ("outbox.json", "tweets.csv"):
        for name in names:
            if name.rpartition("/")[2] == known:
                return name
    data = [name for name in names if _DATA.search(name)]
    if len(data) == 1:
        return data[0]
    if data:
        raise InputRefused(
            f"{path} holds {len(data)} files that could be tweets: {', '.join(data[:3])}.",
            "",
            "Unpack it and import them one at a time.",
        )
    inside = ", ".join(sorted(names)[:3]) or "nothing"
    raise InputRefused(
        f"No tweets were found in {path}.",
        f"There is no data/tweets.js in it; it holds {inside}"
        + (f" and {len(names) - 3:,} more." if len(names) > 3 else "."),
    )
