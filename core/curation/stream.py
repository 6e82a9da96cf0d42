"""The one driver of curation: any number of tweets in bounded memory, batch by batch.

The tweets are read once, by DuckDB, whose sort goes to disk beyond a bound, into a sorted copy in a
file of their own; then the corpus is let go, however long the reader takes. A first pass judges
them batch by batch, puts the verdicts into files and remembers a few numbers of each tweet; with
these the rules that compare tweets say what they drop; a second pass brings tweets and verdicts
together. Reading verdicts back takes a fiftieth of the time of judging again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from core.corpus import excluded
from core.curation.comparing import KEYS, compare, compares, keys_of, with_changes
from core.curation.judge import judge
from core.curation.recipe import Recipe
from core.curation.threads import LINKS, joins, links_of, with_joined
from core.errors import Interrupted
from core.files import owned_folder
from core.progress import Cancelled
from core.tweet import EXCLUDED_COLUMN, SQL_ORDER, tweet_schema

if TYPE_CHECKING:
    import duckdb

    from core.corpus.store import Corpus

Progress = Callable[[int], None]

MEMORY: Final = "256MB"
# Rows in a file's group, and in memory at once: a batch that begins inside a group has two of them
# unpacked. DuckDB wants a multiple of 2,048. More rows cost memory, fewer ones time.
ROW_GROUP: Final = 40_960
_ORDERED: Final = (
    f"SELECT {', '.join(tweet_schema())}{{more}} FROM tweets "  # noqa: S608 - our own names
    "WHERE handle IN (SELECT unnest($handles)) "
    f"ORDER BY {SQL_ORDER}"
)
_EXCLUDED: Final = (
    f", (handle, tweet_id) IN (SELECT (handle, tweet_id) FROM {excluded.TABLE}) "  # noqa: S608
    f"AS {EXCLUDED_COLUMN}"
)


def curated_batches(
    corpus: Corpus,
    handles: Sequence[str],
    recipe: Recipe,
    *,
    rows: int = ROW_GROUP,
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
    if not corpus.exists:
        return
    with sorted_copy(corpus, handles, cancelled) as copy:
        yield from curated_copy(
            copy,
            recipe,
            rows=rows,
            explain=explain,
            progress=progress,
            cancelled=cancelled,
        )


def curated_copy(
    copy: SortedTweets,
    recipe: Recipe,
    *,
    rows: int = ROW_GROUP,
    explain: bool = True,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Iterator[pl.DataFrame]:
    """``curated_batches`` of tweets that were read already."""
    verdicts = _Verdicts(copy, rows, cancelled)
    keys = [pl.DataFrame(schema=KEYS)]
    links = [pl.DataFrame(schema=LINKS)]
    for number, tweets in enumerate(copy.batches(rows)):
        verdicts.check()
        judged = judge(tweets, recipe, explain=explain)
        verdicts.put_batch(number, judged)
        if compares(recipe):
            keys.append(keys_of(judged, number * rows))
        if joins(recipe):
            links.append(links_of(judged, number * rows))
        if progress:
            progress(min((number + 1) * rows, copy.total))
    every = pl.concat(keys)
    keys.clear()
    changes = compare(every, recipe, verdicts, pl.concat(links) if joins(recipe) else None)
    del every, links
    for number, tweets in enumerate(copy.batches(rows)):
        verdicts.check()
        judged = tweets.hstack(verdicts.take(number))
        yield with_changes(judged, changes, number * rows).select(
            *tweet_schema(),
            "clean_text",
            pl.col("reason").is_null().alias("kept"),
            "reason",
            "trigger",
        )


class SortedTweets:
    """Canonical rows by handle, time (undated last), length of the id and id; ``total`` of them.

    A column EXCLUDED_COLUMN is there where the person leaves some of them out.

    They are the rows from ``first`` on of the Parquet file at ``path``. ``folder`` (None: that of
    the file) is for whatever else is to be gone with them.
    """

    def __init__(
        self, path: Path, total: int, *, folder: Path | None = None, first: int = 0
    ) -> None:
        self.folder = folder or path.parent
        self.total = total
        self.path = path
        self._first = first

    def batches(self, rows: int, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """All rows in order, ``rows`` at a time."""
        for start in range(0, self.total, rows):
            yield self.part(start, rows, columns)

    def part(self, start: int, rows: int, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """``rows`` rows from ``start`` on, or as many as there are."""
        rows = min(rows, self.total - start)
        schema = tweet_schema()
        wanted = {name: schema[name] for name in columns or schema}
        scanned = pl.scan_parquet(self.path, glob=False)
        if columns is None and EXCLUDED_COLUMN in scanned.collect_schema():
            wanted[EXCLUDED_COLUMN] = pl.Boolean()
        found = scanned.select(list(wanted)).slice(self._first + start, rows)
        return found.cast(wanted).collect()  # type: ignore[arg-type]


@contextmanager
def sorted_copy(
    corpus: Corpus, handles: Sequence[str], cancelled: Cancelled | None = None
) -> Iterator[SortedTweets]:
    """The tweets of ``handles`` as a SortedTweets, for the length of the block.

    Raises CorpusBusy, InputRefused without a corpus, Interrupted when ``cancelled`` says so.
    """
    import duckdb

    with owned_folder(corpus.path.parent, "curating") as folder:
        path = folder / "tweets.parquet"
        with corpus.reading() as connection:
            connection.execute("SET memory_limit = $1", [MEMORY])
            connection.execute("SET temp_directory = $1", [str(folder / "sort")])
            some = excluded.excluded_in(connection, handles)
            query = _ORDERED.format(more=_EXCLUDED if some else "")
            try:
                with interruptible(connection, cancelled):
                    connection.sql(query, params={"handles": list(handles)}).write_parquet(
                        str(path), compression="lz4", row_group_size=ROW_GROUP
                    )
            except duckdb.InterruptException:
                raise stopped() from None
        yield SortedTweets(path, _rows(path))


def stopped() -> Interrupted:
    return Interrupted("Curation was stopped.", "Nothing was changed.")


@contextmanager
def interruptible(
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

    watcher = threading.Thread(target=watch, name="sort-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _rows(path: Path) -> int:
    return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())


class _Verdicts:
    """The verdicts, a file a batch, and the words of joined threads: a ``threads.Lookup``."""

    def __init__(self, copy: SortedTweets, rows: int, cancelled: Cancelled | None) -> None:
        self.folder = copy.folder
        self._copy = copy
        self._rows = rows
        self._cancelled = cancelled
        self._joined: dict[int, list[Path]] = {}

    def check(self) -> None:
        if self._cancelled and self._cancelled():
            raise stopped()

    def put_batch(self, number: int, judged: pl.DataFrame) -> None:
        judged.select("clean_text", "reason", "trigger").write_parquet(
            self._file(number), compression="lz4", statistics=False
        )

    def take(self, number: int) -> pl.DataFrame:
        """A batch's verdicts, for the last time."""
        found = pl.read_parquet(self._file(number), glob=False)
        self._file(number).unlink()
        return found.with_columns(self._with_joined(found["clean_text"], number))

    def put(self, joined: pl.DataFrame) -> None:
        batch = (pl.col("place") // self._rows).alias("number")
        for (number,), some in joined.group_by(batch, maintain_order=True):
            files = self._joined.setdefault(int(str(number)), [])
            files.append(self.folder / f"joined-{number}-{len(files)}.parquet")
            some.write_parquet(files[-1], compression="lz4", statistics=False)

    def column(self, name: str, places: pl.Series) -> pl.Series:
        wanted = places.to_frame("place").with_row_index("row").sort("place")
        batches = wanted.with_columns(number=pl.col("place") // self._rows)
        found: list[pl.Series] = []
        for (number,), some in batches.group_by("number", maintain_order=True):
            self.check()
            inside = some["place"] - int(str(number)) * self._rows
            found.append(self._read(name, int(str(number))).gather(inside))
        if not found:
            return pl.Series(name, [], dtype=pl.String)
        return pl.concat(found).gather(wanted["row"].arg_sort())

    def _read(self, name: str, number: int) -> pl.Series:
        if name != "clean_text":
            return self._copy.part(number * self._rows, self._rows, [name]).to_series()
        texts = pl.read_parquet(self._file(number), columns=[name], glob=False).to_series()
        return self._with_joined(texts, number)

    def _with_joined(self, texts: pl.Series, number: int) -> pl.Series:
        files = self._joined.get(number)
        if not files:
            return texts
        start = number * self._rows
        places = pl.int_range(start, start + len(texts), dtype=pl.UInt32, eager=True)
        joined = pl.concat([pl.read_parquet(file, glob=False) for file in files])
        return with_joined(texts, places, joined)

    def _file(self, number: int) -> Path:
        return self.folder / f"verdicts-{number}.parquet"
