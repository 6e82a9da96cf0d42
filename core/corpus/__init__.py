"""The corpus: every tweet in one DuckDB file, and the SQL over it."""

from __future__ import annotations

from core.corpus.intake import ImportProgress, ImportResult, import_path
from core.corpus.reading import AccountRow, accounts, tweets
from core.corpus.result import QueryResult, write_result
from core.corpus.saved import SavedQuery, saved_queries
from core.corpus.sql import run_query
from core.corpus.store import Corpus

__all__ = [
    "AccountRow",
    "Corpus",
    "ImportProgress",
    "ImportResult",
    "QueryResult",
    "SavedQuery",
    "accounts",
    "import_path",
    "run_query",
    "saved_queries",
    "tweets",
    "write_result",
]
