"""Opening a path: which archive or data file it holds, and its bytes, unpacked and as UTF-8.

A folder, a zip, a tar, gzip and Zstandard are looked into and never unpacked to disk. Everything is
a stream: memory is bounded by one block. A stream that is cut off gives what came before the cut;
what unpacks to far more than it was is refused.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import InputRefused
from core.sources.archives import archive_files as limits
from core.sources.archives.broken_zip import BrokenZipFiles
from core.sources.decoding import Encoding, TextFacts, guess_encoding, look_through, recoded

BLOCK: Final = 2 << 20  # fits into a processor's cache: twice as fast as 8 MB
LONGEST_LINE: Final = 16 << 20
_HEAD: Final = 65_536
_WINDOW: Final = 1 << 27  # the largest Zstandard window, as the zstd command has it

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
_CUT: Final = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)

_MONTH: Final = re.compile(r"(?:.*/)?data/js/tweets/\d{4}_\d{2}\.js")
_DATA: Final = re.compile(r"\.(csv|tsv|jsonl?|ndjson|txt|parquet|car)(\.gz|\.zst)?$", re.IGNORECASE)
_FOLDER_GLOBS: Final = ("{}", "*/{}")


def open_files(path: Path) -> limits.Files:
    """The files in the zip or folder at ``path``; raises InputRefused for an unsafe zip.

    Of a zip that is cut off, what is left.
    """
    if path.is_dir():
        return limits.FolderFiles(path)
    try:
        return limits.ZipFiles(path)
    except limits.Unsafe:
        raise
    except InputRefused:
        rest = BrokenZipFiles(path)
        if rest.names():
            return rest
        rest.close()
        raise


@dataclass
class Content:
    """A file to read, as often as wanted. ``member`` is a name inside the zip at ``path``.

    ``encoding`` is a guess by the first bytes until ``read_through`` has looked at all of them.
    ``damage`` says where a packed stream broke off; filled in while it is read.
    """

    path: Path
    member: str | None = None
    encoding: Encoding = field(default_factory=Encoding)
    damage: str = ""
    packed: str = ""
    tar: bool = False

    @property
    def title(self) -> str:
        return f"{self.member} in {self.path}" if self.member else str(self.path)

    @classmethod
    def of(
        cls,
        path: Path,
        member: str | None = None,
        *,
        tar: bool = False,
        encoding: str | None = None,
    ) -> Content:
        """Open and look at the beginning; raises InputRefused when it cannot be read.

        ``encoding`` is the one that the person named (WrongUsage when it is unknown).
        """
        content = cls(path, member, tar=tar)
        head = content.raw_head()
        content.encoding = Encoding.named(encoding, head) if encoding else guess_encoding(head)
        return content

    def raw_head(self) -> bytes:
        """The first bytes, unpacked and not decoded."""
        with self.raw() as stream:
            return stream.read(_HEAD)

    def head(self) -> str:
        """The first characters, without a byte order mark; the last one may be cut."""
        data = b"".join(recoded([self.raw_head()], self.encoding))
        return data.decode("utf-8", "ignore").removeprefix("\ufeff")

    @contextmanager
    def raw(self) -> Iterator[BinaryIO]:
        """The unpacked bytes; damage at the end of a packed stream looks like its end."""
        try:
            with self.path.open("rb") as file:
                if self.member is None:
                    yield self._unpacked(file, file.tell)
                    return
                with self._inside(file) as (inner, packed):
                    yield self._unpacked(inner, lambda: packed)
        except OSError as error:
            raise InputRefused(
                f"{self.title} cannot be read.", f"{error.strerror or error}."
            ) from error

    @contextmanager
    def _inside(self, file: BinaryIO) -> Iterator[tuple[Any, int]]:
        name = self.member or ""
        if self.tar:
            with tar_member(self.path, name) as inner:
                yield inner, file.seek(0, 2)
            return
        with open_files(self.path) as files:
            if name not in files.names():
                raise InputRefused(f"{self.title} is missing.")
            self.damage = files.damage
            with files.open(name) as inner:
                yield inner, files.packed_size(name)

    def _unpacked(self, file: Any, position: Callable[[], int]) -> Any:
        """A binary stream of the file's own bytes, whatever it is packed in."""
        buffered = io.BufferedReader(file) if isinstance(file, io.RawIOBase) else file
        try:
            start = buffered.peek(4)[:4]
        except limits.ZIP_TROUBLE as error:
            raise limits.damaged(self.path, error, self.member or "") from error
        if start[:2] == GZIP:
            self.packed = "gzip"
            return _Guarded(self, gzip.GzipFile(fileobj=buffered), position)
        if start == ZSTD:
            self.packed = "Zstandard"
            return _Guarded(self, _zstd(self, buffered), position)
        if self.member is not None:
            return _Guarded(self, buffered, position)
        return buffered

    def read_through(
        self, *, signs: bool = True, seen: Callable[[bytes], None] | None = None
    ) -> TextFacts:
        """Read every byte once: determines the encoding, and whether HTML entities occur.

        Without ``signs`` it does not look for entities. ``seen`` is shown every block, too.
        """
        if not self.encoding.chosen and not self.encoding.name.startswith("utf-16"):
            self.encoding = Encoding(bom=self.encoding.bom)
        blocks = self.blocks() if seen is None else shown_to(seen, self.blocks())
        facts = look_through(blocks, self.encoding, signs=signs)
        self.encoding = facts.encoding
        return facts

    def blocks(self, size: int = BLOCK) -> Iterator[bytes]:
        """UTF-8 without a byte order mark, cut anywhere."""
        with self.raw() as stream:
            yield from recoded(iter(lambda: stream.read(size), b""), self.encoding)

    def text_blocks(self, size: int = BLOCK) -> Iterator[bytes]:
        """UTF-8 without a byte order mark, in blocks that end with a line break (but the last).

        Bytes that are not valid in a UTF-8 file stay as they are: the readers of lines decide.
        Raises InputRefused for a line of more than LONGEST_LINE bytes.
        """
        carry = b""
        for block in self.blocks(size):
            joined = carry + block if carry else block
            cut = joined.rfind(b"\n") + 1
            if cut:
                yield joined[:cut]
            carry = joined[cut:]
            if len(carry) > LONGEST_LINE:
                raise InputRefused(
                    f"{self.title} has a line of more than {LONGEST_LINE >> 20} MB.",
                    "No list of tweets has lines like that.",
                )
        if carry:
            yield carry


