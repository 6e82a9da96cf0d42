"""Sentences about a sweep: what it is, which parameter matters, how it goes on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.home import bundled
from core.runs.folder import GOING
from core.sweeps.overview import LEAST_FOR_RANKS, RankCorrelation
from core.sweeps.space import LARGEST_GRID, grid_size
from tui.sweeps.trial_table import Trial
from tui.text.numbers import count, plural

if TYPE_CHECKING:
    from core.sweeps.overview import Sweep

# Of very many parameters the sentence names those that go with the loss most.
_NAMED = 3


def no_sweep() -> str:
    example = bundled("sweeps") / "learning_rate.toml"
    return (
        "No sweep yet. One tries many settings on the same tweets; it is started in a terminal: "
        f"mynah sweep FILE. An example: {_short(example)}"
    )


def _short(path: Path) -> str:
    """From here, where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def facts(sweep: Sweep, trials: Sequence[Trial]) -> str:
    """``@keeper · scratch · fast · tpe · 5 of 8 trials done, 1 pruned, 1 at work``."""
    done = sum(trial.row.state == "finished" for trial in trials)
    of = f"{count(done)} of {plural(sweep.trials or len(trials), 'trial')} finished"
    states = [trial.row.state for trial in trials]
    parts = [of]
    for state in ("pruned", "failed"):
        if number := states.count(state):
            parts.append(f"{number} {state}")
    if number := sum(state in GOING for state in states):
        parts.append(f"{number} at work")
    who = "+".join(f"@{handle}" for handle in sweep.accounts)
    return " · ".join([", ".join(parts), who, sweep.base, sweep.preset, sweep.sampler])


def what_matters(sweep: Sweep, finished: int, found: Sequence[RankCorrelation]) -> str:
    """Which parameters go with the held-out loss, as far as their ranks tell."""
    if finished < LEAST_FOR_RANKS:
        have = "No trial has" if not finished else f"Only {plural(finished, 'trial')} has"
        have = have if finished < 2 else f"Only {finished} trials have"
        return (
            f"{have} finished: too few to tell which parameter matters "
            f"({LEAST_FOR_RANKS} are needed)."
        )
    if not found:
        return f"{finished} trials have finished, but no parameter is a number that has ranks."
    clear = [one for one in found if one.clear][:_NAMED]
    rest = [one for one in found if not one.clear][:_NAMED]
    parts = [
        f"a {'higher' if one.rho < 0 else 'lower'} {one.name} goes with a lower loss "
        f"({_rho(one.rho)})"
        for one in clear
    ]
    if rest:
        names = ", ".join(f"{one.name} ({_rho(one.rho)})" for one in rest)
        parts.append(f"{'nothing beyond chance for' if clear else 'no more than chance:'} {names}")
    hint = ""
    if sweep.sampler == "tpe":
        hint = " tpe draws more where the loss was low: a hint."
    return f"Rank correlation over {finished} trials: {'; '.join(parts)}.{hint}"


def _rho(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def next_step(sweep: Sweep, trials: Sequence[Trial]) -> str:
    """How it is stopped, or goes on."""
    words = ["mynah", "sweep", sweep.file or "FILE", *sweep.beside]
    command = shlex.join(words)
    if any(trial.row.state in GOING for trial in trials):
        return f"ctrl+c in its terminal stops it, x the trial alone. It goes on by {command}"
    over = sum(trial.row.state in ("finished", "pruned", "failed") for trial in trials)
    if sweep.trials is None or over < sweep.trials:
        return f"It goes on where it was by {command}"
    most = grid_size(sweep.space) if sweep.sampler == "grid" else LARGEST_GRID
    if sweep.trials >= most:
        return "All trials are done, and there can be no more."
    if "--trials" in words:
        del words[words.index("--trials") :]
    more = shlex.join([*words, "--trials", str(min(2 * sweep.trials, most))])
    return f"All trials are done; more are made by {more}"
