"""The field for paths: completing them, and taking several pasted lines."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import Final

from textual import events
from textual.suggester import Suggester
from textual.widgets import Input

from tui.text.paths import one_line

# Names of a folder that are looked at for a completion; of more, the first that fit are enough.
MOST_NAMES: Final = 100_000


class PathSuggester(Suggester):
    """Completes the last part of a path from the folder it is in, which is read in a thread.

    One folder at a time: while a slow one is read, the next completion waits for its turn, and
    gives way when the field has changed since.
    """

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._wanted = ""
        self._reading = threading.Lock()

    async def get_suggestion(self, value: str) -> str | None:
        self._wanted = value
        return await asyncio.to_thread(self._complete, value)

    def _complete(self, value: str) -> str | None:
        typed = Path(value).expanduser()
        folder = typed if value.endswith("/") else typed.parent
        start = "" if value.endswith("/") else typed.name
        if not (start or value):
            return None
        with self._reading:
            name = self._first_name(folder, start, value)
        return None if name is None else value[: len(value) - len(start)] + name

    def _first_name(self, folder: Path, start: str, value: str) -> str | None:
        """The first in order of the names that begin with ``start``; folders end with a slash."""
        first = ""
        try:
            with os.scandir(folder) as entries:
                for number, entry in enumerate(entries):
                    if number >= MOST_NAMES or self._wanted != value:
                        break
                    name = entry.name
                    fits = name.startswith(start) and not name.startswith(".")
                    if fits and (not first or name < first.rstrip("/")):
                        first = name + ("/" if entry.is_dir() else "")
        except (OSError, ValueError):  # no folder, no right to it, or a name with a NUL
            return None
        return first or None


class EncodingSuggester(Suggester):
    """Completes the names of encodings; they are loaded when somebody types one."""

    async def get_suggestion(self, value: str) -> str | None:
        from core.sources.encoding import encoding_names

        start = value.casefold()
        return next((name for name in encoding_names() if name.startswith(start)), None)


class PathInput(Input):
    """Takes several pasted lines, where Input takes the first."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()  # Input's own
        event.stop()
        line = one_line(event.text)
        if self.selection.is_empty:
            self.insert_text_at_cursor(line)
        else:
            self.replace(line, *sorted((self.selection.start, self.selection.end)))
