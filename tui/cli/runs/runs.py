"""``mynah runs``: the runs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.home import Home
from tui.cli.options import home_option, json_option
from tui.cli.output import emit, emit_json, narrate, table
from tui.cli.runs.following import say_stale
from tui.text.blends import short_shares
from tui.text.numbers import ago, count, size_in_words

if TYPE_CHECKING:
    from core.runs.summary import RunSummary


@click.command()
@json_option
@home_option
def runs(as_json: bool, home: Home) -> None:
    """The runs on this machine, newest first."""
    from core.runs.folder import Run
    from core.runs.summary import list_runs

    found = list_runs(home)
    if as_json:
        emit_json([s.to_json() | _beside(s) for s in found])
    elif not found:
        narrate("No runs yet. `mynah train HANDLE` starts one.")
    else:
        rows = [
            [s.run, "+".join(s.handles) + _in_shares(s), s.base, s.state,
             count(s.step) + (f"/{s.steps:,}" if s.steps else ""),
             s.train_loss, s.valid_loss, ago(s.started_at),
             size_in_words(Run(s.folder).disk_bytes()), "▲ stale" if s.stale else "-"]
            for s in found
        ]  # fmt: skip
        columns = ["run", "accounts", "base", "state", "step", "train loss", "held out", "age",
                   "space", "data"]  # fmt: skip
        if any(s.sweep for s in found):
            columns.append("sweep")
            for row, s in zip(rows, found, strict=True):
                row.append(f"{s.sweep} {s.trial}" if s.sweep else "-")
        emit(table(columns, rows, right=(4, 5, 6, 7, 8)))
        for summary in found:
            say_stale(summary)


def _beside(summary: RunSummary) -> dict[str, Any]:
    """The bytes of the run's folder, and where the run is tracked."""
    from core.runs.folder import Run

    return {
        "bytes": Run(summary.folder).disk_bytes(),
        "tracked": [tracked.to_json() for tracked in summary.tracked],
    }


def _in_shares(summary: RunSummary) -> str:
    shares = short_shares(summary.shares)
    return f" {shares}" if shares else ""
