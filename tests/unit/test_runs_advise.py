"""What a run would cost: measured where it can be, said to be estimated where not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from toy_runs import edit_record

from core.home import Home
from core.models.catalogue import BaseInfo
from core.processes import Memory, this_machine
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


def lines_of(home: Home, **given: Any) -> tuple[str, ...]:
    return advise(home, **{"kept": 1000, "tokens": 10_000, "base": "scratch", **given}).lines


def test_what_the_advice_says_line_by_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.runs.advise.machine_memory", lambda: Memory(10**12, 10**12))
    home = Home.at(tmp_path)
    settings = settings_for("fast", "scratch")
    remember_speed(home, settings, 100.0)
    nothing_said = lines_of(home)
    assert nothing_said[:5] == (
        "every weight, rate 0.004", "9,000 tokens an epoch", "10 % of the tweets held out",
        "8.0 epochs in 12 min", "100 tok/s (measured)",
    )  # fmt: skip
    assert nothing_said[5].endswith(" GB (estimated)")
    assert len(nothing_said) == 6
    assert lines_of(home, minutes=1)[3] == "0.5 epochs in 60 s"
    assert lines_of(home, minutes=1)[-1] == nothing_said[5]
    short = lines_of(home, minutes=0.3)
    assert short[3] == "under 0.1 epochs in 18 s"
    assert short[-1] == (
        "More minutes would help: it sees less than half of the tweets in this time."
    )
    assert lines_of(home, minutes=0.1)[3] == "under 0.1 epochs in 15 s", "no less than its start"
    assert lines_of(home, minutes=100)[3] == "8.0 epochs in 12 min", "no more than the preset's"
    assert lines_of(home, tokens=100_000)[3] == "8.0 epochs in 2.0 h"
    assert lines_of(home, own={"epochs": 0.05})[3] == "0.1 epochs in 20 s"
    assert lines_of(home, repeats=2.0)[1] == "18,000 tokens an epoch"
    assert lines_of(home, tokens=None)[1] == "25,200 tokens an epoch (guessed)"
    none_held_out = lines_of(home, own={"valid_fraction": 0.0})
    assert none_held_out[1:3] == (
        "10,000 tokens an epoch", "Nothing is held out: no held-out loss.",
    )  # fmt: skip
    elsewhere = lines_of(home, device="cuda")
    assert elsewhere[3] == "speed unknown until a run here"
    lora = advise(home, kept=9, base="smollm2", own={"four_bit": True}).lines
    assert lora[0] == "LoRA beside 4 bits, rate 0.002"
    assert advise(home, kept=9, base="smollm2").lines[0] == "LoRA, rate 0.002"
    assert advise(home, kept=0, tokens=0, base="scratch").epochs is None


def test_a_run_in_several_processes_is_not_what_one_was_measured_at(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    remember_speed(home, settings_for("fast", "scratch"), 100.0)
    assert advise(home, kept=9, base="scratch").tokens_per_second == 100.0
    for rate, measured in ((0.5, True), (0.0, False)):
        remember_speed(home, settings_for("fast", "scratch"), rate)
        assert advise(home, kept=9, base="scratch").measured is measured
    remember_speed(home, settings_for("fast", "scratch"), 100.0)
    two = advise(home, kept=9, base="scratch", own={"nproc": 2})
    assert not two.measured
    one = advise(home, kept=9, base="scratch")
    assert two.memory is not None
    assert one.memory is not None
    assert one.memory < two.memory <= 2 * one.memory
    (tmp_path / "speeds.json").write_text('{"a": "fast"}')
    assert not advise(home, kept=9, base="scratch").measured
    (tmp_path / "speeds.json").write_text("[]")
    assert not advise(home, kept=9, base="scratch").measured
    nobody = Home.at(tmp_path / "none")
    remember_speed(nobody, settings_for("fast", "scratch"), 100.0)
    assert not nobody.root.exists(), "who only looks leaves no trace"


def test_a_guess_goes_by_cores_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.at(tmp_path)
    large = BaseInfo("large", "", 269_030_016, "", "", "")  # twice SmolLM2-135M
    scratch = BaseInfo("scratch", "", 2_164_416, "", "", "")
    monkeypatch.setattr("core.runs.advise.at_hand", lambda: [large, scratch])
    monkeypatch.setattr("core.runs.advise._estimated_memory", lambda settings: None)
    for cores in (1, 2):
        monkeypatch.setattr("core.runs.advise.usable_cores", lambda cores=cores: cores)
        for base, method, rate in (
            ("scratch", "full", 2800.0), ("large", "lora", 75.0), ("large", "full", 52.5),
        ):  # fmt: skip
            found = advise(home, kept=9, base=base, own={"method": method}).tokens_per_second
            assert found == pytest.approx(cores * rate)
    assert advise(home, kept=9, base="scratch", device="mps").tokens_per_second is None
    assert advise(home, kept=9, base="no/such").tokens_per_second is None


def test_nothing_is_said_of_the_memory_of_a_base_that_is_not_here(tmp_path: Path) -> None:
    advice = advise(Home.at(tmp_path), kept=9, base="no/such")
    assert advice.memory is None
    assert not any("GB" in line for line in advice.lines)


def test_only_a_run_that_is_like_it_here_counts(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    settings = settings_for("fast", "smollm2")
    for number, (machine, changed, rate) in enumerate(
        [
            (this_machine(), {}, 10.0),
            ("elsewhere", {}, 20.0),
            (this_machine(), {"four_bit": True}, 30.0),
            (this_machine(), {"lora_layers": 0.5}, 40.0),
            (this_machine(), {"device": "cpu"}, 50.0),
            (this_machine(), {"method": "full"}, 60.0),
            (this_machine(), {"batch_tokens": 8}, 70.0),
            (this_machine(), {"method": "full", "packing": "blocks"}, 80.0),
            (this_machine(), {}, None),
        ]
    ):
        edit_record(
            Run(home.runs / f"2026010{number}-a"),
            created=f"2026-01-0{number + 1}T00:00:00+00:00",
            machine=machine,
            settings=replace(settings, **changed).to_json(),
            result={"tokens_per_second": rate},
        )
    (home.runs / "broken").mkdir()
    (home.runs / "broken" / "run.json").write_text("{")
    assert advise(home, kept=9, base="smollm2").tokens_per_second == 10.0
    half = advise(home, kept=9, base="smollm2", own={"lora_layers": 0.5})
    assert half.tokens_per_second == 40.0
    every = advise(home, kept=9, base="smollm2", own={"method": "full", "lora_layers": 0.5})
    assert every.tokens_per_second == 60.0, "which has no adapters"
    small = advise(home, kept=9, base="smollm2", own={"batch_tokens": 8})
    assert small.tokens_per_second == 70.0
    assert not advise(home, kept=9, base="smollm2", own={"batch_tokens": 64}).measured
    assert advise(home, kept=9, base="smollm2", preset="classic").tokens_per_second == 80.0


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
