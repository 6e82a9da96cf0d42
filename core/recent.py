"""What a person typed before (queries, prompts), to be had again: one JSON line each, in a file
that only they can read.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from core.files import write_text_whole
from core.json_lines import append_json_lines, read_json_lines

MOST: Final = 500
# Characters of a text; a longer one is not kept.
_LONGEST: Final = 100_000


class Recent:
    """The texts in ``file``, each in the field ``name`` of its line."""

    def __init__(self, file: Path, name: str) -> None:
        self.file = file
        self._name = name

    def texts(self) -> list[str]:
        """At most 500, the newest last; lines that cannot be read are passed over."""
        found = [
            record[self._name]
            for record in read_json_lines(self.file)
            if isinstance(record.get(self._name), str)
        ]
        return found[-MOST:]

    def remember(self, text: str) -> None:
        """Adds a text, unless it is the one before; the oldest go. Losing it must never hurt.

        In a home that does not exist yet nothing is kept: looking around leaves no trace.
        """
        text = text.strip()
        if not text or len(text) > _LONGEST or not self.file.parent.is_dir():
            return
        kept = self.texts()
        if kept and kept[-1] == text:
            return
        at = datetime.now(timezone.utc).isoformat(timespec="seconds")
        try:
            if len(kept) >= MOST:
                lines = self.file.read_text(encoding="utf-8", errors="replace").splitlines(
                    keepends=True
                )
                write_text_whole(self.file, "".join(lines[-(MOST - 1) :]), private=True)
            append_json_lines(self.file, [{"at": at, self._name: text}], private=True)
        except OSError:
            return
