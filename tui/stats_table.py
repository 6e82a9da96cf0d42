"""The table of the seed's model cards: how many tweets came in, and what was kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from core.plain import plain
from tui.words import count, short_count, signed

if TYPE_CHECKING:
    from core.curation import AccountStats

MOST_COLUMNS = 4
WIDEST_NAME = 14


def _value(stats: AccountStats, row: str) -> int | None:
    if row.startswith("dropped:"):
        return stats.dropped.get(row[8:], 0)
    value: int | None = getattr(stats, row)
    return value


def stats_table(
    stats: Sequence[AccountStats], total: AccountStats, before: AccountStats | None, width: int
) -> Table:
    """One column an account (as many as ``width`` cells hold), their sum, and what changed."""
    shown = list(stats[: max(1, min(MOST_COLUMNS, (width - 34) // (WIDEST_NAME + 2)))])
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True, ratio=1, min_width=17)
    for _ in shown:
        table.add_column(justify="right", no_wrap=True, max_width=WIDEST_NAME)
    if len(stats) > 1:
        table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, min_width=7)

    from core.curation import REASON_TITLES, REASONS

    header = [Text("")]
    header += [Text("@" + plain(one.handle), "bold", overflow="ellipsis") for one in shown]
    if len(stats) > 1:
        more = len(stats) - len(shown)
        header.append(Text(f"all (+{more})" if more else "all", "bold"))
    header.append(Text("change" if before else "", "dim"))
    table.add_row(*header)

    found = {reason for one in [*stats, *([before] if before else [])] for reason in one.dropped}
    rows = [
        ("Tweets downloaded", "downloaded"),
        ("Retweets", "retweets"),
        ("Short tweets", "short"),
    ]
    rows += [(REASON_TITLES[reason], f"dropped:{reason}") for reason in REASONS if reason in found]
    rows += [("Tweets kept", "kept"), ("Tokens", "tokens")]
    for label, name in rows:
        bold = "bold" if name == "kept" else ""
        cells = [Text(label, bold)]
        for one in shown:
            cells.append(Text(_number(one, name), bold))
        if len(stats) > 1:
            cells.append(Text(_number(total, name), bold))
        now, then = _value(total, name), _value(before, name) if before else None
        change = now - then if now is not None and then is not None else 0
        cells.append(Text(signed(change), "bold"))
        table.add_row(*cells)
    return table


def _number(stats: AccountStats, name: str) -> str:
    value = _value(stats, name)
    return short_count(value) if name == "tokens" else count(value)
