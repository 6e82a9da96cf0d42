"""The corpus: every tweet in one DuckDB file, and the SQL over it."""

from __future__ import annotations

from core.corpus.forgetting import Forgotten, forget, stale_note
from core.corpus.intake import ImportProgress, ImportResult, import_path
from core.corpus.log import import_log
from core.corpus.reading import AccountRow, accounts, tweets
from core.corpus.result import QueryResult, write_result
from core.corpus.saved import SavedQuery, saved_queries
from core.corpus.sql import run_query
from core.corpus.store import Corpus

__all__ = [
    "AccountRow",
    "Corpus",
    "Forgotten",
    "ImportProgress",
    "ImportResult",
    "QueryResult",
    "SavedQuery",
    "accounts",
    "forget",
    "import_log",
    "import_path",
    "run_query",
    "saved_queries",
    "stale_note",
    "tweets",
    "write_result",
]
