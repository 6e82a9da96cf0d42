"""What each import brought in, as the corpus remembers it."""

from __future__ import annotations

from core.corpus.store import Corpus


def import_log(corpus: Corpus, most: int = 200) -> list[str]:
    """One paragraph an import, newest first; empty without a corpus. Raises CorpusBusy."""
    if not corpus.exists:
        return []
    with corpus.reading() as connection:
        # the time as text: DuckDB hands over one with a zone only where pytz is installed
        found = connection.execute(
            "SELECT strftime(imported_at AT TIME ZONE 'UTC', '%d %b %Y, %H:%M UTC'), handle, file, "
            "format, read, new, updated, duplicates, skipped, notes_joined "
            "FROM imports ORDER BY imported_at DESC LIMIT $1",
            [most],
        ).fetchall()
    return [_paragraph(*row) for row in found]


def _paragraph(
    when: str, handle: str, file: str, kind: str, read: int, new: int, updated: int,
    known: int, skipped: dict[str, int], notes: int,
) -> str:  # fmt: skip
    left_out = ", ".join(
        f"{count:,} {reason.replace('_', ' ')}" for reason, count in skipped.items()
    )
    lines = [
        f"{when}  @{handle} from {file} ({kind})",
        f"  read {read:,}: {new:,} new, {updated:,} updated, {known:,} known already",
    ]
    if left_out:
        lines.append(f"  left out: {left_out}")
    if notes:
        lines.append(f"  long posts completed: {notes:,}")
    return "\n".join(lines)
