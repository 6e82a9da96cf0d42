"""The figures of one run as a table: what Train shows beside the curve."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from rich.table import Table

from core.safe_text import printable
from tui.text.blends import shares_so_far
from tui.text.numbers import clock, count, short_count

if TYPE_CHECKING:
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary

RESUMABLE = ("stopped", "failed", "dead")
GOING = ("queued", "starting", "running", "stopping")


def run_figures(run: RunSummary, history: RunHistory) -> Table:
    """The figures of one run, each measured: what is not known yet is a dash."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim", min_width=10)
    table.add_column()
    if run.stale:
        table.add_row("▲ stale", printable(run.stale))
    if history.warnings:
        table.add_row("▲ warning", printable(history.warnings[-1]))
    table.add_row(
        "step", f"{count(run.step)} of {count(run.steps)}" if run.steps else count(run.step)
    )
    before, now = history.valid_before, run.valid_loss
    held_out = "–" if now is None else f"{now:.3f}"
    if before is not None and now is not None and before != now:
        held_out += f"  (was {before:.3f})"
    table.add_row("held out", held_out)
    if now is not None:
        was = f"  (was {exp(before):,.0f})" if before is not None and before < 20 else ""
        table.add_row("perplexity", f"{exp(min(now, 20)):,.0f}{was}")
    if shares := shares_so_far(run.shares):
        table.add_row("shares", shares)
    table.add_row("speed", f"{short_count(history.tokens_per_second)} tok/s")
    if run.state in GOING:
        table.add_row("left", clock(history.seconds_left))
    else:
        table.add_row("took", clock(history.seconds))
    table.add_row("on", printable(run.device or "–"))
    for tracked in run.tracked:
        table.add_row("tracked", printable(tracked.in_words))
    if run.reason:
        table.add_row("why", printable(run.reason))
    if run.state in RESUMABLE:
        table.add_row("next", "r takes it up again, s starts a new run")
    return table
