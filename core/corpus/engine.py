"""DuckDB engines without a database of their own: borrowed for one use, and one is kept idle.

Making an engine takes 20 ms, opening a file in one that is there takes one; the app opens the
corpus for every list that it shows.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

# Settings of a whole engine that a borrower may change; the others belong to a connection.
_CHANGED: Final = (
    "errors_as_json",
    "memory_limit",
    "preserve_insertion_order",
    "temp_directory",
    "threads",
)
_ATTACHED: Final = (
    "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND database_name <> 'memory'"
)

_lock: Final = threading.Lock()
_idle: list[tuple[int, duckdb.DuckDBPyConnection]] = []  # with the process that made it


@contextmanager
def borrowed() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an engine that nobody else uses meanwhile, in UTC; ``memory`` is empty.

    Whatever is attached is detached at the end. The engine is thrown away after an exception, and
    when its settings were locked or its temporary directory was used.
    """
    engine = _take()
    try:
        connection = engine.cursor()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            # or a table name could stand for any Python variable in sight
            connection.execute("SET python_enable_replacements = false")
            connection.execute("SET enable_progress_bar = false")  # stdout is for data
            yield connection
        finally:
            connection.close()  # an open transaction is rolled back
    except BaseException:
        engine.close()
        raise
    _give_back(engine)


def _take() -> duckdb.DuckDBPyConnection:
    import duckdb

    with _lock:
        # after a fork, the parent's engine has no threads any more
        if _idle and _idle[-1][0] == os.getpid():
            return _idle.pop()[1]
    engine = duckdb.connect(":memory:")
    engine.execute("SET autoinstall_known_extensions = false")
    engine.execute("SET autoload_known_extensions = false")
    return engine


def _give_back(engine: duckdb.DuckDBPyConnection) -> None:
    if _is_as_new(engine):
        with _lock:
            if not _idle:
                _idle.append((os.getpid(), engine))
                return
    engine.close()


def _close_idle() -> None:
    with _lock:
        while _idle:
            process, engine = _idle.pop()
            if process == os.getpid():
                engine.close()


def _is_as_new(engine: duckdb.DuckDBPyConnection) -> bool:
    """Detach what is attached and put the settings back; False when that cannot be done."""
    import duckdb

    try:
        for (name,) in engine.execute(_ATTACHED).fetchall():
            engine.execute(f'DETACH "{name}"')
        for setting in _CHANGED:
            engine.execute(f"RESET {setting}")
        # lets go of what it keeps of files that it read
        engine.execute("SET enable_external_file_cache = false")
        engine.execute("RESET enable_external_file_cache")
    except duckdb.Error:
        return False
    return True


atexit.register(_close_idle)  # or DuckDB speaks of leaks
