"""Datasets of one curated frame, whatever order its rows stand in: the product takes batches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from core.curation.recipe import Recipe
from core.dataset import frozen
from core.dataset.manifest import Manifest
from core.dataset.options import ExportOptions, Format, What
from core.dataset.rows import BATCH
from core.dataset.write import ExportResult, export_batches
from tests.oracles.frames import in_order


def handles_of(curated: pl.DataFrame) -> list[str]:
    return curated["handle"].unique().sort().to_list()


def export(
    curated: pl.DataFrame,
    out: Path,
    *,
    format: Format,  # noqa: A002 - the contract's word
    recipe: Recipe,
    what: What = "kept",
    split: float | None = None,
    seed: int = 0,
    weights: Mapping[str, float] | None = None,
    spreadsheet_safe: bool = True,
) -> ExportResult:
    options = ExportOptions(format, what, split, seed, weights, spreadsheet_safe)
    rows = in_order(curated, "text").iter_slices(BATCH)
    handles = handles_of(curated)
    return export_batches(rows, out, handles=handles, recipe=recipe, options=options)


def freeze(curated: pl.DataFrame, folder: Path, **options: Any) -> Manifest:
    rows = in_order(curated, "text").iter_slices(BATCH)
    return frozen.freeze(rows, folder, handles=handles_of(curated), **options)
