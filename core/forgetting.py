"""Forgetting: the rows of an account or of one tweet leave the corpus, and its file, for good.

So do pages of them that were paid for and could not be stored, samples and favourites that copy
them, and the choice of the account in the app. One tweet does not come back with the next import or
fetch: its number stays (``core.corpus.forgotten``), and so do the ranges of what was fetched. After
an account nothing stays, and importing it again starts over.

Deleted rows stay in the file's free space until the file is written anew. Where that fails, it is
said, and a file ``.tweets.duckdb.not-compacted`` beside the corpus remembers it: forgetting the
same again, or anything else, tries once more.

What was made from them before (a run's frozen dataset, its model, what the model wrote while it
learned) is not changed, but marked as stale: a note ``stale.json`` in the run's folder says what it
still holds, and its card says so from then on. Where a run's model was published or converted to is
told. Exports lie where the person put them and are not changed; those still there are named.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.corpus.forgotten import TABLE, remember_forgotten
from core.corpus.reading import tweet_counts
from core.corpus.store import Corpus, NotCompacted
from core.dataset.exported import exports_of
from core.errors import CorpusBusy, InputRefused, Interrupted, WrongUsage
from core.files import remove_orphans, write_bytes_whole, write_text_whole
from core.json_lines import parse_json
from core.runs.folder import STALE_NOTE, noted, stale_note

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from core.home import Home


# Of tweets that say the same the first is kept: when it goes, the others are to be judged again.
_NO_LONGER_AGAIN: Final = """
UPDATE verdicts SET recipe_hash = '' FROM verdicts AS gone
WHERE list_contains($ids, gone.tweet_id) AND gone.kept AND verdicts.reason = 'duplicate'
    AND (verdicts.handle, verdicts.recipe) = (gone.handle, gone.recipe)
    AND lower(verdicts.clean_text) = lower(gone.clean_text)
"""


@dataclass(frozen=True)
class Forgotten:
    """What went: rows by table, and the runs whose dataset and model still hold some of it.

    ``runs`` maps a run's id to how many of its tweets are among the forgotten, ``published`` to the
    addresses, files and folders that its model was published or converted to; ``exports`` are the
    manifests of exports that hold, or may hold, some of it; ``again`` are the runs, outside the
    trash, that can be trained again on what stays. ``files`` counts what went outside the corpus:
    ``fetched_pages`` still pending (or posts taken out of such), ``samples``, ``favourites``,
    ``settings``. ``compacted`` False: the rows are deleted, but what they said is still in the
    corpus's file, and ``not_compacted`` says why.
    """

    handles: list[str]
    tweet_id: str | None
    tweets: int
    rows: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    published: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    compacted: bool = True
    not_compacted: str = ""
    exports: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The fields of ``mynah forget --json``."""
        return asdict(self)


