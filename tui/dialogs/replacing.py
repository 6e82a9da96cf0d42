"""Asking before a file that is there is written over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

from textual.app import App

from core.errors import InputRefused
from core.files import there_already
from core.home import in_full
from tui.dialogs.decide import Decide
from tui.section.screen import Mynah


def write_to(app: App[Any], typed: str, write: Callable[[Path], object]) -> None:
    """Calls ``write`` with the path that a person typed, after a yes where something is there."""
    try:
        path = in_full(typed)
    except InputRefused as error:
        cast("Mynah", app).show_error(error)
    else:
        unless_there(app, [path], lambda: write(path))


def unless_there(app: App[Any], paths: Iterable[Path], write: Callable[[], object]) -> None:
    """Calls ``write`` at once when none of these is there, else after a yes."""
    found = there_already(paths)
    if not found:
        write()
        return

    def answered(key: str | None) -> None:
        if key == "y":
            write()

    names = "\n".join(str(path) for path in found)
    app.push_screen(Decide("Replace what is there?", names, {"y": "replaces"}), answered)
