"""What a manifest says of each account, counted batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from core.curation.reasons import REASONS, RETWEET, SHORT


@dataclass
class _Account:
    downloaded: int = 0
    kept: int = 0
    kept_chars: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    sources: set[str] = field(default_factory=set)


class Tally:
    """Counts per handle; downloaded = retweets + short + the other reasons + kept."""

    def __init__(self, handles: Sequence[str]) -> None:
        self._accounts = {handle: _Account() for handle in handles}
        self._files: set[str] = set()

    @property
    def downloaded(self) -> dict[str, int]:
        """Tweets per handle."""
        return {handle: account.downloaded for handle, account in self._accounts.items()}

    @property
    def kept(self) -> dict[str, int]:
        """Kept tweets per handle."""
        return {handle: account.kept for handle, account in self._accounts.items()}

    @property
    def source_files(self) -> list[str]:
        return sorted(self._files)

    def add(self, curated: pl.DataFrame) -> None:
        """Counts the rows of a part of a curated frame; its handles must be known."""
        kept = pl.col("kept")
        counted = curated.group_by("handle").agg(
            pl.len().alias("downloaded"),
            kept.sum().alias("kept"),
            pl.col("clean_text").filter(kept).str.len_chars().sum().alias("kept_chars"),
            pl.col("created_at").filter(kept).min().alias("first"),
            pl.col("created_at").filter(kept).max().alias("last"),
            pl.col("source").drop_nulls().unique().alias("sources"),
        )
        for row in counted.iter_rows(named=True):
            account = self._accounts[row["handle"]]
            account.downloaded += row["downloaded"]
            account.kept += row["kept"]
            account.kept_chars += row["kept_chars"]
            account.sources.update(row["sources"])
            if row["first"] is not None:
                account.first = min(account.first or row["first"], row["first"])
                account.last = max(account.last or row["last"], row["last"])
        dropped = curated.filter(~kept).group_by("handle", "reason").len()
        for handle, reason, count in dropped.iter_rows():
            self._accounts[handle].reasons[reason] += count
        self._files.update(curated["source_file"].drop_nulls().unique())

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Per handle: counts, first and last date of what is kept (ISO, UTC), sources."""
        return {
            handle: {
                "downloaded": account.downloaded,
                "retweets": account.reasons[RETWEET],
                "short": account.reasons[SHORT],
                "dropped": {
                    reason: account.reasons[reason]
                    for reason in REASONS
                    if reason not in (RETWEET, SHORT) and account.reasons[reason]
                },
                "kept": account.kept,
                "kept_chars": account.kept_chars,
                "first": account.first.isoformat() if account.first else None,
                "last": account.last.isoformat() if account.last else None,
                "sources": sorted(account.sources),
            }
            for handle, account in self._accounts.items()
        }
