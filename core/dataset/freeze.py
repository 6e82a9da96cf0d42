"""A dataset, frozen: a run reads these files and never the corpus.

A folder holds train.parquet, valid.parquet (columns handle, tweet_id, created_at, text) and
manifest.json, which is written last. Nothing in it tells when it was made, so that the same
tweets, recipe and seed always give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from core import __version__
from core.curation.recipe import Recipe
from core.curation.stats import account_stats
from core.dataset.split import in_order, valid_mask
from core.errors import InputRefused, WrongUsage
from core.files import sha256_of, write_text_whole, write_whole

FORMAT: Final = 1
COLUMNS: Final = ("handle", "tweet_id", "created_at", "text")
_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a frozen dataset is made of.

    recipe    name, hash and rules
    handles   per handle: the counts of ``AccountStats`` without tokens, rows in train and valid,
              first and last date of what is kept (ISO, UTC), the sources it came from
    weights   how much of each account an epoch should hold; empty means equal shares
    files     per file name: rows and sha256
    """

    format: int
    mynah: str
    recipe: dict[str, Any]
    seed: int
    valid_fraction: float
    handles: dict[str, dict[str, Any]]
    weights: dict[str, float]
    files: dict[str, dict[str, Any]]

    def to_json(self) -> str:
        """The bytes of manifest.json, as text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @property
    def sha256(self) -> str:
        """Names the whole dataset: it covers the sha256 of every file."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True)
class FrozenDataset:
    """The two frames (columns COLUMNS, by handle and time) and what they are made of."""

    train: pl.DataFrame
    valid: pl.DataFrame
    manifest: Manifest


def check_weights(weights: Mapping[str, float] | None, handles: list[str]) -> dict[str, float]:
    """Weights by handle in a normal form; raises WrongUsage for unknown handles and zeros."""
    for handle, weight in (weights or {}).items():
        if handle not in handles:
            known = ", ".join(f"@{known}" for known in handles)
            raise WrongUsage(
                f"There is a weight for @{handle}, who is not in this dataset.",
                f"It holds: {known}.",
            )
        if not 0 < weight < float("inf"):
            raise WrongUsage(
                f"The weight of @{handle} is {weight:g}.",
                "A weight is a number above 0.",
                "Leave the account out instead of giving it no weight." if weight == 0 else "",
            )
    return {handle: float(weight) for handle, weight in sorted((weights or {}).items())}


def split_rows(
    rows: pl.DataFrame, *, seed: int, valid_fraction: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Train and valid rows of ``rows``; raises WrongUsage for a fraction outside 0 to 0.5."""
    if not 0 <= valid_fraction <= 0.5:
        raise WrongUsage(f"{valid_fraction:g} cannot be held out.", "A fraction is from 0 to 0.5.")
    held_out = valid_mask(rows, seed=seed, valid_fraction=valid_fraction)
    return rows.filter(~held_out), rows.filter(held_out)


def freeze(
    tweets_curated: pl.DataFrame,
    out_dir: Path,
    *,
    recipe: Recipe,
    seed: int,
    valid_fraction: float = 0.1,
    weights: Mapping[str, float] | None = None,
) -> Manifest:
    """Writes the kept rows of a frame from ``curate`` into ``out_dir`` and returns the manifest.

    The dropped rows are only counted. Each file appears whole; the manifest comes last. Raises
    InputRefused when nothing is kept, WrongUsage for a wrong fraction or weight.
    """
    rows = in_order(
        tweets_curated.filter("kept").select(
            "handle", "tweet_id", "created_at", pl.col("clean_text").alias("text")
        )
    )
    if rows.is_empty():
        raise InputRefused(
            "There is nothing to learn from.",
            f"The recipe {recipe.name} keeps none of the {tweets_curated.height:,} tweets.",
            "Loosen its rules, or add tweets.",
        )
    handles = sorted(tweets_curated["handle"].unique().to_list())
    checked = check_weights(weights, handles)
    train, valid = split_rows(rows, seed=seed, valid_fraction=valid_fraction)
    files = {}
    for name, frame in (("train.parquet", train), ("valid.parquet", valid)):
        path = out_dir / name
        write_whole(path, partial(write_parquet, frame))
        files[name] = {"rows": frame.height, "sha256": sha256_of(path)}
    manifest = Manifest(
        format=FORMAT,
        mynah=__version__,
        recipe={"name": recipe.name, "hash": recipe.hash, "rules": recipe.rules},
        seed=seed,
        valid_fraction=valid_fraction,
        handles=handle_counts(tweets_curated, handles, train=train, valid=valid),
        weights=checked,
        files=files,
    )
    write_text_whole(out_dir / _MANIFEST, manifest.to_json())
    return manifest


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """zstd, one row group: the same rows give the same bytes."""
    frame.write_parquet(path, compression="zstd", row_group_size=max(frame.height, 1))


def handle_counts(
    curated: pl.DataFrame, handles: list[str], **parts: pl.DataFrame
) -> dict[str, dict[str, Any]]:
    """Per handle: counts, rows in each of ``parts``, dates of the kept tweets, sources."""
    counted = {}
    for stats in account_stats(curated, handles=handles):
        own = curated.filter(pl.col("handle") == stats.handle)
        first, last = (
            own.filter("kept")
            .select(
                pl.col("created_at").min().alias("first"), pl.col("created_at").max().alias("last")
            )
            .row(0)
        )
        counts = stats.to_json()
        sources = own["source"].drop_nulls().unique().sort().to_list() if "source" in own else []
        counted[stats.handle] = {
            key: counts[key]
            for key in ("downloaded", "retweets", "short", "dropped", "kept", "kept_chars")
        } | {
            "first": first.isoformat() if first else None,
            "last": last.isoformat() if last else None,
            "sources": sources,
            **{
                name: part.filter(pl.col("handle") == stats.handle).height
                for name, part in parts.items()
            },
        }
    return counted


def load_frozen(folder: Path) -> FrozenDataset:
    """Reads a frozen dataset and checks every byte of it against its manifest.

    Raises InputRefused: not a dataset, made by a newer mynah, a file missing or changed.
    """
    try:
        content = json.loads((folder / _MANIFEST).read_bytes())
        if content["format"] != FORMAT:
            raise InputRefused(
                f"The dataset in {folder.name} has format {content['format']}.",
                f"This mynah reads format {FORMAT}.",
                "Train again from the corpus, or use the mynah that made it.",
            )
        manifest = Manifest(**content)
        frames = []
        for name in ("train.parquet", "valid.parquet"):
            if sha256_of(folder / name) != manifest.files[name]["sha256"]:
                raise InputRefused(
                    f"{name} in {folder.name} is not the file that was frozen.",
                    "Its sha256 differs from the manifest's.",
                    "Start a new run.",
                )
            frames.append(pl.read_parquet(folder / name))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputRefused(
            f"There is no whole dataset in {folder.name}.", f"{type(error).__name__}: {error}."
        ) from error
    return FrozenDataset(frames[0], frames[1], manifest)
