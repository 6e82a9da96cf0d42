"""Asking before a file that is there is written over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from textual.app import App

from core.files import there_already
from tui.dialogs.decide import Decide


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
