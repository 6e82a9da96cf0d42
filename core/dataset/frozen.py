"""The frozen dataset of a run: an export that the run reads, and never the corpus.

A folder holds train.parquet, valid.parquet and manifest.json, which is written last; and, where the
recipe joined threads, joined.parquet, which says what tweets are in the text of another. The copy
check keeps its index beside them (train.copies), and what others say (sayings.npy, see
``sayings``), of which the manifest knows nothing: they change nothing of what is learned. A run
that learns answers also has, for each row, the tweet that it answers (the columns ANSWERED). The
rows stand once each, by handle, time and id; in which order and how often an epoch shows them
follows from the seed and the weights in the manifest (see ``blend``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from core.curation.recipe import Recipe
from core.dataset.answers import ANSWERED, Answers
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
from core.errors import InputRefused, Interrupted, kind_and_line
from core.files import sha256_of
from core.models.answering import Answering, answers_in_words
from core.progress import Cancelled, Progress, Reporter

# What a run reads. Datasets that version 0.1.0 froze have these columns and no others.
COLUMNS: Final = ("handle", "tweet_id", "created_at", "text")
TRAIN: Final = "train.parquet"
VALID: Final = "valid.parquet"
# Answers that a run learns from: a few dozen show the form, and leave some to measure on.
FEWEST_ANSWERS: Final = 50
# Kept tweets without which no run is started.
FEWEST_TWEETS: Final = 10


@dataclass(frozen=True)
class FrozenDataset:
    """The two frames (columns COLUMNS, by handle and time) and what they are made of.

    Those of a run that learns answers have the columns ANSWERED, too.
    """

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
    answers: Answers | None = None,
    total: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Cancelled | None = None,
) -> Manifest:
    """Writes the kept rows of ``batches`` (see ``export_batches``) into ``folder``.

    The dropped rows are only counted. ``answers``: what the kept ones answer is to be learned with
    them. Raises InputRefused when fewer than ``fewest`` are kept, or fewer than FEWEST_ANSWERS of
    them answer a tweet that is known; WrongUsage for a wrong fraction or weight, Interrupted when
    ``cancelled`` says so.
    """

    def enough(kept: int, tweets: int) -> None:
        check_enough(kept, tweets, recipe.name, fewest)
        if answers is not None and answers.found < FEWEST_ANSWERS:
            raise InputRefused(
                "There are too few answers to learn from.",
                f"{answers_in_words(answers.found, kept)} At least {FEWEST_ANSWERS} are needed. "
                "Most archives hold what their own account wrote, and nobody else.",
                "Add the tweets of those who were answered, or train without answers.",
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
        answers=answers,
        enough=enough,
        total=total,
        reporter=Reporter(progress, cancelled, stopped),
    )
    return manifest


def check_enough(kept: int, tweets: int, recipe: str, fewest: int = FEWEST_TWEETS) -> None:
    """Raises InputRefused where the recipe of this name keeps too few of so many tweets."""
    if not kept:
        raise InputRefused(
            "There is nothing to learn from.",
            f"The recipe {recipe} keeps none of the {tweets:,} tweets.",
            "Loosen its rules, or add tweets.",
        )
    if kept < fewest:
        raise InputRefused(
            f"{kept} {'tweets are' if kept > 1 else 'tweet is'} too few to learn from.",
            f"The recipe {recipe} keeps {kept} of {tweets:,}; "
            f"at least {fewest} are needed, a few hundred make sense.",
            "Loosen the recipe, or add tweets.",
        )


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
            there = pl.read_parquet(folder / name, glob=False)
            frames.append(there.select(*COLUMNS, *(name for name in ANSWERED if name in there)))
    except BadManifest as bad:
        raise InputRefused(f"There is no whole dataset in {folder.name}.", str(bad)) from bad
    except (OSError, KeyError, pl.exceptions.PolarsError) as error:
        raise InputRefused(
            f"There is no whole dataset in {folder.name}.", f"{kind_and_line(error)}."
        ) from error
    return FrozenDataset(frames[0], frames[1], Manifest(content))


def known_answered(frame: pl.DataFrame) -> list[str | None]:
    """The words that each row of a frozen frame answers, or None; empty where none was frozen."""
    return frame["answered"].to_list() if "answered" in frame.columns else []


def answering_of(folder: Path, row_tokens: int) -> Answering:
    """How a run with rows of so many tokens learns the answers of a dataset frozen with them."""
    counts = pl.col("answered").is_not_null().sum().alias("answers"), pl.len().alias("rows")
    train, valid = (
        pl.scan_parquet(folder / name, glob=False).select(counts).collect().row(0)
        for name in (TRAIN, VALID)
    )
    return Answering.within(
        row_tokens, learned=train[0], held_out=valid[0], tweets=train[1] + valid[1]
    )


def training_batches(folder: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The rows that a run learns from, some at a time, in the order of the file."""
    rows = pl.scan_parquet(folder / TRAIN, glob=False, hive_partitioning=False)
    total = int(rows.select(pl.len()).collect().item())
    for start in range(0, total, BATCH):
        yield rows.select(columns).slice(start, BATCH).collect()
