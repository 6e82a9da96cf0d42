"""What an import leaves behind besides tweets: who the accounts are, and that it took place.

A file may hold the tweets of a hundred thousand people, so each is one statement for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from core.sources.source import Source, SourceSummary


@dataclass
class Merged:
    """What became of one handle's rows."""

    new: int = 0
    updated: int = 0


def note_accounts(
    connection: duckdb.DuckDBPyConnection, source: Source, handles: list[str], at: datetime
) -> None:
    """What this source says about an account replaces what was known; silence changes nothing."""
    connection.execute(
        "INSERT INTO accounts (handle, updated_at) SELECT handle, $at FROM "
        "(SELECT unnest($handles::VARCHAR[]) AS handle) "
        "WHERE handle NOT IN (SELECT handle FROM accounts)",
        {"handles": handles, "at": at},
    ).fetchall()
    there = set(handles)
    for account in source.accounts:
        says = (account.name, account.account_id, account.bio, account.created)
        if account.handle in there and any(value is not None for value in says):
            connection.execute(
                "UPDATE accounts SET name = coalesce(?, name), "
                "account_id = coalesce(?, account_id), bio = coalesce(?, bio), "
                "created_at = coalesce(?, created_at), updated_at = ? WHERE handle = ?",
                [*says, at, account.handle],
            ).fetchall()


def note_import(
    connection: duckdb.DuckDBPyConnection,
    summary: SourceSummary,
    counts: Mapping[str, Merged],
    at: datetime,
) -> None:
    """One row for each handle of the file."""
    found = sorted(summary.per_handle.items())
    merged = [counts.get(handle, Merged()) for handle, _ in found]
    skipped = [dict(sorted(count.skipped.items())) for _, count in found]
    connection.execute(
        "INSERT INTO imports SELECT $at::TIMESTAMPTZ, handle, $file, $format, read, new, updated, "
        "read - skipped - new - updated, map(reasons, amounts), notes, undated FROM (SELECT "
        "unnest($handles::VARCHAR[]) AS handle, unnest($read::BIGINT[]) AS read, "
        "unnest($new::BIGINT[]) AS new, unnest($updated::BIGINT[]) AS updated, "
        "unnest($skipped::BIGINT[]) AS skipped, unnest($reasons::VARCHAR[][]) AS reasons, "
        "unnest($amounts::BIGINT[][]) AS amounts, unnest($notes::BIGINT[]) AS notes, "
        "unnest($undated::BIGINT[]) AS undated)",
        {
            "at": at,
            "file": summary.path.name,
            "format": summary.format,
            "handles": [handle for handle, _ in found],
            "read": [count.read for _, count in found],
            "new": [done.new for done in merged],
            "updated": [done.updated for done in merged],
            "skipped": [sum(reasons.values()) for reasons in skipped],
            "reasons": [list(reasons) for reasons in skipped],
            "amounts": [list(reasons.values()) for reasons in skipped],
            "notes": [count.notes_joined for _, count in found],
            "undated": [count.undated for _, count in found],
        },
    ).fetchall()
