"""SQL over the corpus and the runs: queries, their results, saved ones, completion, changes."""

from __future__ import annotations

from core.query.changing import Changed, change
from core.query.history import query_history, remember_query
from core.query.refusal import Place, QueryRefused
from core.query.result import QueryResult
from core.query.result_files import format_of, write_result
from core.query.run import Asking, explain, run_query, save_query
from core.query.saved import SavedQuery, keep_query, saved_queries

__all__ = [
    "Asking",
    "Changed",
    "Place",
    "QueryRefused",
    "QueryResult",
    "SavedQuery",
    "change",
    "explain",
    "format_of",
    "keep_query",
    "query_history",
    "remember_query",
    "run_query",
    "save_query",
    "saved_queries",
    "write_result",
]
