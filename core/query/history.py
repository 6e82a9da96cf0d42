"""The queries a person has run, newest last: one JSON line each, in a file only they can read."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.home import Home

MOST: Final = 500
_LONGEST: Final = 100_000  # characters of a query; a longer one is not kept


def history_file(home: Home) -> Path:
    """Where it is kept."""
    return home.root / "query_history.jsonl"


def query_history(home: Home) -> list[str]:
    """At most 500 queries, the newest last; lines that cannot be read are passed over."""
    try:
        text = history_file(home).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found: list[str] = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("sql"), str):
            found.append(record["sql"])
    return found[-MOST:]


def remember_query(home: Home, sql: str) -> None:
    """Add a query, unless it is the one before; the oldest go. Losing it must never hurt.

    In a home that does not exist yet nothing is kept: looking around leaves no trace.
    """
    sql = sql.strip()
    if not sql or len(sql) > _LONGEST or not home.root.is_dir():
        return
    kept = query_history(home)
    if kept and kept[-1] == sql:
        return
    record = {"at": datetime.now(timezone.utc).isoformat(timespec="seconds"), "sql": sql}
    line = json.dumps(record) + "\n"
    file = history_file(home)
    try:
        if len(kept) < MOST:
            with os.fdopen(
                os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a"
            ) as out:
                out.write(line)
            return
        from core.files import write_text_whole

        lines = file.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        write_text_whole(file, "".join(lines[-(MOST - 1) :]) + line, private=True)
    except OSError:
        return
