"""``mynah resume``: take a stopped run up again at its last checkpoint."""

from __future__ import annotations

import click

from core.home import Home
from tui.cli.options import home_option, json_option
from tui.cli.output import narrate
from tui.cli.runs.following import finish, show_result


@click.command()
@click.argument("run")
@click.option("--now", is_flag=True,
              help="Begin even while another run goes on the same device.")  # fmt: skip
@click.option("--detach", is_flag=True, help="Return at once; the run goes on by itself.")
@json_option
@home_option
def resume(run: str, now: bool, detach: bool, as_json: bool, home: Home) -> None:
    """Take a stopped, failed or dead run up again at its last checkpoint.

    RUN is an id, the beginning of one, a name, or latest. Its settings stay as they were.
    """
    from core.runs.folder import find_run
    from core.workflow.training import resume_training

    found = resume_training(find_run(home, run), now=now)
    narrate(f"Run {found.id} goes on; `mynah watch {found.id}` follows it, too.")
    if detach:
        show_result(found, as_json)
    else:
        finish(home, found, as_json)
