"""Which rows go into which file, and in which order: the split and the blend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import polars as pl

from core.dataset.blend import epoch_order
from core.dataset.gathered import Gathered
from core.dataset.options import ExportOptions
from core.dataset.split import held_out


@dataclass(frozen=True)
class Part:
    """One file's rows: ``name`` is exported, train or valid; ``per_handle`` adds up to ``rows``.

    ``whole`` says that they are all gathered rows, as they were gathered.
    """

    name: str
    per_handle: dict[str, int]
    frames: Callable[[], Iterator[pl.DataFrame]]
    whole: bool = False

    @property
    def rows(self) -> int:
        return sum(self.per_handle.values())


def parts_of(gathered: Gathered, options: ExportOptions) -> list[Part]:
    """The parts of an export: one, or train and valid."""
    if options.split is None and not options.weights:
        return [Part("exported", gathered.per_handle, gathered.all, whole=True)]
    keys = gathered.keys
    if options.split is None:
        valid = pl.repeat(False, keys.height, dtype=pl.Boolean, eager=True)
    else:
        valid = held_out(keys, options.split)
    name = "exported" if options.split is None else "train"
    if options.weights:
        parts = [_blend(name, gathered, valid, options)]
    else:
        parts = [_masked(name, gathered, ~valid)]
    # a file without rows is no split to the loader of Hugging Face
    if options.split is not None and (options.format != "hf" or valid.any()):
        parts.append(_masked("valid", gathered, valid))
    return parts


def _masked(name: str, gathered: Gathered, mask: pl.Series) -> Part:
    counts = _counts(gathered.keys["handle"].filter(mask))
    return Part(name, counts, partial(gathered.only, mask))


def _blend(name: str, gathered: Gathered, valid: pl.Series, options: ExportOptions) -> Part:
    """One epoch of the rows that are not ``valid``; characters plus one stand for tokens."""
    keys = gathered.keys.filter(~valid)
    order = epoch_order(
        keys.select(pl.col("handle").cast(pl.String)),
        seed=options.seed,
        epoch=0,
        weights=options.weights,
        token_counts=keys["chars"] + 1,
    )
    rows = (~valid).arg_true().to_numpy()[order]
    counts = _counts(gathered.keys["handle"].gather(rows))
    return Part(name, counts, partial(gathered.picked, rows))


def _counts(handles: pl.Series) -> dict[str, int]:
    counted = handles.cast(pl.String).value_counts(name="rows").rows()
    return {str(handle): int(rows) for handle, rows in counted}
