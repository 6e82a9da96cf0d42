"""Every point that a run has measured: the curve of `mynah watch --once --json`."""

from __future__ import annotations

from typing import Any, Final

from core.runs.folder import Run
from core.runs.follow import read_journal

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
    began: float | None = None  # when seconds were 0, as clocks have it
    for line in read_journal(run.metrics):
        kind = str(line.get("kind"))
        if kind == "start":
            if (seconds := line.get("seconds")) is not None:
                began = float(line.get("time") or 0.0) - float(seconds)
            resumed = line.get("resumed_from")
            if resumed is not None:
                for points in curve.values():
                    points[:] = [point for point in points if 0 < resumed >= point["step"]]
        elif kind in _POINTS:
            name, fields = _POINTS[kind]
            seconds = line.get("seconds")
            if seconds is None and began is not None:
                seconds = round(float(line.get("time") or 0.0) - began, 3)
            point = {"step": int(line.get("step") or 0), "seconds": seconds}
            curve[name].append(point | {field: line.get(field) for field in fields})
    return curve
