"""Sentences about a sweep: what it tries, its plot, which parameter matters, how it goes on."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.home import bundled
from core.numbers import plural
from core.runs.folder import GOING
from core.sweeps.overview import LEAST_FOR_RANKS, RankCorrelation
from core.sweeps.space import LARGEST_GRID, Dimension, Range, grid_size
from tui.text.numbers import count, loss
from tui.text.runs import setting

if TYPE_CHECKING:
    from core.sweeps.overview import Sweep
    from core.sweeps.study import TrialRow

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


def facts(sweep: Sweep, rows: Sequence[TrialRow]) -> str:
    """``5 of 8 trials finished, 1 pruned, 1 at work · @keeper · scratch · fast · tpe``."""
    who = "+".join(f"@{handle}" for handle in sweep.accounts)
    return " · ".join([_progress(sweep, rows), who, sweep.base, sweep.preset, sweep.sampler])


def snapshot(sweep: Sweep, rows: Sequence[TrialRow]) -> list[str]:
    """What a sweep tries on whom, how far it is and which trial is the best, in sentences."""
    who = " and ".join(f"@{handle}" for handle in sweep.accounts) or "nobody"
    tries = "; ".join(f"{name} {_span(one)}" for name, one in sweep.space.items())
    sentences = [
        f"The sweep {sweep.name} learns from {who}, on the base {sweep.base}, with the preset "
        f"{sweep.preset}.",
        f"It tries {tries}. The sampler {sweep.sampler} draws the settings.",
        f"{_progress(sweep, rows)}.",
    ]
    if done := finished_best_first(rows):
        best = done[0]
        sentences.append(
            f"The best is trial {best.trial}, with a held-out loss of {loss(best.valid_loss)}: "
            f"{settings_in_words(best.params)}."
        )
    return sentences


def _progress(sweep: Sweep, rows: Sequence[TrialRow]) -> str:
    """``5 of 8 trials finished, 1 pruned, 1 at work``."""
    done = sum(row.state == "finished" for row in rows)
    parts = [f"{count(done)} of {plural(sweep.trials or len(rows), 'trial')} finished"]
    states = [row.state for row in rows]
    for state in ("pruned", "failed"):
        if number := states.count(state):
            parts.append(f"{number} {state}")
    if number := sum(state in GOING for state in states):
        parts.append(f"{number} at work")
    return ", ".join(parts)


def _span(dimension: Dimension) -> str:
    """``from 0.001 to 0.02``, or ``128, 256 or 512``."""
    if isinstance(dimension, Range):
        return f"from {setting(dimension.low)} to {setting(dimension.high)}"
    *most, last = map(setting, dimension.values)
    return f"{', '.join(most)} or {last}" if most else last


def settings_in_words(params: Mapping[str, Any]) -> str:
    """``lr 0.0025, batch_tokens 128``."""
    return ", ".join(f"{name} {setting(value)}" for name, value in params.items())


def finished_best_first(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """The trials whose losses compare: of the others the training was a shorter one."""
    done = [row for row in rows if row.state == "finished" and row.valid_loss is not None]
    return sorted(done, key=lambda row: (row.valid_loss or 0.0, row.trial))


def in_thirds(space: Mapping[str, Dimension], rows: Sequence[TrialRow]) -> str:
    """The parallel plot as a sentence: with which settings the best and the worst third of the
    finished trials ended; empty with fewer than three.
    """
    done = finished_best_first(rows)
    third = len(done) // 3
    if not third:
        return ""
    best, worst = (
        f"{_which(part, how)} {_losses(part)} had {_settings_of(space, part)}"
        for part, how in ((done[:third], "lowest"), (done[-third:], "highest"))
    )
    return f"Of {len(done)} finished trials, {best}; {worst}."


def _which(rows: Sequence[TrialRow], how: str) -> str:
    return (
        f"the {len(rows)} with the {how} held-out losses"
        if len(rows) > 1
        else f"the one with the {how} held-out loss"
    )


def _losses(rows: Sequence[TrialRow]) -> str:
    low, high = loss(rows[0].valid_loss), loss(rows[-1].valid_loss)
    return f"({low})" if low == high else f"({low} to {high})"


def _settings_of(space: Mapping[str, Dimension], rows: Sequence[TrialRow]) -> str:
    """``lr 0.002 to 0.008, batch_tokens 128 (2 of 3) and 256 (1 of 3)``."""
    parts = []
    for name, dimension in space.items():
        values = [row.params[name] for row in rows if name in row.params]
        words = [setting(value) for value in values]
        if len(set(words)) == 1:
            parts.append(f"{name} {words[0]}")
        elif isinstance(dimension, Range) and values:
            parts.append(f"{name} {setting(min(values))} to {setting(max(values))}")
        elif values:
            each = [
                f"{word} ({many} of {len(rows)})" for word, many in Counter(words).most_common()
            ]
            parts.append(f"{name} {' and '.join(filter(None, [', '.join(each[:-1]), each[-1]]))}")
    return ", ".join(parts)


def what_matters(sampler: str, finished: int, found: Sequence[RankCorrelation]) -> str:
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
    if sampler == "tpe":
        hint = " tpe draws more where the loss was low: a hint."
    return f"Rank correlation over {finished} trials: {'; '.join(parts)}.{hint}"


def _rho(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def next_step(sweep: Sweep, rows: Sequence[TrialRow], stops_one: str) -> str:
    """How it is stopped, or goes on; ``stops_one`` names what stops a trial alone."""
    words = ["mynah", "sweep", sweep.file or "FILE", *sweep.beside]
    command = shlex.join(words)
    if any(row.state in GOING for row in rows):
        return (
            f"ctrl+c in its terminal stops it, {stops_one} the trial alone. It goes on by {command}"
        )
    over = sum(row.state in ("finished", "pruned", "failed") for row in rows)
    if sweep.trials is None or over < sweep.trials:
        return f"It goes on where it was by {command}"
    most = grid_size(sweep.space) if sweep.sampler == "grid" else LARGEST_GRID
    if sweep.trials >= most:
        return "All trials are done, and there can be no more."
    if "--trials" in words:
        del words[words.index("--trials") :]
    more = shlex.join([*words, "--trials", str(min(2 * sweep.trials, most))])
    return f"All trials are done; more are made by {more}"
