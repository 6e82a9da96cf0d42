"""demo: the whole main job on the three sample authors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from core.errors import Interrupted, WrongUsage
from core.handles import normal_handle
from core.home import Home
from tui.cli.options import FiniteRange, home_option, json_option
from tui.cli.output import emit, emit_json, narrate, table
from tui.cli.terminal import open_app, require_terminal

if TYPE_CHECKING:
    from core.curation.counts import AccountStats
    from core.runs.folder import Run

SAMPLES = 6
SEED = 7


@click.command()
@click.option("--headless", is_flag=True, help="No app: print what happens, then the result.")
@click.option("--minutes", type=FiniteRange(0.05, 600), default=2.0, show_default=True,
              help="Training time at most.")  # fmt: skip
@click.option("--handle", default=None, help="Which of the sample authors to learn from.")
@click.option("--base", metavar="B", help="smollm2, scratch, a Hugging Face id or a folder.")
@json_option
@home_option
def demo(
    headless: bool, minutes: float, handle: str | None, base: str | None, as_json: bool, home: Home
) -> None:
    """Bring in three invented authors, fine-tune on one of them, and sample tweets from it.

    With --headless it prints; without, it opens the app on the live run.
    """
    from core.workflow.data import DEMO_HANDLE, import_paths, sample_archives, stats
    from core.workflow.training import train as start

    if as_json and not headless:
        raise WrongUsage("--json goes with --headless.", "", "mynah demo --headless --json")
    archives = sample_archives()
    authors = [path.stem for path in archives]
    who = normal_handle(handle) if handle else DEMO_HANDLE
    if who not in authors:
        raise WrongUsage(
            f"@{who} is not a sample author.", f"They are: {', '.join(f'@{a}' for a in authors)}."
        )
    if not headless:
        require_terminal("mynah demo --headless")
    for result in import_paths(home, archives):
        narrate(f"@{result.handle}: {result.new:,} new of {result.read:,} tweets")

    def start_run() -> Run:
        return start(home, [who], base=base, minutes=minutes)

    if not headless:
        _open_on_live_run(home, who, start_run)
        return
    counted = stats(home, authors, "standard")
    if not as_json:
        rows = [[f"@{s.handle}", s.downloaded, s.retweets, s.short, s.kept] for s in counted]
        columns = ["account", "downloaded", "retweets", "short", "kept"]
        emit(table(columns, rows, right=(1, 2, 3, 4)) + "\n")
    run = start_run()
    narrate(f"Run {run.id} learns from @{who} for at most {minutes:g} minutes.")
    _finish_headless(home, run, counted, as_json)


def _open_on_live_run(home: Home, who: str, start: Callable[[], Run]) -> None:
    from core.runs.folder import GOING
    from core.runs.summary import list_runs

    if not any(summary.state in GOING for summary in list_runs(home)):
        run = start()
        narrate(f"Run {run.id} has started; the app opens on it.")
    from tui.state import State

    state = State(home)  # the account that is learned from is the one chosen in the app
    state.recall()
    state.chosen = [who]
    state.remember()
    open_app(home, section="train")


def _finish_headless(home: Home, run: Run, counted: list[AccountStats], as_json: bool) -> None:
    from core.runs.summary import run_result
    from core.sampling.request import SampleRequest
    from tui.cli.runs.following import follow, refuse_failure, show_result
    from tui.cli.runs.sample import generate, labelled, show_samples

    refuse_failure(follow(home, run, stop_on_interrupt=True))
    samples, stopped = generate(run.folder, [SampleRequest(n=SAMPLES, seed=SEED)])
    if as_json:
        emit_json(
            {
                "stats": [one.to_json() for one in counted],
                "run": run_result(run),
                "samples": labelled(samples, run.id),
            }
        )
    else:
        show_result(run, as_json=False)
        emit("")
        show_samples(samples, run.id, as_json=False)
        narrate("\n`mynah sample latest` writes more; `mynah` opens the app.")
    if stopped:
        raise Interrupted(f"Stopped after {len(samples)} of {SAMPLES} samples.")
