"""Tables that a terminal cannot hold: open this for when a pager shows them, and which."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence

import click

from core.config import known_config
from tui.cli.options import Chosen, home_at
from tui.cli.output import emit, table

# For less where LESS says nothing: long lines are scrolled, not wrapped, and what was shown stays.
_LESS = "-RSX"


def emit_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Iterable[int] = (),
    widest: int | None = None,
    above: str = "",
    whole: bool = False,
) -> None:
    """A table on stdout, below the line ``above``; the rest as `table` takes it.

    On a terminal that it is too long for it goes through $PAGER, or else less. What is too wide has
    its cells cut to fit, or goes there too if it is to be seen ``whole``.
    """
    paged = _wanted()
    text = above + table(columns, rows, right=right, widest=widest, fitted=not (paged and whole))
    if not paged or _fits(text):
        emit(text)
        return
    os.environ.setdefault("LESS", _LESS)
    click.echo_via_pager(text, color=False)


def _wanted() -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or not _pager():
        return False
    chosen = click.get_current_context().find_object(Chosen) or Chosen()
    return chosen.pager and known_config(home_at(chosen))[0].get("commands.pager") != "off"


def _pager() -> str | None:
    """Where the program is that click would take; None without any."""
    given = os.environ.get("PAGER", "").strip()
    if not given and os.environ.get("TERM", "") in ("", "dumb", "unknown", "emacs"):
        return None
    try:
        command = shlex.split(given) or ["less"]
    except ValueError:  # a quote that does not end
        return None
    return shutil.which(command[0])


def _fits(text: str) -> bool:
    from rich.cells import cell_len

    room = shutil.get_terminal_size()
    lines = text.split("\n")
    # the prompt needs a line, too
    return len(lines) < room.lines and max(map(cell_len, lines)) <= room.columns
