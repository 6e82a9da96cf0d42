"""The trials of a sweep as a table that is sorted by any of its columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.numbers import percent
from core.safe_text import printable
from core.sweeps.study import TrialRow, as_it_stands
from tui.text.numbers import clock, count, loss
from tui.text.runs import setting
from tui.text.sweeps import finished_best_first
from tui.train.figures import RUN_SIGNS

if TYPE_CHECKING:
    from core.runs.history import RunHistory
    from core.runs.summary import RunSummary
    from core.sweeps.overview import Sweep

BEST: Final = "✦"
SIGNS: Final = RUN_SIGNS | {"pruned": ("◔", "muted")}
_GROUPS: Final = {"finished": 0, "pruned": 1}


@dataclass(frozen=True)
class Trial:
    """A trial as it stands; ``run`` and ``history`` are None where its run is gone."""

    row: TrialRow
    run: RunSummary | None
    history: RunHistory | None

    @property
    def state(self) -> str:
        """With how much is done of one at work."""
        sign = SIGNS.get(self.row.state, ("?", ""))[0]
        done = self.history.done if self.history and self.row.state == "running" else 0.0
        return f"{sign} {percent(done) if done else self.row.state}"

    @property
    def step(self) -> int | None:
        return self.run.step if self.run else None

    @property
    def seconds(self) -> float | None:
        return self.history.seconds if self.history else None


def trials_of(
    sweep: Sweep, runs: Sequence[RunSummary], histories: Mapping[str, RunHistory]
) -> list[Trial]:
    by_name = {run.run: run for run in runs}
    found = []
    for row in sweep.rows:
        run = by_name.get(row.run or "")
        found.append(Trial(as_it_stands(row, run), run, histories.get(row.run or "")))
    return found


def best_of(trials: Sequence[Trial]) -> int | None:
    """The number of the finished trial with the lowest held-out loss."""
    done = finished_best_first([trial.row for trial in trials])
    return done[0].trial if done else None


@dataclass(frozen=True)
class _Column:
    title: str
    width: int
    text: Callable[[Trial], str]
    key: Callable[[Trial], Any]
    right: bool = True


class TrialTable:
    """What a ResultTable shows; ``sort_by`` a column, and again by the same for the other way."""

    def __init__(self, sweep: Sweep) -> None:
        self._columns = _columns(list(sweep.space), self)
        self.sorted_by, self.down = len(self._columns) - 3, False
        self.best: int | None = None
        self._trials: list[Trial] = []

    def set_trials(self, trials: Sequence[Trial]) -> None:
        self.best = best_of(trials)
        self._trials = list(trials)
        self._sort()

    @property
    def titles(self) -> list[str]:
        return [column.title for column in self._columns]

    def sort_by(self, column: int) -> None:
        self.down = column == self.sorted_by and not self.down
        self.sorted_by = column
        self._sort()

    def _sort(self) -> None:
        key = self._columns[self.sorted_by].key
        self._trials.sort(key=lambda trial: trial.row.trial)
        known = [trial for trial in self._trials if key(trial) is not None]
        rest = [trial for trial in self._trials if key(trial) is None]
        known.sort(key=key, reverse=self.down)
        self._trials = known + rest  # what is unknown stands last, either way

    def __len__(self) -> int:
        return len(self._trials)

    def __getitem__(self, index: int) -> Trial:
        return self._trials[index]

    def index_of(self, trial: int) -> int:
        """The line of a trial, 0 where it is not there."""
        numbers = [one.row.trial for one in self._trials]
        return numbers.index(trial) if trial in numbers else 0

    def cells(self, index: int) -> Sequence[str]:
        trial = self._trials[index]
        return [column.text(trial) for column in self._columns]

    def nulls(self, index: int) -> Sequence[bool]:
        return [False] * len(self._columns)

    def layout(self) -> list[tuple[str, int, bool]]:
        """For each column title, cells and whether it is at the right."""
        arrow = "▼" if self.down else "▲"
        titles = [
            f"{column.title}{arrow}" if index == self.sorted_by else column.title
            for index, column in enumerate(self._columns)
        ]
        return [
            (title, max(len(title), column.width), column.right)
            for title, column in zip(titles, self._columns, strict=True)
        ]


def _columns(names: Sequence[str], table: TrialTable) -> list[_Column]:
    """Losses sort by what they say: those of finished trials before those of shorter trainings."""

    def numbered(trial: Trial) -> str:
        mark = f"{BEST} " if trial.row.trial == table.best else ""
        return f"{mark}{trial.row.trial}"

    def by_loss(trial: Trial) -> tuple[int, float] | None:
        known = trial.row.valid_loss
        group = _GROUPS.get(trial.row.state, len(_GROUPS))
        return None if known is None else (-group if table.down else group, known)

    def parameter(name: str) -> _Column:
        return _Column(
            name,
            max(9, len(name) + 1),
            lambda trial: printable(setting(trial.row.params.get(name))),
            lambda trial: _order(trial.row.params.get(name)),
        )

    return [
        _Column("trial", 6, numbered, lambda trial: trial.row.trial),
        _Column("state", 10, lambda trial: trial.state, lambda trial: trial.row.state, right=False),
        *(parameter(name) for name in names),
        _Column("held out", 9, lambda trial: loss(trial.row.valid_loss), by_loss),
        _Column("steps", 7, lambda trial: count(trial.step), lambda trial: trial.step),
        _Column("time", 7, lambda trial: clock(trial.seconds), lambda trial: trial.seconds),
    ]


def _order(value: object) -> tuple[int, float, str] | None:
    """Numbers before words; None for what is missing."""
    if value is None:
        return None
    if isinstance(value, (int, float)):
        return 0, float(value), ""
    return 1, 0.0, str(value)
