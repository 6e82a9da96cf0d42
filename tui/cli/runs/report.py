"""``mynah report``: how well a run imitates, and how much it copies."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import WrongUsage
from core.home import Home
from tui.cli.asking import may_replace
from tui.cli.long_work import Stopped, moved_line, with_progress
from tui.cli.options import OutPath, force_option, home_option, json_option
from tui.cli.output import ProgressNote, emit, emit_json, narrate
from tui.cli.runs.following import say_stale

if TYPE_CHECKING:
    from core.report.report import Report
    from core.runs.folder import Run


@click.command()
@click.argument("run")
@click.option("-n", "--n", "n", type=click.IntRange(20, 2000), default=200, show_default=True,
              help="Texts of each kind: the model's, the base's, real tweets.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--leaks", is_flag=True, help="Which training tweets can be got out.")
@click.option(
    "--drop",
    is_flag=True,
    help="With --leaks: start a new run without the tweets that came back whole.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N, mps.")
@click.option("-o", "--output", type=OutPath(), help="Write Markdown here.")
@force_option
@json_option
@home_option
def report(
    run: str,
    n: int,
    seed: int,
    leaks: bool,
    drop: bool,
    device: str,
    output: Path | None,
    force: bool,
    as_json: bool,
    home: Home,
) -> None:
    """How well a run's model imitates, and how much it copies.

    RUN is an id, the beginning of one, a name, or latest. Its texts are compared with those of the
    base model, the author's unseen tweets, a parrot (training tweets given back) and other people.
    What was drawn is kept in the run's folder. ctrl+c stops; the same command then goes on.
    """
    from core.files import write_text_whole
    from core.report.blind import blind_result
    from core.report.markdown import to_markdown
    from core.report.report import make_report
    from core.runs.folder import find_run
    from core.runs.summary import run_summary

    if drop and not leaks:
        raise WrongUsage("There is nothing to drop.", "No leaks are looked for.", "Add --leaks.")
    chosen = find_run(home, run)
    may_replace([output] if output else [], force=force)
    say_stale(run_summary(chosen))

    def work(note: ProgressNote, stopped: Stopped) -> Report:
        return make_report(
            home,
            chosen,
            n=n,
            seed=seed,
            leaks=leaks,
            device=device,
            progress=lambda moved: note(moved_line(moved)),
            cancelled=stopped,
        )

    made = with_progress(work)
    blind = blind_result(chosen)
    if output is not None:
        write_text_whole(output, to_markdown(made, blind=blind))
        narrate(f"Written to {output}.")
    if as_json:
        people = {} if blind is None else {"blind_test": {**blind.to_json(), "run": made.run}}
        emit_json(made.to_json() | people)
    elif output is None:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        emit(to_markdown(made, width=width, blind=blind).rstrip("\n"))
    if drop:
        _train_again(home, chosen)


def _train_again(home: Home, run: Run) -> None:
    from core.report.leaks import leaked_ids
    from core.workflow.training import train_without_leaks

    if not leaked_ids(run):
        narrate("No tweet came back whole, so there is nothing to leave out.")
        return
    again = with_progress(lambda _, stopped: train_without_leaks(home, run, cancelled=stopped))
    narrate(f"Run {again.id} has started without them; `mynah watch {again.id}` follows it.")
