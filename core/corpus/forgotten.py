"""Tweets that were forgotten one by one do not come back with the next import or fetch.

Only their numbers are kept. Forgetting the whole account forgets those too, so that one can start
over; ``include`` with "forgotten" takes single tweets in again.

A tweet without an id of its own has another made id in a table that gives its date and in one that
does not. So the last one that says its words is also noted by the id that it has without a date,
and that keeps all out that say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from core.corpus.migrations import has_table
from core.tweet import MADE_ID, SQL_IS_MADE, made_id

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
        gone = self._with_dates(batch, self._gone)
        kept = batch.join(gone, on=["handle", "tweet_id"], how="anti", maintain_order="left")
        if summary is not None and kept.height < batch.height:
            lost = batch.join(gone, on=["handle", "tweet_id"], how="semi")
            for handle, rows in lost["handle"].value_counts(name="rows").iter_rows():
                summary.leave_out(handle, REASON, rows)
        return kept

    @staticmethod
    def _with_dates(batch: pl.DataFrame, gone: pl.DataFrame) -> pl.DataFrame:
        """``gone``, and tweets of ``batch`` whose id would be among them if they had no date."""
        import polars as pl

        is_made = pl.col("tweet_id").str.contains(MADE_ID)
        undated = set(gone.filter(is_made).iter_rows())
        if not undated:
            return gone
        made = batch.filter(is_made & pl.col("handle").is_in([handle for handle, _ in undated]))
        same = [
            (handle, made_id(handle, None, text)) in undated
            for handle, text in made.select("handle", "text").iter_rows()
        ]
        return pl.concat(
            [gone, made.select(gone.columns).filter(pl.Series(same, dtype=pl.Boolean))]
        )


def remember_forgotten(connection: duckdb.DuckDBPyConnection, tweet_ids: Sequence[str]) -> None:
    """Note tweets that are about to be deleted, of every account that has them."""
    ids = {"ids": list(tweet_ids)}
    last = connection.execute(
        f"SELECT handle, text FROM tweets WHERE {SQL_IS_MADE} AND (handle, text) IN "  # noqa: S608
        f"(SELECT (handle, text) FROM tweets WHERE list_contains($ids::VARCHAR[], tweet_id)) "
        f"GROUP BY ALL HAVING bool_and(list_contains($ids::VARCHAR[], tweet_id))",
        ids,
    ).fetchall()
    _note(
        connection,
        "SELECT DISTINCT handle, tweet_id FROM tweets "
        "WHERE list_contains($ids::VARCHAR[], tweet_id)",
        ids,
    )
    for handle, text in last:
        undated = {"handle": handle, "tweet_id": made_id(handle, None, text)}
        _note(connection, "SELECT $handle AS handle, $tweet_id AS tweet_id", undated)


def _note(connection: duckdb.DuckDBPyConnection, tweets: str, values: Mapping[str, object]) -> None:
    """Adds what the query ``tweets`` gives, and is not there yet."""
    connection.execute(
        f"INSERT INTO {TABLE} SELECT handle, tweet_id, now() FROM ({tweets}) "  # noqa: S608
        f"WHERE (handle, tweet_id) NOT IN (SELECT (handle, tweet_id) FROM {TABLE})",
        values,
    ).fetchall()


def take_in_again(connection: duckdb.DuckDBPyConnection) -> None:
    """What is here is forgotten no longer; for an import that was told to include it."""
    connection.execute(
        f"DELETE FROM {TABLE} USING tweets "  # noqa: S608
        f"WHERE tweets.handle = {TABLE}.handle AND tweets.tweet_id = {TABLE}.tweet_id"
    ).fetchall()
    # the same words under another id, which have come since
    came = connection.execute(
        f"SELECT handle, text, epoch_us(max(first_imported_at)) FROM tweets "  # noqa: S608
        f"WHERE {SQL_IS_MADE} AND handle IN (SELECT handle FROM {TABLE} WHERE {SQL_IS_MADE}) "
        f"GROUP BY ALL"
    ).fetchall()
    connection.execute(
        f"DELETE FROM {TABLE} USING (SELECT unnest($ids::VARCHAR[]) AS id, "  # noqa: S608
        f"unnest($times::BIGINT[]) AS time) WHERE tweet_id = id AND epoch_us(forgotten_at) < time",
        {
            "ids": [made_id(handle, None, text) for handle, text, _ in came],
            "times": [time for _, _, time in came],
        },
    ).fetchall()
