"""What a run would cost: measured where it can be, said to be estimated where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from toy_runs import edit_record

from core.home import Home
from core.processes import this_machine
from core.runs.advise import advise, in_words, measure_speed, remember_speed
from core.runs.folder import Run
from core.runs.settings import settings_for
from core.workflow import speed


def test_without_an_earlier_run_everything_is_an_estimate(tmp_path: Path) -> None:
    advice = advise(Home.at(tmp_path), kept=1000, base="scratch", minutes=2)
    assert not advice.measured
    assert not advice.memory_measured
    assert not advice.tokens_counted
    assert any("estimated" in line for line in advice.lines)
    assert any("guessed" in line for line in advice.lines)
    assert advice.seconds is not None
    assert advice.seconds <= 120


def test_an_earlier_run_here_is_what_counts(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    run = Run(home.runs / "20260101-a-1111")
    edit_record(
        run,
        created="2026-01-01T00:00:00+00:00",
        machine=this_machine(),
        settings=settings_for("fast", "scratch").to_json(),
        result={"tokens_per_second": 1000.0, "peak_memory": 2_000_000_000},
    )
    advice = advise(home, kept=1000, tokens=29_000, base="scratch", minutes=1)
    assert advice.measured
    assert advice.tokens_per_second == 1000.0
    assert advice.memory == 2_000_000_000
    assert advice.tokens == 26_100, "those that Filter counts, but for the tenth that is held out"
    assert "26,100 tokens an epoch" in advice.lines
    assert "10 % of the tweets held out" in advice.lines
    assert advice.epochs == pytest.approx(45_000 / 26_100, rel=0.05)
    assert any("1,000 tok/s (measured)" in line for line in advice.lines)
    other = advise(home, kept=1000, tokens=29_000, base="scratch", device="cuda")
    assert not other.measured, "what a processor did says nothing about a GPU"
    assert other.tokens_per_second is None


def test_how_long_all_of_it_takes_says_how_it_is_known(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    guessed = in_words(advise(home, kept=1000, tokens=29_000, base="scratch"))
    assert guessed.endswith("here, estimated.")
    run = Run(home.runs / "20260101-a-1111")
    settings = settings_for("fast", "scratch")
    edit_record(
        run,
        created="2026-01-01T00:00:00+00:00",
        machine=this_machine(),
        settings=settings.to_json(),
        result={"tokens_per_second": 100.0},
    )
    advice = advise(home, kept=1000, tokens=29_000, base="scratch")
    assert advice.seconds is not None
    assert f"{settings.epochs:g} times: about {advice.seconds / 60:.0f} min" in in_words(advice)
    assert in_words(advice).endswith("here, measured.")
    once, twice = (
        in_words(advise(home, kept=1000, tokens=29_000, base="scratch", own={"epochs": epochs}))
        for epochs in (1, 2)
    )
    assert once.startswith("The preset fast learns all of it once: about ")
    assert twice.startswith("The preset fast learns all of it 2 times: about ")
    unknown = advise(home, kept=1000, tokens=29_000, base="scratch", device="cuda")
    assert "after a first run" in in_words(unknown)
    assert in_words(advise(home, kept=0, tokens=0, base="scratch")) == ""


def test_a_speed_is_measured_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.runs.advise._LEAST_SHARE", 0.0)  # whatever else runs here
    monkeypatch.setattr("core.runs.advise._MEASURING_SECONDS", 300.0)
    rate = measure_speed(Home.at(tmp_path), "fast", "scratch", "cpu")
    assert rate is not None
    assert rate > 10
    advice = advise(Home.at(tmp_path), kept=1000, base="scratch", device="cpu")
    assert (advice.measured, advice.tokens_per_second) == (True, rate)
    monkeypatch.setattr("core.runs.advise._LEAST_SHARE", 10.0)
    (tmp_path / "speeds.json").unlink()
    assert measure_speed(Home.at(tmp_path), "fast", "scratch", "cpu") is None, "a busy machine"
    assert not (tmp_path / "speeds.json").exists()


def test_a_preset_that_learns_from_blocks_is_measured_with_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: list[list[int]] = []

    def batch(*given: Any, **named: Any) -> list[list[int]]:
        rows = make(*given, **named)
        batches.append([len(row) for row in rows])
        return rows

    make = speed._batch
    monkeypatch.setattr(speed, "_batch", batch)
    monkeypatch.setattr(speed, "_SECONDS", 0.0)
    assert speed.measure(settings_for("classic", "scratch", row_tokens=64, device="cpu"))
    assert batches == [[65]]


def test_a_measured_speed_is_remembered_for_every_door(tmp_path: Path) -> None:
    home, rate = Home.at(tmp_path), 512.0
    remember_speed(home, settings_for("fast", "scratch", device="cpu"), rate)
    advice = advise(home, kept=1000, tokens=29_000, base="scratch", device="cpu")
    assert (advice.measured, advice.tokens_per_second) == (True, rate)
    assert f"{rate:,.0f} tok/s (measured)" in advice.lines
    assert in_words(advice).endswith("here, measured.")
    other = advise(home, kept=1000, base="scratch", preset="quality", device="cpu")
    assert other.measured, "the same method on the same base"
    assert not advise(home, kept=1000, base="scratch-gpt2", device="cpu").measured
    run = Run(home.runs / "20260101-a-1111")
    edit_record(
        run,
        created="2026-01-01T00:00:00+00:00",
        machine=this_machine(),
        settings=settings_for("fast", "scratch", device="cpu").to_json(),
        result={"tokens_per_second": 123.0},
    )
    assert advise(home, kept=1000, base="scratch", device="cpu").tokens_per_second == 123.0


def test_a_speed_that_cannot_be_measured_is_none(tmp_path: Path) -> None:
    assert measure_speed(Home.at(tmp_path), "fast", "no/such-base", "cpu") is None
    assert measure_speed(Home.at(tmp_path), "fast", "scratch", cancelled=lambda: True) is None
    assert not advise(Home.at(tmp_path), kept=1000, base="scratch").measured
