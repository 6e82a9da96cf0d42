"""Where the app was left, to begin there again: open this for what outlives it besides settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from core.files import write_text_whole
from core.home import Home

# The section in view, the text of the query, the prompt.
NAMES: Final = ("section", "query", "prompt")
# Characters; a longer text is not kept.
_LONGEST: Final = 100_000


def read_session(home: Home) -> dict[str, str]:
    """What was written; nothing where the file is damaged or not there."""
    try:
        kept = json.loads(home.session.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: kept[name] for name in NAMES if isinstance(kept.get(name), str)}


def write_session(home: Home, session: Mapping[str, str]) -> None:
    """Keeps it for the next start; losing it must never hurt.

    In a home that does not exist yet nothing is kept: looking around leaves no trace.
    """
    if not home.root.is_dir():
        return
    kept = {name: text for name, text in session.items() if len(text) <= _LONGEST}
    with suppress(OSError):
        write_text_whole(home.session, json.dumps(kept, indent=2) + "\n", private=True)


def forget_session(home: Home) -> None:
    with suppress(OSError):
        home.session.unlink(missing_ok=True)
