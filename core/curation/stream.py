"""Curation of any number of tweets in bounded memory: the same verdicts as of one frame.

The tweets are read in order into a file (see ``spool``). A first pass judges them batch by batch,
puts the verdicts into files of their own and remembers a few numbers of each tweet; with these the
rules that compare tweets are settled; a second pass brings tweets and verdicts together. Reading
verdicts back takes a fiftieth of the time of judging again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from core.curation.comparing import KEYS, keys_of, settle_keys, settles, with_settled
from core.curation.judge import judge
from core.curation.recipe import Recipe
from core.curation.spool import Cancelled, Spool, spooled, stopped

if TYPE_CHECKING:
    from core.corpus.store import Corpus

Progress = Callable[[int], None]


def curated_batches(
    corpus: Corpus,
    handles: Sequence[str],
    recipe: Recipe,
    *,
    rows: int = 50_000,
    explain: bool = True,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Iterator[pl.DataFrame]:
    """Canonical columns, clean_text, kept, reason and trigger, ``rows`` tweets at a time.

    Rows come by handle, time (undated last), length of the id and id, and are the same as those of
    ``curate`` over one frame, whatever ``rows`` is; ``explain`` is that of ``judge``. The corpus is
    let go before the first batch comes. ``progress`` is called with the number of tweets judged so
    far, all of it before the first batch. Nothing comes without a corpus. Raises CorpusBusy, and
    Interrupted when ``cancelled`` says so, which is asked after each batch.
    """
    if rows < 1:
        raise ValueError("rows must be at least 1")
    if not corpus.exists or not handles:
        return
    with spooled(corpus, handles, cancelled) as spool:
        yield from curated_spool(
            spool,
            recipe,
            rows=rows,
            explain=explain,
            progress=progress,
            cancelled=cancelled,
        )


def curated_spool(
    spool: Spool,
    recipe: Recipe,
    *,
    rows: int = 50_000,
    explain: bool = True,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Iterator[pl.DataFrame]:
    """``curated_batches`` of tweets that were read already."""
    verdicts = _Verdicts(spool, rows, cancelled)
    keys = [pl.DataFrame(schema=KEYS)]
    for number, tweets in enumerate(spool.batches(rows)):
        verdicts.check()
        judged = judge(tweets, recipe, explain=explain)
        verdicts.put(number, judged)
        if settles(recipe):
            keys.append(keys_of(judged, number * rows))
        if progress:
            progress(min((number + 1) * rows, spool.total))
    every = pl.concat(keys)
    keys.clear()
    dropped = settle_keys(every, recipe, verdicts)
    del every
    for number, tweets in enumerate(spool.batches(rows)):
        verdicts.check()
        judged = tweets.hstack(verdicts.take(number))
        settled = with_settled(judged, dropped, number * rows)
        yield settled.select(
            *tweets.columns,
            "clean_text",
            pl.col("reason").is_null().alias("kept"),
            "reason",
            "trigger",
        )


class _Verdicts:
    """What judging said, a file a batch, and a ``settle.Lookup`` in it."""

    def __init__(self, spool: Spool, rows: int, cancelled: Cancelled | None) -> None:
        self.folder = spool.folder
        self._spool = spool
        self._rows = rows
        self._cancelled = cancelled

    def check(self) -> None:
        if self._cancelled and self._cancelled():
            raise stopped()

    def put(self, number: int, judged: pl.DataFrame) -> None:
        judged.select("clean_text", "reason", "trigger").write_parquet(
            self._file(number), compression="lz4", statistics=False
        )

    def take(self, number: int) -> pl.DataFrame:
        """A batch's verdicts, for the last time."""
        found = pl.read_parquet(self._file(number), glob=False)
        self._file(number).unlink()
        return found

    def texts(self, places: pl.Series) -> pl.Series:
        return self._gather(places, self._texts_of)

    def ids(self, places: pl.Series) -> pl.Series:
        return self._gather(places, self._ids_of)

    def _texts_of(self, number: int) -> pl.Series:
        file = self._file(number)
        return pl.read_parquet(file, columns=["clean_text"], glob=False).to_series()

    def _ids_of(self, number: int) -> pl.Series:
        return self._spool.part(number * self._rows, self._rows, ["tweet_id"]).to_series()

    def _gather(self, places: pl.Series, read: Callable[[int], pl.Series]) -> pl.Series:
        wanted = places.to_frame("place").with_row_index("row").sort("place")
        batches = wanted.with_columns(number=pl.col("place") // self._rows)
        found: list[pl.Series] = []
        for (number,), some in batches.group_by("number", maintain_order=True):
            self.check()
            inside = some["place"] - int(str(number)) * self._rows
            found.append(read(int(str(number))).gather(inside))
        if not found:
            return pl.Series([], dtype=pl.String)
        return pl.concat(found).gather(wanted["row"].arg_sort())

    def _file(self, number: int) -> Path:
        return self.folder / f"verdicts-{number}.parquet"
