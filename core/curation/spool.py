"""The tweets of some accounts, in order, in a file of their own: read in parts, with no lock held.

The corpus is read once, by DuckDB, whose sort goes to disk beyond a bound; then it is let go,
however long the reader takes. The folder lies beside the corpus, is for its owner's eyes only, and
is gone when the reader is done; what a killed process left is swept up by the next one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import Interrupted
from core.tweet import tweet_schema

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from core.corpus.store import Corpus

Cancelled = Callable[[], bool]

_MEMORY: Final = "256MB"
# DuckDB wants a multiple of 2,048. Larger groups cost memory, smaller ones time.
_GROUP: Final = 51_200
# The same order as core.dataset.split.in_order; DuckDB compares text byte by byte, as Polars does.
_ORDERED: Final = (
    "SELECT {columns} FROM tweets WHERE handle IN (SELECT unnest($handles)) "
    "ORDER BY handle, created_at NULLS LAST, strlen(tweet_id), tweet_id"
)


class Spool:
    """Canonical rows by handle, time (undated last), length of the id and id; ``total`` of them.

    ``folder`` is the place for whatever else is to be gone with them.
    """

    def __init__(self, folder: Path, total: int) -> None:
        self.folder = folder
        self.total = total

    @property
    def path(self) -> Path:
        return self.folder / "tweets.parquet"

    def batches(self, rows: int, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """All rows in order, ``rows`` at a time."""
        for start in range(0, self.total, rows):
            yield self.part(start, rows, columns)

    def part(self, start: int, rows: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """``rows`` rows from ``start`` on."""
        import polars as pl

        schema = tweet_schema()
        wanted = {name: schema[name] for name in columns or schema}
        found = pl.scan_parquet(self.path, glob=False).select(list(wanted)).slice(start, rows)
        return found.cast(wanted).collect()  # type: ignore[arg-type]


@contextmanager
def spooled(
    corpus: Corpus, handles: Sequence[str], cancelled: Cancelled | None = None
) -> Iterator[Spool]:
    """The tweets of ``handles`` as a Spool, for the length of the block.

    Raises CorpusBusy, InputRefused without a corpus, Interrupted when ``cancelled`` says so.
    """
    import duckdb

    from core.corpus.scratch import scratch_folder

    query = _ORDERED.format(columns=", ".join(tweet_schema()))
    with scratch_folder(corpus) as folder:
        spool = Spool(folder, 0)
        with corpus.reading() as connection:
            connection.execute("SET memory_limit = $1", [_MEMORY])
            connection.execute("SET temp_directory = $1", [str(folder / "sort")])
            try:
                with _interruptible(connection, cancelled):
                    connection.sql(query, params={"handles": list(handles)}).write_parquet(
                        str(spool.path), compression="lz4", row_group_size=_GROUP
                    )
            except duckdb.InterruptException:
                raise stopped() from None
        spool.total = _rows(spool.path)
        yield spool


def stopped() -> Interrupted:
    return Interrupted("Curation was stopped.", "Nothing was changed.")


@contextmanager
def _interruptible(
    connection: duckdb.DuckDBPyConnection, cancelled: Cancelled | None
) -> Iterator[None]:
    """Ask ``cancelled`` ten times a second, and stop the running statement when it says so."""
    if cancelled is None:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            if cancelled():
                connection.interrupt()

    watcher = threading.Thread(target=watch, name="spool-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _rows(path: Path) -> int:
    import polars as pl

    return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
