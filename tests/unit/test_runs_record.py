"""run.json: what version 0.1.0 wrote, what is damaged, what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toy_runs import edit_record

from core.errors import InputRefused
from core.runs.folder import Run
from core.runs.record import Decisions, Result, RunRecord
from core.runs.settings import settings_for
from core.runs.summary import run_result, run_summary

FIXTURES = Path(__file__).parents[1] / "fixtures" / "runs"


def test_a_record_of_version_0_1_0_is_read() -> None:
    run = Run(FIXTURES / "20260301-1015-keeper-c0de")
    record = run.record()
    assert record.handles == ["keeper_of_the_light"]
    assert record.recipe.name == "standard"
    assert record.train_settings is not None
    assert (record.train_settings.epochs, record.train_settings.minutes) == (4.0, 2.0)
    assert record.decisions is None
    assert record.result is not None
    assert record.result.valid_loss_after == 3.4495
    assert run_summary(run).state == "finished"
    assert run_result(run)["tokens_per_second"] == 628.4


def test_a_setting_that_is_no_longer_there_does_not_matter(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    old = settings_for("fast", "scratch").to_json()
    edit_record(run, base="scratch", settings={**old, "tracker": "wandb"})
    assert run.record().train_settings == settings_for("fast", "scratch")


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    record = RunRecord(
        id="run",
        handles=["a"],
        settings=settings_for("fast", "scratch").to_json(),
        decisions=Decisions(
            device="cpu", arithmetic="float32", threads=2, batch_tokens=256, row_tokens=256,
            eval_tokens=1000, steps=5, steps_a_round=3,
        ),
        result=Result(state="finished", tokens_by_author={"a": 5}),
    )  # fmt: skip
    run.write_record(record)
    assert run.record() == record
    changed = run.update_record(state="stopped")
    assert (run.record(), changed.handles) == (changed, ["a"])


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        ({"handles": "a"}, []),
        ({"handles": [1]}, []),
        ({"handles": ["a"], "pid": "x", "settings": 5, "result": [], "decisions": {}}, ["a"]),
    ],
)
def test_a_damaged_field_is_unknown_and_the_others_are_not(
    tmp_path: Path, damage: dict[str, object], left: list[str]
) -> None:
    run = Run(tmp_path / "run")
    edit_record(run, id="run", state="stopped", **damage)
    record = run.record()
    assert (record.id, record.state, record.handles) == ("run", "stopped", left)
    assert (record.pid, record.result, record.decisions) == (None, None, None)
    assert record.train_settings is None
    assert run_summary(run).state == "stopped"


def test_fields_of_a_newer_version_are_written_back(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    edit_record(run, id="run", note="mine", tags=["a"], other_fields={"b": 1})
    run.update_record(state="stopped")
    written = json.loads(run.record_file.read_bytes())
    assert (written["note"], written["tags"], written["other_fields"]) == ("mine", ["a"], {"b": 1})
    assert (written["id"], written["state"]) == ("run", "stopped")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", json.dumps("run").encode()])
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes) -> None:
    run = Run(tmp_path)
    run.record_file.write_bytes(content)
    with pytest.raises(InputRefused, match=r"run\.json cannot be read"):
        run.record()
