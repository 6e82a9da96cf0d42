"""The corpus: every tweet in one DuckDB file."""

from __future__ import annotations

from core.corpus.forgetting import Forgotten, forget
from core.corpus.intake import ImportProgress, ImportResult, import_path
from core.corpus.log import ImportRecord, import_log, import_places
from core.corpus.reading import (
    AccountRow,
    account_names,
    accounts,
    tweet_counts,
    tweets,
    tweets_at_hand,
)
from core.corpus.store import Corpus

__all__ = [
    "AccountRow",
    "Corpus",
    "Forgotten",
    "ImportProgress",
    "ImportRecord",
    "ImportResult",
    "account_names",
    "accounts",
    "forget",
    "import_log",
    "import_path",
    "import_places",
    "tweet_counts",
    "tweets",
    "tweets_at_hand",
]
