"""Several files by one name: open this for what ``tweets/*.csv`` stands for."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Final

from core.errors import InputRefused

# What may hold tweets by itself, packed or not; archives are chosen one by one.
_TABLES: Final = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
_PACKED: Final = (".gz", ".zst")
# Beside what `mynah export` and `mynah curate` write; the module that writes it loads Polars.
_MANIFEST: Final = ".manifest.json"


def files_at(path: Path) -> list[Path]:
    """The files that a pattern fits, or the tables in a folder that is no archive, by name.

    Anything else, also what is not there, is itself. Reads the folder.
    """
    try:
        is_there = path.exists()
    except (OSError, ValueError):  # a name that is too long, or with a NUL
        return [path]
    if not is_there:
        if not glob.has_magic(str(path)):
            return [path]
        found = sorted(glob.glob(str(path)))  # noqa: PTH207  # pathlib's takes no absolute pattern
        return [Path(name) for name in found if Path(name).is_file()] or [path]
    if not path.is_dir():
        return [path]
    from core.sources.opened import in_folder

    try:
        in_folder(path)
    except InputRefused:
        return sorted(
            file for file in path.iterdir() if is_table(file.name) and file.is_file()
        ) or [path]
    return [path]


def is_table(name: str) -> bool:
    """Whether a file of this name may hold tweets as a table or as JSON."""
    name = name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return name.endswith(_TABLES) and not name.startswith(".") and not name.endswith(_MANIFEST)
