"""Forgetting: the rows of an account or of one tweet leave the corpus, and its file, for good.

So do pages of them that were paid for and could not be stored, favourites that copy them, and the
choice of the account in the app. One tweet does not come back with the next import or fetch: its
number stays (``core.corpus.forgotten``), and so do the ranges of what was fetched. After an account
nothing stays, and importing it again starts over.

What was made from them before (a run's frozen dataset, its model, what the model wrote) is not
changed, but marked as stale: a note ``stale.json`` in the run's folder says what it still holds.
Files that were exported lie where the person put them; mynah does not know of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.corpus.forgotten import TABLE, remember_forgotten
from core.corpus.scratch import sweep
from core.corpus.store import Corpus
from core.errors import InputRefused, WrongUsage
from core.runs.stale import NOTE, stale_note

if TYPE_CHECKING:
    import duckdb

    from core.home import Home


@dataclass(frozen=True)
class Forgotten:
    """What went: rows by table, and the runs whose dataset and model still hold some of it.

    ``runs`` maps a run's id to how many of its tweets are among the forgotten. ``files`` counts
    what went outside the corpus: ``fetched_pages`` set aside (or posts taken out of such),
    ``favourites``, ``settings``.
    """

    handles: list[str]
    tweet_id: str | None
    tweets: int
    rows: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

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
        copied = _tweet_ids(connection, column, wanted)
    runs = _mark_runs(home, column, wanted)
    files = _forget_files(home, list(handles), tweet_id, copied)
    rows: dict[str, int] = {}
    with corpus.writing() as connection:
        if tweet_id:
            remember_forgotten(connection, wanted)
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
    sweep(corpus)  # copies that a killed process left
    return Forgotten(list(handles), tweet_id, rows.get("tweets", 0), rows, runs, files)


def _tweet_ids(connection: duckdb.DuckDBPyConnection, column: str, wanted: list[str]) -> set[str]:
    if column == "tweet_id":
        return set(wanted)
    found = connection.execute(
        "SELECT tweet_id FROM tweets WHERE list_contains(?, handle)", [wanted]
    ).fetchall()
    return {str(row[0]) for row in found}


def _forget_files(
    home: Home, handles: list[str], tweet_id: str | None, tweet_ids: set[str]
) -> dict[str, int]:
    """What lies in the home beside the corpus; it goes first, so that a kill leaves none of it."""
    from core.fetching.pending import drop_pages, drop_post
    from core.sampling.favourites import forget_copies

    gone = {
        "fetched_pages": drop_post(home, tweet_id) if tweet_id else drop_pages(home, handles),
        "favourites": forget_copies(home, tweet_ids),
        "settings": _forget_choice(home, handles),
    }
    return {name: count for name, count in gone.items() if count}


def _forget_choice(home: Home, handles: list[str]) -> int:
    """Take accounts out of what the app remembers as chosen; how many they were."""
    try:
        kept = json.loads(home.settings.read_text(encoding="utf-8"))
        chosen = kept["chosen"]
        rest = [handle for handle in chosen if handle not in handles]
    except (OSError, ValueError, TypeError, KeyError):
        return 0
    if len(rest) < len(chosen):
        part = home.settings.with_name(f".{home.settings.name}.{os.getpid()}.part")
        part.write_text(json.dumps(kept | {"chosen": rest}, indent=2), encoding="utf-8")
        part.replace(home.settings)
    return len(chosen) - len(rest)


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
    """Tables that hold something of an account, or of a tweet (but not that it was forgotten)."""
    found = connection.execute(
        "SELECT c.table_name FROM duckdb_columns() AS c "
        "JOIN duckdb_tables() AS t USING (database_name, schema_name, table_name) "
        "WHERE c.column_name = ? AND c.data_type = 'VARCHAR' AND NOT t.internal "
        "AND NOT t.temporary AND database_name = current_database() ORDER BY ALL",
        [column],
    ).fetchall()
    passed_over = {TABLE} if column == "tweet_id" else set()
    return [str(row[0]) for row in found if row[0] not in passed_over]


def _mark_runs(home: Home, column: str, wanted: list[str]) -> dict[str, int]:
    from core.runs.folder import all_runs

    marked = {}
    for run in all_runs(home):
        held = _held(run.dataset, column, wanted)
        if held is None:  # no dataset left: go by what was asked of the run
            asked = run.record().handles if column == "handle" else []
            held = 0 if not set(map(str, asked)) & set(wanted) else -1
        if held:
            _write_note(run.folder, column, wanted, max(held, 0))
            marked[run.id] = max(held, 0)
    return marked


def _held(dataset: Path, column: str, wanted: list[str]) -> int | None:
    """How many tweets of a frozen dataset are concerned; None when it cannot be read."""
    import polars as pl

    from core.dataset.write import JOINED_NAME

    total = 0
    for name in ("train.parquet", "valid.parquet", JOINED_NAME):
        if name == JOINED_NAME and not (dataset / name).exists():
            continue  # no threads were joined
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
