"""Why an import left something out, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from core.safe_text import printable
from tui.text.numbers import exact, plural

if TYPE_CHECKING:
    from core.corpus.import_log import ImportRecord
    from core.sources.source import BrokenLine

_REASONS: Final = {
    "bad_json": "broken JSON",
    "bad_row": "rows that do not fit the header",
    "bad_block": "damaged blocks",
    "bad_encoding": "bytes that are no text in the file's encoding",
    "open_quote": "quotation marks that are never closed",
    "unreadable_part": "parts of the archive that cannot be read at all",
    "unreadable": "posts that cannot be read",
    "no_text": "without a text",
    "no_id": "without an id",
    "no_handle": "without an account",
    "not_a_tweet": "not tweets",
    "not_a_post": "not posts",
    "deleted": "deleted by their author",
    "circle": "for a Circle only",
    "forgotten": "forgotten before",
    "superseded_edit": "earlier versions of edited tweets",
    "protected": "of protected accounts",
    "repost": "reposts of others",
    "boost": "boosts of others",
    "followers_only": "for followers only",
    "direct_message": "direct messages",
}


_INCLUDED: Final = ("deleted", "circle", "forgotten")  # what --include brings in


def reason_in_words(reason: str) -> str:
    """``deleted by their author``, behind a number."""
    return _REASONS.get(reason, reason.replace("_", " "))


def reasons_in_words(skipped: Mapping[str, int]) -> str:
    """``3 deleted by their author, 12 without a text``; empty when nothing was left out."""
    return ", ".join(
        f"{number:,} {reason_in_words(reason)}" for reason, number in sorted(skipped.items())
    )


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
