"""Every point that a run has measured: the curve of `mynah watch --once --json`."""

from __future__ import annotations

from typing import Any, Final

from core.json_lines import read_json_lines
from core.runs.folder import Run
from core.runs.positions import WorkClock, done_again, sound

# Of each kind of line of the journal: the name of its list, and the fields of a point.
_POINTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "train": ("train", ("loss", "lr", "grad_norm", "tokens", "tokens_per_second", "epoch", "done")),
    "eval": ("held_out", ("phase", "valid_loss", "error", "tokens", "bits_per_byte")),
    "memorisation": ("memorisation", ("train", "held_out", "tweets")),
}


def whole_curve(run: Run) -> dict[str, list[dict[str, Any]]]:
    """``train``, ``held_out`` and ``memorisation``: lists of points, oldest first.

    Each point has ``step`` and ``seconds`` (of the run's own time, waiting not counted) and the
    fields of its line in metrics.jsonl; None where a figure was no number, or an older version
    wrote none. What a resumed run does again is there once, as it was the last time.
    """
    curve: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in _POINTS.values()}
    clock = WorkClock()
    for line in map(sound, read_json_lines(run.metrics)):
        kind = str(line.get("kind"))
        seconds = clock.of(line)
        resumed = line.get("resumed_from")
        if kind == "start" and resumed is not None:
            for points in curve.values():
                points[:] = [point for point in points if not done_again(point["step"], resumed)]
        elif kind in _POINTS:
            name, fields = _POINTS[kind]
            point = {
                "step": int(line.get("step") or 0),
                "seconds": None if seconds is None else round(seconds, 3),
            }
            curve[name].append(point | {field: line.get(field) for field in fields})
    return curve
