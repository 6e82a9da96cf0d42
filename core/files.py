"""Files and folders that appear whole or not at all, and temporary folders with an owner.

A file is written beside its place, forced to the disk, then renamed over it; the folder is forced
to the disk last, so that after a power cut the old or the new content is there, never a part.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final

from core.processes import Owner, process_times, this_machine

_CHUNK: Final = 1 << 20
_writes: Final = itertools.count()


def write_whole(path: Path, write: Callable[[Path], object], *, private: bool = False) -> None:
    """Lets ``write`` fill a file beside ``path``, then puts it in place in one step.

    When ``write`` fails, ``path`` is as it was and nothing is left beside it; what a killed process
    has left there is removed. A file that is replaced keeps its permissions, a link leads to the
    new content, and a pipe or a device takes it. ``private``: only this user can read the file.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        _write_through(path, write)
        return
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = this_machine()
    _remove_parts(path, machine)
    # of this process, and of this write: two of its threads may write the same file
    owner = f"{machine}-{next(_writes)}-{os.getpid()}"
    part = path.with_name(f".{_short(path.name)}.{owner}.part")
    mode = stat.S_IMODE(path.stat().st_mode) if path.is_file() else None
    try:
        part.unlink(missing_ok=True)  # of a process that was killed and had the same number
        if private or mode is not None:
            part.touch(0o600, exist_ok=False)
        write(part)
        if mode is not None and not private:
            part.chmod(mode)
        force_to_disk(part)
        part.replace(path)
        force_to_disk(path.parent)
    except OSError as error:
        if str(error.filename) == str(part):  # a name that nobody has given
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        part.unlink(missing_ok=True)


def _short(name: str) -> str:
    """The beginning of a file's name: with what a part's name adds, 255 bytes are enough for it."""
    return name[:60].encode("utf-8", "surrogateescape")[:180].decode("utf-8", "ignore")


def _write_through(path: Path, write: Callable[[Path], object]) -> None:
    """Into a pipe or a device: there is nothing to be replaced."""
    with temporary_folder("content") as folder:
        made = folder / "content"
        write(made)
        with made.open("rb") as content, path.open("wb") as stream:
            shutil.copyfileobj(content, stream)


def _remove_parts(path: Path, machine: str) -> None:
    """Removes the parts of processes of this machine that are gone. They may hold tweets."""
    begins, ends = f".{_short(path.name)}.", ".part"
    with suppress(OSError), os.scandir(path.parent) as there:
        for entry in there:
            if not (entry.name.endswith(ends) and entry.name.startswith(begins)):
                continue
            # earlier versions did not name the machine, or not the write
            of, _, pid = entry.name[len(begins) : -len(ends)].rpartition("-")
            if (
                of.partition("-")[0] in ("", machine)
                and pid.isdecimal()
                and process_times(int(pid)) is None
            ):
                Path(entry.path).unlink()


def write_text_whole(path: Path, text: str, *, private: bool = False) -> None:
    """Writes ``text`` as UTF-8, line ends as they are, whole or not at all."""
    write_bytes_whole(path, text.encode("utf-8"), private=private)


def write_bytes_whole(path: Path, content: bytes, *, private: bool = False) -> None:
    """Writes ``content`` whole or not at all; ``private``: only this user can read the file."""
    write_whole(path, lambda part: part.write_bytes(content), private=private)


@contextmanager
def folder_whole(path: Path, purpose: str = "folder") -> Iterator[Path]:
    """An empty folder to fill, which becomes ``path`` in one step when the block ends well.

    A folder that is there already is replaced; when the block fails it stays as it was.
    """
    with owned_folder(path.parent, purpose) as made:
        content = made / "content"
        content.mkdir()
        yield content
        for file in content.rglob("*"):
            force_to_disk(file)
        force_to_disk(content)
        before = made / "before"
        with suppress(FileNotFoundError):
            path.replace(before)
        try:
            content.replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                before.replace(path)
            raise
        force_to_disk(path.parent)


def is_there(path: Path) -> bool:
    """Whether there is a file or a folder; not where it cannot be looked at, as with a name that is
    too long."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def there_already(paths: Iterable[Path]) -> list[Path]:
    """Those that would be replaced: files, and folders that hold something."""
    return [path for path in paths if is_there(path) and _holds_something(path)]


def _holds_something(path: Path) -> bool:
    try:
        return path.is_file() or (path.is_dir() and any(path.iterdir()))
    except OSError:  # a folder that cannot be read: whoever writes there says so
        return False


def size_on_disk(place: Path, seconds: float = math.inf) -> tuple[int, bool]:
    """Bytes of a file, or of all files below a folder, and whether these are all.

    After ``seconds`` it is what was counted until then. What is not there, or may not be read, is
    nothing; a link counts as itself.
    """
    until = time.monotonic() + seconds
    total, folders = 0, [place]
    if not place.is_dir():
        with suppress(OSError):
            total = place.lstat().st_size
        return total, True
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if time.monotonic() > until:
                    return total, False
                with suppress(OSError):  # a process may be at work there
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
    return total, True


def force_to_disk(path: Path) -> None:
    """Waits until the content of a file, or the list of names in a folder, is on the disk."""
    if path.is_dir():
        if sys.platform == "win32":  # which cannot open a folder
            return
        descriptor = os.open(path, os.O_RDONLY)
    else:
        # Windows forces only what is open for writing
        descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def owned_folder(beside: Path, purpose: str, *, elsewhere: bool = True) -> Iterator[Path]:
    """A temporary folder in ``beside`` that only this user can open, removed after the block.

    Its name says ``purpose`` and its owner (machine, process, start of the process); what a killed
    process left there for the same purpose is removed first. Where ``beside`` cannot be written,
    the folder is made in the system's temporary folder, or not ``elsewhere``: that raises OSError.
    """
    remove_orphans(beside, purpose)
    owner = Owner.this_process()
    prefix = f".mynah-{purpose}-{owner.machine}-{owner.pid}-{owner.began}-"
    try:
        beside.mkdir(parents=True, exist_ok=True)
        made = tempfile.mkdtemp(prefix=prefix, dir=beside)
    except OSError:
        if not elsewhere:
            raise
        remove_orphans(Path(tempfile.gettempdir()), purpose)
        made = tempfile.mkdtemp(prefix=prefix)
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def temporary_folder(purpose: str) -> AbstractContextManager[Path]:
    """An `owned_folder` in the system's temporary folder, for what belongs beside nothing."""
    return owned_folder(Path(tempfile.gettempdir()), purpose)


def remove_orphans(beside: Path, purpose: str = "*") -> None:
    """Removes the owned folders of processes of this machine that are gone. They hold tweets.

    Only those for ``purpose``, unless it is ``*``.
    """
    of = "[a-z-]+" if purpose == "*" else re.escape(purpose)
    named = re.compile(rf"\.mynah-{of}-([0-9a-f]{{12}})-(\d+)-(\d+)-\w+")
    with suppress(OSError):
        for folder in beside.glob(f".mynah-{purpose}-*"):
            found = named.fullmatch(folder.name)
            if found is None or folder.is_symlink():
                continue
            if not Owner(found[1], int(found[2]), int(found[3])).may_live():
                shutil.rmtree(folder, ignore_errors=True)
