"""A run in sentences, for those who cannot see its curve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.runs.history import RunHistory
from core.runs.summary import RunSummary
from tui.cli.output import ProgressNote
from tui.cli.runs.following import News
from tui.text.runs import (
    given_back,
    held_out,
    how_far,
    how_it_ended,
    last_word,
    memory_curve,
    snapshot,
)
from tui.train.figures import run_figures

RUN = RunSummary(
    run="one", handles=["keeper", "gull"], names={}, base="smollm2", method="lora", preset="fast",
    state="running", reason="", doing="", step=0, steps=90, train_loss=None, valid_loss=None,
    started=None, ended=None, device="cpu", folder=Path("one"),
)  # fmt: skip


def history_of(*lines: dict[str, Any]) -> RunHistory:
    history = RunHistory()
    history.take(lines)
    return history


def measure(step: int, loss: float | None, phase: str = "during") -> dict[str, Any]:
    return {"kind": "eval", "step": step, "phase": phase, "valid_loss": loss}


def step(number: int, **more: Any) -> dict[str, Any]:
    return {"kind": "train", "step": number, "steps": 90, "loss": 4.125, "done": number / 90,
            "tokens_per_second": 215.4, "seconds_left": 61.0, "seconds": 30.0, **more}  # fmt: skip


BEFORE = measure(0, 5.24, "before")


def test_the_held_out_loss_is_held_against_its_start_and_its_best() -> None:
    assert held_out(history_of()) is None
    assert held_out(history_of(BEFORE)) == "Before its first step the held-out loss is 5.24."
    better = BEFORE, measure(40, 3.61)
    assert held_out(history_of(*better)) == (
        "After step 40 the held-out loss is 3.61: 1.63 less than the 5.24 of the start, and the "
        "best so far."
    )
    near = held_out(history_of(*better, measure(60, 3.63))) or ""
    assert near.endswith("and about as good as the best, 3.61 after step 40.")
    worse = held_out(history_of(*better, measure(60, 3.9))) or ""
    assert worse.endswith("and worse than the best, 3.61 after step 40.")
    assert "0.10 more than the 5.24 of the start" in (
        held_out(history_of(BEFORE, measure(40, 5.34))) or ""
    )
    assert "as it was at the start" in (held_out(history_of(BEFORE, measure(4, 5.24))) or "")
    assert held_out(history_of(BEFORE, measure(4, None))) == (
        "After step 4 the held-out loss was not a number."
    )
    kept = {"kind": "end", "state": "finished", "valid_loss_after": 3.61, "best_step": 40}
    assert held_out(history_of(*better, measure(70, 3.61, "after"), kept)) == (
        "The held-out loss of its model, that of step 40, is 3.61: 1.63 less than the 5.24 of the "
        "start, and the best of the run."
    )
    nothing = held_out(history_of({"kind": "start", "steps": 9, "valid_tweets": 0}))
    assert nothing == "No tweet is held out, so there is no held-out loss."


def test_the_time_left_gives_way_to_what_is_done_at_the_end() -> None:
    history = history_of(step(36, seconds_left=39))
    at_work = replace(RUN, state="running", doing="")
    assert dict(run_figures(at_work, history))["left"] == "0:39"
    assert dict(run_figures(replace(at_work, doing="saving"), history))["left"].startswith("measur")


def test_how_far_it_is() -> None:
    assert how_far(RUN, history_of({"kind": "phase", "doing": "loading the model"})) == (
        "It has not begun to learn: loading the model."
    )
    assert how_far(RUN, history_of(step(36))) == (
        "It is at step 36 of 90, 40 % of the run, with about 60 s left. It learns from 215 tokens "
        "a second. Its training loss is 4.12."
    )
    waiting = replace(RUN, state="queued", waits_for="other")
    assert how_far(waiting, history_of()) == "It waits for other to end."
    bare = history_of({"kind": "train", "step": 3, "loss": None})
    assert how_far(replace(RUN, steps=None), bare) == "It is at step 3. Its training loss is –."


def test_a_snapshot_holds_all_that_is_known() -> None:
    memorised = {"kind": "memorisation", "step": 40, "train": 0.031, "held_out": 0.0}
    history = history_of(BEFORE, step(36), memorised, {"kind": "warning", "text": "a full disk"})
    history.take_samples([{"step": 36, "text": "The fog."}])
    said = snapshot(replace(RUN, name="night"), history)
    assert said[0] == "Run one (night) learns from @keeper and @gull, on the base smollm2."
    assert given_back(history) == (
        "It gives back 3.1 % of the phrases of its training tweets word for word, and 0 % of those "
        "of held-out tweets."
    )
    assert given_back(history) in said
    assert said[-2:] == ["Warning: a full disk", "Generated after step 36: The fog."]
    ended = replace(RUN, state="stopped", step=36, reason="It was asked to stop.", valid_loss=3.6)
    assert how_it_ended(ended, history) == (
        "It was stopped after 36 steps and about 30 s. It was asked to stop."
    )
    assert how_it_ended(ended, history) in snapshot(ended, history)
    assert last_word(ended) == "one was stopped, held-out loss 3.60"


def test_each_thing_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    def said() -> list[str]:
        news.show(RUN, history)
        news.show(RUN, history)
        return capsys.readouterr().err.splitlines()

    history, news = RunHistory(), News(ProgressNote(), how_far=True)
    history.take([{"kind": "queued", "waits_for": "first"}])
    assert said() == ["It waits for first to end."]
    history.take([{"kind": "queued", "waits_for": "zeroth"}])
    assert said() == ["It waits for zeroth to end."]
    history.take([{"kind": "phase", "doing": "its turn has come"}])
    assert said() == []
    history.take([{"kind": "start", "steps": 90}, {"kind": "note", "text": "Nothing."}, BEFORE])
    assert said() == ["Nothing.", "Before its first step the held-out loss is 5.24."]
    history.take([step(1), step(2)])
    assert said() == [], "two steps are not worth a sentence"
    history.take([{"kind": "warning", "text": "hot"}, measure(40, 3.61)])
    assert said() == ["Warning: hot", held_out(history)]


def test_how_far_is_said_after_a_tenth_or_a_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("tui.cli.runs.following.time.monotonic", lambda: clock[0])
    history, news = RunHistory(), News(ProgressNote(), how_far=True)

    def said(number: int, at: float) -> bool:
        clock[0] = at
        history.take([step(number)])
        news.show(RUN, history)
        return "It is at step" in capsys.readouterr().err

    assert not said(30, 5.0), "a third, but so soon"
    assert said(31, 11.0)
    assert not said(33, 60.0)
    assert said(34, 71.5)
    assert said(50, 82.0)


def test_who_begins_in_the_middle_hears_only_what_is_new(
    capsys: pytest.CaptureFixture[str],
) -> None:
    history = history_of(BEFORE, step(36), {"kind": "warning", "text": "old"}, measure(40, 3.61))
    history.take_samples([{"step": 36, "text": "The fog."}])
    news = News(ProgressNote(), how_far=True)
    news.skip(history)
    news.show(RUN, history)
    assert capsys.readouterr().err == ""
    history.take([measure(60, 3.5)])
    news.show(RUN, history)
    assert capsys.readouterr().err.startswith("After step 60")


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (0.0, 0.0312, "rose from 0 % at step 0 to 3.1 % at step 40."),
        (0.25, 0.0312, "fell from 25 % at step 0 to 3.1 % at step 40."),
        (0.0, 0.0, "is 0 % at step 40, as at step 0."),
        (0.2501, 0.2502, "is 25 % at step 40, as at step 0."),
    ],
)
def test_what_is_given_back_is_told_from_first_to_last(
    first: float, last: float, words: str
) -> None:
    found = [
        {"kind": "memorisation", "step": step, "train": share, "held_out": 0.0}
        for step, share in ((0, first), (40, last))
    ]
    told = memory_curve(history_of(*found))
    assert told == f"What it gives back of its training phrases word for word {words}"
