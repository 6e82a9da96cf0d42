"""Finished files that take their places together: open this for how an output replaces an earlier
one, and what a killed process leaves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.files import force_to_disk, owned_folder, write_text_whole
from core.json_lines import parse_json

# In a folder while its files are being replaced: their names.
_UNFINISHED: Final = ".mynah-unfinished"


@contextmanager
def workspace(out: Path) -> Iterator[Path]:
    """An empty folder on the same disk as ``out``, gone again whatever happens. Raises OSError.

    What a killed process left beside ``out`` is removed first.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with owned_folder(out.parent, "export", elsewhere=False) as folder:
        yield folder


def put_in_place(
    made: Mapping[Path, Path],
    manifest: tuple[Path, Path],
    unwanted: Sequence[Path] = (),
    *,
    folder: Path | None = None,
) -> None:
    """Moves finished files (from: to) to their names, the manifest last.

    Everything is on the disk first, and an older manifest goes before the first file is replaced:
    whenever it ends, what a manifest tells of is there. ``folder`` is one that is filled: who is
    killed meanwhile leaves in it the names of what is his (`unfinished`).
    """
    for file in (*made, manifest[0]):
        force_to_disk(file)
    mark = None if folder is None else folder / _UNFINISHED
    if folder is not None and mark is not None:
        there = [*made.values(), *unwanted, *unfinished(folder)]
        names = sorted({file.relative_to(folder).as_posix() for file in there})
        write_text_whole(mark, json.dumps(names))
    manifest[1].unlink(missing_ok=True)
    for file in unwanted:
        file.unlink(missing_ok=True)
    for file, destination in made.items():
        destination.parent.mkdir(parents=True, exist_ok=True)
        file.replace(destination)
    for folder in sorted({destination.parent for destination in made.values()}):
        force_to_disk(folder)
    manifest[0].replace(manifest[1])
    if mark is not None:
        mark.unlink()
    force_to_disk(manifest[1].parent)


def unfinished(folder: Path) -> list[Path]:
    """The files that a process which was killed has put, or was about to put, into a folder."""
    try:
        names = parse_json((folder / _UNFINISHED).read_bytes())
    except (OSError, ValueError):
        return []
    sound = isinstance(names, list) and all(isinstance(name, str) for name in names)
    found = [folder / name for name in names] if sound else []
    # it may have been changed by somebody else: nothing outside of the folder
    return [file for file in found if file.resolve().is_relative_to(folder.resolve())]
