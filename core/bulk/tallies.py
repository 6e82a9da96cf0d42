"""Counts per account, added up over batches and parts: those of ``core.dataset.tally``, as JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

from core.curation.reasons import REASONS
from core.dataset.tally import Tally


def tally_of(curated: pl.DataFrame) -> dict[str, Any]:
    """``handles`` and ``source_files`` as a manifest has them."""
    tally = Tally(curated["handle"].unique().to_list())
    tally.add(curated)
    return {"handles": tally.to_json(), "source_files": tally.source_files}


def added(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Adds one tally to another."""
    for handle, counts in more["handles"].items():
        before = into["handles"].get(handle)
        into["handles"][handle] = counts if before is None else _sum(before, counts)
    into["source_files"] = sorted({*into["source_files"], *more["source_files"]})


def _sum(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    numbers = ("downloaded", "retweets", "short", "kept", "kept_chars")
    dropped = Counter(one["dropped"]) + Counter(other["dropped"])
    # ISO 8601 in UTC stands in the order of time, with and without microseconds
    first = [moment for moment in (one["first"], other["first"]) if moment]
    last = [moment for moment in (one["last"], other["last"]) if moment]
    return {
        **{name: one[name] + other[name] for name in numbers},
        "dropped": {reason: dropped[reason] for reason in REASONS if dropped[reason]},
        "first": min(first, default=None),
        "last": max(last, default=None),
        "sources": sorted({*one["sources"], *other["sources"]}),
    }
