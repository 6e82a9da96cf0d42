"""What a run writes of each step and of its end: every figure, from start to end."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from toy_runs import StopAfter, create_toy, lines_of, train_here

from core.runs.folder import Run, checkpoint_folders
from core.runs.settings import settings_for
from core.training import finish, fit
from core.training.fit import mean_loss, step_seed
from core.training.memorise import Memorised
from core.training.memory import TooLittleMemory
from core.training.schedule import learning_rate
from core.training.setup import Diverged

SMALL: dict[str, Any] = {"max_steps": 10, "batch_tokens": 128, "eval_tokens": 64}
EVERY_TIME = 1e-9


@pytest.fixture(autouse=True)
def a_line_for_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.fit.LOG_SECONDS", 0.0)


def of_kind(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == kind]


def samples_of(run: Run) -> list[int]:
    return [json.loads(line)["step"] for line in run.samples.read_text().splitlines()]


def test_the_figures_of_a_run(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **SMALL, eval_seconds=EVERY_TIME, checkpoint_seconds=EVERY_TIME)
    lines = train_here(run)
    (start,), end = of_kind(lines, "start"), lines[-1]
    decided = run.record().decisions
    assert decided is not None
    assert (start["steps"], start["steps_an_epoch"]) == (10, decided.steps_a_round)
    assert start["train_tweets"] + start["valid_tweets"] == 60
    assert start["trained_parameters"] == start["parameters"] > 1_000_000
    assert (start["resumed_from"], start["four_bit"], start["arithmetic"]) == (
        None, False, decided.arithmetic,
    )  # fmt: skip
    assert (start["batch_tokens"], start["expected_shares"]) == (128, {"keeper": 1.0})
    assert start["device"].startswith("cpu (")

    steps = of_kind(lines, "train")
    assert [line["step"] for line in steps] == list(range(1, 11))
    settings = settings_for("fast", "scratch")
    for line in steps:
        done = (line["step"] - 1) / 10
        assert line["lr"] == pytest.approx(
            learning_rate(done, peak=settings.lr, warmup=0.05, schedule="linear")
        )
        assert line["epoch"] == pytest.approx(line["step"] / decided.steps_a_round)
        assert (line["done"], line["steps"]) == (pytest.approx(line["step"] / 10), 10)
        assert line["grad_norm"] > 0
        assert line["tokens_per_second"] > 0
        assert line["seconds_left"] >= 0
    assert [line["tokens"] for line in steps] == sorted({line["tokens"] for line in steps})
    seconds = [line["seconds"] for line in [start, *steps, end]]
    assert seconds == sorted(seconds)

    measured = of_kind(lines, "eval")
    assert [(line["phase"], line["step"]) for line in measured] == [
        ("before", 0), *(("during", step) for step in range(1, 9)), ("after", 10), ("all", 10),
    ]  # fmt: skip
    tokens = {line["phase"]: line["tokens"] for line in measured}
    assert tokens["before"] == tokens["during"] == tokens["after"] == start["valid_tokens"]
    assert tokens["all"] > tokens["after"] >= 64
    assert measured[-2]["tokens_by_author"] == {"keeper": steps[-1]["tokens"]}
    assert of_kind(lines, "checkpoint")[0]["step"] == 1
    assert of_kind(lines, "checkpoint")[0]["name"] == "step-0000001"
    assert 0 <= of_kind(lines, "checkpoint")[0]["took"] < 60
    assert set(samples_of(run)) <= {*range(1, 9), 10}
    assert max(samples_of(run)) == 10, "what the finished model writes"

    assert (end["state"], end["reason"], end["steps"]) == ("finished", "", 10)
    assert (end["tokens"], end["tokens_by_author"]) == (
        steps[-1]["tokens"], {"keeper": steps[-1]["tokens"]},
    )  # fmt: skip
    assert end["tokens_per_second"] == pytest.approx(steps[-1]["tokens_per_second"], rel=1e-6)
    assert end["valid_loss_before"] == measured[0]["valid_loss"]
    assert end["valid_loss_after"] == measured[-2]["valid_loss"]
    assert end["valid_tokens"] == start["valid_tokens"]
    assert end["expected_shares"] == {"keeper": 1.0}
    assert "best_step" not in end
    assert (end["model_dir"], end["device"]) == (str(run.model), start["device"])
    assert end["peak_memory"] > 10**8
    sizes = [
        b["tokens"] - a["tokens"] for a, b in zip([{"tokens": 0}, *steps], steps, strict=False)
    ]
    mean = sum(line["loss"] * size for line, size in zip(steps, sizes, strict=True)) / sum(sizes)
    assert end["train_loss"] == pytest.approx(mean, rel=1e-5)


def test_a_stopped_run_ends_with_what_it_has_and_shows_nothing_more(tmp_path: Path) -> None:
    run = create_toy(tmp_path, **SMALL)
    end = train_here(run, StopAfter(run, 3))[-1]
    assert (end["state"], end["steps"]) == ("stopped", 3)
    assert end["reason"] == "It was asked to stop; its model is what it had learned by then."
    assert [path.name for path in checkpoint_folders(run.checkpoints)] == ["step-0000003"]
    assert [line["phase"] for line in of_kind(lines_of(run), "eval")] == ["before", "after"]
    assert 3 not in samples_of(run)
    (start,) = of_kind(train_here(run, resume=True), "start")
    assert (start["resumed_from"], start["seconds"] > 0) == (3, True)
    assert [line["step"] for line in of_kind(lines_of(run), "train")] == list(range(1, 11))


def test_an_epoch_may_be_a_single_step(tmp_path: Path) -> None:
    run = create_toy(tmp_path, max_steps=1, batch_tokens=1 << 16, eval_tokens=64)
    (start,) = of_kind(train_here(run), "start")
    assert (start["steps"], start["steps_an_epoch"]) == (1, 1)


# ── which weights a run ends with ────────────────────────────────────────────────────────


class Kept:
    """The best weights so far, of step 4."""

    def __init__(self, *, last: int = 9, worse: bool = False, known: bool = True) -> None:
        self.step, self.last_step, self.worse, self.known = 4, last, worse, known
        self.looked: list[int] = []
        self.restored = False

    def look(self, found: Any, step: int) -> None:
        self.looked.append(step)

    def restore(self) -> None:
        self.restored = True


def ending(best: Kept | None, *, measured: Any = None, by_heart: Any = None, **given: Any) -> Any:
    return SimpleNamespace(
        at=SimpleNamespace(step=9), best=best, by_heart=by_heart,
        settings=settings_for("fast", "smollm2", **given), measure=lambda phase: measured,
    )  # fmt: skip


def test_a_run_ends_with_its_newest_weights_unless_they_are_worse() -> None:
    for best in (None, Kept(known=False), Kept()):
        assert finish._best(ending(best), stopped=False) == (9, "")
    asked = "It was asked to stop; its model is what it had learned by then."
    assert finish._best(ending(Kept()), stopped=True) == (9, asked)
    assert finish._best(ending(Kept(worse=True), keep_best=False), stopped=True) == (9, asked)
    worse = Kept(worse=True)
    assert finish._best(ending(worse), stopped=False) == (
        4, "It had begun to learn by heart; its model is that of step 4.",
    )  # fmt: skip
    assert worse.restored
    worse = Kept(worse=True)
    assert finish._best(ending(worse), stopped=True) == (
        4, "It was asked to stop; its model is that of step 4, which was better.",
    )  # fmt: skip
    # what has been learned since the last measurement is measured before it is given up
    for last, measured, looked in ((8, "m", [9]), (9, "m", []), (8, None, [])):
        best = Kept(last=last, worse=True)
        finish._best(ending(best, measured=measured), stopped=True)
        assert best.looked == looked
    calm = Kept(last=8)
    assert finish._best(ending(calm, measured="m"), stopped=False) == (9, "")
    assert calm.looked == [], "a run that goes well is measured at its end anyway"


def test_a_run_that_learned_too_much_by_heart_ends_with_what_it_had_before() -> None:
    found = Memorised(0.5, 0.125, 16)
    assert found.excess == 0.375
    kept = Kept()
    step, reason = finish._best(ending(kept, by_heart=found, max_memorised=0.1), stopped=False)
    assert (step, kept.restored) == (4, True)
    assert reason == (
        "It gave back 38 % more of the tweets that it learns from than of others, and at most 10 % "
        "was asked for; its model is that of step 4."
    )
    for none in (None, Kept(known=False)):
        step, reason = finish._best(ending(none, by_heart=found, max_memorised=0.1), stopped=False)
        assert step == 9
        assert reason.endswith(" was asked for; there are no earlier weights.")


class Failing:
    """A training that went wrong after step 6, with good weights or not."""

    def __init__(self, best: Kept | None, weights: torch.Tensor, step: int = 6) -> None:
        self.best, self.weights, self.at = best, [weights], SimpleNamespace(step=step)
        self.device, self.saved = torch.device("cpu"), 0
        self.optimizer = torch.optim.SGD([torch.zeros(1)])

    def checkpoint(self) -> None:
        self.saved += 1


def test_a_run_that_went_wrong_ends_with_what_was_good(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = torch.ones(2), torch.tensor([1.0, float("nan")])
    monkeypatch.setattr(finish, "newest_weights", lambda training: 5)
    wrong, short = Diverged("It is no number."), TooLittleMemory("It is full.")

    def last_good(training: Failing, trouble: Any) -> tuple[int, str]:
        return finish._last_good(training, trouble)  # type: ignore[arg-type]

    assert last_good(Failing(Kept(), good), wrong) == (
        4, "It is no number. Its model is that of step 4, before this.",
    )  # fmt: skip
    assert last_good(Failing(None, good), wrong)[0] == 5
    assert last_good(Failing(Kept(known=False), good), wrong)[0] == 5
    for step, weights, saved in ((6, good, 1), (0, good, 0)):
        training = Failing(None, weights, step)
        assert last_good(training, short) == (5, "It is full. Its model is that of step 5.")
        assert training.saved == saved, "where only memory was short, it can be resumed"
    failing = Failing(None, good)
    last_good(failing, wrong)
    assert failing.saved == 0
    with pytest.raises(Diverged):
        last_good(Failing(None, bad), wrong)
    spoiled = Failing(None, bad)
    with pytest.raises(TooLittleMemory):
        last_good(spoiled, short)
    assert spoiled.saved == 0
    monkeypatch.setattr(finish, "newest_weights", lambda training: None)
    with pytest.raises(Diverged):
        last_good(Failing(None, good), wrong)


# ── how often it measures, and what its end takes ────────────────────────────────────────


def test_figures_of_the_loop() -> None:
    assert [fit._eval_seconds(minutes) for minutes in (None, 0.5, 2.0, 4.0, 60.0)] == [
        60.0, 20.0, 30.0, 60.0, 120.0,
    ]  # fmt: skip
    assert mean_loss([(6.0, 2), (3.0, 1), (6.0, 3)]) == 2.5
    assert mean_loss([]) is None
    assert (step_seed(1, 0), step_seed(2, 5)) == (1_000_003, 2_000_011)


def test_what_the_end_of_a_run_takes() -> None:
    def seconds(minutes: float | None, *, every: int = 300, memorises: bool = False) -> float:
        training: Any = SimpleNamespace(
            parameters=10**8, settings=SimpleNamespace(minutes=minutes),
            data=SimpleNamespace(valid=SimpleNamespace(total_tokens=every)),
            held_out=SimpleNamespace(tokens=100), at=SimpleNamespace(step=1),
            memorisation="m" if memorises else None,
            allowance=SimpleNamespace(cost=7.0, enough=lambda seconds, last: last),
            course=SimpleNamespace(run_seconds=lambda step: 60.0),
        )  # fmt: skip
        return fit._ending(training, 2.0, 3.0)

    # 400 MB are written and read at 400 MB a second
    assert seconds(5.0) == 2.0 + 3.0 + 2.5
    assert seconds(None) == 4 * 2.0 + 3.0 + 2.5, "all that is held out is three times as much"
    assert seconds(None, every=100) == 2.0 + 3.0 + 2.5
    assert seconds(5.0, memorises=True) == 2.0 + 3.0 + 7.0 + 2.5


def test_whether_so_many_seconds_have_gone_by(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(fit.time, "monotonic", lambda: now[0])
    every = fit._Every(10.0)
    assert not every.now()
    now[0] = 110.0
    assert every.now()
    every.again()
    assert not every.now()
    now[0] = 120.0
    assert every.now()
    every.again(5.0)
    now[0] = 124.9
    assert not every.now()
    now[0] = 125.0
    assert every.now()
    every.again()
    now[0] = 130.0
    assert every.now(), "and so on from then"
