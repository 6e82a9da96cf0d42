"""The rows of an export on disk, with the little of each that split and order need in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from core.dataset.split import keys_of
from core.dataset.tally import Tally

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLUMNS: Final = ("tweet_id", "handle", "created_at", "kind", "text")
PICKED: Final = 500_000  # rows in any order that are looked up at once
BATCH: Final = 50_000


class Gathered:
    """Rows as exported, in parts of Arrow IPC, in the order in which they came.

    parts   one file per batch that had rows
    keys    one row each: handle (Enum), chars, and what ``split`` asks for; empty columns where
            neither a split nor weights are wanted
    tally   the counts of every tweet, exported or not
    """

    def __init__(self, folder: Path, what: str, tally: Tally) -> None:
        self.parts: list[Path] = []
        self.tally = tally
        self.empty = pl.DataFrame()
        self.keys = pl.DataFrame()
        self._folder = folder
        self._what = what

    @property
    def per_handle(self) -> dict[str, int]:
        """The number of rows of each account."""
        return self.tally.kept if self._what == "kept" else self.tally.downloaded

    def gather(
        self,
        batches: Iterable[pl.DataFrame],
        *,
        handles: Sequence[str],
        seed: int | None,
        check: Callable[[int], None],
    ) -> None:
        """Takes in batches of a curated frame; ``check`` hears how many tweets that makes.

        With a ``seed``, the keys are kept for a split under it, and for weights.
        """
        names = pl.Enum(list(handles))
        keys: list[pl.DataFrame] = []

        def taken() -> Iterator[pl.DataFrame]:
            for batch in batches:
                self.tally.add(batch)
                rows = exported(batch, self._what)
                self.empty = rows.clear()
                if seed is not None:
                    keys.append(keys_of(rows, seed=seed, handles=names))
                yield rows
                check(sum(self.tally.downloaded.values()))

        self.parts = set_down(taken(), self._folder)
        if keys:
            self.keys = pl.concat(keys)

    def all(self) -> Iterator[pl.DataFrame]:
        """Every row, in the order they came."""
        for part in self.parts:
            yield pl.scan_ipc(part, glob=False, hive_partitioning=False).collect()

    def only(self, mask: pl.Series) -> Iterator[pl.DataFrame]:
        """The rows where ``mask`` (one value a row) is true, in the order they came."""
        start = 0
        for rows in self.all():
            yield rows.filter(mask.slice(start, rows.height))
            start += rows.height

    def picked(self, order: NDArray[np.int64]) -> Iterator[pl.DataFrame]:
        """The rows with these numbers, in this order; a number may come more than once."""
        for start in range(0, len(order), PICKED):
            wanted = pl.DataFrame({"row": order[start : start + PICKED]}).with_row_index("place")
            found, first = [], 0
            for rows in self.all():
                last = first + rows.height
                here = wanted.filter((pl.col("row") >= first) & (pl.col("row") < last))
                if here.height:
                    picked = rows[here["row"] - first]
                    # Picked texts hold on to all texts of their part, unless they are made anew.
                    anew = pl.col(pl.String) + pl.lit("")
                    found.append(picked.with_columns(anew).with_columns(here["place"]))
                first = last
            chunk = pl.concat(found).sort("place").drop("place")
            del found
            yield from chunk.iter_slices(BATCH)


def set_down(frames: Iterable[pl.DataFrame], folder: Path) -> list[Path]:
    """Writes each frame that has rows to a file of its own in a new folder."""
    folder.mkdir()
    files: list[Path] = []
    for frame in frames:
        if frame.height:
            files.append(folder / f"{len(files):06}.arrow")
            frame.write_ipc(files[-1], compression="lz4")
    return files


def exported(curated: pl.DataFrame, what: str) -> pl.DataFrame:
    """The rows and columns of a curated frame that are exported."""
    columns: list[str | pl.Expr] = [*COLUMNS[:-1], pl.col("clean_text").alias("text")]
    if what == "all":
        columns += [pl.col("text").alias("raw_text"), "kept", "reason"]
        return curated.select(columns)
    return curated.filter("kept").select(columns)
