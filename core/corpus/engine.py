"""DuckDB engines without a database of their own: borrowed for one use, and one is kept idle.

Making an engine takes 20 ms, opening a file in one that is there takes one; the app opens the
corpus for every list that it shows.
"""

from __future__ import annotations

import atexit
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from core.errors import InputRefused

if TYPE_CHECKING:
    import duckdb

# Settings of a whole engine that a borrower may change; the others belong to a connection.
_CHANGED: Final = (
    "errors_as_json",
    "lock_configuration",
    "memory_limit",
    "preserve_insertion_order",
    "temp_directory",
    "threads",
)
# What is attached, and those settings: asked in one statement, which is parsed once an engine.
_STATE: Final = (
    "SELECT (SELECT list(database_name) FROM duckdb_databases() "  # noqa: S608 - our own names
    "WHERE NOT internal AND database_name <> 'memory'), "
    f"{', '.join(f'current_setting({name!r})' for name in _CHANGED)}"
)
# Of each engine: it speaks UTC, loads nothing by itself, takes no table name for a Python variable
# in sight, and keeps nothing of files that it read.
_OF_ALL: Final = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_file_cache = false",
)

_NO_ROOM: Final = "There is no room left on the disk."
_AGAIN: Final = "What was there is as it was; make room, and do it again."
_NO_RIGHT: Final = "The corpus cannot be used by you, or not be changed."
_OTHER_HOME: Final = "Ask whose it is for the right to, or name another folder with --home."
# Words of the system that DuckDB quotes, and what to do.
_BY_SYSTEM: Final = {
    "No space left on device": (_NO_ROOM, _AGAIN),
    "Disk quota exceeded": (_NO_ROOM, _AGAIN),
    "File too large": (_NO_ROOM, _AGAIN),
    "Read-only file system": (_NO_RIGHT, _OTHER_HOME),
    "Permission denied": (_NO_RIGHT, _OTHER_HOME),
    "Input/output error": ("The disk does not answer as it should.", "Look after it first."),
}
_FILE: Final = re.compile(r'file \\?"([^"\\]+)')

_lock: Final = threading.Lock()
_idle: list[_Engine] = []


class _Engine(NamedTuple):
    """``process`` made it; ``settings`` are those of _CHANGED that it began with, and ``state``
    is _STATE.
    """

    process: int
    database: duckdb.DuckDBPyConnection
    state: duckdb.Statement
    settings: list[object]

    def now(self) -> tuple[list[str], list[object]]:
        """The names of what is attached, and the settings."""
        attached, *settings = self.database.execute(self.state).fetchall()[0]
        return attached or [], settings


@contextmanager
def borrowed() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an engine that nobody else uses meanwhile, in UTC; ``memory`` is empty.

    Whatever is attached is detached at the end. The engine is thrown away after an exception, and
    when its settings are locked or its temporary directory was used. What DuckDB says of a disk
    that is full or cannot be written becomes an InputRefused.
    """
    import duckdb

    engine = _take()
    try:
        connection = engine.database.cursor()
        try:
            connection.execute("SET enable_progress_bar = false")  # stdout is for data
            yield connection
        finally:
            connection.close()  # an open transaction is rolled back
    except duckdb.Error as error:
        engine.database.close()
        if (refused := refused_by_system(str(error))) is not None:
            raise refused from error
        raise
    except BaseException:
        engine.database.close()
        raise
    _give_back(engine)


def refused_by_system(words: str) -> InputRefused | None:
    """What DuckDB says, where it is the machine that refuses: no room, no right, a bad disk."""
    for sign, (what, next_step) in _BY_SYSTEM.items():
        if sign in words:
            named = _FILE.search(words)
            return InputRefused(what, f"{named[1]}: {sign}." if named else f"{sign}.", next_step)
    return None


def _take() -> _Engine:
    import duckdb

    with _lock:
        # after a fork, the parent's engine has no threads any more
        if _idle and _idle[-1].process == os.getpid():
            return _idle.pop()
    database = duckdb.connect(":memory:")
    for statement in _OF_ALL:
        database.execute(statement)
    (state,) = database.extract_statements(_STATE)
    _, *settings = database.execute(state).fetchall()[0]
    return _Engine(os.getpid(), database, state, settings)


def _give_back(engine: _Engine) -> None:
    if _is_as_new(engine):
        with _lock:
            if not _idle:
                _idle.append(engine)
                return
    engine.database.close()


def _close_idle() -> None:
    with _lock:
        while _idle:
            engine = _idle.pop()
            if engine.process == os.getpid():
                engine.database.close()


def _is_as_new(engine: _Engine) -> bool:
    """Detach what is attached and put the settings back; False when that cannot be done."""
    import duckdb

    database = engine.database
    try:
        attached, settings = engine.now()
        for name in attached:
            database.execute(f'DETACH "{name}"')
        for setting, value, first in zip(_CHANGED, settings, engine.settings, strict=True):
            if value != first:
                database.execute(f"RESET {setting}")
    except duckdb.Error:
        return False
    return True


atexit.register(_close_idle)  # or DuckDB speaks of leaks
