"""Posts from the X API: planned, paid for after a yes, and never paid for twice.

Nothing here is imported before it is used: tweepy and the corpus come with the first plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.fetching.result import FetchProgress, FetchResult
from core.fetching.token import Token, find_token, remove_token, store_token

if TYPE_CHECKING:
    from core.fetching.engine import fetch
    from core.fetching.plan import FetchPlan, plan_fetch
    from core.fetching.refusals import FetchInterrupted, XMisunderstood, XRefused

__all__ = [
    "FetchInterrupted",
    "FetchPlan",
    "FetchProgress",
    "FetchResult",
    "Token",
    "XMisunderstood",
    "XRefused",
    "fetch",
    "find_token",
    "plan_fetch",
    "remove_token",
    "store_token",
]

_LATER = {
    "FetchInterrupted": "refusals",
    "FetchPlan": "plan",
    "XMisunderstood": "refusals",
    "XRefused": "refusals",
    "fetch": "engine",
    "plan_fetch": "plan",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"core.fetching.{_LATER[name]}"), name)
