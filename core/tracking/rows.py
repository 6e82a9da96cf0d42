"""A run's journal as numbered rows of measurements: what every tracker shows of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.runs.positions import number, sound

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

    What a line ``system`` says is carried by the next row.
    A run that is resumed does the steps after its last checkpoint again; trackers cannot take a row
    back, so what was measured first stands.
    """

    def __init__(self) -> None:
        self.count = 0
        self._trained = -1
        self._measured: set[tuple[str, int]] = set()
        self._system: dict[str, float] = {}

    def of(self, records: Iterable[dict[str, Any]]) -> list[Row]:
        """The rows of new lines of metrics.jsonl."""
        rows = []
        for record in map(sound, records):
            step, kind = record.get("step"), record.get("kind")
            if kind == "system":
                self._system |= _values(kind, record)
            if not isinstance(step, int) or not self._is_new(kind, record, step):
                continue
            time = float(record.get("time") or 0.0)
            values = {STEP: float(step), **_values(kind, record), **self._system}
            self._system = {}
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


def _values(kind: Any, record: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a line; a loss that was not a number is left out."""
    prefix = {"memorisation": "memorised", "train": "train", "system": "system"}.get(kind, "eval")
    if record.get("phase") == "all":  # more tweets than the curve is measured on
        prefix = "eval_all"
    return {
        f"{prefix}/{_NAMES.get(name, name)}": number(value)
        for name, value in record.items()
        if name not in _NOT_MEASURED
        and not isinstance(value, bool)
        and math.isfinite(number(value))
    }
