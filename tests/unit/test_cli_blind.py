"""``mynah blind``: a line for each answer; stopping keeps what was answered."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from core.report.blind import BlindTest, Question, blind_result
from core.runs.folder import Run
from core.sampling.voices import tuned_voice
from tui.cli.runs.blind import _ask_all


@pytest.mark.parametrize(
    ("typed", "right", "answers"),
    [("1\nwhat\n2\n2\n", 2, 3), ("1\nq\n", 1, 1), ("2\n\x1b\n1\n", 0, 1), ("", 0, 0)],
)
def test_answers_are_lines_and_the_end_or_q_stops(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    right: int,
    answers: int,
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "run.json").write_text(json.dumps({"handles": ["keeper"]}))
    run = Run(tmp_path)
    questions = [Question("1", "s", "real \x1b[31m", "made", at % 2 == 0) for at in range(3)]
    test = BlindTest(run, "@keeper", 1, tuned_voice(run).hash(), questions)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert _ask_all(test, feedback=True) == (right, answers)
    result = blind_result(run)
    assert (result.right, result.answers) == (right, answers) if result else answers == 0
    said = capsys.readouterr()
    assert said.out == "", "questions are narration"
    assert "\x1b" not in said.err
    assert said.err.count("Right.") == right