def forget(
    corpus: Corpus,
    home: Home,
    *,
    handles: Sequence[str] = (),
    tweet_id: str | None = None,
    dry_run: bool = False,
) -> Forgotten:
    """Forget accounts, or one tweet (of whoever has it). The runs are marked first.

    With ``dry_run`` nothing is changed, and the answer is what would go.
    Every table with a column ``handle`` (``tweet_id`` for one tweet) loses its rows, those of the
    person's own in any schema too, and the file is written anew, so that nothing is left in its
    free space. Raises InputRefused when there is nothing of that in the corpus, or when a table of
    the person's own does not let go of its rows; CorpusBusy.
    """
    if bool(handles) == bool(tweet_id):
        raise WrongUsage("Name accounts, or one tweet, to forget.")
    column, wanted = ("handle", list(handles)) if handles else ("tweet_id", [str(tweet_id)])
    unfinished = corpus.path.with_name(f".{corpus.path.name}.not-compacted")
    with corpus.reading() as connection:
        missing = _missing(connection, column, wanted)
        copied = _tweet_ids(connection, column, wanted)
        whose = _handles(connection, column, wanted)
    if missing and not unfinished.exists():
        raise InputRefused(
            f"There is nothing of {missing} in the corpus.",
            "",
            "`mynah accounts` lists who is in it.",
        )
    exports = exports_of(home, whose)
    if dry_run:
        runs, published = _mark_runs(home, column, wanted, dry_run=True)
        files = _forget_files(home, list(handles), tweet_id, copied, dry_run=True)
        rows = _count(corpus, column, wanted)
        tweets, again = rows.get("tweets", 0), _again(corpus, home, runs, handles)
        return Forgotten(
            list(handles), tweet_id, tweets, rows, runs, published, files,
            exports=exports, again=again,
        )  # fmt: skip
    runs, published = _mark_runs(home, column, wanted)
    files = _forget_files(home, list(handles), tweet_id, copied, dry_run=False)
    was_unfinished = unfinished.exists()
    write_bytes_whole(unfinished, b"")
    try:
        rows = _delete(corpus, column, wanted)
    except (InputRefused, Interrupted):
        if not was_unfinished:
            unfinished.unlink()
        raise
    why = ""
    try:
        corpus.rewrite()
        unfinished.unlink(missing_ok=True)
    except (NotCompacted, CorpusBusy) as error:
        why = str(error)
    if tweet_id:  # others that said the same are to be judged again
        from core.curation.stored_verdicts import refresh_where_needed

        with suppress(InputRefused, OSError):  # the next import does it
            refresh_where_needed(home, whose)
    for purpose in ("curating", "compacted"):  # copies that a killed process left
        remove_orphans(corpus.path.parent, purpose)
    remove_orphans(home.runs, "run")
    remove_orphans(Path(tempfile.gettempdir()))
    return Forgotten(
        list(handles), tweet_id, rows.get("tweets", 0), rows, runs, published, files,
        compacted=not why, not_compacted=why, exports=exports,
        again=_again(corpus, home, runs, handles),
    )  # fmt: skip


def _again(corpus: Corpus, home: Home, runs: Iterable[str], gone: Sequence[str]) -> list[str]:
    """Those of ``runs`` some of whose accounts have tweets when those of ``gone`` have none."""
    from core.runs.folder import Run

    there, found = tweet_counts(corpus).keys() - set(gone), []
    for name in runs:
        with suppress(InputRefused):  # it is damaged, or in the trash
            record = Run(home.runs / name).record()
            found += [name] if record.train_settings and there & set(record.handles) else []
    return found


def _count(corpus: Corpus, column: str, wanted: list[str]) -> dict[str, int]:
    """How many rows there are, by table."""
    rows: dict[str, int] = {}
    with corpus.reading() as connection:
        for name, table in _tables_with(connection, column).items():
            counted = connection.execute(
                f"SELECT count(*) FROM {table} WHERE list_contains(?, {column})",  # noqa: S608
                [wanted],
            ).fetchall()
            if counted[0][0]:
                rows[name] = int(counted[0][0])
    return rows


def _delete(corpus: Corpus, column: str, wanted: list[str]) -> dict[str, int]:
    """Deletes the rows in one transaction; how many, by table."""
    import duckdb

    rows: dict[str, int] = {}
    with corpus.writing() as connection:
        if column == "tweet_id":
            remember_forgotten(connection, wanted)
            connection.execute(_NO_LONGER_AGAIN, {"ids": wanted}).fetchall()
        for name, table in _tables_with(connection, column).items():
            try:
                deleted = connection.execute(
                    f"DELETE FROM {table} WHERE list_contains(?, {column})",  # noqa: S608 - quoted
                    [wanted],
                ).fetchall()
            except duckdb.Error as error:
                raise InputRefused(
                    f"The table {name} does not let go of its rows, so nothing was deleted.",
                    f"DuckDB says: {str(error).splitlines()[0]}",
                    "Delete them there with `mynah sql --write`, then forget again.",
                ) from error
            if deleted and deleted[0][0]:
                rows[name] = int(deleted[0][0])
        if column == "tweet_id":  # an account without tweets is nobody
            connection.execute(
                "DELETE FROM accounts WHERE handle NOT IN (SELECT handle FROM tweets)"
            ).fetchall()
    return rows


