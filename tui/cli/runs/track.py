"""``mynah track``: bring a run into Weights & Biases or TensorBoard, as it goes or afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from core.home import Home
from core.tracking.options import TRACKERS
from tui.cli.long_work import with_progress
from tui.cli.options import home_option, json_option
from tui.cli.output import emit, emit_json, pairs
from tui.cli.runs.tracking import say_where, tracking_options
from tui.text.numbers import count

if TYPE_CHECKING:
    from core.runs.tracked import Tracked


@click.command()
@click.argument("run")
@click.option("--to", type=click.Choice(list(TRACKERS)), required=True, help="Which tracker.")
@tracking_options
@json_option
@home_option
def track(run: str, to: str, as_json: bool, home: Home, **asked: Any) -> None:
    """Bring a run into a tracker: all that it wrote so far, then what it writes until it ends.

    RUN is an id, the beginning of one, or latest. Each step arrives once, however often this is
    done, and whether the run or the tracking was stopped in between. ctrl+c ends the tracking, not
    the run.
    """
    from core.runs.folder import find_run
    from core.tracking.launch import track as bring
    from core.tracking.options import tracking_asked

    found = find_run(home, run)
    wanted = tracking_asked(home, to, **asked)

    def moved(now: Tracked) -> str:
        where = "waiting for W&B" if to == "wandb" and not now.url else f"step {now.step:,}"
        return f"{to}: {count(now.rows)} rows · {where} · ctrl+c stops"

    done = with_progress(
        lambda note, stopped: bring(
            found, wanted, progress=lambda now: note(moved(now)), cancelled=stopped
        )
    )
    say_where(found.id, done)
    result = {
        "run": found.id,
        "to": to,
        "url": done.url,
        "steps": done.step,
        "state": done.state,
        "mode": done.mode,
        "rows": done.rows,
    }
    if as_json:
        emit_json(result)
    else:
        emit(pairs(list(result.items())))
