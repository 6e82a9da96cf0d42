"""``mynah watch``: follow a run until it ends."""

from __future__ import annotations

import click

from core.home import Home
from core.runs.folder import GOING
from tui.cli.options import home_option, json_option
from tui.cli.runs.following import follow, refuse_failure, say_stale, show_result


@click.command()
@click.argument("run")
@json_option
@home_option
def watch(run: str, as_json: bool, home: Home) -> None:
    """Follow a run until it ends; ctrl+c stops the watching, not the run.

    RUN is an id, the beginning of one, a name, or latest. A run that has ended shows its result.
    """
    from core.runs.folder import find_run
    from core.runs.summary import run_summary

    found = find_run(home, run)
    summary = run_summary(found)
    say_stale(summary)
    if summary.state in GOING:
        summary = follow(home, found, stop_on_interrupt=False)
    show_result(found, as_json)
    refuse_failure(summary)
