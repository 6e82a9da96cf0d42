"""Counts per account, added up over batches and parts, as JSON: what a manifest holds."""

from __future__ import annotations

from typing import Any

import polars as pl

from core.curation.counts import Counts


def tally_of(curated: pl.DataFrame) -> dict[str, Any]:
    """``handles`` and ``source_files`` as a manifest has them."""
    counts = Counts(origins=True)
    counts.add(curated)
    return counts.to_json()


def added(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Adds one tally to another."""
    counts = Counts.from_json(into)
    counts.merge(Counts.from_json(more))
    into.update(counts.to_json())
