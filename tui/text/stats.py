"""The table of ``mynah stats`` and of model cards: tweets that came in, dropped, kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from core.safe_text import printable
from tui.text.numbers import count, short_count, signed

if TYPE_CHECKING:
    from core.curation.counts import AccountStats

MOST_COLUMNS = 4
WIDEST_NAME = 14
BLOCK = 1024  # what a block of the counts holds, as huggingtweets had it


Row = tuple[str, str]


def _value(stats: AccountStats, row: str) -> int | None:
    if row.startswith("dropped:"):
        return stats.dropped.get(row[8:], 0)
    value: int | None = getattr(stats, row)
    return value


def _rows(columns: Sequence[AccountStats]) -> list[Row]:
    """Title and name of each row: every reason that occurs in one of the columns has one."""
    from core.curation.reasons import REASON_TITLES, REASONS

    found = {reason for one in columns for reason in one.dropped}
    return [
        ("Tweets downloaded", "downloaded"),
        ("Retweets", "retweets"),
        ("Short tweets", "short"),
        *((REASON_TITLES[reason], f"dropped:{reason}") for reason in REASONS if reason in found),
        ("Tweets kept", "kept"),
        ("Tokens", "tokens"),
        (f"{BLOCK:,}-token blocks", "blocks"),
    ]


def stats_table(
    stats: Sequence[AccountStats],
    total: AccountStats,
    before: AccountStats | None,
    width: int,
    against: str = "last",
) -> Table:
    """One column an account (as many as ``width`` cells hold), their sum, and what changed.

    ``before`` is what the last column compares with, and ``against`` its name in one word.
    """
    shown = list(stats[: max(1, min(MOST_COLUMNS, (width - 34) // (WIDEST_NAME + 2)))])
    table = _table()
    for _ in shown:
        table.add_column(justify="right", no_wrap=True, max_width=WIDEST_NAME)
    if len(stats) > 1:
        table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True, min_width=7)

    header = [Text("")]
    header += [Text("@" + printable(one.handle), "bold", overflow="ellipsis") for one in shown]
    if len(stats) > 1:
        more = len(stats) - len(shown)
        header.append(Text(f"all (+{more})" if more else "all", "bold"))
    header.append(Text(f"vs {against}" if before else "", "dim"))
    table.add_row(*header)

    for label, name in _rows([*stats, *([before] if before else [])]):
        bold = "bold" if name == "kept" else ""
        cells = [Text(label, bold)]
        cells += [Text(_number(one, name), bold) for one in shown]
        if len(stats) > 1:
            cells.append(Text(_number(total, name), bold))
        cells.append(Text(_change(before, total, name), "bold"))
        table.add_row(*cells)
    return table


def compare_table(names: tuple[str, str], a: AccountStats, b: AccountStats) -> Table:
    """Two recipes side by side, all accounts together, and what the second has more or less."""
    table = _table()
    for _ in range(3):
        table.add_column(justify="right", no_wrap=True, min_width=9, overflow="ellipsis")
    first, second = (Text(printable(name), "bold") for name in names)
    table.add_row(Text(""), first, second, Text("difference", "dim"))
    for label, name in _rows([a, b]):
        bold = "bold" if name == "kept" else ""
        table.add_row(
            Text(label, bold),
            Text(_number(a, name), bold),
            Text(_number(b, name), bold),
            Text(_change(a, b, name), "bold"),
        )
    return table


def counts_in_words(total: AccountStats) -> list[str]:
    """How many tweets are kept, and why not the others: a sentence for each line of the table."""
    return [
        f"{label}: {_number(total, name)}."
        for label, name in _rows([total])
        if _value(total, name) is not None
    ]


def dropped_by(rule: str, total: AccountStats) -> str:
    """What tweets the rule with this key leaves out, and how many; empty for one that leaves none
    out, whatever its value.
    """
    from core.curation.reasons import REASON_TITLES, RETWEET, RULE_REASONS, SHORT

    reason = RULE_REASONS.get(rule)
    if reason is None:
        return ""
    counts = {RETWEET: total.retweets, SHORT: total.short, **total.dropped}
    return f"{REASON_TITLES[reason]}: {counts.get(reason, 0):,} dropped."


def kept_in_short(total: AccountStats, before: AccountStats | None = None) -> str:
    """``2,190 kept of 3,099``, and how many more or fewer than ``before``."""
    words = f"{count(total.kept)} kept of {count(total.downloaded)}"
    change = signed(total.kept - before.kept) if before else ""
    return f"{words} ({change})" if change else words


def changes_in_words(before: AccountStats, now: AccountStats) -> list[str]:
    """What is another number than before, the kept tweets first; none where all are the same."""
    rows = sorted(_rows([before, now]), key=lambda row: row[1] != "kept")
    sentences = []
    for label, name in rows:
        then, value = _value(before, name), _value(now, name)
        if then is not None and value is not None and then != value:
            how = "more" if value > then else "fewer"
            of = "about " if name in ("tokens", "blocks") and now.tokens_about else ""
            sentences.append(f"{label}: {value:,}, {of}{abs(value - then):,} {how} than before.")
    return sentences


def _table() -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True, ratio=1, min_width=18)
    return table


def _change(before: AccountStats | None, now: AccountStats, name: str) -> str:
    """``+12`` or ``−12``; nothing where one of the two is not known."""
    if before is None:
        return ""
    then, value = _value(before, name), _value(now, name)
    if then is None or value is None:
        return ""
    about = (
        "≈" if name in ("tokens", "blocks") and (before.tokens_about or now.tokens_about) else ""
    )
    change = signed(value - then)
    return f"{about}{change}" if change else ""


def _number(stats: AccountStats, name: str) -> str:
    value = _value(stats, name)
    if name not in ("tokens", "blocks"):
        return count(value)
    shown = short_count(value) if name == "tokens" else count(value)
    return f"≈{shown}" if stats.tokens_about else shown