def _tweet_ids(connection: duckdb.DuckDBPyConnection, column: str, wanted: list[str]) -> set[str]:
    if column == "tweet_id":
        return set(wanted)
    found = connection.execute(
        "SELECT tweet_id FROM tweets WHERE list_contains(?, handle)", [wanted]
    ).fetchall()
    return {str(row[0]) for row in found}


def _handles(connection: duckdb.DuckDBPyConnection, column: str, wanted: list[str]) -> list[str]:
    if column == "handle":
        return wanted
    found = connection.execute(
        "SELECT DISTINCT handle FROM tweets WHERE list_contains(?, tweet_id)", [wanted]
    ).fetchall()
    return [str(row[0]) for row in found]


def _forget_files(
    home: Home, handles: list[str], tweet_id: str | None, tweet_ids: set[str], *, dry_run: bool
) -> dict[str, int]:
    """What lies in the home beside the corpus; it goes first, so that a kill leaves none of it."""
    from core.fetching.pending import drop_pending, drop_pending_post
    from core.sampling import favourites, store

    gone = {
        "fetched_pages": drop_pending_post(home, tweet_id, dry_run=dry_run)
        if tweet_id
        else drop_pending(home, handles, dry_run=dry_run),
        "samples": store.forget_copies(home, tweet_ids, dry_run=dry_run),
        "favourites": favourites.forget_copies(home, tweet_ids, dry_run=dry_run),
        "settings": _forget_choice(home, handles, dry_run=dry_run),
    }
    return {name: count for name, count in gone.items() if count}


def _forget_choice(home: Home, handles: list[str], *, dry_run: bool) -> int:
    """Take accounts out of what the app remembers as chosen; how many they were."""
    try:
        kept = parse_json(home.settings.read_text(encoding="utf-8"))
        chosen = kept["chosen"]
        rest = [handle for handle in chosen if handle not in handles]
    except (OSError, ValueError, TypeError, KeyError):
        return 0
    if len(rest) < len(chosen) and not dry_run:
        write_text_whole(home.settings, json.dumps(kept | {"chosen": rest}, indent=2))
    return len(chosen) - len(rest)


def _missing(connection: duckdb.DuckDBPyConnection, column: str, wanted: list[str]) -> str | None:
    """The first account or tweet of which there is nothing, in words; None when all are there."""
    tables = list(_tables_with(connection, column).values())
    for value in wanted:
        asked = (f"EXISTS (FROM {table} WHERE {column} = $value)" for table in tables)
        found = connection.execute(f"SELECT {' OR '.join(asked)}", {"value": value})
        if not found.fetchall()[0][0]:
            return f"@{value}" if column == "handle" else f"a tweet {value}"
    return None


def _tables_with(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, str]:
    """Tables that hold something of an account, or of a tweet (but not that it was forgotten).

    By name as people write it (those in another schema than ``main`` with its name), as SQL.
    """
    found = connection.execute(
        "SELECT c.schema_name, c.table_name FROM duckdb_columns() AS c "
        "JOIN duckdb_tables() AS t USING (database_name, schema_name, table_name) "
        "WHERE lower(c.column_name) = ? AND c.data_type = 'VARCHAR' AND NOT t.internal "
        "AND NOT t.temporary AND database_name = 'corpus' ORDER BY ALL",
        [column],
    ).fetchall()
    tables = {}
    for schema, table in found:
        name = table if schema == "main" else f"{schema}.{table}"
        if (schema, table, column) != ("main", TABLE, "tweet_id"):
            tables[name] = f"corpus.{_quoted(schema)}.{_quoted(table)}"
    return tables


def _quoted(name: str) -> str:
    """A name as an SQL identifier; a doubled quote is the only escape there."""
    return '"' + name.replace('"', '""') + '"'


