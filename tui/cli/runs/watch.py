"""``mynah watch``: follow a run until it ends, in sentences; or what there is of it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from core.home import Home
from core.runs.folder import GOING
from core.safe_text import printable
from tui.cli.options import home_option, json_option
from tui.cli.output import emit, emit_json
from tui.cli.runs.following import follow, refuse_failure, say_stale, show_result
from tui.text.runs import snapshot

if TYPE_CHECKING:
    from core.runs.folder import Run


@click.command()
@click.argument("run")
@click.option("--once", is_flag=True,
              help="How it is now, no more; with --json every point of its curves.")  # fmt: skip
@json_option
@home_option
def watch(run: str, once: bool, as_json: bool, home: Home) -> None:
    """Follow a run until it ends, in sentences; ctrl+c stops the watching, not the run.

    RUN is an id, the beginning of one, a name, or latest. A run that has ended shows its result.
    Each sentence says something new, and none is written over, so that a screen reader can follow.

    With --once --json: the object of `mynah train --json` with handles, step, steps_planned, done,
    doing, waits_for, seconds, seconds_left, reason, notes, warnings, samples and curve, which holds
    the lists train, held_out and memorisation; each point of them has step and seconds.
    """
    from core.runs.folder import find_run
    from core.runs.summary import run_summary

    found = find_run(home, run)
    if once:
        _once(home, found, as_json)
        return
    summary = run_summary(found)
    say_stale(summary)
    if summary.state in GOING:
        summary = follow(home, found, stop_on_interrupt=False, plain=True)
    show_result(found, as_json)
    refuse_failure(summary)


def _once(home: Home, run: Run, as_json: bool) -> None:
    """The state of a run is the answer here: one that has failed is no failure of the command."""
    from core.runs.summary import RunsFollower, run_snapshot

    if as_json:
        emit_json(run_snapshot(home, run))
        return
    summary, history = RunsFollower(home, only=run.id).catch_up()
    say_stale(summary)
    for sentence in snapshot(summary, history):
        emit(printable(sentence))
