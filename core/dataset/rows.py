"""The rows of a dataset while it is made: gathered on disk, then split and put in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from core.curation.counts import Counts
from core.curation.reasons import JOINED
from core.curation.stream import ROW_GROUP
from core.dataset.answers import Answers
from core.dataset.blend import epoch_order
from core.dataset.options import ExportOptions
from core.dataset.split import held_out, keys_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.curation.groups import Groups

COLUMNS: Final = ("tweet_id", "handle", "created_at", "kind", "text")
# Rows in any order that are looked up at once, and rows of a frame that is handed on.
PICKED: Final = 500_000
BATCH: Final = ROW_GROUP
# What says, with the text, which rows a split keeps on one side; no file holds it.
_TOGETHER: Final = ("reply_to_id", "conversation_id")


class Rows:
    """Rows as exported, in files of Arrow IPC, in the order in which they came.

    handles the accounts, in the order of the Enum in ``keys``
    files   one per batch that had rows
    keys    one row each: handle (Enum), chars, and what a split asks for; empty columns where
            neither a split nor weights are wanted
    counts  of every tweet, exported or not
    empty   a frame of the columns, without rows
    joined  for a run: the ids and handles of tweets whose words are in the text of another
    """

    def __init__(
        self,
        folder: Path,
        options: ExportOptions,
        handles: Sequence[str],
        answers: Answers | None = None,
    ) -> None:
        self.files: list[Path] = []
        self.joined: list[Path] = []
        self.counts = Counts(handles, origins=True)
        self.empty = pl.DataFrame()
        self.keys = pl.DataFrame()
        self._folder = folder
        self._options = options
        self.handles = list(handles)
        self._answers = answers

    @property
    def per_handle(self) -> dict[str, int]:
        """The number of rows of each account."""
        return self.counts.kept if self._options.what == "kept" else self.counts.downloaded

    def gather(self, batches: Iterable[pl.DataFrame], check: Callable[[int], None]) -> None:
        """Takes in batches of a curated frame; ``check`` gets how many tweets that makes."""
        options = self._options
        with_keys = options.split is not None or bool(options.weights)
        keys: list[pl.DataFrame] = []

        def taken() -> Iterator[pl.DataFrame]:
            for batch in batches:
                self.counts.add(batch)
                rows = exported(batch, options.what, _TOGETHER if options.split else ())
                if self._answers is not None:
                    rows = rows.hstack(self._answers.to(batch.filter("kept")))
                self.empty = rows.clear().drop(_TOGETHER, strict=False)
                if with_keys:
                    keys.append(keys_of(rows, seed=options.seed, handles=pl.Enum(self.handles)))
                if options.purpose == "training":
                    self._note_joined(batch)
                yield rows
                check(sum(self.counts.downloaded.values()))

        self.files = set_down(taken(), self._folder)
        if keys:
            self.keys = pl.concat(keys)

    def _note_joined(self, batch: pl.DataFrame) -> None:
        found = batch.filter(pl.col("reason") == JOINED).select("tweet_id", "handle")
        if found.height:
            self.joined.append(self._folder.with_name(f"joined-{len(self.joined):06}.arrow"))
            found.write_ipc(self.joined[-1], compression="lz4")

    def all(self) -> Iterator[pl.DataFrame]:
        """Every row, in the order they came."""
        for rows in self._frames():
            yield rows.drop(_TOGETHER, strict=False)

    def groups(self, check: Callable[[], None]) -> Groups:
        """What a split keeps on one side."""
        from core.curation.groups import Groups

        # whose rows hold what they answer: the tweets of all accounts are one conversation
        across = self._answers is not None and self._answers.of_others
        return Groups(self._frames, check, across=across)

    def _frames(self) -> Iterator[pl.DataFrame]:
        for file in self.files:
            yield pl.scan_ipc(file, glob=False, hive_partitioning=False).collect()

    def only(self, mask: pl.Series) -> Iterator[pl.DataFrame]:
        """The rows where ``mask`` (one value a row) is true, in the order they came."""
        start = 0
        for rows in self.all():
            yield rows.filter(mask.slice(start, rows.height))
            start += rows.height

    def picked(self, order: NDArray[np.int64]) -> Iterator[pl.DataFrame]:
        """The rows with these numbers, in this order; a number may come more than once."""
        for start in range(0, len(order), PICKED):
            wanted = pl.DataFrame({"row": order[start : start + PICKED]}).with_row_index("position")
            found, first = [], 0
            for rows in self.all():
                last = first + rows.height
                here = wanted.filter((pl.col("row") >= first) & (pl.col("row") < last))
                if here.height:
                    picked = rows[here["row"] - first]
                    # Picked texts hold on to all texts of their file, unless they are made anew.
                    anew = pl.col(pl.String) + pl.lit("")
                    found.append(picked.with_columns(anew).with_columns(here["position"]))
                first = last
            chunk = pl.concat(found).sort("position").drop("position")
            del found
            yield from chunk.iter_slices(BATCH)


@dataclass(frozen=True)
class Part:
    """One file's rows: ``name`` is exported, train or valid; ``per_handle`` adds up to ``rows``.

    ``as_gathered`` says that they are all gathered rows, as they were gathered.
    """

    name: str
    per_handle: dict[str, int]
    frames: Callable[[], Iterator[pl.DataFrame]]
    as_gathered: bool = False

    @property
    def rows(self) -> int:
        return sum(self.per_handle.values())


def parts_of(rows: Rows, options: ExportOptions, check: Callable[[], None]) -> list[Part]:
    """The parts of a dataset, split and in order: one, or train and valid.

    ``check`` is called often, and may raise Interrupted.
    """
    if options.split is None and not options.repeats:
        return [Part("exported", rows.per_handle, rows.all, as_gathered=True)]
    if options.split:
        valid = held_out(rows.keys, rows.groups(check), options.split)
    else:
        valid = pl.repeat(False, rows.keys.height, dtype=pl.Boolean, eager=True)
    name = "exported" if options.split is None else "train"
    parts = [_blend(name, rows, valid, options) if options.repeats else _masked(name, rows, ~valid)]
    # a file without rows is no split to the loader of Hugging Face
    if options.split is not None and (options.format != "hf" or valid.any()):
        parts.append(_masked("valid", rows, valid))
    return parts


def _masked(name: str, rows: Rows, mask: pl.Series) -> Part:
    return Part(name, _counts(rows.keys["handle"].filter(mask)), partial(rows.only, mask))


def _blend(name: str, rows: Rows, valid: pl.Series, options: ExportOptions) -> Part:
    """One epoch of the rows that are not ``valid``; characters plus one stand for tokens."""
    keys = rows.keys.filter(~valid)
    order = epoch_order(
        rows.handles,
        keys["handle"].to_physical().to_numpy(),
        (keys["chars"] + 1).to_numpy(),
        seed=options.seed,
        epoch=0,
        weights=options.weights,
    )
    numbers = (~valid).arg_true().to_numpy()[order]
    return Part(name, _counts(rows.keys["handle"].gather(numbers)), partial(rows.picked, numbers))


def _counts(handles: pl.Series) -> dict[str, int]:
    counted = handles.cast(pl.String).value_counts(name="rows").rows()
    return {str(handle): int(rows) for handle, rows in counted}


def set_down(frames: Iterable[pl.DataFrame], folder: Path) -> list[Path]:
    """Writes each frame that has rows to a file of its own in a new folder."""
    folder.mkdir()
    files: list[Path] = []
    for frame in frames:
        if frame.height:
            files.append(folder / f"{len(files):06}.arrow")
            frame.write_ipc(files[-1], compression="lz4")
    return files


def exported(curated: pl.DataFrame, what: str, more: Sequence[str] = ()) -> pl.DataFrame:
    """The rows and columns of a curated frame that are exported, and the columns ``more``."""
    columns: list[str | pl.Expr] = [*COLUMNS[:-1], pl.col("clean_text").alias("text"), *more]
    if what == "all":
        columns += [pl.col("text").alias("raw_text"), "kept", "reason"]
        return curated.select(columns)
    return curated.filter("kept").select(columns)
