"""What a run's log tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.runs.folder import Run
from core.runs.story import story, why_early
from core.runs.summary import run_summary
from tests.unit.test_runs_follow import gone, make_run

JOURNAL = [
    {"kind": "phase", "doing": "loading the model"},
    {"kind": "start", "steps": 124, "train_tweets": 653, "valid_tweets": 73, "batch_tokens": 256,
     "parameters": 134515008, "trained_parameters": 19537920, "device": "cpu", "resumed_from": None,
     "arithmetic": "float32"},
    {"kind": "eval", "step": 0, "phase": "before", "valid_loss": 5.0642},
    {"kind": "train", "step": 1, "steps": 124, "loss": 4.9},
    {"kind": "train", "step": 2, "steps": 124, "loss": 3.7353, "tokens_per_second": 23.9},
    {"kind": "eval", "step": 2, "phase": "after", "valid_loss": None},
    {"kind": "memorisation", "step": 2, "train": 0.125, "held_out": 0.0},
    {"kind": "warning", "text": "It is \x1b[31mhot"},
    {"kind": "later", "step": 3},
    {"kind": "checkpoint", "step": 2},
    {"kind": "end", "state": "finished", "steps": 2, "reason": "", "train_loss": 3.9},
]  # fmt: skip


def written(tmp_path: Path) -> Run:
    run = make_run(tmp_path, "a", state="finished")
    lines = [json.dumps({"time": 1_000.0 + n, **one}) for n, one in enumerate(JOURNAL)]
    run.metrics.write_text("\n".join(lines) + "\n")
    return run


def test_each_thing_that_happened_is_a_line(tmp_path: Path) -> None:
    """Of the steps only the newest before a measurement is told."""
    assert run_summary(written(tmp_path)).log_text().splitlines() == [
        "00:16:40  loading the model",
        "00:16:41  begins on cpu, float32",
        "00:16:41  learns from 653 tweets, measures on 73 held-out ones",
        "00:16:41  124 steps at most, 256 tokens a step, 19,537,920 of 134,515,008 parameters "
        "learn",
        "00:16:42  step 0: held-out loss 5.064",
        "00:16:44  step 2 of 124: train loss 3.735, 24 tok/s",
        "00:16:45  step 2: held-out loss not a number",
        "00:16:46  step 2: gives back word for word 12 % of training phrases, 0 % of held-out ones",
        "00:16:47  ▲ It is ␛[31mhot",
        "00:16:49  step 2: checkpoint written",
        "00:16:50  finished after 2 steps: Its time was up before all steps were done.",
        "00:16:50  train loss 3.900, averaged over its last steps",
    ]


def test_a_run_that_waited_and_went_on_in_4_bits_says_so() -> None:
    told = story(
        [
            {"kind": "queued", "waits_for": "20260101-a-1111"},
            {"kind": "phase"},
            {"kind": "start", "resumed_from": 1200, "device": "cuda", "arithmetic": "bfloat16",
             "four_bit": True},
            {"kind": "memorisation", "step": 1, "train": 0.1},
            {"kind": "memorisation", "step": 1, "held_out": 0.1},
            {"kind": "checkpoint", "step": 1201},
            {"kind": "train", "step": 1202, "loss": 3.0},
            {"kind": "end", "state": "failed", "steps": 1, "reason": "It was too hot."},
            {"kind": "end", "state": "stopped"},
            {"kind": "train", "step": 1203, "loss": None},
        ]
    )  # fmt: skip
    assert [line.strip() for line in told] == [
        "waits for 20260101-a-1111 to end",
        "",
        "goes on after step 1,200 on cuda, bfloat16, the base in 4 bits",
        "learns from ? tweets, measures on ? held-out ones",
        "? steps at most, ? tokens a step, ? of ? parameters learn",
        "step 1,201: checkpoint written",
        "step 1,202: train loss 3.000",
        "failed after 1 step: It was too hot.",
        "stopped",
        "step 1,203: train loss not a number",
    ]


@pytest.mark.parametrize("time", [None, "?", [], 1e15, 1e18, -1e18])
def test_a_line_whose_time_cannot_be_told_is_told_without(time: object) -> None:
    (told,) = story([{"kind": "phase", "doing": "saving", "time": time}])
    assert told == "          saving"


def test_only_a_run_that_finished_early_had_no_more_time() -> None:
    up = "Its time was up before all steps were done."
    assert why_early("finished", 5, 9) == up
    for state, step, planned in (
        ("finished", 9, 9), ("finished", 10, 9), ("stopped", 5, 9), ("finished", None, 9),
        ("finished", 5, None), ("finished", 5, "9"),
    ):  # fmt: skip
        assert why_early(state, step, planned) == ""


def test_what_the_process_printed_follows(tmp_path: Path) -> None:
    run = written(tmp_path)
    (run.folder / "train.log").write_text("Traceback: [b]gone[/b]\n")
    assert run_summary(run).log_text().endswith("Its process printed:\nTraceback: [b]gone[/b]")


def test_a_journal_with_anything_in_it_is_told() -> None:
    odd = [
        {},
        {"kind": 3},
        *(
            {"kind": kind}
            for kind in (
                "queued",
                "phase",
                "start",
                "train",
                "eval",
                "memorisation",
                "checkpoint",
                "end",
            )
        ),
    ]
    assert all(
        isinstance(line, str) for line in story([*odd, *({**one, "time": "?"} for one in odd)])
    )


def test_a_run_that_had_no_more_time_says_so(tmp_path: Path) -> None:
    run = written(tmp_path)
    assert run_summary(run).reason == "Its time was up before all steps were done."
    all_steps = [{"kind": "start", "steps": 2}, {"kind": "train", "step": 2, "steps": 2, "loss": 1}]
    lines = [json.dumps(one) for one in [*all_steps, JOURNAL[-1]]]
    run.metrics.write_text("\n".join(lines) + "\n")
    assert run_summary(run).reason == ""
    assert "time was up" not in run_summary(run).log_text()


def test_of_a_run_that_was_stopped_and_resumed_each_end_has_its_own_reason() -> None:
    told = list(
        story(
            [
                {"kind": "start", "steps": 9},
                {"kind": "end", "state": "stopped", "steps": 2, "reason": ""},
                {"kind": "start", "steps": 9, "resumed_from": 2},
                {"kind": "end", "state": "finished", "steps": 5, "reason": ""},
            ]
        )
    )
    ends = [line.strip() for line in told if "after" in line and "goes on" not in line]
    assert ends == [
        "stopped after 2 steps",
        "finished after 5 steps: Its time was up before all steps were done.",
    ]


def test_the_log_of_a_run_whose_process_is_gone_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a", state="running")
    run.metrics.write_text(json.dumps(JOURNAL[1]) + "\n")
    gone(run)
    summary = run_summary(run)
    assert summary.reason.startswith("Its process is gone")
    assert summary.log_text().endswith(summary.reason)
