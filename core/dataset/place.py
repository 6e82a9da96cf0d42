"""Where an export is made: a hidden folder beside its place, gone again whatever happens.

A kill leaves that folder, which nobody takes for an export; the next one beside it clears it away.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_OWNER: Final = "mynah.export"  # who is at work there
_SECONDS: Final = 60.0  # a folder without an owner for so long has lost it


@contextmanager
def workspace(out: Path) -> Iterator[Path]:
    """An empty folder on the same disk as ``out``, which only this user can look into."""
    from core.processes import process_times, this_machine

    out.parent.mkdir(parents=True, exist_ok=True)
    remove_stale(out.parent)
    name = f".{out.name[:60]}."
    folder = Path(tempfile.mkdtemp(prefix=name, suffix=".part", dir=out.parent))
    try:
        owner = {
            "pid": os.getpid(),
            "pid_start": process_times(os.getpid()),
            "machine": this_machine(),
        }
        (folder / _OWNER).write_text(json.dumps(owner), encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_stale(beside: Path) -> None:
    """Removes what exports that were killed have left in the folder ``beside``."""
    for folder in beside.glob(".*.part"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            if folder.is_symlink() or not folder.is_dir():
                continue
            if (folder / _OWNER).is_file():
                if not _owned(json.loads((folder / _OWNER).read_text(encoding="utf-8"))):
                    shutil.rmtree(folder)
            elif time.time() - folder.stat().st_mtime > _SECONDS:
                folder.rmdir()  # only if it is empty: it may be anybody's


def _owned(owner: dict[str, object]) -> bool:
    """Whether the process that made a workspace is still there, as far as can be known."""
    from core.processes import process_times, this_machine

    if owner["machine"] != this_machine():
        return True
    began = process_times(int(str(owner["pid"])))
    return began is not None and (began == 0.0 or began == owner["pid_start"])


def put_in_place(
    made: Mapping[Path, Path], manifest: tuple[Path, Path], unwanted: Sequence[Path] = ()
) -> None:
    """Moves finished files (from: to) to their places, the manifest last.

    Everything is on the disk first, and an older manifest goes before the first file is replaced:
    whenever it ends, what a manifest tells of is there.
    """
    for file in (*made, manifest[0]):
        with file.open("rb") as written:
            os.fsync(written.fileno())
    manifest[1].unlink(missing_ok=True)
    for file in unwanted:
        file.unlink(missing_ok=True)
    for file, place in made.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
    manifest[0].replace(manifest[1])
