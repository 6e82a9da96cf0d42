"""Saved queries: those that ship, and the person's own ``queries/*.sql`` in the home."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputRefused
from core.home import bundled
from core.safe_text import printable

if TYPE_CHECKING:
    from core.home import Home


@dataclass(frozen=True)
class SavedQuery:
    """``title`` is the comment in the file's first line, or else the file's name.

    ``about`` is the comment under it: what the query is for, and what to change in it. It is part
    of ``sql``, so that one reads it where one changes it.
    """

    name: str
    title: str
    sql: str
    own: bool = False

    @property
    def about(self) -> str:
        lines = []
        for line in self.sql.splitlines():
            if not line.startswith("--"):
                break
            lines.append(line.removeprefix("--").strip())
        return " ".join(lines)


def queries_folder(home: Home) -> Path:
    """Where a person's own queries are."""
    return home.root / "queries"


def saved_queries(home: Home | None = None) -> list[SavedQuery]:
    """The person's own first, then the bundled ones, each by title; unreadable ones not."""
    folders: list[tuple[Path, bool]] = [(bundled("sql", "queries"), False)]
    if home is not None:
        folders.insert(0, (queries_folder(home), True))
    found: list[SavedQuery] = []
    for folder, own in folders:
        here: list[SavedQuery] = []
        for path in folder.glob("*.sql"):
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                continue
            first, _, rest = text.partition("\n")
            title = first.removeprefix("--").strip() if first.startswith("--") else ""
            here.append(SavedQuery(path.stem, title or path.stem, rest if title else text, own))
        found += sorted(here, key=lambda query: query.title.lower())
    return found


def keep_query(home: Home, title: str, sql: str, *, replace: bool = False) -> SavedQuery:
    """Save ``sql`` under ``title`` among the person's own queries.

    The file's name is made of the title's letters (a to z) and digits. Raises InputRefused when
    there are none, when there is such a query already (unless ``replace``) and when it cannot be
    written.
    """
    title = printable(" ".join(title.split()))
    name = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:60].strip("_")
    if not name:
        raise InputRefused(
            f"{title!r} is no name for a query.", "", "It needs letters from a to z, or digits."
        )
    if not sql.strip():
        raise InputRefused("There is no query to save.")
    # no name that Windows keeps for its devices (con, nul, com1 …)
    path = queries_folder(home) / f"{name if len(name) > 4 else 'query_' + name}.sql"
    if path.exists() and not replace:
        raise InputRefused(
            f"There is a query {path.stem} already.", "", "Choose another name, or replace it."
        )
    from core.files import write_text_whole

    try:
        write_text_whole(path, f"-- {title}\n{sql.strip()}\n")
    except OSError as error:
        raise InputRefused(f"{path} cannot be written.", f"{error.strerror or error}.") from error
    return SavedQuery(path.stem, title, sql.strip() + "\n", own=True)
