"""The tracker that the documentation shows works as it stands there."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from core.runs.tracked import Tracked, read_tracked
from core.tracking.follower import TRACKERS, follow
from tests.unit.cli import ROOT
from tests.unit.tracked_runs import append, end, measure, resume, start, tracked_run, train

BLOCKS = re.findall(
    r"^```python\n(.*?)^```", (ROOT / "docs" / "tracking.md").read_text(), re.DOTALL | re.MULTILINE
)


class Recorder(types.ModuleType):
    """As much of MLflow as the example calls; MLflow itself is nothing that mynah needs."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.began: list[Any] = []
        self.params: dict[str, Any] = {}
        self.metrics: list[tuple[int, int, dict[str, float]]] = []
        self.ended: list[str] = []

    def start_run(self, run_id: str | None = None, run_name: str = "") -> Any:
        self.began.append((run_id, run_name))
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id=run_id or "abc"))

    def log_params(self, params: dict[str, Any]) -> None:
        self.params |= params

    def log_metrics(self, metrics: dict[str, float], step: int, timestamp: int) -> None:
        self.metrics.append((step, timestamp, metrics))

    def end_run(self, status: str) -> None:
        self.ended.append(status)


def test_it_is_one_file_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, line = BLOCKS
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "mlflow", recorder)
    module = types.ModuleType("core.tracking.mlflow")
    monkeypatch.setitem(sys.modules, "core.tracking.mlflow", module)
    monkeypatch.setattr("core.tracking.follower.TRACKERS", trackers := dict(TRACKERS))
    exec(compile(file, "mlflow.py", "exec"), module.__dict__)  # noqa: S102 - our own text
    exec(line, {"TRACKERS": trackers})  # noqa: S102

    run = tracked_run(tmp_path)
    append(run, start(), train(1), train(2))
    end(run, "stopped")
    follow(run, Tracked(to="mlflow"))
    resume(run)
    append(run, start(resumed_from=1), train(2), train(3), measure(3, "after"))
    end(run)
    done = read_tracked(run, "mlflow")
    assert done is not None
    follow(run, done)

    assert [(step, metrics.get("train/loss")) for step, _, metrics in recorder.metrics] == [
        (1, 4.9), (2, 4.8), (3, 4.7), (3, None),
    ]  # fmt: skip
    assert recorder.metrics[0][1] == 1_772_360_101_000
    assert recorder.began == [(None, "@zoe-adam-train"), ("abc", "@zoe-adam-train")]
    assert recorder.params["lr"] == 0.002
    assert recorder.ended == ["FINISHED", "FINISHED"]
