"""How large an export will be, before it is made."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from core.curation.counts import AccountStats
from core.curation.judge import judge
from core.curation.recipe import Recipe
from core.dataset.formats import LINES
from core.dataset.options import ExportOptions
from core.dataset.rows import exported
from core.dataset.shares import expected_shares
from core.tweet import tweet_schema

if TYPE_CHECKING:
    from core.home import Home

_SAMPLE: Final = 2_000
# The same tweets each time, wherever they lie in the table.
_SAMPLED: Final = (
    "SELECT {columns} FROM tweets WHERE handle IN (SELECT unnest($handles)) "
    "ORDER BY hash(tweet_id), handle LIMIT $most"
)


@dataclass(frozen=True)
class Estimate:
    """``rows`` as counted (about, when ``weights`` repeat some), ``size`` in bytes (about)."""

    rows: int
    size: int


def estimate(
    home: Home, stats: Sequence[AccountStats], recipe: Recipe, options: ExportOptions
) -> Estimate:
    """What an export of the accounts in ``stats`` would hold; the size is that of a sample.

    The sample is up to 2,000 tweets, written in the format and measured. Raises WrongUsage for
    options that do not go together, CorpusBusy.
    """
    from core.corpus.reading import frame
    from core.corpus.store import Corpus

    handles = sorted(one.handle for one in stats)
    options = options.checked(handles)
    rows = _rows(stats, options)
    corpus = Corpus(home.corpus)
    if not rows or not corpus.exists:
        return Estimate(rows, 0)
    query = _SAMPLED.format(columns=", ".join(tweet_schema()))
    with corpus.reading() as connection:
        found = frame(connection.sql(query, params={"handles": handles, "most": _SAMPLE}))
    judged = judge(found.cast(tweet_schema()), recipe)  # type: ignore[arg-type]
    sample = exported(judged.with_columns(kept=pl.col("reason").is_null()), options.what)
    if sample.is_empty():
        return Estimate(rows, 0)
    if options.format in LINES:
        size = len(LINES[options.format](sample, options))
    else:
        buffer = io.BytesIO()
        sample.write_parquet(buffer, compression="zstd")
        size = buffer.tell()
    return Estimate(rows, round(size / sample.height * rows))


def _rows(stats: Sequence[AccountStats], options: ExportOptions) -> int:
    if options.what == "all":
        return sum(one.downloaded for one in stats)
    if not options.weights:
        return sum(one.kept for one in stats)
    sizes = {one.handle: one.kept_chars + one.kept for one in stats}
    times = {share.handle: share.times for share in expected_shares(sizes, options.weights)}
    return round(sum(one.kept * times[one.handle] for one in stats if one.kept))
