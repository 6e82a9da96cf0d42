"""Why an import left something out, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.numbers import plural
from core.safe_text import printable
from core.sources.source import reason_in_words
from tui.text.numbers import exact

if TYPE_CHECKING:
    from core.corpus.import_log import ImportRecord
    from core.sources.source import BrokenLine

_INCLUDED: Final = ("deleted", "circle", "forgotten")  # what --include brings in


def import_page(record: ImportRecord, broken_lines: list[BrokenLine]) -> str:
    """One import in full: when, whose, the counts, and each place that was left out."""
    named = [f"@{handle}" for handle in record.handles if handle]
    who, more = ", ".join(named[:5]), len(named) - 5
    lines = [
        exact(record.at),
        f"{who}{f' and {more:,} more' if more > 0 else ''} · {record.format}",
        "",
        f"{record.read:,} read: {record.new:,} new, {record.updated:,} updated, "
        f"{record.known:,} known already, {record.left_out:,} left out",
    ]
    if record.notes_joined:
        lines.append(f"{plural(record.notes_joined, 'long post')} completed")
    if record.undated:
        lines.append(f"{plural(record.undated, 'tweet')} without a date")
    for reason, count in sorted(record.skipped.items(), key=lambda item: -item[1]):
        how = f" (import … --include {reason} brings them in)" if reason in _INCLUDED else ""
        lines += ["", f"{count:,}  {reason_in_words(reason)}{how}"]
        listed = [broken for broken in broken_lines if broken.reason == reason]
        lines += [f"   {_broken_line(broken)}" for broken in listed]
        if listed and count > len(listed):
            lines.append(f"   and {count - len(listed):,} more")
    if not record.skipped:
        lines += ["", "Nothing was left out."]
    return printable("\n".join(lines), keep_newlines=True)


def _broken_line(broken: BrokenLine) -> str:
    line = f"line {broken.line:,}" if broken.line else ""
    where = ", ".join(part for part in (broken.file, line) if part)
    return ": ".join(part for part in (where, broken.detail) if part)
