"""Sweeps in the plain mode: what each one tries, its plot as sentences, and its trials as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import InputRefused, WrongUsage
from core.numbers import percent, plural
from tui.plain.menu import browse
from tui.plain.runs import open_run
from tui.plain.session import Session, Tell
from tui.text.numbers import about, loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.sweeps.overview import Sweep
    from tui.sweeps.trial_table import Trial, TrialTable

_HELP: Final = (
    "A trial is a run with settings of its own. Trials are compared by their held-out loss, on the "
    "same held-out tweets; lower is better. Sorting again by the same name turns the order round."
)
# What stops a trial alone.
_STOPS_ONE: Final = "the menu of its run"


def list_sweeps(session: Session) -> None:
    """The one that was worked on last first; one is opened by its number."""
    found = _sweeps(session)
    if not found:
        from tui.text.sweeps import no_sweep

        session.console.say(no_sweep())
        return

    def open_one(place: int) -> None:
        name = found[place].name
        found[:] = _sweeps(session)
        sweep = next((one for one in found if one.name == name), None)
        if sweep is None:
            raise InputRefused(f"The sweep {name} is not there any more.")
        _open(session, sweep)

    browse(
        session.console,
        found,
        lambda place: _line(found[place]),
        "to hear about that sweep and its trials",
        open_one,
    )


def sweeps_in_short(session: Session) -> str:
    """``none yet``, or how many there are; nothing is read for it."""
    folder = session.home.sweeps
    many = sum(1 for _ in folder.glob("*/study.log")) if folder.is_dir() else 0
    return f"{many:,}" if many else "none yet"


def _sweeps(session: Session) -> list[Sweep]:
    from core.sweeps.overview import SweepsReader

    return session.work(lambda _, __: SweepsReader(session.home).poll()[0])


def _line(sweep: Sweep) -> str:
    who = " and ".join(f"@{handle}" for handle in sweep.accounts)
    names = ", ".join(sweep.space)
    return f"{sweep.name}, {who}, {plural(len(sweep.rows), 'trial')} begun, which differ in {names}"


def _open(session: Session, sweep: Sweep) -> None:
    """All that the app shows of a sweep, and then its trials, the best first."""
    from core.sweeps.overview import rank_correlations
    from tui.sweeps.trial_table import TrialTable
    from tui.text.sweeps import in_thirds, next_step, snapshot, what_matters

    trials = _trials(session, sweep)
    rows = [trial.row for trial in trials]
    table = TrialTable(sweep)
    table.set_trials(trials)
    session.console.say(
        *snapshot(sweep, rows),
        *filter(None, [in_thirds(sweep.space, rows)]),
        what_matters(sweep.sampler, *rank_correlations(sweep.space, rows)),
        next_step(sweep, rows, _STOPS_ONE),
        "The trials, the lowest held-out loss first:",
    )

    def open_one(place: int) -> None:
        trial = table[place]
        if trial.run is None:
            raise InputRefused(
                f"Trial {trial.row.trial} has no run: it was deleted, or never began."
            )
        open_run(session, trial.run)
        table.set_trials(_trials(session, sweep))

    browse(
        session.console,
        table,
        lambda place: _trial_line(table, place),
        "to hear about the run of that trial",
        open_one,
        {
            "sort": (
                "sort and a name to sort by it",
                lambda typed: _sort(session, table, typed),
            )
        },
        f"{_HELP} The names are: {', '.join(table.titles)}.",
    )


def _trials(session: Session, sweep: Sweep) -> list[Trial]:
    """With what their runs have written up to now."""
    from core.runs.summary import RunsFollower
    from tui.sweeps.trial_table import trials_of

    there = {run.run for run in session.runs()}
    runs = [row.run for row in sweep.rows if row.run in there]

    def read(tell: Tell, stopped: Callable[[], bool]) -> list[Trial]:
        summaries, histories = [], {}
        for number, run in enumerate(runs):
            if stopped():
                break
            tell(f"Read {number} of {plural(len(runs), 'trial')}.")
            summary, histories[summary.run] = RunsFollower(session.home, only=run).catch_up()
            summaries.append(summary)
        return trials_of(sweep, summaries, histories)

    return session.work(read)


def _trial_line(table: TrialTable, place: int) -> str:
    """``trial 3, the best, finished, lr 0.0025, held-out loss 3.312, 20 steps, 4 s``."""
    from tui.text.sweeps import settings_in_words

    trial = table[place]
    row, done = trial.row, trial.history.done if trial.history else 0.0
    parts = [f"trial {row.trial}", "the best" if row.trial == table.best else ""]
    parts += [row.state, percent(done) if done and row.state == "running" else ""]
    parts += [settings_in_words(row.params)]
    parts += ["" if row.valid_loss is None else f"held-out loss {loss(row.valid_loss)}"]
    parts += ["" if trial.step is None else plural(trial.step, "step")]
    parts += ["" if trial.seconds is None else about(trial.seconds), row.reason]
    return ", ".join(filter(None, parts))


def _sort(session: Session, table: TrialTable, typed: str) -> bool:
    titles = table.titles
    if typed not in titles:
        what = f"There is no column {typed!r}." if typed else "No column was named."
        raise WrongUsage(what, f"There are: {', '.join(titles)}.")
    table.sort_by(titles.index(typed))
    session.console.say(
        f"Sorted by {typed}, {'the highest' if table.down else 'the lowest'} first."
    )
    return True
