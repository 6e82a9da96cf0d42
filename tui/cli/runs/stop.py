"""``mynah stop``: stop a run; its model and curve stay."""

from __future__ import annotations

import click

from core.home import Home
from core.runs.folder import GOING
from tui.cli.options import home_option, json_option
from tui.cli.output import narrate
from tui.cli.runs.following import show_result, stop_and_wait, what_is_left


@click.command()
@click.argument("run")
@json_option
@home_option
def stop(run: str, as_json: bool, home: Home) -> None:
    """Stop a run; it saves its model first. One that has ended stays as it is.

    One that waits for its turn leaves the queue. RUN is an id, the beginning of one, a name, or
    latest.
    """
    from core.runs.folder import find_run
    from core.runs.summary import run_summary

    found = find_run(home, run)
    state = run_summary(found).state
    if state == "queued":
        from core.runs.launch import stop_run

        stop_run(found)
        narrate(f"{found.id} was taken out of the queue.")
    elif state in GOING:
        stop_and_wait(found)
        narrate(f"{found.id} has stopped. {what_is_left(found)}")
    else:
        how = "is presumed dead" if state == "dead" else f"had already {state}"
        if state == "stopped":
            how = "was stopped before"
        narrate(f"{found.id} {how}; there is nothing to stop.")
    if as_json:
        show_result(found, as_json)
