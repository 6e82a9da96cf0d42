"""Questions before something that cannot be undone: a yes on the terminal, or an option for it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from core.errors import InputRefused, Interrupted, WrongUsage
from core.files import there_already


def somebody_is_here() -> bool:
    """Whether there is a terminal to ask on and to be answered from."""
    return bool(sys.stdin and sys.stderr and sys.stdin.isatty() and sys.stderr.isatty())


def ask_first(question: str, *, otherwise: str, agree: str = "Add --yes to agree to it.") -> None:
    """Returns after a yes. ``otherwise`` is the sentence that says what was not done.

    Raises WrongUsage where nobody can be asked, Interrupted after a no.
    """
    if not somebody_is_here():
        raise WrongUsage(f"{otherwise.rstrip('.')}: nobody can be asked here.", "", agree)
    if not click.confirm(question, default=False, err=True):
        raise Interrupted(otherwise)


def may_replace(paths: Iterable[Path], *, force: bool) -> None:
    """Returns when none of these is there, or the person wants them replaced.

    Raises InputRefused where something is there and nobody can be asked, Interrupted after a no.
    """
    found = there_already(paths)
    if force or not found:
        return
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    first = found[0].absolute()
    if not somebody_is_here():
        raise InputRefused(
            f"{first} is there already{more}.",
            "Nothing was written.",
            "--force replaces it, or name another path.",
        )
    if not click.confirm(f"{first} is there already{more}. Replace?", default=False, err=True):
        raise Interrupted("Nothing was written.")
