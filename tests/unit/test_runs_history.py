"""What a run's journal gives: figures, points and their places, to the number."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from core.runs.curve import whole_curve
from core.runs.history import RunHistory, TrainingSample
from core.runs.positions import WorkClock, done_again, number, sound
from tests.unit.test_runs_follow import make_run


def history_of(*lines: dict[str, Any]) -> RunHistory:
    history = RunHistory()
    history.take(lines)
    return history


def test_before_the_first_line_nothing_has_happened() -> None:
    history = RunHistory()
    assert (history.step, history.tokens, history.done, history.taken_back) == (0, 0, 0.0, 0)
    bare = history_of({"kind": "train"})
    assert (bare.step, bare.tokens, bare.done) == (0, 0, 0.0)
    assert (bare.train_steps, list(bare.train_at.seconds)) == ([0], [0.0])
    history.take_samples([{"text": "the lamp"}, {"text": 5}, {"step": 3, "text": "the fog"}])
    assert history.samples == [TrainingSample(0, "the lamp"), TrainingSample(3, "the fog")]


def test_each_line_changes_what_it_tells_of_and_nothing_else() -> None:
    history = history_of({"kind": "queued", "waits_for": "another", "device": "cpu"})
    assert (history.waits_for, history.doing) == ("another", "")
    history.take([{"kind": "phase", "doing": "loading the model"}])
    assert (history.waits_for, history.doing) == ("", "loading the model")
    history.take([
        {"kind": "start", "steps": 9, "device": "cpu (2 threads)", "valid_tweets": 7,
         "expected_shares": {"a": 1.0}},
        {"kind": "note", "text": "good to know"},
        {"kind": "warning", "text": "not so good"},
        {"kind": "memorisation", "step": 0, "train": 0.25, "held_out": 0.125},
    ])  # fmt: skip
    assert (history.steps, history.device, history.valid_tweets) == (9, "cpu (2 threads)", 7)
    assert (history.notes, history.warnings) == (["good to know"], ["not so good"])
    assert (history.memorised_train, history.memorised_held_out) == ([0.25], [0.125])
    assert history.memorised_steps == [0]
    assert history.expected_shares == {"a": 1.0}
    history.take([
        {"kind": "train", "step": 3, "tokens": 600, "tokens_per_second": 200.0, "done": 0.375,
         "seconds": 4.5, "seconds_left": 7.5, "loss": 3.5, "lr": 0.001, "grad_norm": 2.0},
    ])  # fmt: skip
    assert (history.step, history.steps, history.tokens, history.done) == (3, 9, 600, 0.375)
    assert (history.seconds, history.seconds_left, history.doing) == (4.5, 7.5, "")
    history.take([{"kind": "eval", "phase": "before", "step": 0, "valid_loss": 5.0}])
    history.take([{"kind": "eval", "phase": "all", "step": 3, "valid_loss": 4.5}])
    history.take([{"kind": "eval", "phase": "after", "step": 3, "valid_loss": 4.0}])
    assert history.valid_before == 5.0
    assert (history.valid_steps, history.valid_losses) == ([0, 3], [5.0, 4.0])
    history.take([{"kind": "end", "state": "stopped", "seconds": 6.5}])
    assert (history.seconds, history.seconds_left, history.tokens_per_second) == (6.5, None, 200.0)
    assert history.result is not None
    assert history.result.state == "stopped"
    history.take([{"kind": "system", "cpu": 5.0}, {"kind": "note", "text": "late"}])
    assert history.result is not None, "neither says that it goes on"
    history.take([{"kind": "phase", "doing": "loading the model"}])
    assert history.result is None
    assert (len(history.train_at), len(history.valid_at), len(history.memorised_at)) == (1, 2, 1)


def test_a_speed_is_that_of_the_steps_since_the_line_before() -> None:
    def speeds(*points: tuple[int, float | None]) -> list[float]:
        lines = [{"kind": "train", "tokens": n, "tokens_per_second": mean} for n, mean in points]
        return list(history_of(*lines).speeds)

    assert speeds((300, 100.0), (400, 80.0)) == [100.0, 50.0], "100 tokens in 2 of 5 seconds"
    assert speeds((300, 100.0), (300, 50.0)) == [100.0, 50.0], "no tokens since: the mean"
    assert speeds((300, 100.0), (400, 200.0)) == [100.0, 200.0], "nor did they take any time"
    assert speeds((300, 100.0), (600, 200.0)) == [100.0, 200.0]
    assert speeds((100, 0.5)) == [0.5]
    assert all(map(math.isnan, speeds((300, 0.0), (300, None), (300, -1.0))))


def test_a_resumed_run_forgets_what_it_does_again_and_no_more() -> None:
    lines: list[dict[str, Any]] = [
        {"kind": "train", "step": n, "tokens": 100 * n, "tokens_per_second": 100.0, "loss": 1.0 * n}
        for n in range(1, 5)
    ]
    again = {"kind": "start", "steps": 9, "resumed_from": 2}
    history = history_of(*lines, {"kind": "system", "cpu": 9.0}, again)
    assert (history.taken_back, history.step, history.tokens) == (1, 2, 200)
    assert (history.train_steps, history.train_losses) == ([1, 2], [1.0, 2.0])
    assert [len(one) for one in (history.rates, history.gradients, history.speeds)] == [2, 2, 2]
    assert list(history.system["cpu"]) == []
    history.take([lines[2]])
    assert list(history.speeds)[-1] == 100.0, "its process has no line before"
    history.take([{**again, "resumed_from": 0}])
    assert (history.taken_back, history.step, history.tokens) == (2, 0, 0)
    assert history.train_steps == []


def test_figures_of_the_machine_lie_at_the_line_that_had_them() -> None:
    history = history_of(
        {"kind": "train", "step": 4},
        {"kind": "system", "time": 1.0, "cpu": 10.0},
        {"kind": "system", "time": 2.0, "gpu0_use": 5.0, "gpu0_name": "H200"},
        {"kind": "system", "time": 3.0, "cpu": 30.0, "gpu0_use": 6.0},
    )
    assert history.system_at.steps == [4, 4, 4]
    assert sorted(history.system) == ["cpu", "gpu0_use"]
    assert str([list(values) for _, values in sorted(history.system.items())]) == (
        "[[10.0, nan, 30.0], [nan, 5.0, 6.0]]"
    )


def test_the_clock_of_a_run_counts_work_and_never_back() -> None:
    clock = WorkClock()
    assert clock.of({"time": 50.0}) is None
    assert clock.of({"seconds": 7.0}) == 7.0
    assert clock.of({"time": 51.0}) is None, "of no line is it known when it was so many"
    assert clock.of({"seconds": 10.0, "time": 100.0}) == 10.0
    assert clock.of({"time": 102.5}) == 12.5
    assert clock.of({"time": 40.0}) == 10.0, "the clock was set back"
    assert clock.of({}) is None


def test_what_is_done_again_after_a_step() -> None:
    assert [done_again(step, 5) for step in (4, 5, 6)] == [False, False, True]
    assert [done_again(step, 0) for step in (0, 1)] == [True, True]
    assert [done_again(step, 1) for step in (0, 1, 2)] == [False, False, True]


def test_what_is_a_number() -> None:
    assert [number(value) for value in (3, 2.5, -1)] == [3.0, 2.5, -1.0]
    assert all(math.isnan(number(value)) for value in ("3", None, [], 10**400))


@pytest.mark.parametrize("wrong", ["low", [], 2**63, -(2.0**63), math.inf])
def test_a_figure_that_is_none_is_left_out_wherever_it_stands(wrong: object) -> None:
    good = {"kind": "train", "doing": "x", "step": 2, "lr": -(2.0**62)}
    assert sound(good) == good
    assert sound({"loss": wrong, **good}) == good
    assert sound({**good, "loss": wrong}) == good


def test_points_of_the_curve_have_what_their_lines_had(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    lines = [
        {"kind": "train", "loss": 3.0, "time": 5.0},
        {"kind": "train", "step": 2, "loss": 2.5, "lr": 0.1, "grad_norm": 1.5, "tokens": 9,
         "tokens_per_second": 4.5, "epoch": 0.5, "done": 0.25, "seconds": 1.23456, "time": 10.0},
        {"kind": "note", "resumed_from": 0, "text": "no start"},
        {"kind": "memorisation", "step": 2, "train": 0.5, "held_out": 0.25, "tweets": 16,
         "time": 10.5},
        {"kind": "eval", "step": 2, "phase": "during", "valid_loss": 4.0, "error": 0.1,
         "tokens": 90, "bits_per_byte": 1.5, "time": 11.0},
    ]  # fmt: skip
    run.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert whole_curve(run) == {
        "train": [
            {"step": 0, "seconds": None, "loss": 3.0, "lr": None, "grad_norm": None,
             "tokens": None, "tokens_per_second": None, "epoch": None, "done": None},
            {"step": 2, "seconds": 1.235, "loss": 2.5, "lr": 0.1, "grad_norm": 1.5, "tokens": 9,
             "tokens_per_second": 4.5, "epoch": 0.5, "done": 0.25},
        ],
        "held_out": [
            {"step": 2, "seconds": 2.235, "phase": "during", "valid_loss": 4.0, "error": 0.1,
             "tokens": 90, "bits_per_byte": 1.5},
        ],
        "memorisation": [
            {"step": 2, "seconds": 1.735, "train": 0.5, "held_out": 0.25, "tweets": 16},
        ],
    }  # fmt: skip
