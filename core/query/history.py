"""The queries a person has run, newest last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.recent import Recent

if TYPE_CHECKING:
    from core.home import Home


def history_file(home: Home) -> Path:
    """Where they are kept."""
    return home.root / "query_history.jsonl"


def query_history(home: Home) -> list[str]:
    """At most 500 queries, the newest last."""
    return Recent(history_file(home), "sql").texts()


def remember_query(home: Home, sql: str) -> None:
    """Add a query, unless it is the one before; the oldest go."""
    Recent(history_file(home), "sql").remember(sql)
