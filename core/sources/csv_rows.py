"""Rows of a CSV, fast where the quoting is beyond doubt and careful where it is not.

A block whose every quotation mark stands where RFC 4180 puts it, and whose rows all have as many
fields as the header, is split by Polars. Any other block goes through the csv module of the
standard library, which is exact about odd quotes. Both give the same rows.
"""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from core.errors import InputRefused
from core.sources.batches import Lines, Placed, gathered, listed, running
from core.sources.decoding import count_byte
from core.sources.source import BATCH_ROWS

_QUOTE: Final = 34
_BLANK_LINES: Final = re.compile(rb"(?:\r?\n)+")
_LONGEST_FIELD: Final = 131_072  # csv.field_size_limit() as Python has it
_PIECE: Final = 256 << 10
_MOST_BAD: Final = 1_000  # broken rows, as long as they are more than the sound ones
_REREAD: Final = 64 << 20  # characters read again after quotes that never close

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.intp]
# line, reason, what is wrong
OnBad = Callable[[int, str, str], None]


def well_formed(block: bytes, delimiter: str) -> bool:
    """Whether every quotation mark opens a field, closes one, or is doubled inside one."""
    data = np.frombuffer(block, dtype=np.uint8)
    return _in_place(data, np.flatnonzero(data == _QUOTE), delimiter)


def _in_place(data: Bytes, quotes: Positions, delimiter: str) -> bool:
    if not quotes.size:
        return True
    if quotes.size % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = data[np.maximum(opening - 1, 0)]
    after = data[np.minimum(closing + 1, data.size - 1)]
    sign = ord(delimiter)
    opens = (before == sign) | (before == 10) | (before == _QUOTE) | (opening == 0)
    closes = (
        (after == sign) | (after == 10) | (after == 13) | (after == _QUOTE)
        | (closing == data.size - 1)
    )  # fmt: skip
    return bool(opens.all() and closes.all())


