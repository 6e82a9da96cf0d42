"""The frozen dataset of a run: an export that the run reads, and never the corpus.

A folder holds train.parquet, valid.parquet and manifest.json, which is written last; and, where the
recipe joined threads, joined.parquet, which says what tweets are in the text of another. The copy
check keeps its index beside them (train.copies), of which the manifest knows nothing. The rows
stand once each, by handle, time and id; in which order and how often an epoch shows them follows
from the seed and the weights in the manifest (see ``blend``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from core.curation.recipe import Recipe
from core.dataset.manifest import (
    RUN_NAME,
    BadManifest,
    Manifest,
    file_entries,
    own_problems,
    read_manifest,
)
from core.dataset.options import ExportOptions
from core.dataset.rows import BATCH
from core.dataset.write import layout_of, write_dataset
from core.errors import InputRefused, Interrupted
from core.files import sha256_of
from core.progress import Cancelled, Progress, Reporter

# What a run reads. Datasets that version 0.1.0 froze have these columns and no others.
COLUMNS: Final = ("handle", "tweet_id", "created_at", "text")
TRAIN: Final = "train.parquet"
VALID: Final = "valid.parquet"


@dataclass(frozen=True)
class FrozenDataset:
    """The two frames (columns COLUMNS, by handle and time) and what they are made of."""

    train: pl.DataFrame
    valid: pl.DataFrame
    manifest: Manifest


def freeze(
    batches: Iterable[pl.DataFrame],
    folder: Path,
    *,
    handles: Sequence[str],
    recipe: Recipe,
    seed: int,
    valid_fraction: float = 0.1,
    weights: Mapping[str, float] | None = None,
    fewest: int = 1,
    total: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> Manifest:
    """Writes the kept rows of ``batches`` (see ``export_batches``) into ``folder``.

    The dropped rows are only counted. Raises InputRefused when fewer than ``fewest`` are kept,
    WrongUsage for a wrong fraction or weight, Interrupted when ``cancelled`` says so.
    """

    def enough(kept: int, tweets: int) -> None:
        if not kept:
            raise InputRefused(
                "There is nothing to learn from.",
                f"The recipe {recipe.name} keeps none of the {tweets:,} tweets.",
                "Loosen its rules, or add tweets.",
            )
        if kept < fewest:
            raise InputRefused(
                f"{kept} tweets are too few to learn from.",
                f"The recipe {recipe.name} keeps {kept} of {tweets:,}; "
                f"at least {fewest} are needed, a few hundred make sense.",
                "Loosen the recipe, or add tweets.",
            )

    def stopped() -> Interrupted:
        return Interrupted("The dataset was not frozen.", "No run was started.")

    options = ExportOptions(
        "parquet", split=valid_fraction, seed=seed, weights=weights, purpose="training"
    ).checked(sorted(handles))
    manifest, _ = write_dataset(
        batches,
        layout_of(folder.absolute(), options),
        handles=handles,
        recipe=recipe,
        options=options,
        enough=enough,
        total=total,
        reporter=Reporter(progress, cancelled, stopped),
    )
    return manifest


def load_frozen(folder: Path) -> FrozenDataset:
    """Reads a frozen dataset and checks every byte of it against its manifest.

    Raises InputRefused: not a dataset, made by a newer mynah, the manifest or a file changed.
    """
    try:
        content, raw = read_manifest(folder / RUN_NAME)
        for problem in own_problems(content, raw):
            raise InputRefused(
                f"The dataset in {folder.name} cannot be used.",
                problem,
                "Train again from the corpus, or use the mynah that made it.",
            )
        entries = file_entries(content)
        frames = []
        for name in (TRAIN, VALID):
            if sha256_of(folder / name) != entries[name]["sha256"]:
                raise InputRefused(
                    f"{name} in {folder.name} is not the file that was frozen.",
                    "Its sha256 differs from the manifest's.",
                    "Start a new run.",
                )
            frames.append(pl.read_parquet(folder / name, glob=False).select(COLUMNS))
    except BadManifest as bad:
        raise InputRefused(f"There is no whole dataset in {folder.name}.", str(bad)) from bad
    except (OSError, KeyError, pl.exceptions.PolarsError) as error:
        raise InputRefused(
            f"There is no whole dataset in {folder.name}.", f"{type(error).__name__}: {error}."
        ) from error
    return FrozenDataset(frames[0], frames[1], Manifest(content))


def training_batches(folder: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The rows that a run learns from, some at a time, in the order of the file."""
    rows = pl.scan_parquet(folder / TRAIN, glob=False, hive_partitioning=False)
    total = int(rows.select(pl.len()).collect().item())
    for start in range(0, total, BATCH):
        yield rows.select(columns).slice(start, BATCH).collect()
