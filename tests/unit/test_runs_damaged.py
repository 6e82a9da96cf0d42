"""A run's files with anything in them: what can be read is shown, and nothing else happens."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputRefused
from core.home import Home
from core.json_lines import parse_json
from core.runs.curve import whole_curve
from core.runs.folder import Run
from core.runs.history import RunHistory
from core.runs.positions import sound
from core.runs.record import RunRecord
from core.runs.story import story
from core.runs.summary import RunsFollower, list_runs, summarise
from tests.fixtures.fuzzed.mutations import VALUES
from tui.text.runs import given_back, held_out, how_far, how_it_ended, snapshot

RUN = Path(__file__).parents[1] / "fixtures" / "runs" / "20260301-1015-keeper-c0de"
LINES: list[dict[str, Any]] = [
    json.loads(line) for line in (RUN / "metrics.jsonl").read_text("utf-8").splitlines()
]
KINDS = {line["kind"]: line for line in LINES} | {"system": {"kind": "system", "cpu": 12.5}}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_any_value_in_any_field_of_the_journal(kind: str, tmp_path: Path) -> None:
    run = Run(tmp_path)
    before, after = LINES[:6], LINES[-3:]
    for field in KINDS[kind]:
        for value in VALUES:
            line = KINDS[kind] | {field: value}
            # what a file gives: a number of any length, but nothing that JSON has no word for
            lines = [parse_json(json.dumps(one)) for one in (*before, line, *after)]
            history = RunHistory()
            history.take(lines)
            assert len(history.train_at) == len(history.train_losses) == len(history.speeds)
            assert len(history.valid_at) == len(history.valid_losses)
            assert all(isinstance(step, int) for step in history.train_steps)
            summary = summarise(run, RunRecord(), history, "running")
            shown = [*snapshot(summary, history), how_far(summary, history), *story(lines)]
            shown += [str(held_out(history)), str(given_back(history))]
            shown.append(how_it_ended(summary, history))
            assert all(isinstance(words, str) for words in shown)
        run.metrics.write_text("".join(json.dumps(KINDS[kind] | {field: v}) + "\n" for v in VALUES))
        for points in whole_curve(run).values():
            assert all(isinstance(point["step"], int) for point in points)


@pytest.mark.parametrize("kind", ["train", "end"])
def test_any_time_of_the_last_line(kind: str, tmp_path: Path) -> None:
    home = Home(tmp_path)
    run = Run(home.runs / "20260301-1015-keeper-c0de")
    run.folder.mkdir(parents=True)
    run.record_file.write_text(json.dumps({"resumed": 5.0, "pid": 1, "machine": "elsewhere"}))
    for value in VALUES:
        line = {"kind": kind, "step": 3, "time": value, "state": "finished"}
        run.metrics.write_text(json.dumps(line) + "\n")
        (summary,) = list_runs(home)
        assert summary.step == (3 if kind == "train" else 0)
        assert RunsFollower(home, only=run.id).catch_up()[0].state == summary.state


def test_what_is_no_figure_is_left_out() -> None:
    line = {"kind": "train", "step": 3, "loss": "low", "lr": 10**400, "epoch": math.nan, "doing": 5}
    assert sound(line) == {"kind": "train", "step": 3, "doing": 5}
    assert sound({"kind": ["train"], "step": 3}) == {}
    good = {"kind": "train", "step": 3, "loss": None, "other": "low"}
    assert sound(good) is good
    assert sound({"kind": "train", "step": 2**63 - 1025}) == {"kind": "train", "step": 2**63 - 1025}
    assert sound({"kind": "train", "step": 2**63, "loss": -(2.0**63)}) == {"kind": "train"}


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_the_step_of_a_sample(value: Any) -> None:
    history = RunHistory()
    history.take_samples([{"step": value, "text": "the lamp"}, {"step": 4, "text": value}])
    assert history.samples[0].text == "the lamp"


def test_a_record_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"settings": ' + "[" * 100_000)
    with pytest.raises(InputRefused):
        Run(tmp_path).record()
    with pytest.raises(ValueError, match="deeply"):
        parse_json("[" * 100_000)


def test_what_no_file_and_no_float_can_hold() -> None:
    read = parse_json(r'{"a\ud800": "half \udc00, whole \ud83d\ude00", "n": 1%s}' % ("0" * 400))
    assert read == {"a\ufffd": "half \ufffd, whole \U0001f600", "n": math.inf}
    assert parse_json("9223372036854775807") == 2**63 - 1
    with pytest.raises(ValueError, match="utf-8"):
        parse_json(b'"\xed\xa0\x80"')
