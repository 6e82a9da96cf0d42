"""A field for paths, and what completes paths and the names of encodings in fields."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.suggester import Suggester
from textual.widgets import Input

from tui.data.paths import one_line


class PathSuggester(Suggester):
    """Completes the last part of a path from the folder it is in."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        typed = Path(value).expanduser()
        folder = typed if value.endswith("/") else typed.parent
        start = "" if value.endswith("/") else typed.name
        try:
            names = sorted(
                entry.name + ("/" if entry.is_dir() else "")
                for entry in folder.iterdir()
                if entry.name.startswith(start) and not entry.name.startswith(".")
            )
        except OSError:
            return None
        return value[: len(value) - len(start)] + names[0] if names and (start or value) else None


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
