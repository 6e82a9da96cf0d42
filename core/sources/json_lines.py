"""Lines of JSON objects, a block at a time: each by itself, or all at once where that is safe.

One program writes one kind of line: the same keys in the same order, with plain values. Where the
places of keys and values prove that of a whole block, Polars reads it; any other block is read line
by line. Both give the same rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from msgspec import Struct
from msgspec.json import Decoder

from core.sources.columns import GUESSES, plain_name
from core.sources.json_reader import DECODE_ERRORS, OnBad
from core.sources.json_window import TOO_DEEP, TOO_LONG

_QUICK: Final[Decoder[Any]] = Decoder()
# Objects, or plain JSON where something is odd, and the lines that they begin in.
Run = tuple[Sequence[Any], Sequence[int]]

_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_\-. ]{1,60}")
# objects with these get looks inside
_DEEP: Final = {"retweetedstatus", "retweetedtweet", "extendedtweet"}
_QUOTE, _COLON, _BACKSLASH, _SPACE, _BREAK, _MINUS = b'":\\ \n-'
_LONGEST_NUMBER: Final = 25
_BEGINS: Final = np.isin(np.arange(256), list(b'"ntf'))
_DIGITS: Final = np.isin(np.arange(256), list(b"0123456789"))
_ENDS_NUMBER: Final = np.isin(np.arange(256), list(b",} \t\r\n"))

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.intp]


def block_lines(block: bytes, before: int, on_bad: OnBad) -> Iterator[tuple[int, Any]]:
    """Line number and value of each line that is JSON; ``before`` lines stand in front."""
    for number, row in enumerate(block.split(b"\n"), before + 1):
        if not row.strip():
            continue
        try:
            value = _loads(row)
        except UnicodeDecodeError:
            on_bad(number, "bad_encoding", "bytes that are not UTF-8")
        except (ValueError, RecursionError) as error:
            on_bad(number, "bad_json", _line_problem(error))
        else:
            yield number, value


def _loads(row: bytes) -> Any:
    """``json.loads``, twice as fast: what msgspec takes, both take alike."""
    try:
        return _QUICK.decode(row)
    except DECODE_ERRORS:
        return json.loads(row)  # NaN, half surrogate pairs, or an error with its place


def _line_problem(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}, column {error.colno:,}" if error.lineno == 1 else error.msg
    return TOO_DEEP if isinstance(error, RecursionError) else TOO_LONG


def lines_of_objects(block: bytes) -> int:
    """How many lines there are, if each begins with { and ends with } and a line break; else 0.

    Then no value goes over a line break, for what stands before the next { would be one of : , [.
    """
    data = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    if not ends.size or ends[-1] != data.size - 1 or data[0] != ord("{"):
        return 0
    last = data[ends - 1]
    last = np.where(last == ord("\r"), data[ends - 2], last)
    sound = (last == ord("}")).all() and (data[ends[:-1] + 1] == ord("{")).all()
    return int(ends.size) if sound else 0


class ObjectLines:
    """Reads blocks of lines as objects of one Struct."""

    def __init__(self, kind: type[Struct]) -> None:
        self._decoder: Decoder[Any] = Decoder(kind)

    def runs(self, block: bytes, before: int, on_bad: OnBad) -> Iterator[Run]:
        """Objects and their lines; those with odd values as plain JSON."""
        count = lines_of_objects(block)
        if count:
            try:
                items: list[Any] = self._decoder.decode_lines(block)
            except DECODE_ERRORS:
                items = []
            if len(items) == count:
                yield items, range(before + 1, before + 1 + count)
                return
        found: list[Any] = []
        numbers: list[int] = []
        for number, line in enumerate(block.split(b"\n"), before):
            try:
                found.append(self._decoder.decode(line))
                numbers.append(number + 1)
            except DECODE_ERRORS:
                for at, item in block_lines(line, number, on_bad):
                    found.append(item)
                    numbers.append(at)
        yield found, numbers


class FlatLines:
    """Reads blocks of lines that are like the object ``first``."""

    def __init__(self, first: dict[str, Any]) -> None:
        self._keys = list(first)
        known: dict[str, str] = {}
        for key in self._keys:
            known.setdefault(plain_name(key), key)
        self._roles = {
            role: [known[option] for option in options if option in known]
            for role, options in GUESSES.items()
        }
        self._schema = {key: pl.String() for keys in self._roles.values() for key in keys}
        self.possible = (
            all(_PLAIN_KEY.fullmatch(key) for key in self._keys)
            and not _DEEP & set(known)
            and all(isinstance(first[key], (str, int, type(None))) for key in self._schema)
            and bool(self._schema)
        )

    def frame(self, block: bytes) -> pl.DataFrame | None:
        """The columns of GUESSES, or None when the block is not beyond doubt."""
        data = np.frombuffer(block, dtype=np.uint8)
        rows = self._rows(data)
        if rows is None or (b"\\" in block and not pairs_only(data)):
            return None
        try:
            frame = pl.scan_ndjson(block, schema=self._schema).collect()
        except pl.exceptions.PolarsError:
            return None
        if frame.height != rows:
            return None
        return frame.select(self._column(role).alias(role) for role in GUESSES)

    def _rows(self, data: Bytes) -> int | None:
        """How many lines there are, if each has the keys of the first and values to be read."""
        ends = np.flatnonzero(data == _BREAK)
        rows = ends.size + int(data.size > 0 and data[-1] != _BREAK)
        # a quotation mark and a colon behind it end a key: inside a text, the mark is escaped
        closing = np.flatnonzero(data == _COLON) - 1
        closing = closing[(data[closing] == _QUOTE) & (data[closing - 1] != _BACKSLASH)]
        if not rows or closing.size != rows * len(self._keys):
            return None
        by_line = closing.reshape(rows, len(self._keys))
        between = ends[: rows - 1]
        if not ((by_line[:-1, -1] < between) & (by_line[1:, 0] > between)).all():
            return None
        for number, key in enumerate(self._keys):
            positions = by_line[:, number]
            if not _stands_before(data, positions, b'"' + key.encode()):
                return None
            if key in self._schema and not _plain_values(data, positions + 2):
                return None
        return rows

    def _column(self, role: str) -> pl.Expr:
        keys = self._roles[role]
        if not keys:
            return pl.lit(None, dtype=pl.String)
        if role == "text":
            return pl.coalesce(keys)
        return pl.coalesce(pl.when(pl.col(key) != "").then(pl.col(key)) for key in keys)


def _stands_before(data: Bytes, positions: Positions, word: bytes) -> bool:
    first = positions - len(word)
    if first.min() < 0:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(data, len(word))
    return bool((windows[first] == np.frombuffer(word, dtype=np.uint8)).all())


def _plain_values(data: Bytes, positions: Positions) -> bool:
    """Whether texts, whole numbers, truths and nulls begin at these places, or one space later.

    Other numbers, lists and objects mean something else to the careful reader.
    """
    if positions[-1] + 2 > data.size:
        return False
    positions = positions + (data[positions] == _SPACE)
    signs = data[positions]
    odd = positions[~_BEGINS[signs]]
    if not odd.size:
        return True
    # what begins otherwise must be digits up to the end of the value
    at = odd + (data[odd] == _MINUS)
    if at.max() >= data.size or not _DIGITS[data[at]].all():
        return False
    for _ in range(_LONGEST_NUMBER):
        at = at[at < data.size]
        digit = _DIGITS[data[at]]
        if not _ENDS_NUMBER[data[at[~digit]]].all():
            return False
        at = at[digit] + 1
        if not at.size:
            return True
    return False


def pairs_only(data: Bytes) -> bool:
    """Whether every half of a surrogate pair that is spelt with ``\\u`` has its other half.

    A half alone is no character. In doubt (an escaped backslash before ``ud83d``) the answer is no.
    """
    at = np.flatnonzero(data == _BACKSLASH)
    at = at[at + 6 <= data.size]
    at = at[(data[at + 1] == ord("u")) & ((data[at + 2] | 0x20) == ord("d"))]
    third = data[at + 3] | 0x20
    at, third = at[third >= ord("8")], third[third >= ord("8")]
    low = third >= ord("c")  # c to f: the second half
    return bool(
        at.size % 2 == 0
        and low[1::2].all()
        and not low[::2].any()
        and (at[1::2] == at[::2] + 6).all()
    )
