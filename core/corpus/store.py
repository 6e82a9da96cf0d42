"""Opening the corpus: short connections, a bounded wait for the lock, one place for the schema.

DuckDB lets one process write or many read, and a held connection locks everybody else out, other
people's tools included. So nobody keeps one: open, do, close.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.corpus.engine import borrowed, refused_by_system
from core.corpus.migrations import (
    bring_up_to_date,
    newest_version,
    schema_version,
    show_missing_columns,
)
from core.errors import CorpusBusy, InputRefused
from core.files import force_to_disk, owned_folder

if TYPE_CHECKING:
    import duckdb

# Readable by DuckDB 1.4 and later, so that other tools of that age can open the file.
_STORAGE: Final = "v1.4.0"
_CHANGED: Final = "Another program changed it in the meantime."
_PAUSE: Final = 0.05
_HOLDER = re.compile(r"\(PID (\d+)\)|PID:? ?(\d+)", re.IGNORECASE)
_LOCKED = ("Could not set lock", "being used by another process", "already attached")


def _is_unused(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether there is nothing in a corpus but its schema."""
    names = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary "
        "AND table_name <> 'schema_version'"
    ).fetchall()
    some = " OR ".join(f'EXISTS (FROM "{name}")' for (name,) in names) or "false"
    return not connection.execute(f"SELECT {some}").fetchall()[0][0]


class NotCompacted(InputRefused):
    """The corpus's file could not be replaced: what was deleted is still in its free space."""


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
        with self._opened(read_only=True) as connection:
            self._check_version(connection)
            yield connection

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
        try:
            if fresh:
                self._make()
            with self._opened(read_only=False) as connection:
                connection.begin()
                bring_up_to_date(connection, self.path)
                yield connection
                connection.commit()
        except BaseException:
            if fresh:
                self._remove_unused()
            self._remove_folders(missing)
            raise

    def _make(self) -> None:
        """A corpus without tweets, there in one step: a kill leaves a whole one or none.

        When somebody else was quicker, theirs is taken.
        """
        with owned_folder(self.path.parent, "new-corpus") as folder:
            draft = Corpus(folder / self.path.name, self.lock_wait)
            with draft._opened(read_only=False) as connection:
                connection.begin()
                bring_up_to_date(connection, self.path)
                connection.commit()
                connection.execute("CHECKPOINT corpus").fetchall()
            force_to_disk(draft.path)
            try:
                os.link(draft.path, self.path)
            except FileExistsError:
                pass
            except OSError:  # a file system without links
                if not self.path.exists():
                    draft.path.replace(self.path)
            force_to_disk(self.path.parent)

    def rewrite(self) -> None:
        """Write the file anew, without what was deleted: DuckDB leaves that in its free blocks.

        Raises CorpusBusy, and NotCompacted when the file could not be written or put in place; it
        is as it was then.
        """
        import duckdb

        real = self.path.resolve()  # of a link, what it leads to is what holds the text
        with owned_folder(real.parent, "compacted") as folder:
            fresh = folder / real.name
            try:
                with self._opened(read_only=False) as connection:
                    name = str(fresh.absolute()).replace("'", "''")
                    connection.execute("CHECKPOINT corpus").fetchall()
                    before = real.stat()
                    connection.execute(
                        f"ATTACH '{name}' AS fresh (TYPE duckdb, STORAGE_VERSION '{_STORAGE}')"
                    )
                    connection.execute("COPY FROM DATABASE corpus TO fresh").fetchall()
                    connection.execute("USE memory")
                    connection.execute("DETACH fresh")
                    force_to_disk(fresh)
                    if os.name == "nt":  # an open file cannot be replaced there
                        connection.execute("DETACH corpus")
                    after = real.stat()
                    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
                        raise NotCompacted(f"{self.path} could not be written anew.", _CHANGED)
                    fresh.chmod(stat.S_IMODE(before.st_mode))
                    fresh.replace(real)
                    force_to_disk(real.parent)
            except (OSError, duckdb.Error) as error:
                why = getattr(error, "strerror", None) or str(error).splitlines()[0]
                raise NotCompacted(f"{self.path} could not be written anew.", f"{why}.") from error
        with self.writing():
            pass  # makes the views again where their mark was not copied

    @contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection with the file attached to an engine that nobody else uses meanwhile.

        Connections opened on the path itself would share one engine within a process, and with it
        the settings that a query locks; two writers would also get in each other's way.
        """
        with borrowed() as connection:
            connection.execute("SET temp_directory = $1", [f"{self.path.absolute()}.tmp"])
            if not read_only:
                connection.execute("SET memory_limit = '512MB'")  # beyond it, it spills
            self._attach(connection, read_only=read_only)
            connection.execute("USE corpus")
            yield connection

    def _attach(self, connection: duckdb.DuckDBPyConnection, *, read_only: bool) -> None:
        """Raises CorpusBusy when the file stays locked, InputRefused when it cannot be read."""
        import duckdb

        give_up = time.monotonic() + self.lock_wait
        # ATTACH takes no parameters; a doubled quote is the only escape in an SQL string
        path = str(self.path.absolute()).replace("'", "''")
        while True:
            # the version is chosen when a file is made; asking for a lower one later is an error
            made = f"STORAGE_VERSION '{_STORAGE}'" if not self.path.exists() else "READ_WRITE"
            how = "READ_ONLY" if read_only else made
            try:
                before = self._inode()
                connection.execute(f"ATTACH '{path}' AS corpus (TYPE duckdb, {how})")
                if before in (None, self._inode()):
                    return
                # `rewrite` has put another file in place between the opening and the lock
                connection.execute("DETACH corpus")
                continue
            except duckdb.Error as error:
                message = str(error)
                if not any(sign in message for sign in _LOCKED):
                    raise refused_by_system(message) or self._unreadable(message) from error
                if time.monotonic() >= give_up:
                    raise self._busy(message) from error
            time.sleep(_PAUSE)

    def _inode(self) -> int | None:
        try:
            return self.path.stat().st_ino
        except OSError:
            return None

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
            show_missing_columns(connection)

    def _remove_unused(self) -> None:
        """Removes a corpus that nobody has brought anything into, nor is at work in."""
        import duckdb

        unused = False
        at_once = Corpus(self.path, lock_wait=0)
        with suppress(duckdb.Error, InputRefused):
            if self.exists:
                with at_once._opened(read_only=False) as connection:
                    unused = _is_unused(connection)
                    if unused and os.name != "nt":  # an open file cannot be removed there
                        self._remove()
        if unused and os.name == "nt":
            self._remove()

    def _remove(self) -> None:
        for leftover in (self.path, self.path.with_name(self.path.name + ".wal")):
            leftover.unlink(missing_ok=True)

    def _remove_folders(self, made: list[Path]) -> None:
        for folder in made:
            try:
                folder.rmdir()
            except OSError:
                return  # somebody else's file lies there
