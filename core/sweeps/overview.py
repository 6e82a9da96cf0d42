"""Looking at the sweeps of a home without working on them: what was asked, how the trials went, and
which parameter goes with the loss.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from core.home import Home
from core.json_lines import parse_json
from core.sweeps.space import Choice, Dimension, Range
from core.sweeps.study import TrialRow, read_trials

# A rank correlation of 7 trials must lie over 0.79 to mean anything: of fewer than 8 none is told.
LEAST_FOR_RANKS: Final = 8
# Without any relation, a rank correlation of n pairs lies further from 0 than this many times
# 1 / sqrt(n - 1) in one case of twenty.
_BEYOND_CHANCE: Final = 1.96


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep as its folder says.

    ``trials`` is how many were asked for, and ``file`` the sweep file; both None where an older
    version began it. ``beside``: what the command said in place of the file's own words. ``rows``
    are the trials begun, in this order.
    """

    name: str
    accounts: tuple[str, ...]
    base: str
    preset: str
    sampler: str
    space: dict[str, Dimension]
    trials: int | None
    file: str | None
    beside: tuple[str, ...]
    rows: tuple[TrialRow, ...]


class SweepsReader:
    """Every sweep of a home; a folder is read again only when something was written there."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._known: dict[Path, tuple[tuple[float, ...], Sweep]] = {}
        self._shown: list[Sweep] | None = None

    def poll(self) -> tuple[list[Sweep], bool]:
        """The sweeps, the one that was worked on last first; and whether anything changed."""
        found: dict[Path, tuple[tuple[float, ...], Sweep]] = {}
        for folder in self._folders():
            try:
                written = _written(folder)
                known = self._known.get(folder)
                same = known is not None and known[0] == written
                found[folder] = known if known and same else (written, read_folder(folder))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # it goes away, is damaged, or no trial was begun yet
        self._known = found
        sweeps = [sweep for _, sweep in sorted(found.values(), key=lambda one: -one[0][0])]
        changed = self._shown is None or sweeps != self._shown
        self._shown = sweeps
        return sweeps, changed

    def _folders(self) -> list[Path]:
        try:
            return [folder for folder in self._home.sweeps.iterdir() if folder.is_dir()]
        except OSError:
            return []


def _written(folder: Path) -> tuple[float, ...]:
    log, asked = (folder / "study.log").stat(), (folder / "sweep.json").stat()
    return log.st_mtime, log.st_size, asked.st_mtime, asked.st_size


def read_folder(folder: Path) -> Sweep:
    """Raises OSError, ValueError, KeyError and TypeError where it is no sweep, or a damaged one."""
    asked = parse_json((folder / "sweep.json").read_bytes())
    space: dict[str, Dimension] = {}
    if not isinstance(asked["space"], dict):
        raise TypeError("its space is no table")
    for name, given in asked["space"].items():
        kind: type[Choice] | type[Range] = Choice if "values" in given else Range
        space[str(name)] = msgspec.convert(given, kind)
    return Sweep(
        name=str(asked["name"]),
        accounts=tuple(map(str, asked["accounts"])),
        base=str(asked["base"]),
        preset=str(asked["preset"]),
        sampler=str(asked["sampler"]),
        space=space,
        trials=msgspec.convert(asked.get("trials"), int | None),
        file=msgspec.convert(asked.get("file"), str | None),
        beside=msgspec.convert(asked.get("beside", ()), tuple[str, ...]),
        rows=tuple(read_trials(folder / "study.log", str(asked["name"]))),
    )


class RankCorrelation(msgspec.Struct, frozen=True):
    """Spearman's, of a parameter and the held-out loss; ``clear``: it is further from 0 than chance
    puts one of twenty.
    """

    name: str
    rho: float
    clear: bool


def rank_correlations(
    names: Iterable[str], rows: Iterable[TrialRow]
) -> tuple[int, list[RankCorrelation]]:
    """How many trials have finished, and the correlation of each parameter that is a number and
    differs between them, the furthest from 0 first. Of fewer than LEAST_FOR_RANKS there is none.

    Trials that ended early are not counted: their losses are those of a shorter training.
    """
    done = [row for row in rows if row.state == "finished" and row.valid_loss is not None]
    if len(done) < LEAST_FOR_RANKS:
        return len(done), []
    losses = [row.valid_loss or 0.0 for row in done]
    found = []
    for name in names:
        values = [row.params.get(name) for row in done]
        numbers = [
            float(value)
            for value in values
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        ]
        if len(numbers) == len(done) and len(set(numbers)) > 1 and len(set(losses)) > 1:
            rho = _spearman(numbers, losses)
            clear = abs(rho) * math.sqrt(len(done) - 1) > _BEYOND_CHANCE
            found.append(RankCorrelation(name, rho, clear))
    return len(done), sorted(found, key=lambda one: -abs(one.rho))


def _spearman(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Pearson's correlation of the ranks; both differ somewhere."""
    ranks = [_ranks(xs), _ranks(ys)]
    mean = (len(xs) + 1) / 2
    (a, b) = ([rank - mean for rank in one] for one in ranks)
    products = sum(x * y for x, y in zip(a, b, strict=True))
    return products / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start
        while stop < len(order) and values[order[stop]] == values[order[start]]:
            stop += 1
        for index in order[start:stop]:
            ranks[index] = (start + 1 + stop) / 2
        start = stop
    return ranks
