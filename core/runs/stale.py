"""A run whose data was forgotten since: a note ``stale.json`` in its folder says what it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

NOTE: Final = "stale.json"


def stale_note(run_folder: Path) -> dict[str, Any] | None:
    """What of a run's data was forgotten since: ``tweets``, ``handles``, ``tweet_ids``, ``at``."""
    try:
        note = json.loads((run_folder / NOTE).read_bytes())
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def stale_reason(run_folder: Path) -> str | None:
    """The same as a sentence; None when everything that the run was made from is still here."""
    note = stale_note(run_folder)
    if note is None:
        return None
    handles, tweets = note.get("handles"), note.get("tweets")
    of = ", ".join(f"@{handle}" for handle in handles) if isinstance(handles, list) else ""
    if of and note.get("tweet_ids"):
        of += " and others"  # single tweets were forgotten too, whoever wrote them
    if isinstance(tweets, int) and tweets > 0:
        some = "1 tweet" if tweets == 1 else f"{tweets:,} tweets"
        return f"Made with {some}{' of ' + of if of else ''} that you have forgotten since."
    return f"Made with tweets{' of ' + of if of else ''} that you have forgotten since."
