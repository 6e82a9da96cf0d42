"""Tweets that were forgotten one by one do not come back with the next import or fetch.

Only their numbers are kept. Forgetting the whole account forgets those too, so that one can start
over; ``include`` with "forgotten" takes single tweets in again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from core.corpus.migrations import has_table

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from core.corpus.store import Corpus
    from core.sources.source import SourceSummary

TABLE: Final = "forgotten_tweets"
REASON: Final = "forgotten"


class Forgetful:
    """Leaves forgotten tweets out of canonical frames."""

    def __init__(self) -> None:
        self._known: list[tuple[str, str]] = []
        self._gone: pl.DataFrame | None = None

    @classmethod
    def of(cls, corpus: Corpus) -> Forgetful:
        """Raises CorpusBusy."""
        made = cls()
        if corpus.exists:
            with corpus.reading() as connection:
                made.look(connection)
        return made

    def look(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Sees what is forgotten by now; whether that is not what it was."""
        if not has_table(connection, TABLE):
            return False
        rows = connection.execute(
            f"SELECT DISTINCT handle, tweet_id FROM {TABLE} ORDER BY ALL"  # noqa: S608
        ).fetchall()
        if rows == self._known:
            return False
        import polars as pl

        self._known = rows
        schema = {"handle": pl.String, "tweet_id": pl.String}
        self._gone = pl.DataFrame(rows, schema=schema, orient="row")
        return True

    def without(self, batch: pl.DataFrame, summary: SourceSummary | None = None) -> pl.DataFrame:
        """``batch`` without forgotten tweets; they are counted in ``summary`` as left out."""
        if self._gone is None:
            return batch
        kept = batch.join(self._gone, on=["handle", "tweet_id"], how="anti", maintain_order="left")
        if summary is not None and kept.height < batch.height:
            gone = batch.join(self._gone, on=["handle", "tweet_id"], how="semi")
            for handle, rows in gone["handle"].value_counts(name="rows").iter_rows():
                summary.leave_out(handle, REASON, rows)
        return kept


def remember_forgotten(connection: duckdb.DuckDBPyConnection, tweet_ids: Sequence[str]) -> None:
    """Note tweets that are about to be deleted, of every account that has them."""
    connection.execute(
        f"INSERT INTO {TABLE} SELECT DISTINCT handle, tweet_id, now() FROM tweets "  # noqa: S608
        f"WHERE list_contains($ids::VARCHAR[], tweet_id) "
        f"AND (handle, tweet_id) NOT IN (SELECT (handle, tweet_id) FROM {TABLE})",
        {"ids": list(tweet_ids)},
    ).fetchall()


def take_in_again(connection: duckdb.DuckDBPyConnection) -> None:
    """What is here is forgotten no longer; for an import that was told to include it."""
    connection.execute(
        f"DELETE FROM {TABLE} USING tweets "  # noqa: S608
        f"WHERE tweets.handle = {TABLE}.handle AND tweets.tweet_id = {TABLE}.tweet_id"
    ).fetchall()
