"""The bytes of one data file, whatever it is wrapped in: plain, gzip, Zstandard, inside a zip.

Everything is a stream: memory is bounded by one block. A stream that is cut off gives what came
before the cut; what unpacks to far more than it was is refused.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import InputRefused
from core.sources import archive_files as limits
from core.sources.decoding import Encoding, TextFacts, guess_encoding, look_through, recoded

BLOCK: Final = 2 << 20  # fits into a processor's cache: twice as fast as 8 MB
LONGEST_LINE: Final = 16 << 20
_HEAD: Final = 65_536
_WINDOW: Final = 1 << 27  # the largest Zstandard window, as the zstd command has it

GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
_CUT: Final = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)


@dataclass
class Content:
    """A file to read, as often as wanted. ``member`` is a name inside the zip at ``path``.

    ``encoding`` is a guess by the first bytes until ``settle`` has looked at all of them.
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

        ``encoding`` is what the person says it is (WrongUsage when there is none such).
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
        if self.tar:
            with tar_member(self.path, self.member or "") as inner:
                yield inner, file.seek(0, 2)
            return
        try:
            archive = zipfile.ZipFile(file)
            info = archive.getinfo(self.member or "")
            inner = None if info.flag_bits & 0x1 else archive.open(info)
        except limits.ZIP_TROUBLE as error:
            raise InputRefused(f"{self.title} is damaged: {error}.") from error
        if inner is None:
            raise InputRefused(
                f"{self.title} is encrypted.",
                "mynah does not ask for passwords.",
                "Unpack it and import the file.",
            )
        with archive, inner:
            yield inner, info.compress_size

    def _unpacked(self, file: Any, position: Callable[[], int]) -> Any:
        """A binary stream of the file's own bytes, whatever it is packed in."""
        buffered = io.BufferedReader(file) if isinstance(file, io.RawIOBase) else file
        start = buffered.peek(4)[:4]
        if start[:2] == GZIP:
            self.packed = "gzip"
            return _Guarded(self, gzip.GzipFile(fileobj=buffered), position)
        if start == ZSTD:
            self.packed = "Zstandard"
            return _Guarded(self, _zstd(self, buffered), position)
        if self.member is not None:
            return _Guarded(self, buffered, position)
        return buffered

    def settle(
        self, *, signs: bool = True, seen: Callable[[bytes], None] | None = None
    ) -> TextFacts:
        """Look at every byte once: fixes the encoding and tells about HTML entities.

        Without ``signs`` it does not look for entities. ``seen`` is shown every block, too.
        """
        if not self.encoding.said and not self.encoding.name.startswith("utf-16"):
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
