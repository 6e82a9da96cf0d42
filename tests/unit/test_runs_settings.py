"""Presets and what a person may say instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import WrongUsage
from core.runs.settings import PRESETS, TrainSettings, settings_for


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("base", ["smollm2", "scratch", "gpt2"])
def test_every_preset_works_with_every_base(preset: str, base: str) -> None:
    settings = settings_for(preset, base)
    assert settings.preset == preset
    assert settings.base == base
    assert TrainSettings.from_json(settings.to_json()) == settings


def test_a_model_from_nothing_learns_with_every_weight() -> None:
    assert settings_for("fast", "smollm2").method == "lora"
    assert settings_for("fast", "scratch").method == "full"
    assert settings_for("fast", "Scratch") == settings_for("fast", "scratch"), "as `resolve` has it"


def test_classic_is_the_recipe_of_huggingtweets() -> None:
    classic = settings_for("classic", "gpt2")
    assert (classic.method, classic.epochs, classic.lr) == ("full", 4.0, 1.372e-4)
    assert (classic.row_tokens, classic.warmup, classic.packing) == (1024, 0.0, "blocks")
    assert classic.blend == "classic"
    assert settings_for("quality", "gpt2").blend == "even"
    faithful = settings_for("faithful", "gpt2")
    assert (faithful.base_dropout, faithful.arithmetic, faithful.valid_fraction) == (
        True,
        "float32",
        0,
    )
    assert (classic.base_dropout, classic.arithmetic, classic.valid_fraction) == (
        False,
        "auto",
        0.1,
    )
    same = {"preset": "classic", "base_dropout": False, "arithmetic": "auto", "valid_fraction": 0.1}
    assert replace(faithful, **same) == classic


def test_what_a_person_says_wins_and_none_means_nothing_said() -> None:
    settings = settings_for("fast", "smollm2", lr=1e-4, minutes=None, epochs=2)
    assert (settings.lr, settings.minutes, settings.epochs) == (1e-4, None, 2)


def test_unknown_fields_of_a_later_version_are_left_out() -> None:
    content = settings_for("fast", "smollm2").to_json() | {"from_the_future": 1}
    assert TrainSettings.from_json(content).base == "smollm2"


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0}, {"lr": -1.0}, {"minutes": 0.0}, {"max_steps": 0}, {"device": "tpu"},
        {"blend": "classic"}, {"blend": "magic"}, {"warmup": 1.0},
        {"weight_decay": -5}, {"valid_fraction": 0.9}, {"clip": 0}, {"beta2": 1.0}, {"seed": -1},
        {"row_tokens": 0}, {"row_tokens": 10.5}, {"batch_tokens": -1}, {"eval_tokens": -1},
        {"eval_seconds": -1.0}, {"checkpoint_seconds": -1.0}, {"lora_alpha": 0}, {"lora_rank": 0},
        {"lr": 2.0}, {"epochs": float("nan")}, {"lr": "fast"}, {"max_steps": True},
        {"method": "magic"}, {"arithmetic": "int4"},
        {"valid_fraction": 0, "max_memorised": 0.1}, {"no_such_setting": 1}, {"lr": float("inf")},
    ],
)  # fmt: skip
def test_senseless_values_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(WrongUsage):
        settings_for("fast", "smollm2", **wrong)


def test_a_run_of_before_resumes_as_it_began() -> None:
    """Settings that came later have the value there that was the only one then."""
    content = settings_for("fast", "smollm2").to_json()
    of_now = content.pop("schedule")
    assert TrainSettings.from_json(content).schedule == "cosine"
    again = TrainSettings.from_json(content | {"schedule": of_now})
    assert again == settings_for("fast", "smollm2")


def test_adapters_are_in_the_upper_layers_at_least_in_one() -> None:
    fast = settings_for("fast", "smollm2")
    assert fast.adapted_layers(30) == 30
    half = replace(fast, lora_layers=0.5)
    assert [half.adapted_layers(layers) for layers in (30, 12, 2, 1)] == [15, 6, 1, 1]
    assert replace(fast, lora_layers=0.01).adapted_layers(2) == 1


def test_a_base_in_4_bits_takes_adapters() -> None:
    assert settings_for("fast", "smollm2", four_bit=True).four_bit
    before = settings_for("fast", "smollm2").to_json()
    del before["four_bit"]
    assert not TrainSettings.from_json(before).four_bit, "runs of before there was a choice"
    with pytest.raises(WrongUsage, match="With the preset classic every weight learns") as refused:
        settings_for("classic", "smollm2", four_bit=True)
    assert refused.value.next_step.startswith("Use the preset fast or quality")
    with pytest.raises(WrongUsage, match="scratch knows nothing yet") as refused:
        settings_for("fast", "scratch", four_bit=True)
    assert refused.value.next_step.startswith("Use another base")
    with pytest.raises(WrongUsage, match="the method full"):
        settings_for("fast", "smollm2", four_bit=True, method="full")


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(WrongUsage, match="slow"):
        settings_for("slow", "smollm2")


def test_a_refusal_names_the_nearest_value_that_makes_sense() -> None:
    with pytest.raises(WrongUsage, match=r"from 0 to 0\.5\. The nearest is 0\.5"):
        settings_for("fast", "smollm2", valid_fraction=0.9)


def test_every_number_has_its_bounds() -> None:
    settings = settings_for("fast", "smollm2", minutes=1, max_steps=1)
    for name, value in settings.to_json().items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            with pytest.raises(WrongUsage, match=name):
                settings_for("fast", "smollm2", **{name: -7})
