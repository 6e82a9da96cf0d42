"""Batches of raw rows on their way through a source: joined, made ahead, traced to their lines.

``Lines`` tells which lines of a file the rows of a frame came from; it is worked out only for rows
that ask.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import polars as pl

T = TypeVar("T")
_END: Final = object()
# rows of a frame, counted from 0 and rising, to the lines they begin in
Lines = Callable[[Sequence[int]], list[int]]
Placed = tuple[pl.DataFrame, Lines]


def listed(lines: Sequence[int]) -> Lines:
    """A frame whose rows begin in ``lines``."""
    return partial(_of_list, lines)


def running(first: int, frame: pl.DataFrame, offset: int = 0) -> Lines:
    """Rows of ``frame`` from ``offset`` on, each a line unless its fields hold line breaks.

    The first row of ``frame`` begins in line ``first``.
    """
    return partial(_of_frame, first, frame, offset)


def of_block(block: bytes, before: int) -> Lines:
    """Rows that are the lines of ``block`` but the blank ones; ``before`` stand in front of it."""
    return partial(_of_block, block, before)


def gathered(parts: Iterable[Placed], most: int) -> Iterator[Placed]:
    """The same rows in larger frames, of at most ``most`` rows unless a part has more.

    Parts may be narrower than the others, and hold other types: then all of it becomes text.
    """
    some: list[Placed] = []
    rows = 0
    for part in parts:
        if some and rows + part[0].height > most:
            yield _together(some)
            some, rows = [], 0
        if part[0].height or not some:
            some.append(part)
            rows += part[0].height
        if rows > most // 2:
            yield _together(some)
            some, rows = [], 0
    if some:
        yield _together(some)


def _together(parts: list[Placed]) -> Placed:
    frames = [frame for frame, _ in parts]
    lines_of = joined([(frame.height, lines) for frame, lines in parts])
    if all(frame.schema == frames[0].schema for frame in frames):
        return pl.concat(frames), lines_of
    return pl.concat([frame.cast(pl.String()) for frame in frames], how="diagonal"), lines_of


def joined(parts: Sequence[tuple[int, Lines]]) -> Lines:
    """Frames of so many rows each, one behind the other."""
    return parts[0][1] if len(parts) == 1 else partial(_of_parts, parts)


def _of_parts(parts: Sequence[tuple[int, Lines]], rows: Sequence[int]) -> list[int]:
    found: list[int] = []
    start = 0
    for height, lines in parts:
        found += lines([row - start for row in rows if start <= row < start + height])
        start += height
    return found


def _of_list(lines: Sequence[int], rows: Sequence[int]) -> list[int]:
    return [lines[row] for row in rows]


def _of_frame(first: int, frame: pl.DataFrame, offset: int, rows: Sequence[int]) -> list[int]:
    if not rows:
        return []
    before = frame.head(offset + rows[-1]).select(
        more=pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True)).cum_sum()
    )["more"]
    return [
        first + offset + row + (int(before[offset + row - 1]) if offset + row else 0)
        for row in rows
    ]


def _of_block(block: bytes, before: int, rows: Sequence[int]) -> list[int]:
    if not rows:
        return []
    numbers = [number for number, line in enumerate(block.split(b"\n"), before + 1) if line.strip()]
    return [numbers[row] for row in rows]


def read_ahead(items: Iterable[T], depth: int = 2) -> Iterator[T]:
    """The same items in the same order, made in a thread that is at most ``depth`` ahead.

    An exception of ``items`` comes out where it happened. When the reader stops early, the thread
    ends after the item it is at.
    """
    passed: queue.Queue[Any] = queue.Queue(depth)
    over = threading.Event()

    def put(thing: Any) -> None:
        while not over.is_set():
            try:
                passed.put(thing, timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put((item, None))
                if over.is_set():
                    break
            put((_END, None))
        except BaseException as error:
            put((_END, error))
        finally:
            if isinstance(items, Generator):
                items.close()

    worker = threading.Thread(target=work, name="read-ahead", daemon=True)
    worker.start()
    try:
        while True:
            item, error = passed.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        over.set()
        worker.join()