class CsvRows:
    """The rows of ``blocks`` (UTF-8, each ending with a line break) after the header.

    ``width`` fields a row. ``on_bad`` gets each row that cannot be one.
    """

    def __init__(
        self, blocks: Iterator[bytes], width: int, delimiter: str, on_bad: OnBad | None = None
    ) -> None:
        self._blocks = blocks
        self._carry = b""
        self._width = width
        self._delimiter = delimiter
        self._on_bad = on_bad
        self._line = 0  # lines that are done with
        self.lines: deque[Lines] = deque()  # of the frames that were given, in their order
        self._reread = 0
        self._good = self._bad = 0
        self._piece = False
        self._quotes: Positions = np.empty(0, dtype=np.intp)  # in the block at hand
        self._doubtful = 0  # bytes to be taken in small pieces, for something is odd in them
        self._schema = {str(number): pl.String() for number in range(width)}

    def frames(self, *, careful: bool = False) -> Iterator[pl.DataFrame]:
        """Frames of at most BATCH_ROWS rows; columns are named 0, 1, … and hold text.

        ``careful`` sends everything through the csv module.
        """
        for frame, lines in gathered(self._parts(careful=careful), BATCH_ROWS):
            self.lines.append(lines)
            yield frame

    def _parts(self, *, careful: bool) -> Iterator[Placed]:
        self._skip_header()
        while block := self._next():
            if blank := _BLANK_LINES.match(block):  # millions of them are skipped at once
                self._line += count_byte(blank[0], b"\n")
                block = block[blank.end() :]
                if not block:
                    continue
            even, rest = (b"", block) if careful else self._even(block)
            frame = self._fast(even) if even else None
            if frame is None and not careful and not self._piece and len(block) > _PIECE:
                self._doubtful, self._carry = len(block), block + self._carry
            elif frame is not None:
                self._carry = rest + self._carry
                first = self._line + 1
                self._line += count_byte(even, b"\n")
                self._good += frame.height
                for number, part in enumerate(frame.iter_slices(BATCH_ROWS)):
                    yield part, running(first, frame, number * BATCH_ROWS)
            else:
                for rows, starts in self._careful(block):
                    self._good += len(rows)
                    part = pl.DataFrame(
                        dict(zip(self._schema, zip(*rows, strict=True), strict=True)),
                        schema=self._schema,
                    )
                    yield part, listed(starts)

    def _next(self) -> bytes:
        if self._carry:
            block, self._carry = self._carry, b""
            if len(block) < _PIECE and not self._doubtful and block.endswith(b"\n"):
                block += next(self._blocks, b"")
        else:
            block = next(self._blocks, b"")
        self._piece = self._doubtful > 0
        if self._piece and len(block) > _PIECE:
            cut = block.find(b"\n", _PIECE) + 1 or len(block)
            block, self._carry = block[:cut], block[cut:]
        self._doubtful = max(0, self._doubtful - len(block))
        return block

    def _skip_header(self) -> None:
        block = self._next()
        cut = block.find(b"\n", _PIECE // 4) + 1 or len(block)
        self._carry = block[cut:]
        lines = _Lines(block[:cut], iter(self._next, b""))
        try:
            next(csv.reader(lines, delimiter=self._delimiter), None)
        except csv.Error as error:
            raise InputRefused(
                "The first row, which names the columns, cannot be read.",
                f"{error}; a quotation mark may not be closed.",
                "Export the file again.",
            ) from None
        self._line = lines.number
        self._carry = lines.rest() + self._carry

    def _even(self, block: bytes) -> tuple[bytes, bytes]:
        """The part up to the last line break outside quotes, and the rest."""
        self._quotes = np.flatnonzero(np.frombuffer(block, dtype=np.uint8) == _QUOTE)
        quotes = self._quotes
        if quotes.size % 2 == 0:
            return block, b""
        cut = int(quotes[-1])
        for _ in range(100):
            cut = block.rfind(b"\n", 0, cut)
            if cut < 0:
                break
            if (before := np.searchsorted(quotes, cut)) % 2 == 0:
                self._quotes = quotes[:before]
                return block[: cut + 1], block[cut + 1 :]
        return b"", block

    def _fast(self, block: bytes) -> pl.DataFrame | None:
        """The rows, or None when the block is not beyond doubt."""
        data = np.frombuffer(block, dtype=np.uint8)
        returns = count_byte(block, b"\r") if b"\r" in block else 0
        if returns and returns != np.count_nonzero((data[:-1] == 13) & (data[1:] == 10)):
            return None
        if not _in_place(data, self._quotes, self._delimiter):
            return None
        if block.startswith(BOM_UTF8):
            return None  # Polars would take it for the mark of a file
        if not self._quotes.size and not self._right_sum(block):
            return None  # not even to be tried: of a row of a million fields Polars takes long
        if self._width == 1 and (block[:1] in b"\r\n" or b"\n\n" in block or b"\n\r\n" in block):
            return None
        try:
            # the lazy road costs half of read_csv
            frame = pl.scan_csv(
                block,
                has_header=False,
                schema=self._schema,
                separator=self._delimiter,
                empty_string_is_null=False,
            ).collect()
        except (pl.exceptions.PolarsError, OSError):
            # OSError: bytes that begin as a compressed file does, which Polars then unpacks
            return None
        lengths = frame.select(pl.all().str.len_bytes())
        longest = lengths.select(pl.max_horizontal(pl.all().max())).item() or 0
        text = lengths.select(pl.sum_horizontal(pl.all().sum())).item() or 0
        sound = longest < _LONGEST_FIELD and (
            self._every_byte(block, frame.height, text) or self._every_sign(block, frame)
        )
        return frame if sound else None

    def _right_sum(self, block: bytes) -> bool:
        """Whether a block without quotes has as many delimiters as its lines should have."""
        lines = count_byte(block, b"\n") + (not block.endswith(b"\n"))
        return count_byte(block, self._delimiter.encode()) == lines * (self._width - 1)

    def _every_byte(self, block: bytes, rows: int, text: int) -> bool:
        """Whether fields, delimiters, quotes and line ends come to as many bytes as there are.

        A row with too many fields is an error before. One with too few, or a blank line, leaves the
        block with fewer bytes than counted; where lines end with \\n alone, nothing makes up for
        that.
        """
        end = 2 if block.endswith(b"\r\n") else 1
        if end == 1 and b"\r" in block:
            return False
        opening, closing = self._quotes[::2], self._quotes[1::2]
        doubled = int(np.count_nonzero(closing[:-1] + 1 == opening[1:]))
        signs = rows * (self._width - 1) + self._quotes.size - doubled
        return text + signs + rows * end - (not block.endswith(b"\n")) == len(block)

    def _every_sign(self, block: bytes, frame: pl.DataFrame) -> bool:
        """The same, by counting delimiters and line breaks in the block and inside the fields."""
        # no row has too many fields (that is an error), so the right sum means none has too few
        quoted = self._quotes.size > 0
        delimiters = self._inside(frame, self._delimiter) if quoted else 0
        ends = count_byte(block, b"\n") + (not block.endswith(b"\n"))
        breaks = self._inside(frame, "\n") if quoted and ends > frame.height else 0
        return frame.height + breaks == ends and count_byte(
            block, self._delimiter.encode()
        ) - delimiters == frame.height * (self._width - 1)

    def _inside(self, frame: pl.DataFrame, sign: str) -> int:
        found = frame.select(
            pl.sum_horizontal(pl.all().str.count_matches(sign, literal=True).sum())
        )
        return int(found.item() or 0)

    def _careful(self, block: bytes) -> Iterator[tuple[list[list[str]], list[int]]]:
        """Rows and their first lines until ``block`` is read; what was begun beyond goes back."""
        lines = _Lines(block, iter(self._next, b""), self._line)
        good: list[list[str]] = []
        starts: list[int] = []
        taken: list[str] = []

        def feed() -> Iterator[str]:
            for line in lines:
                taken.append(line)
                yield line

        reader = csv.reader(feed(), delimiter=self._delimiter)
        while lines.in_first:
            taken.clear()
            start = lines.number + 1
            problem = reason = ""
            row: list[str] = []
            try:
                row = next(reader, [])
            except csv.Error as error:
                problem = f"{error}; a quotation mark may not be closed"
                reason = "open_quote" if "limit" in str(error) else "bad_row"
                reader = csv.reader(feed(), delimiter=self._delimiter)
            if not row and not problem:
                continue
            extra = len(row) > self._width and not any(row[self._width :])
            if not problem and len(row) != self._width and not extra:
                reason = "bad_row"
                problem = f"{len(row)} fields where the header has {self._width}"
            if len(taken) > 1 and (problem or lines.at_end) and not self._clean(taken):
                # the quote that opened in the first line was meant as a sign like any other
                reason = "open_quote"
                problem = problem or "a quotation mark is never closed"
                self._take_back(lines, taken, start)
                reader = csv.reader(feed(), delimiter=self._delimiter)
            if not problem and any(_undecoded(field) for field in row):
                reason, problem = "bad_encoding", "bytes that are not UTF-8"
            if problem:
                if self._on_bad:
                    self._on_bad(start, reason, problem)
                self._bad += 1
                if self._bad > _MOST_BAD and self._bad > self._good + len(good):
                    raise InputRefused(
                        "More rows are broken than sound, so this is not the table it seems.",
                        f"The last one is line {start:,}: {problem}.",
                        "Export the file again.",
                    )
                continue
            good.append(row[: self._width])
            starts.append(start)
            if len(good) >= BATCH_ROWS:
                yield good, starts
                good, starts = [], []
        self._line = lines.number
        self._carry = lines.rest() + self._carry
        if good:
            yield good, starts

    def _clean(self, taken: list[str]) -> bool:
        raw = "".join(taken).encode("utf-8", "surrogateescape")
        return well_formed(raw, self._delimiter)

    def _take_back(self, lines: _Lines, taken: list[str], start: int) -> None:
        self._reread += sum(map(len, taken))
        if self._reread > _REREAD:
            raise InputRefused(
                f"Too many quotation marks are never closed, the last one in line {start:,}.",
                "",
                "Export the file again.",
            )
        lines.push_back(taken[1:])


def _undecoded(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


class _Lines:
    """Lines as text, with their breaks; some can be put back."""

    def __init__(self, first: bytes, more: Iterator[bytes], number: int = 0) -> None:
        self._more = more
        self._queue: deque[str] = deque()
        self.number = number
        self._take(first)
        self._first = len(self._queue)

    @property
    def in_first(self) -> bool:
        """Whether lines of the first block are left."""
        return self._first > 0

    @property
    def at_end(self) -> bool:
        if not self._queue:
            self._take(next(self._more, b""))
        return not self._queue

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at_end:
            raise StopIteration
        self.number += 1
        self._first -= 1
        return self._queue.popleft()

    def push_back(self, lines: list[str]) -> None:
        self._queue.extendleft(reversed(lines))
        self.number -= len(lines)
        self._first += len(lines)

    def rest(self) -> bytes:
        """The bytes that were not taken yet."""
        return "".join(self._queue).encode("utf-8", "surrogateescape")

    def _take(self, block: bytes) -> None:
        if block:
            text = block.decode("utf-8", "surrogateescape")
            self._queue.extend(io.StringIO(text, newline=""))
