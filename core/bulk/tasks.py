"""The two kinds of tasks of a job. A task makes files of files, and is a pure function of them.

curate   a partition of the sorted tweets: its accounts, through the one driver of curation
write    a part of the output: so many rows in order, over the borders of partitions

How the work is divided into partitions cannot be seen in the output.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from core.bulk.job import Job, complete
from core.curation.counts import Counts
from core.curation.stream import ROW_GROUP, SortedTweets, curated_copy
from core.dataset.formats import write_parquet
from core.dataset.rows import set_down
from core.files import sha256_of

Check = Callable[[], None]
"""Raises Interrupted when the work is to stop."""


def run_task(folder: Path, kind: str, number: int, check: Check) -> int:
    """Does one task; returns how many rows it was about. Raises InputRefused."""
    job = Job.opened(folder)
    work = {"curate": curate_partition, "write": write_part}[kind]
    check()
    return work(job, number, job.task(kind, number), check)


def curate_partition(job: Job, number: int, task: dict[str, Any], check: Check) -> int:
    """``task``: the first row in the sorted file, and how many rows."""
    first, rows = task["first"], task["rows"]
    folder = job.folder / f"verdicts-{number}-{uuid.uuid4().hex}"
    folder.mkdir()
    batches: list[int] = []
    try:
        tweets = SortedTweets(job.sorted_file, rows, folder=folder, first=first)
        for curated in curated_copy(tweets, job.recipe, rows=ROW_GROUP):
            check()
            job.put("curated", f"{number}-{len(batches)}", curated)
            batches.append(curated.height)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    job.put_json(job.folder / "curated" / f"{number}.json", {"batches": batches})
    return int(rows)


def write_part(job: Job, number: int, task: dict[str, Any], check: Check) -> int:
    """``task``: slices of curated batches, each a file's name, the first row, and how many rows."""
    folder = job.folder / f"rows-{number}-{uuid.uuid4().hex}"
    counts = Counts(origins=True)

    def counted() -> Iterator[pl.DataFrame]:
        for name, first, rows in task["slices"]:
            check()
            some = job.get("curated", name, first, rows)
            counts.add(some)
            yield some

    path = job.folder / "parts" / f"{number}.parquet"
    try:
        with complete(path) as file:
            write_parquet(set_down(counted(), folder), file, pl.DataFrame())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows = sum(rows for _, _, rows in task["slices"])
    made = {"rows": rows, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
    job.put_json(path.with_suffix(".json"), made | {"counts": counts.to_json()})
    return int(rows)


def parts(job: Job, partitions: int, rows: int) -> Iterator[dict[str, Any]]:
    """What the tasks that write are to do: ``rows`` rows each, but for the last."""
    slices: list[tuple[str, int, int]] = []
    room = rows
    for number in range(partitions):
        batches = job.get_json(job.folder / "curated" / f"{number}.json")["batches"]
        for batch, height in enumerate(batches):
            first = 0
            while first < height:
                take = min(room, height - first)
                slices.append((f"{number}-{batch}", first, take))
                first, room = first + take, room - take
                if not room:
                    yield {"slices": slices}
                    slices, room = [], rows
    if slices:
        yield {"slices": slices}
