"""Paths that are typed, pasted or dropped on the terminal: reading them, and completing them."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import threading
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from textual import events
from textual.suggester import Suggester
from textual.widgets import Input

# Names of a folder that are looked at for a completion; of more, the first that fit are enough.
MOST_NAMES: Final = 100_000

_FILE_URL = re.compile(r"file://\S*")


def paths_in(text: str) -> list[Path]:
    """The paths in a pasted line; several when several files were dropped, none when it is empty.

    A line that is a path as it stands, spaces and all, is one path.
    """
    words = text.strip()
    if not words:
        return []
    one_path = _path(words)
    if _exists(one_path):
        return [one_path]
    if words.startswith("file://"):
        return [_path(url) for url in _FILE_URL.findall(words)]
    parts = _split(words)
    if len(parts) > 1 and not _is_marked(words) and not all(map(_exists, map(_path, parts))):
        return [one_path]  # a name with spaces that is not there (yet)
    return [_path(part) for part in parts]


def one_line(text: str) -> str:
    """Pasted lines, each a path, as one line that ``paths_in`` takes apart again."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return lines[0] if lines else ""
    return " ".join(
        line if _is_marked(line) or line.startswith("file://") else _quoted(line) for line in lines
    )


def _quoted(path: str) -> str:
    """Always with quotes, which ``shlex.quote`` leaves out where a shell needs none."""
    return "'" + path.replace("'", "'\\''") + "'"


def _is_marked(words: str) -> bool:
    """Whether a terminal has quoted or escaped it."""
    return words[0] in "'\"" or "\\ " in words


def _split(words: str) -> list[str]:
    try:
        parts = shlex.split(words) or [words]
    except ValueError:  # an unfinished quote: take it as it stands
        return [words]
    if "\\" in words and not _is_marked(words) and not all(map(_exists, map(_path, parts))):
        return [words]  # a path of Windows
    return parts


def _path(words: str) -> Path:
    if words.startswith("file://"):
        words = unquote(urlsplit(words).path)
    return Path(words).expanduser()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or with a NUL
        return False


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
