"""Row-local work on all cores: a column in parts, each in a thread of its own.

Polars runs a string operation of one column on one core; it lets other threads go on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import polars as pl

Part = TypeVar("Part", pl.Series, pl.DataFrame)

_LEAST_ROWS: Final = 8_000  # below this, starting threads costs more than they gain
_MOST_PARTS: Final = 8


def in_parts(rows: int, work: Callable[[slice], Part]) -> Part:
    """What ``work`` gives for each part of ``rows`` rows, put together again in their order."""
    count = min(pl.thread_pool_size(), _MOST_PARTS, rows // _LEAST_ROWS)
    if count < 2:
        return work(slice(0, rows))
    size = -(-rows // count)
    parts = [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
    with ThreadPoolExecutor(count) as pool:
        return pl.concat(list(pool.map(work, parts)), rechunk=True)