def _mark_runs(
    home: Home, column: str, wanted: list[str], *, dry_run: bool = False
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """How many of their tweets are forgotten, and where their models have gone; by run."""
    from core.publish.published import publications
    from core.runs.folder import Run, all_runs
    from core.runs.housekeeping import deleted_id, runs_in_trash
    from core.runs.record import RunRecord

    marked, published = {}, {}
    runs: list[tuple[RunRecord, Run]] = []
    for run in [*all_runs(home), *runs_in_trash(home)]:
        try:
            runs.append((run.record(), run))
        except InputRefused:  # it is damaged, but what it froze tells
            runs.append((RunRecord(), run))
    concerned: set[str] = set()  # by the id that a run in the trash had
    for record, run in sorted(runs, key=lambda one: one[0].created):
        note = stale_note(run.folder) or {}
        held = _held(run.dataset, column, wanted, note)
        if held is None:  # no dataset left: go by what was asked of the run
            asked = record.handles if column == "handle" else []
            held = _Held(concerned=bool(set(map(str, asked)) & set(wanted)))
        before = record.continues
        if not held.concerned and before is not None and before.run in concerned:
            held = _Held(concerned=True)  # not in its own tweets, but in the weights it began with
        if held.concerned:
            concerned.add(deleted_id(run.id) or run.id)
            if not dry_run:
                _write_note(run.folder, column, wanted, note, held)
            marked[run.id] = held.of_these
            if gone := [one.where for one in publications(run)]:
                published[run.id] = gone
    return marked, published


@dataclass(frozen=True)
class _Held:
    """What a frozen dataset holds of what is forgotten.

    ``of_these`` rows are of what goes now, those left out that went one by one before; ``new`` are
    those that were not counted by an earlier forgetting. ``handles``: whose they are.
    """

    concerned: bool
    of_these: int = 0
    new: int = 0
    handles: tuple[str, ...] = ()


def _held(dataset: Path, column: str, wanted: list[str], note: dict[str, Any]) -> _Held | None:
    """None when the dataset cannot be read; ``note`` tells what was forgotten of it before."""
    import polars as pl

    from core.dataset.write import JOINED_NAME

    total = of_these = new = 0
    handles: set[str] = set()
    for name in ("train.parquet", "valid.parquet", JOINED_NAME):
        if name == JOINED_NAME and not (dataset / name).exists():
            continue  # no threads were joined
        try:
            rows = pl.scan_parquet(dataset / name, glob=False)
            now = _concerned(rows, column, wanted)
            one_by_one = _concerned(rows, "tweet_id", noted(note, "tweet_ids"))
            before = one_by_one | _concerned(rows, "handle", noted(note, "handles"))
            found = rows.filter(now).select("handle", one=one_by_one, before=before).collect()
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            return None
        total += found.height
        gone = found["one"] if column == "handle" else pl.repeat(False, found.height, eager=True)
        of_these += found.height - int(gone.sum())
        new += found.height - int(found["before"].sum())
        handles.update(map(str, found["handle"]))
    return _Held(total > 0, of_these, new, tuple(sorted(handles)))


def _concerned(rows: pl.LazyFrame, column: str, wanted: Sequence[str]) -> pl.Expr:
    import polars as pl

    found = pl.col(column).cast(pl.String).is_in(list(wanted))
    answered = "answered_by" if column == "handle" else "answered_id"
    if answered in rows.collect_schema():  # read with an answer, in a run that answers
        found |= pl.col(answered).is_in(list(wanted)).fill_null(value=False)
    return found


def _write_note(
    folder: Path, column: str, wanted: list[str], known: dict[str, Any], held: _Held
) -> None:
    """Adds to what is ``known``. ``tweets_by``: whose the tweets are that went one by one."""
    key = "handles" if column == "handle" else "tweet_ids"
    note: dict[str, Any] = {
        "handles": noted(known, "handles"),
        "tweet_ids": noted(known, "tweet_ids"),
        "tweets": int(known.get("tweets") or 0) + held.new,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    note[key] = sorted({*note[key], *wanted})
    if "tweets_by" in known or not known.get("tweet_ids"):  # else one of before it was noted
        by = held.handles if column == "tweet_id" else ()
        note["tweets_by"] = sorted({*noted(known, "tweets_by"), *by})
    write_text_whole(folder / STALE_NOTE, json.dumps(note, indent=1) + "\n")
