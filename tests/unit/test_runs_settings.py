"""Presets and what a person may say instead."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core.errors import WrongUsage
from core.runs.settings import PRESETS, RunRequest, TrainSettings, changed_settings, settings_for


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


FAST = {
    "preset": "fast", "base": "smollm2", "method": "lora", "epochs": 1.5, "minutes": None,
    "max_steps": None, "lr": 2e-3, "seed": 1, "device": "auto", "batch_tokens": 0,
    "row_tokens": 256, "packing": "tweets", "blend": "even", "warmup": 0.05, "schedule": "linear",
    "beta2": 0.99, "weight_decay": 0.0, "clip": 1.0, "lora_rank": 64, "lora_alpha": 64,
    "lora_layers": 1.0, "base_dropout": False, "four_bit": False, "arithmetic": "auto",
    "valid_fraction": 0.1, "eval_tokens": 0, "eval_seconds": 0.0, "checkpoint_seconds": 60.0,
    "keep_best": True, "max_memorised": None, "nproc": 1, "answers": False,
}  # fmt: skip
CLASSIC = {
    "preset": "classic", "method": "full", "lr": 1.372e-4, "epochs": 4.0, "row_tokens": 1024,
    "packing": "blocks", "blend": "classic", "warmup": 0.0, "schedule": "cosine", "beta2": 0.999,
    "keep_best": False,
}  # fmt: skip


def test_the_presets_are_what_runs_of_before_were_made_with() -> None:
    """Whoever trains again with the same words gets the same run."""
    assert settings_for("fast", "smollm2").to_json() == FAST
    quality = {"preset": "quality", "lr": 1e-3, "epochs": 2.0}
    assert settings_for("quality", "smollm2").to_json() == FAST | quality
    assert settings_for("classic", "gpt2").to_json() == FAST | CLASSIC | {"base": "gpt2"}
    nothing = {"base": "scratch", "method": "full", "lr": 4e-3, "epochs": 8.0}
    assert settings_for("fast", "scratch").to_json() == FAST | nothing
    assert settings_for("classic", "scratch").to_json() == FAST | CLASSIC | {"base": "scratch"}


def test_only_a_base_that_knows_nothing_learns_with_every_weight_unasked() -> None:
    assert settings_for("fast", "scratch", method="lora").method == "full"
    assert settings_for("fast", "smollm2", method="full").method == "full"
    assert settings_for("fast", "/models/Mine").base == "/models/Mine", "a path is as it was typed"


BOUNDS = {
    "epochs": (0.001, 1e6), "minutes": (0.01, 1e6), "max_steps": (1, 10**9), "lr": (1e-9, 1),
    "seed": (0, 2147483647), "batch_tokens": (0, 1048576), "row_tokens": (8, 131072),
    "warmup": (0, 0.9), "beta2": (0, 0.99999), "weight_decay": (0, 1), "clip": (1e-6, 1e6),
    "lora_rank": (1, 1024), "lora_alpha": (1, 8192), "lora_layers": (0.01, 1),
    "valid_fraction": (0, 0.5), "eval_tokens": (0, 10**9), "eval_seconds": (0, 1e6),
    "checkpoint_seconds": (0, 1e6), "max_memorised": (0, 1), "nproc": (1, 1024),
}  # fmt: skip
WHOLE = ("max_steps", "seed", "batch_tokens", "row_tokens", "lora_rank", "lora_alpha",
         "eval_tokens", "nproc")  # fmt: skip


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_may_be_its_least_and_its_most_and_nothing_beyond(name: str) -> None:
    least, most = BOUNDS[name]
    for value in (least, most):
        assert getattr(settings_for("fast", "smollm2", **{name: value}), name) == value
    below, above = (
        (least - 1, most + 1)
        if name in WHOLE
        else (math.nextafter(least, -math.inf), math.nextafter(most, math.inf))
    )
    for value, nearest in ((below, least), (above, most)):
        with pytest.raises(WrongUsage, match=f"^{name} is .*; it must be from") as refused:
            settings_for("fast", "smollm2", **{name: value})
        assert f"must be from {least:g} to {most:g}." in refused.value.what
        assert refused.value.next_step == f"The nearest is {nearest:g}."
    if name in WHOLE:
        with pytest.raises(WrongUsage, match="must be a whole number"):
            settings_for("fast", "smollm2", **{name: least + 0.5})


def test_what_no_number_can_be_is_refused_in_words() -> None:
    with pytest.raises(WrongUsage, match="lr is nan; it must be from") as refused:
        settings_for("fast", "smollm2", lr=float("nan"))
    assert refused.value.next_step == "", "nothing is near it"
    for value, shown in ((10**400, "inf"), (-(10**400), "-inf"), (float("inf"), "inf")):
        with pytest.raises(WrongUsage, match=f"max_steps is {shown}; it must be from 1"):
            settings_for("fast", "smollm2", max_steps=value)
    for wrong in (True, "3"):
        with pytest.raises(WrongUsage, match="it must be a number"):
            settings_for("fast", "smollm2", seed=wrong)


@pytest.mark.parametrize(
    ("preset", "given", "words"),
    [
        ("fast", {"packing": "magic"}, "the packing is tweets or blocks"),
        ("fast", {"schedule": "magic"}, "The schedule is linear or cosine"),
        ("classic", {"packing": "tweets"}, "its packing is blocks"),
        ("faithful", {"max_memorised": 0.1}, "the preset faithful holds none out"),
        ("fast", {"max_memorised": 0.1, "valid_fraction": 0.0}, "That takes tweets"),
        ("classic", {"answers": True}, "The preset classic cannot learn answers"),
        ("classic", {"nproc": 2}, "2 processes cannot share a step of one block"),
        ("fast", {"nproc": 2, "base_dropout": True}, "cannot share the chance of dropout"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(
    preset: str, given: dict[str, object], words: str
) -> None:
    with pytest.raises(WrongUsage) as refused:
        settings_for(preset, "smollm2", **given)
    assert words in str(refused.value)
    alone = settings_for("classic" if preset == "faithful" else "fast", "smollm2")
    with pytest.raises(WrongUsage):
        changed_settings(settings_for(preset, "smollm2"), **given)
    for name, value in given.items():
        if value != "magic" and name != "packing":
            assert getattr(changed_settings(alone, **{name: value}), name) == value


def test_a_request_waits_for_other_runs_unless_it_says_so() -> None:
    from core.curation.recipe import load_recipe

    request = RunRequest(["a"], load_recipe("standard", None), settings_for("fast", "smollm2"))
    assert not request.now


def test_every_number_has_its_bounds() -> None:
    settings = settings_for("fast", "smollm2", minutes=1, max_steps=1)
    for name, value in settings.to_json().items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            with pytest.raises(WrongUsage, match=name):
                settings_for("fast", "smollm2", **{name: -7})
