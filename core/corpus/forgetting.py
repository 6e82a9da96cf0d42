"""Forgetting: the rows of an account or of one tweet leave the corpus, and its file, for good.

What was made from them before (a run's frozen dataset, its model, what the model wrote) is not
changed, but marked as stale: a note ``stale.json`` in the run's folder says what it still holds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.corpus.store import Corpus
from core.errors import InputRefused, WrongUsage

if TYPE_CHECKING:
    import duckdb

    from core.home import Home

NOTE: Final = "stale.json"


@dataclass(frozen=True)
class Forgotten:
    """What went: rows by table, and the runs whose dataset and model still hold some of it.

    ``runs`` maps a run's id to how many of its tweets are among the forgotten.
    """

    handles: list[str]
    tweet_id: str | None
    tweets: int
    rows: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah forget --json``."""
        return asdict(self)


def forget(
    corpus: Corpus,
    home: Home,
    *,
    handles: Sequence[str] = (),
    tweet_id: str | None = None,
) -> Forgotten:
    """Forget accounts, or one tweet (of whoever has it). The runs are marked first.

    Every table with a column ``handle`` (``tweet_id`` for one tweet) loses its rows, and the file
    is written anew, so that nothing is left in its free space. Raises InputRefused when there is
    nothing of that in the corpus, CorpusBusy.
    """
    if bool(handles) == bool(tweet_id):
        raise WrongUsage("Name accounts, or one tweet, to forget.")
    column, wanted = ("handle", list(handles)) if handles else ("tweet_id", [str(tweet_id)])
    with corpus.reading() as connection:
        _must_be_there(connection, column, wanted)
    runs = _mark_runs(home, column, wanted)
    rows: dict[str, int] = {}
    with corpus.writing() as connection:
        for table in _tables_with(connection, column):
            deleted = connection.execute(
                f'DELETE FROM "{table}" WHERE list_contains(?, {column})',  # noqa: S608
                [wanted],
            ).fetchall()
            if deleted and deleted[0][0]:
                rows[table] = int(deleted[0][0])
        if tweet_id:  # an account without tweets is nobody
            connection.execute(
                "DELETE FROM accounts WHERE handle NOT IN (SELECT handle FROM tweets)"
            ).fetchall()
    corpus.rewrite()
    return Forgotten(list(handles), tweet_id, rows.get("tweets", 0), rows, runs)


def stale_note(run_folder: Path) -> dict[str, Any] | None:
    """What of a run's data was forgotten since: ``tweets``, ``handles``, ``tweet_ids``, ``at``."""
    try:
        note = json.loads((run_folder / NOTE).read_bytes())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def _must_be_there(connection: duckdb.DuckDBPyConnection, column: str, wanted: list[str]) -> None:
    for value in wanted:
        found = sum(
            connection.execute(
                f'SELECT count(*) FROM "{table}" WHERE {column} = ?',  # noqa: S608
                [value],
            ).fetchall()[0][0]
            for table in _tables_with(connection, column)
        )
        if not found:
            what = f"@{value}" if column == "handle" else f"a tweet {value}"
            raise InputRefused(
                f"There is nothing of {what} in the corpus.",
                "",
                "`mynah accounts` lists who is in it.",
            )


def _tables_with(connection: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    found = connection.execute(
        "SELECT c.table_name FROM duckdb_columns() AS c "
        "JOIN duckdb_tables() AS t USING (database_name, schema_name, table_name) "
        "WHERE c.column_name = ? AND c.data_type = 'VARCHAR' AND NOT t.internal "
        "AND NOT t.temporary AND database_name = current_database() ORDER BY ALL",
        [column],
    ).fetchall()
    return [str(row[0]) for row in found]


def _mark_runs(home: Home, column: str, wanted: list[str]) -> dict[str, int]:
    from core.training.run import all_runs

    marked = {}
    for run in all_runs(home):
        held = _held(run.dataset, column, wanted)
        if held is None:  # no dataset left: go by what was asked of the run
            asked = run.record().get("handles") or [] if column == "handle" else []
            held = 0 if not set(map(str, asked)) & set(wanted) else -1
        if held:
            _write_note(run.folder, column, wanted, max(held, 0))
            marked[run.id] = max(held, 0)
    return marked


def _held(dataset: Path, column: str, wanted: list[str]) -> int | None:
    """How many rows of a frozen dataset are concerned; None when it cannot be read."""
    import polars as pl

    total = 0
    for name in ("train.parquet", "valid.parquet"):
        try:
            rows = pl.scan_parquet(dataset / name, glob=False)
            total += int(rows.select(pl.col(column).is_in(wanted).sum()).collect().item())
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
    return total


def _write_note(folder: Path, column: str, wanted: list[str], held: int) -> None:
    known = stale_note(folder) or {}
    key = "handles" if column == "handle" else "tweet_ids"
    note: dict[str, Any] = {
        "handles": known.get("handles") or [],
        "tweet_ids": known.get("tweet_ids") or [],
        "tweets": int(known.get("tweets") or 0) + held,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    if set(wanted) <= set(note[key]):
        note["tweets"] = int(known.get("tweets") or 0)
    note[key] = sorted({*note[key], *wanted})
    part = folder / f".{NOTE}.{os.getpid()}.part"
    part.write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    part.replace(folder / NOTE)
