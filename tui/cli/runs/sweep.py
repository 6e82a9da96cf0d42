"""``mynah sweep``: many runs over a space of settings, and which of them was best."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from core.home import Home
from core.numbers import percent
from tui.cli.long_work import Stopped, with_progress
from tui.cli.options import home_option, json_option
from tui.cli.output import ProgressNote, emit, emit_json, narrate, table
from tui.cli.runs.following import progress_line
from tui.text.numbers import loss
from tui.text.runs import setting
from tui.text.sweeps import in_thirds, settings_in_words, what_matters

if TYPE_CHECKING:
    from core.sweeps.spec import SweepSpec
    from core.sweeps.study import TrialRow
    from core.sweeps.trials import SweepEvent


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("handles", metavar="[HANDLE...]", nargs=-1)
@click.option("--trials", type=click.IntRange(1, 10_000), help="How many, instead of the file's.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray trains several at once, on a Ray cluster or on this machine.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 1_000),
    metavar="N",
    help="How many trials Ray has at work; else one for each GPU, or machine.",
)
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="The Ray cluster to use (or RAY_ADDRESS); without one, Ray is started here.",
)
@json_option
@home_option
def sweep(
    file: Path,
    handles: tuple[str, ...],
    trials: int | None,
    engine: Literal["local", "ray"],
    workers: int | None,
    address: str | None,
    as_json: bool,
    home: Home,
) -> None:
    """Try the settings of a sweep file on the same tweets, one run after the other.

    FILE is TOML as in the README, or a sweep of Weights & Biases (YAML). HANDLE takes the place
    of its accounts. Trials are compared by their held-out loss, on the same held-out tweets.
    ctrl+c stops the run at work; the same command goes on where the sweep was.
    """
    from core.sweeps.spec import read_sweep
    from core.sweeps.trials import SweepStopped
    from core.workflow.training import sweep as work_on

    spec, remarks = read_sweep(file, accounts=handles, trials=trials)
    for remark in remarks:
        narrate(f"▲ {remark}")

    def work(note: ProgressNote, stopped: Stopped) -> list[TrialRow]:
        return work_on(
            home,
            spec,
            report=_News(note, spec),
            cancelled=stopped,
            engine=engine,
            address=address,
            workers=workers,
        )

    try:
        rows = with_progress(work)
    except SweepStopped as stopped:
        _show(stopped.rows, spec, as_json)
        raise
    _show(rows, spec, as_json)


class _News:
    """A line when a trial begins and when it ends; in between, on a terminal, how it goes."""

    def __init__(self, note: ProgressNote, spec: SweepSpec) -> None:
        self._note = note
        self._spec = spec
        self._going: dict[int, str] = {}

    def __call__(self, event: SweepEvent) -> None:
        from core.sweeps.trials import TrialBegun, TrialEnded

        if isinstance(event, TrialBegun):
            how = "goes on" if event.resumed else "begins"
            self._say(
                f"{self._trial(event.row.trial)} {how}: {settings_in_words(event.row.params)}"
            )
        elif isinstance(event, TrialEnded):
            self._going.pop(event.row.trial, None)
            self._say(f"{self._trial(event.row.trial)}: {_outcome(event.row, best=event.best)}")
        else:
            self._going[event.trial] = f"{event.trial}: {percent(event.history.done)}"
            if len(self._going) > 1:
                shares = " · ".join(text for _, text in sorted(self._going.items()))
                self._note(f"trials {shares} · ctrl+c stops")
            else:
                going = progress_line(event.summary, event.history)
                self._note(f"{self._trial(event.trial)} · {going} · ctrl+c stops")

    def _trial(self, trial: int) -> str:
        return f"trial {trial} of {self._spec.trials}"

    def _say(self, text: str) -> None:
        self._note.done()
        narrate(text)


def _outcome(row: TrialRow, *, best: bool) -> str:
    measured = "" if row.valid_loss is None else f"held-out loss {loss(row.valid_loss)}"
    if row.state == "finished":
        return f"{measured}{', the lowest so far' if best else ''}"
    return ". ".join(filter(None, (", ".join(filter(None, (row.state, measured))), row.reason)))


def _show(rows: list[TrialRow], spec: SweepSpec, as_json: bool) -> None:
    """The contract's list, or a table with the best first."""
    from core.sweeps.overview import rank_correlations
    from core.sweeps.trials import best_first

    if as_json:
        emit_json([row.to_json() for row in rows])
    else:
        names = list(spec.space)
        cells = [
            [row.trial, row.run, row.state, row.valid_loss]
            + [setting(row.params.get(name)) for name in names]
            for row in best_first(rows)
        ]
        right = (0, *range(3, 4 + len(names)))
        emit(table(["trial", "run", "state", "held out", *names], cells, right=right))
    if plot := in_thirds(spec.space, rows):
        narrate(plot)
        narrate(what_matters(spec.sampler, *rank_correlations(spec.space, rows)))
    best = best_first(rows)[0]
    if best.state == "finished":
        narrate(f"The best is trial {best.trial}: `mynah sample {best.run}`")
