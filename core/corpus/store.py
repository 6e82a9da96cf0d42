"""Opening the corpus: short connections, a bounded wait for the lock, one place for the schema.

DuckDB lets one process write or many read, and a held connection locks everybody else out, other
people's tools included. So nobody keeps one: open, do, close.
"""

from __future__ import annotations

import os
import re
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.bundled import bundled
from core.errors import CorpusBusy, InputRefused
from core.tweet import OPTIONAL

if TYPE_CHECKING:
    import duckdb

# Readable by DuckDB 1.4 and later, so that other tools of that age can open the file.
_STORAGE: Final = "v1.4.0"
_PAUSE: Final = 0.05
_HOLDER = re.compile(r"\(PID (\d+)\)|PID:? ?(\d+)", re.IGNORECASE)
_LOCKED = ("Could not set lock", "being used by another process", "already attached")


@dataclass(frozen=True)
class Corpus:
    """The DuckDB file at ``path``; it need not exist yet. ``lock_wait`` is in seconds."""

    path: Path
    lock_wait: float = 5.0

    @property
    def exists(self) -> bool:
        return self.path.is_file()

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection. Raises InputRefused without a corpus, CorpusBusy when locked."""
        if not self.exists:
            raise InputRefused(
                f"There is no corpus at {self.path} yet.",
                "",
                "Bring tweets in with `mynah import`.",
            )
        connection = self._connect(read_only=True)
        try:
            self._check_version(connection)
            yield connection
        finally:
            connection.close()

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for changes, inside one transaction: all of it happens or none of it.

        Makes the file and its schema when there is none, and brings an older one up to date. The
        transaction is committed at the end of the block and rolled back on any exception; a new
        corpus whose first use fails leaves no file behind. Raises CorpusBusy.
        """
        fresh = not self.path.exists()
        missing = [p for p in self.path.parents if not p.exists()] if fresh else []
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputRefused(
                f"The folder {self.path.parent} cannot be made.", f"{error.strerror or error}."
            ) from error
        connection = None
        done = False
        try:
            if fresh:
                self._make()
            connection = self._connect(read_only=False)
            connection.begin()
            bring_up_to_date(connection, self.path)
            yield connection
            connection.commit()
            done = True
        finally:
            if connection is not None:
                connection.close()  # an open transaction is rolled back
                if fresh and not done:
                    self._remove()
            if fresh and not done:
                self._remove_folders(missing)

    def _make(self) -> None:
        """A corpus without tweets, there in one step: a kill leaves a whole one or none.

        It is made under another name. When somebody else was quicker, theirs is taken.
        """
        who = f"{os.getpid()}-{threading.get_ident()}"
        draft = Corpus(self.path.with_name(f"{self.path.name}.new-{who}"), self.lock_wait)
        for old in self.path.parent.glob(f"{self.path.name}.new-*"):
            # of one that was killed; who is at work is done in far less than a minute
            with suppress(OSError):
                if old == draft.path or time.time() - old.stat().st_mtime > 60:
                    old.unlink()
        try:
            connection = draft._connect(read_only=False)
            try:
                connection.begin()
                bring_up_to_date(connection, self.path)
                connection.commit()
                connection.execute("CHECKPOINT corpus").fetchall()
            finally:
                connection.close()
            try:
                os.link(draft.path, self.path)
            except FileExistsError:
                pass
            except OSError:  # a file system without links
                if not self.path.exists():
                    draft.path.replace(self.path)
        finally:
            draft._remove()

    def rewrite(self) -> None:
        """Write the file anew, without what was deleted: DuckDB leaves that in its free blocks.

        Raises CorpusBusy. The old file is replaced in one step.
        """
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        fresh.unlink(missing_ok=True)
        connection = self._connect(read_only=False)
        try:
            name = str(fresh.absolute()).replace("'", "''")
            connection.execute("CHECKPOINT corpus").fetchall()
            before = self.path.stat()
            connection.execute(
                f"ATTACH '{name}' AS fresh (TYPE duckdb, STORAGE_VERSION '{_STORAGE}')"
            )
            connection.execute("COPY FROM DATABASE corpus TO fresh").fetchall()
            connection.execute("USE memory")
            connection.execute("DETACH fresh")
            if os.name == "nt":  # an open file cannot be replaced there
                connection.execute("DETACH corpus")
            after = self.path.stat()
            if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size):
                fresh.replace(self.path)
        finally:
            connection.close()
            for leftover in (fresh, fresh.with_name(f"{fresh.name}.wal")):
                leftover.unlink(missing_ok=True)
        with self.writing():
            pass  # makes the views again where their mark was not copied

    def _connect(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        """Attach the file to an engine of its own.

        Connections opened on the path itself would share one engine within a process, and with it
        the settings that a query locks; two writers would also get in each other's way.
        """
        import duckdb

        give_up = time.monotonic() + self.lock_wait
        # ATTACH takes no parameters; a doubled quote is the only escape in an SQL string
        path = str(self.path.absolute()).replace("'", "''")
        while True:
            # the version is chosen when a file is made; asking for a lower one later is an error
            made = f"STORAGE_VERSION '{_STORAGE}'" if not self.path.exists() else "READ_WRITE"
            how = "READ_ONLY" if read_only else made
            connection = duckdb.connect(":memory:")
            try:
                connection.execute("SET TimeZone = 'UTC'")
                connection.execute("SET autoinstall_known_extensions = false")
                connection.execute("SET autoload_known_extensions = false")
                # or a table name could stand for any Python variable in sight
                connection.execute("SET python_enable_replacements = false")
                connection.execute("SET enable_progress_bar = false")  # stdout is for data
                connection.execute("SET temp_directory = $1", [f"{self.path.absolute()}.tmp"])
                if not read_only:
                    connection.execute("SET memory_limit = '512MB'")  # beyond it, it spills
                connection.execute(f"ATTACH '{path}' AS corpus (TYPE duckdb, {how})")
                connection.execute("USE corpus")
                return connection
            except duckdb.Error as error:
                connection.close()
                message = str(error)
                if not any(sign in message for sign in _LOCKED):
                    raise self._unreadable(message) from error
                if time.monotonic() >= give_up:
                    raise self._busy(message) from error
            except BaseException:
                connection.close()
                raise
            time.sleep(_PAUSE)

    def _busy(self, message: str) -> CorpusBusy:
        holder = _HOLDER.search(message)
        # without a number it is a thread of this very process
        who = f"process {holder[1] or holder[2]}" if holder else f"process {os.getpid()} (this one)"
        return CorpusBusy(
            f"The corpus {self.path} is in use by {who}.",
            f"Waited {self.lock_wait:g} s for it.",
            "Close the other program (or wait for its import to end) and try again.",
        )

    def _unreadable(self, message: str) -> InputRefused:
        return InputRefused(
            f"{self.path} cannot be opened as a corpus.",
            message.splitlines()[0],
            "Move it away, or name another folder with --home.",
        )

    def _check_version(self, connection: duckdb.DuckDBPyConnection) -> None:
        found = schema_version(connection)
        if found is None:
            raise self._unreadable("It is a DuckDB file, but not one of mynah's.")
        if found > newest_version():
            raise self._unreadable("A newer mynah made it; this one is too old to read it.")
        if found < newest_version():
            _complete(connection)

    def _remove(self) -> None:
        for leftover in (self.path, self.path.with_name(self.path.name + ".wal")):
            leftover.unlink(missing_ok=True)

    def _remove_folders(self, made: list[Path]) -> None:
        for folder in made:
            try:
                folder.rmdir()
            except OSError:
                return  # somebody else's file lies there


def migrations() -> list[tuple[int, str]]:
    """Number and SQL of each file in datasets/sql/migrations, in order."""
    found = sorted(bundled("sql", "migrations").glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [(int(path.name[:4]), path.read_text(encoding="utf-8")) for path in found]


def newest_version() -> int:
    return max([1, *(number for number, _ in migrations())])


def schema_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The version of an open corpus; None when the file is not a corpus."""
    import duckdb

    try:
        row = connection.execute("SELECT max(version) FROM schema_version").fetchall()
    except duckdb.CatalogException:
        return None
    return int(row[0][0]) if row and row[0][0] is not None else None


def _complete(connection: duckdb.DuckDBPyConnection) -> None:
    """For this connection, columns that ``tweets`` of an older version lacks are there, and NULL.

    So it can be read without being changed, which may not be possible.
    """
    found = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'tweets' "
        "AND database_name = 'corpus' AND schema_name = 'main'"
    ).fetchall()
    missing = [name for name in OPTIONAL if (name,) not in found]
    if missing:
        added = ", ".join(f"NULL::VARCHAR AS {name}" for name in missing)
        connection.execute(
            f"CREATE TEMP VIEW tweets AS SELECT *, {added} FROM corpus.main.tweets"  # noqa: S608
        ).fetchall()


def bring_up_to_date(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the schema in an empty file, or apply the migrations that it lacks.

    Raises InputRefused for a DuckDB file of somebody else's, or one from a newer mynah.
    """
    tables = "SELECT count(*) FROM duckdb_tables() WHERE NOT internal AND NOT temporary"
    counted = connection.execute(tables).fetchall()
    version = schema_version(connection) if counted[0][0] else 0
    if version is None:
        raise InputRefused(
            f"{path} is a DuckDB file, but not one of mynah's.",
            "",
            "Name another folder with --home.",
        )
    if version > newest_version():
        raise InputRefused(
            f"{path} was made by a newer mynah.", "", "Update mynah to use this corpus."
        )
    views = bundled("sql", "views.sql").read_text(encoding="utf-8")
    if version == newest_version() and _views_are(connection, views):
        return
    make_schema(connection, version)


def make_schema(connection: duckdb.DuckDBPyConnection, version: int = 0) -> None:
    """Bring the schema from ``version`` (0: nothing there) to the newest."""
    views = bundled("sql", "views.sql").read_text(encoding="utf-8")
    steps = [(1, bundled("sql", "schema.sql").read_text(encoding="utf-8")), *migrations()]
    for number, script in steps:
        if number > version:
            run_script(connection, script)
            connection.execute("INSERT INTO schema_version VALUES (?, now())", [number]).fetchall()
    run_script(connection, views)
    connection.execute(f"COMMENT ON VIEW curated IS '{_mark(views)}'").fetchall()


def _views_are(connection: duckdb.DuckDBPyConnection, script: str) -> bool:
    """Whether the file's views were made by this very script, which may change on its own."""
    found = connection.execute(
        "SELECT comment FROM duckdb_views() WHERE view_name = 'curated' AND NOT internal"
    ).fetchall()
    return bool(found) and found[0][0] == _mark(script)


def _mark(script: str) -> str:
    return f"datasets/sql/views.sql {zlib.crc32(script.encode()):08x}"


def run_script(connection: duckdb.DuckDBPyConnection, script: str) -> None:
    """Execute the statements of a bundled SQL file."""
    for statement in connection.extract_statements(script):
        connection.execute(statement).fetchall()
