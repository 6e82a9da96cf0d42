"""Parquet: typed columns, read a slice at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from core.errors import InputRefused
from core.sources.columns import Canonical, roles_of
from core.sources.model import BATCH_ROWS, Account, Detected, HandleMissing, SourceSummary, Tick


def column_names(path: Path) -> list[str]:
    """The names of the columns; raises InputRefused for a damaged file."""
    return list(_sound(path, lambda: pl.scan_parquet(path, glob=False).collect_schema().names()))


class ParquetTable:
    """A Parquet file with a column of texts. Numbers and times become text like everywhere."""

    def __init__(
        self,
        found: Detected,
        path: Path,
        owner: str | None,
        include: frozenset[str],
        mapping: Mapping[str, str],
    ) -> None:
        self._path = path
        self._owner = owner
        self._include = include
        self._rows = self._sound(lambda: pl.scan_parquet(path, glob=False))
        schema = self._sound(lambda: self._rows.collect_schema())
        self._roles = roles_of(schema.names(), mapping, str(path))
        if "text" not in self._roles:
            raise InputRefused(
                f"{path} has no column of texts.",
                f"Its columns are: {', '.join(schema.names()[:12])}.",
                "--map text=NAME names it.",
            )
        self.summary = SourceSummary(found.path, found.format, handle=owner)
        if not owner and "author" not in self._roles:
            raise HandleMissing(
                f"{path} does not say whose tweets it holds.",
                f"Its columns are: {', '.join(schema.names()[:12])}.",
                "Name the account with --handle.",
            )
        self._columns = [
            _as_text(name, schema[name]).alias(role)
            for role, name in self._roles.items()
            if not schema[name].is_nested()
        ]
        if schema[self._roles["text"]].is_nested():
            raise InputRefused(f"The column of texts in {path} holds lists or objects.")

    @property
    def accounts(self) -> list[Account]:
        handles = [self._owner] if self._owner else [h for h in self.summary.per_handle if h]
        return [Account(handle) for handle in handles]

    def outline(self) -> list[str]:
        first = self._sound(lambda: self._rows.select(self._columns).head(1).collect())
        lines = ["Parquet"]
        if first.height:
            lines.append((first["text"][0] or "")[:200])
        return lines

    def batches(self, tick: Tick | None = None) -> Iterator[pl.DataFrame]:
        """Canonical frames; raises InputRefused for a damaged file."""
        text = pl.col("text")
        facts = self._sound(
            lambda: (
                self._rows.select(self._columns)
                .select(
                    entities=text.str.contains("&(?:amp|lt|gt);").any(),
                    bare=text.str.contains("& ", literal=True).any(),
                )
                .collect(engine="streaming")
                .row(0)
            )
        )
        canonical = Canonical(
            self.summary,
            owner=self._owner,
            escaped=bool(facts[0]) and not facts[1],
            generate_ids="tweet_id" not in self._roles,
            deleted="deleted" in self._include,
        )
        read, empty = 0, True
        selected = self._rows.select(self._columns)
        parts = self._sound(lambda: iter(selected.collect_batches(chunk_size=BATCH_ROWS)))
        while (part := self._sound(lambda: next(parts, None))) is not None:
            for rows in part.iter_slices(BATCH_ROWS):
                frame = canonical.frame(rows)
                read += rows.height
                if tick:
                    tick(read, None)
                if frame.height:
                    empty = False
                    self.summary.saw(frame)
                    yield frame
        if empty:
            raise InputRefused(
                f"There are no tweets in {self._path}.", f"Left out: {self.summary.skipped}."
            )

    def _sound(self, work: Any) -> Any:
        return _sound(self._path, work)


def _sound(path: Path, work: Any) -> Any:
    """Polars' complaints (a panic is no Exception) as a sentence."""
    try:
        return work()
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputRefused(
            f"{path} is a damaged Parquet file.", f"{said[:200]}.", "Export it again."
        ) from None


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        # the offset is spelt out, so that every zone arrives as the same moment
        column = pl.col(name)
        utc = column.dt.convert_time_zone("UTC") if kind.time_zone else column
        return utc.dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")
    if kind == pl.Binary():
        return pl.col(name).cast(pl.String, strict=False)
    return pl.col(name).cast(pl.String)
