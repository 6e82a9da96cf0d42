"""Which tasks a stage has, worked out from the counts of the stage before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from core.bulk.job import Job

GROUP_ROWS: Final = 500_000  # settled at once, unless a single account has more

PieceSlice = tuple[int, int, int]
"""A judged piece, the number of the first row, and how many rows."""


@dataclass(frozen=True)
class Group:
    """Whole accounts that follow each other in the alphabet."""

    slices: list[PieceSlice]

    @property
    def rows(self) -> int:
        return sum(rows for _, _, rows in self.slices)


def groups(job: Job, pieces: int, most: int = GROUP_ROWS) -> list[Group]:
    """All accounts in groups of about ``most`` rows, in order; an account is never divided.

    A piece is sorted by handle, so that what a group has of it are rows one after another.
    """
    counts = pl.concat(
        job.get("counts", number).with_columns(piece=pl.lit(number, pl.Int64))
        for number in range(pieces)
    )
    before = pl.col("rows").cum_sum() - pl.col("rows")
    accounts = counts.group_by("handle").agg(pl.col("rows").sum()).sort("handle")
    accounts = accounts.select("handle", group=before // most)
    slices = (
        counts.join(accounts, on="handle")
        .group_by("group", "piece")
        .agg(pl.col("rows").sum())
        .sort("piece", "group")
        .select("group", "piece", before.over("piece").alias("start"), "rows")
        .sort("group", "piece")
    )
    return [
        Group(list(some.select("piece", "start", "rows").iter_rows()))
        for _, some in slices.group_by("group", maintain_order=True)
    ]


def parts(grouped: list[Group], rows: int) -> Iterator[dict[str, Any]]:
    """Parts of ``rows`` rows each, but for the last, over the borders of groups."""
    runs: list[dict[str, Any]] = []
    room = rows
    for number, group in enumerate(grouped):
        skip, left = 0, group.rows
        while left:
            take = min(room, left)
            runs.append({"group": number, "skip": skip, "take": take, "slices": group.slices})
            skip, left, room = skip + take, left - take, room - take
            if not room:
                yield {"runs": runs}
                runs, room = [], rows
    if runs:
        yield {"runs": runs}
