"""Saved queries: those that ship, and the person's own ``queries/*.sql`` in the home."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.bundled import bundled

if TYPE_CHECKING:
    from core.home import Home


@dataclass(frozen=True)
class SavedQuery:
    """``title`` is the comment in the file's first line, or else the file's name."""

    name: str
    title: str
    sql: str
    own: bool = False


def saved_queries(home: Home | None = None) -> list[SavedQuery]:
    """The person's own first, then the bundled ones, each by title; unreadable ones not."""
    folders: list[tuple[Path, bool]] = [(bundled("sql", "queries"), False)]
    if home is not None:
        folders.insert(0, (home.root / "queries", True))
    found: list[SavedQuery] = []
    for folder, own in folders:
        here: list[SavedQuery] = []
        for path in folder.glob("*.sql"):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            first, _, rest = text.partition("\n")
            title = first.removeprefix("--").strip() if first.startswith("--") else ""
            here.append(SavedQuery(path.stem, title or path.stem, rest if title else text, own))
        found += sorted(here, key=lambda query: query.title.lower())
    return found
