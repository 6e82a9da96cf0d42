"""The three stages of a job. A task makes files of files, and is a pure function of them.

judge    a piece of the input, each row by itself; then the piece is sorted
settle   a group of whole accounts, by a few numbers of each tweet: the rules that compare tweets,
         and the order of the group
write    a part of the output: pieces are sorted, and settling says from which piece the next row
         comes, so that they are merged without being compared again

How the input is divided into pieces and groups cannot be seen in the output.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.bulk.job import Job, whole
from core.bulk.partitions import read
from core.bulk.tallies import added, tally_of
from core.curation.comparing import KEYS, NEEDED, compare, compares, keys_of
from core.curation.judge import judge
from core.curation.threads import LINKS, joins, links_of, with_joined
from core.dataset.formats import write_parquet
from core.dataset.rows import set_down
from core.files import sha256_of
from core.tweet import in_order, tweet_schema

Check = Callable[[], None]
"""Raises Interrupted when the work is to stop."""

STAGES: Final = ("judge", "settle", "write")

_BATCH: Final = 50_000  # rows of the output in memory at once
_FOR_COMPARING: Final = ("clean_text", "tweet_id")
_FOR_THREADS: Final = (*_FOR_COMPARING, "handle", "text", "text_escaped", "reply_to_id")
_LOOKED_UP: Final = 20_000  # texts in a file for looking up: read whole each time
_SEED: Final = 0x6D796E6168


def run_task(folder: Path, stage: str, number: int, check: Check) -> int:
    """Does one task; returns how many rows it was about. Raises InputRefused."""
    job = Job.opened(folder)
    work = {"judge": judge_piece, "settle": settle_group, "write": write_part}[stage]
    check()
    return work(job, number, job.task(stage, number), check)


def judge_piece(job: Job, number: int, task: dict[str, Any], check: Check) -> int:
    """``task``: slices (see ``pieces.Slice``)."""
    tweets = pl.concat([read((path, start, rows)) for path, start, rows in task["slices"]])
    check()
    tweets = in_order(tweets.with_columns(digest=pl.struct(pl.all()).hash(_SEED)), "digest")
    judged = judge(tweets, job.recipe)
    job.put("judged", number, judged)
    counts = judged.group_by("handle", maintain_order=True).len("rows")
    job.put("counts", number, counts.cast({"rows": pl.Int64}))
    return judged.height


def settle_group(job: Job, number: int, task: dict[str, Any], check: Check) -> int:
    """``task``: slices of judged pieces: number of the piece, first row, rows."""
    recipe = job.recipe
    looked_up = _FOR_THREADS if joins(recipe) else _FOR_COMPARING
    lookup = _Lookup(job.folder / f"lookup-{number}-{uuid.uuid4().hex}", looked_up, check)
    read = dict.fromkeys((*NEEDED, "digest", *looked_up))
    order: list[pl.DataFrame] = []
    keys = [pl.DataFrame(schema=KEYS)]
    links = [pl.DataFrame(schema=LINKS)]
    first = 0
    try:
        for piece, start, rows in task["slices"]:
            check()
            some = job.get("judged", piece, start, rows, list(read))
            order.append(
                some.select(
                    *("handle", "created_at", "tweet_id", "digest"), piece=pl.lit(piece, pl.UInt32)
                )
            )
            if compares(recipe):
                keys.append(keys_of(some, first))
            if joins(recipe):
                links.append(links_of(some, first))
            if recipe.near_duplicates or recipe.most_per_author or joins(recipe):
                lookup.add(some)
            first += rows
        ordered = in_order(pl.concat(order).with_row_index("place"), "digest")
        ordered = ordered.select("place", "piece")
        order.clear()
        in_turn = _in_turn(keys, ordered)
        links_in_turn = _in_turn(links, ordered) if joins(recipe) else None
        changes = compare(in_turn, recipe, lookup, links_in_turn)
    finally:
        lookup.forget()
    changes = changes.with_columns(changed=True)
    said = ordered.join(changes, on="place", how="left", maintain_order="left").join(
        lookup.joined, on="place", how="left", maintain_order="left"
    )
    job.put("settled", number, said.drop("place"))
    return said.height


def _in_turn(parts: list[pl.DataFrame], ordered: pl.DataFrame) -> pl.DataFrame:
    """Keys or links in the order of ``ordered``; ``parts`` is emptied."""
    every = pl.concat(parts)
    parts.clear()
    found = ordered.select("place").join(every, on="place", maintain_order="left")
    return found.select(every.columns)


def write_part(job: Job, number: int, task: dict[str, Any], check: Check) -> int:
    """``task``: runs, each of ``take`` rows of a group after ``skip`` others (``plan.parts``)."""
    folder = job.folder / f"rows-{number}-{uuid.uuid4().hex}"
    told: dict[str, Any] = {"handles": {}, "source_files": []}

    def counted() -> Iterator[pl.DataFrame]:
        for run in task["runs"]:
            for rows in _merged(job, run):
                check()
                added(told, tally_of(rows))
                yield rows

    path = job.folder / "parts" / f"{number}.parquet"
    try:
        with whole(path) as file:
            write_parquet(set_down(counted(), folder), file, pl.DataFrame())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows: int = sum(one["downloaded"] for one in told["handles"].values())
    size, sha256 = path.stat().st_size, sha256_of(path)
    told |= {"rows": rows, "bytes": size, "sha256": sha256}
    job.put_json(path.with_suffix(".json"), told)
    return rows


def _merged(job: Job, run: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """The rows of a run with their verdicts, in order, a batch at a time."""
    group, skip, take = run["group"], run["skip"], run["take"]
    following = {piece: start for piece, start, _ in run["slices"]}
    before = job.get("settled", group, 0, skip, ["piece"])["piece"].value_counts()
    for piece, rows in before.iter_rows():
        following[piece] += rows
    for start in range(skip, skip + take, _BATCH):
        said = job.get("settled", group, start, min(_BATCH, skip + take - start))
        found, places, height = [], {}, 0
        for piece, rows in said["piece"].value_counts().sort("piece").iter_rows():
            found.append(job.get("judged", piece, following[piece], rows))
            following[piece] += rows
            places[piece] = height
            height += rows
        place = pl.col("piece").replace_strict(places, return_dtype=pl.Int64)
        order = said.select(place + pl.int_range(pl.len()).over("piece")).to_series()
        yield _settled(pl.concat(found)[order], said)


def _settled(judged: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    rows = judged.hstack(said.select(pl.exclude("piece").name.prefix("settled_")))
    changed = pl.when(pl.col("settled_changed"))
    reason = changed.then("settled_reason").otherwise("reason")
    return rows.select(
        *tweet_schema(),
        pl.coalesce("settled_clean_text", "clean_text").alias("clean_text"),
        reason.is_null().alias("kept"),
        reason.alias("reason"),
        changed.then("settled_trigger").otherwise("trigger").alias("trigger"),
    )


class _Lookup:
    """A ``threads.Lookup`` in a group: words and ids in files of some thousand rows."""

    def __init__(self, folder: Path, columns: Sequence[str], check: Check) -> None:
        self._folder = folder
        self._columns = columns
        self._check = check
        self._pending: list[pl.DataFrame] = []
        self._sizes: list[int] = []
        self.joined = pl.DataFrame(schema={"place": pl.UInt32(), "clean_text": pl.String()})

    @property
    def folder(self) -> Path | None:
        """Where temporary files may lie."""
        return self._folder if self._folder.is_dir() else None

    def add(self, rows: pl.DataFrame) -> None:
        """The next rows: their places follow on those before."""
        for some in rows.select(self._columns).iter_slices(_LOOKED_UP):
            self._pending.append(some)
            if sum(one.height for one in self._pending) >= _LOOKED_UP:
                self._set_down()

    def column(self, name: str, places: pl.Series) -> pl.Series:
        found = self._gather(places, name)
        return with_joined(found, places, self.joined) if name == "clean_text" else found

    def put(self, joined: pl.DataFrame) -> None:
        self.joined = pl.concat([self.joined, joined])

    def forget(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _set_down(self) -> None:
        if not self._pending:
            return
        self._folder.mkdir(exist_ok=True)
        rows = pl.concat(self._pending)
        rows.write_ipc(self._folder / f"{len(self._sizes)}.arrow", compression="lz4")
        self._sizes.append(rows.height)
        self._pending.clear()

    def _gather(self, places: pl.Series, column: str) -> pl.Series:
        self._set_down()
        wanted = places.to_frame("place").with_row_index("row").sort("place")
        found = [pl.Series(column, [], tweet_schema().get(column, pl.String()))]
        first = done = 0
        for number, size in enumerate(self._sizes):
            upto = int(wanted["place"].search_sorted(first + size))
            if upto > done:
                self._check()
                file = self._folder / f"{number}.arrow"
                values = pl.scan_ipc(file, glob=False, hive_partitioning=False).select(column)
                inside = wanted["place"][done:upto] - first
                some = values.collect().to_series().gather(inside)
                # texts picked from a frame hold on to all of it, unless they are made anew
                found.append(some + "" if some.dtype == pl.String else some)
            first, done = first + size, upto
        return pl.concat(found).gather(wanted["row"].arg_sort())
