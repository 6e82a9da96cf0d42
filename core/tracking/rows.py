"""A run's journal as numbered rows of measurements: what every tracker shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# Names as Hugging Face's Trainer logs them, so that charts of other runs fit.
STEP: Final = "train/global_step"
_NAMES: Final = {"lr": "learning_rate", "valid_loss": "loss"}
_NOT_MEASURED: Final = ("time", "step", "steps", "done", "seconds_left")


@dataclass(frozen=True)
class Row:
    """The ``number``-th row of a run (from 0): ``values`` by name at ``step``.

    ``time`` is when they were measured, in seconds since 1970. A journal gives the same rows
    whenever it is read, so that the number says what a tracker has and what it still lacks.
    """

    number: int
    time: float
    step: int
    values: Mapping[str, float]


class Rows:
    """Makes rows of the journal's lines ``train``, ``eval`` and ``memorisation``, each once a step.

    A run that is resumed does the steps after its last checkpoint again; trackers cannot take a row
    back, so what was measured first stands.
    """

    def __init__(self) -> None:
        self.count = 0
        self._trained = -1
        self._measured: set[tuple[str, int]] = set()
        self._system: list[tuple[float, Mapping[str, float]]] = []

    def system(self, time: float, values: Mapping[str, float]) -> None:
        """Lets the next row that is not older than ``time`` carry ``values`` too."""
        self._system.append((time, values))

    def of(self, records: Iterable[dict[str, Any]]) -> list[Row]:
        """The rows of new lines of metrics.jsonl."""
        rows = []
        for record in records:
            step, kind = record.get("step"), record.get("kind")
            if not isinstance(step, int) or not self._is_new(kind, record, step):
                continue
            time = float(record.get("time") or 0.0)
            values = {STEP: float(step), **_values(kind, record), **self._system_until(time)}
            rows.append(Row(self.count, time, step, values))
            self.count += 1
        return rows

    def _is_new(self, kind: Any, record: dict[str, Any], step: int) -> bool:
        if kind == "train":
            new = step > self._trained
            self._trained = max(step, self._trained)
            return new
        if kind not in ("eval", "memorisation") or step < self._trained:
            return False
        key = str(record.get("phase", kind)), step
        if key in self._measured:
            return False
        self._measured.add(key)
        return True

    def _system_until(self, time: float) -> dict[str, float]:
        values: dict[str, float] = {}
        while self._system and self._system[0][0] <= time:
            values |= self._system.pop(0)[1]
        return values


def _values(kind: Any, record: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a line; a loss that was not a number is left out."""
    prefix = "memorised" if kind == "memorisation" else "train" if kind == "train" else "eval"
    if record.get("phase") == "all":  # more tweets than the curve is measured on
        prefix = "eval_all"
    return {
        f"{prefix}/{_NAMES.get(name, name)}": float(value)
        for name, value in record.items()
        if name not in _NOT_MEASURED
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
    }