def shown_to(seen: Callable[[bytes], None], blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same blocks, each shown to ``seen`` on its way."""
    for block in blocks:
        seen(block)
        yield block


@contextmanager
def tar_member(path: Path, name: str) -> Iterator[Any]:
    """The bytes of one file in a tar; raises InputRefused when it is damaged."""
    try:
        with tarfile.open(path) as archive:
            inner = archive.extractfile(name)  # looks, and writes nothing
            if inner is None:
                raise InputRefused(f"{name} in {path} is not a file.")
            with inner:
                yield inner
    except (tarfile.TarError, KeyError, EOFError, zlib.error) as error:
        raise InputRefused(f"{path} is damaged: {error}.") from error


def tar_names(path: Path) -> list[str]:
    """The files in a tar, packed or not; none when it is no tar."""
    names: list[str] = []
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    names.append(member.name)
                if len(names) > limits.MAX_ENTRIES or archive.offset > limits.MAX_TOTAL_BYTES:
                    break
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError):
        pass  # what is there until the damage
    return names


class _Guarded(io.RawIOBase):
    """Unpacked bytes, counted: bombs are refused, and a stream cut off simply ends."""

    def __init__(self, content: Content, inner: Any, position: Callable[[], int]) -> None:
        self._content = content
        self._inner = inner
        self._position = position
        self._size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = size if size >= 0 else _HEAD
        parts: list[bytes] = []
        got = 0
        while got < wanted and not self._content_ended:
            chunk = self._some(min(wanted - got, 1 << 20))
            if not chunk:
                break
            parts.append(chunk)
            got += len(chunk)
        return b"".join(parts)

    _content_ended = False

    def _some(self, size: int) -> bytes:
        try:
            chunk: bytes = self._inner.read(size)
        except _CUT as error:
            self._ended(error)
            return b""
        except OSError:
            raise
        except Exception as error:  # ZstdError has no other base
            if type(error).__name__ != "ZstdError":
                raise
            self._ended(error)
            return b""
        self._size += len(chunk)
        free, ratio = limits.RATIO_FREE_BYTES, limits.MAX_RATIO
        if self._size > free and self._size > ratio * max(self._position(), 1):
            raise InputRefused(
                f"{self._content.title} is not safe to read.",
                f"It unpacks to more than {ratio} times its size.",
            )
        return chunk

    def _ended(self, error: Exception) -> None:
        self._content_ended = True
        self._content.damage = (
            f"The packed data breaks off or is damaged after {self._size:,} bytes of text "
            f"({str(error).rstrip('.') or type(error).__name__})."
        )


def _zstd(content: Content, stream: Any) -> Any:
    try:
        import zstandard
    except ImportError:
        raise InputRefused(
            f"{content.title} is packed with Zstandard, and this Python cannot unpack it.",
            "The package zstandard is missing.",
            "Install it, or unpack the file with `unzstd`.",
        ) from None
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    return unpacker.stream_reader(stream, read_across_frames=True)


@dataclass(frozen=True)
class Held:
    """``format`` of an archive with parts of its own, or ``member`` with everything."""

    format: str = ""
    member: str = ""


def months_of(names: Sequence[str]) -> list[str]:
    """The lists of tweets of an archive as Twitter gave it until 2018, in order."""
    return sorted(name for name in names if _MONTH.fullmatch(name))


def in_folder(path: Path) -> Held:
    """What a folder holds; raises InputRefused."""
    with open_files(path) as files:
        if limits.find_data_folder(files.names()) is not None:
            return Held("x-archive")
    if months_of(folder_names(path)):
        return Held("grailbird")
    for name in ("outbox.json", "tweets.csv", "repo.car"):
        for pattern in _FOLDER_GLOBS:
            for found in sorted(path.glob(pattern.format(name))):
                if found.is_file():
                    return Held(member=found.relative_to(path).as_posix())
    raise InputRefused(
        f"No tweets were found in the folder {path}.",
        "There is no data/tweets.js or data/manifest.js in it, and no outbox.json or tweets.csv.",
        "Choose the folder that the archive was unpacked to, or the zip itself.",
    )


def folder_names(path: Path) -> list[str]:
    """The scripts of an unpacked archive of before 2018."""
    found = [*path.glob("data/js/**/*.js"), *path.glob("*/data/js/**/*.js")]
    return sorted(p.relative_to(path).as_posix() for p in found if p.is_file())


def in_zip(path: Path) -> Held:
    """What a zip holds; raises InputRefused."""
    with open_files(path) as files:
        names = files.names()
        if limits.find_data_folder(names) is not None:
            return Held("x-archive")
        cut = bool(files.damage)
    if months_of(names):
        return Held("grailbird")
    if cut and not any(_DATA.search(name) for name in names):
        raise limits.cut_off(path)
    return Held(member=_one_of(path, names))


def in_tar(path: Path) -> Held | None:
    """What a tar holds; None when it is no tar."""
    names = tar_names(path)
    return Held(member=_one_of(path, names)) if names else None


def looks_like_tar(path: Path) -> bool:
    """Whether there is a tar, perhaps packed with gzip, at ``path``."""
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith((GZIP, ZSTD)):
        start = Content(path).raw_head() if start.startswith(GZIP) else b""
    return start[257:262] == b"ustar"


def _one_of(path: Path, given: Sequence[str]) -> str:
    # a Mac packs what it knows of a file beside it, as ._file
    names = [name for name in given if not name.rpartition("/")[2].startswith("._")]
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
