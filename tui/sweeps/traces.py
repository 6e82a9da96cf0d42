"""From a sweep to its parallel plot: which axes there are, and how each trial is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from core.sweeps.space import Choice, Dimension, Scalar
from tui.sweeps.parallel_picture import Axis, Trace
from tui.sweeps.trial_table import BEST, Trial
from tui.text.runs import setting

if TYPE_CHECKING:
    from core.sweeps.overview import Sweep

CURSOR: Final = "▸"
# Of more trials the plot draws the best and the newest: the others would only be a grey field.
MOST_DRAWN: Final = 300
# From the worst third to the best.
LEVELS: Final = ("bad", "middle", "good")
# A trial that lies further from the best than so many times the median does is drawn at the edge.
_FAR: Final = 4


def axes_of(sweep: Sweep, trials: Sequence[Trial], names: Sequence[str]) -> list[Axis]:
    """An axis for each of ``names``, as the space has it, and one for the held-out loss."""
    axes = [_axis(name, sweep.space[name]) for name in names]
    losses = sorted(t.row.valid_loss for t in trials if t.row.valid_loss is not None)
    low, high = (losses[0], losses[-1]) if losses else (0.0, 1.0)
    far = low + _FAR * (losses[len(losses) // 2] - low) if losses else high
    cut = low < far < high
    high = far if cut else high
    if high <= low:
        low, high = low - 0.05, high + 0.05
    return [*axes, Axis("held out", low, high, cut=cut)]


def _axis(name: str, dimension: Dimension) -> Axis:
    if isinstance(dimension, Choice):
        return Axis(name, names=tuple(setting(value) for value in _in_order(dimension)))
    return Axis(name, dimension.low, dimension.high, dimension.log)


def _in_order(choice: Choice) -> list[Scalar]:
    """Numbers ascending; words as they were given, from the bottom."""
    values = list(choice.values)
    numbers = [value for value in values if not isinstance(value, (str, bool))]
    return sorted(numbers) if len(numbers) == len(values) else values


def traces_of(
    sweep: Sweep, trials: Sequence[Trial], names: Sequence[str], *, best: int | None, cursor: int
) -> list[Trace]:
    """From back to front: ended early, from bad to good, at work, the best, the one of the cursor.

    ``best`` and ``cursor`` are numbers of trials.
    """
    orders = {
        name: {_key(value): index for index, value in enumerate(_in_order(dimension))}
        for name, dimension in sweep.space.items()
        if isinstance(dimension, Choice)
    }
    finished = [t for t in trials if t.row.state == "finished" and t.row.valid_loss is not None]
    finished.sort(key=lambda trial: -(trial.row.valid_loss or 0.0))
    known = {trial.row.trial for trial in finished}
    others = [trial for trial in trials if trial.row.trial not in known]
    found: list[Trace] = []
    going = [trial for trial in others if trial.row.state in ("running", "starting")]
    ended = [trial for trial in others if trial not in going]
    for trial in ended[-MOST_DRAWN // 3 :]:
        found.append(Trace(_values(trial, names, orders), "ended", dotted=True))
    skipped = max(0, len(finished) - MOST_DRAWN)
    for index, trial in enumerate(finished):
        if index >= skipped:
            level = LEVELS[len(LEVELS) * index // len(finished)]
            found.append(Trace(_values(trial, names, orders), level))
    for trial in going:
        label = str(trial.row.trial)
        found.append(Trace(_values(trial, names, orders), "going", label, dotted=True))
    for trial in trials:
        if trial.row.trial == best != cursor:
            label = f"{BEST} {best}"
            found.append(Trace(_values(trial, names, orders), "best", label, thick=True))
    for trial in trials:
        if trial.row.trial == cursor:
            label = f"{CURSOR}{BEST if cursor == best else ''} {cursor}"
            found.append(Trace(_values(trial, names, orders), "cursor", label, thick=True))
    return found


def _values(
    trial: Trial, names: Sequence[str], orders: Mapping[str, Mapping[tuple[bool, Scalar], int]]
) -> tuple[float | None, ...]:
    values: list[float | None] = []
    for name in names:
        value = trial.row.params.get(name)
        if value is not None and name in orders:
            value = orders[name].get(_key(value))
        values.append(None if value is None else float(value))
    return *values, trial.row.valid_loss


def _key(value: Scalar) -> tuple[bool, Scalar]:
    """True is no 1."""
    return isinstance(value, bool), value
