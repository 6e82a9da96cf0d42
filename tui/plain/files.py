"""A question before a file that is there is replaced."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from core.files import there_already
from tui.plain.session import Session


def may_write(session: Session, paths: Iterable[Path]) -> bool:
    """Whether none of these is there, or the person wants them replaced."""
    found = there_already(paths)
    if not found:
        return True
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    if session.console.yes(f"{found[0]} is there already{more}. Replace it?"):
        return True
    session.console.say("Nothing was written.")
    return False
