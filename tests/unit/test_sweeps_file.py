"""Sweep files: ours and Weights & Biases', what they mean, and what is refused with which words."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputRefused
from core.sweeps.space import (
    Choice,
    Range,
    WrongSpace,
    ends_of,
    grid_point,
    grid_size,
    grid_values,
    read_dimension,
)
from core.sweeps.spec import SweepSpec, read_sweep
from tests.unit.cli import ROOT

# dev/sweep.yaml of huggingtweets, with other accounts
SEED = """\
program: run_sweeps.py
metric:
  name: eval_loss
  goal: minimize
method: random
parameters:
  handle:
    values: ["keeper", "gran"]
  epochs:
    distribution: int_uniform
    min: 1
    max: 10
  lr_scheduler:
    values: ["constant", "linear", "cosine"]
  percent_warmup_steps:
    values: [0, 10, 20]
  learning_rate:
    distribution: log_uniform
    min: -14
    max: -6
  gradient_accumulation_steps:
    values: [1, 4, 8]
project: huggingtweets
entity: wandb
"""
LEAST = 'accounts = ["keeper"]\nbase = "scratch"\ntrials = 3\n'
SPACE = "[space]\nlr = [1e-3, 1e-2]\n"


def read(
    folder: Path, text: str, name: str = "mine.toml", **more: object
) -> tuple[SweepSpec, list[str]]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_sweep(path, **more)  # type: ignore[arg-type]


def test_the_bundled_example(tmp_path: Path) -> None:
    spec, remarks = read_sweep(ROOT / "datasets" / "sweeps" / "learning_rate.toml")
    assert remarks == []
    assert (spec.name, spec.sampler, spec.trials) == ("learning_rate", "tpe", 4)
    assert spec.space["lr"] == Range(1e-3, 2e-2, log=True)
    assert spec.space["batch_tokens"] == Choice((128, 256, 512))
    assert spec.settings == {"warmup": 0.1, "max_steps": 20}


def test_huggingtweets_own_sweep(tmp_path: Path) -> None:
    spec, remarks = read(tmp_path, SEED, "sweep.yaml", accounts=["Keeper"])
    assert (spec.accounts, spec.sampler, spec.trials) == (("keeper",), "random", 20)
    assert spec.space["epochs"] == Range(1, 10, step=1)
    assert spec.space["warmup"] == Choice((0, 0.1, 0.2))
    assert spec.space["lr"] == Range(math.exp(-14), math.exp(-6), log=True)
    assert set(spec.space) == {"epochs", "warmup", "lr"}
    left_out = " ".join(remarks)
    for word in ("lr_scheduler", "gradient_accumulation_steps", "run_cap"):
        assert word in left_out
    spec, remarks = read(tmp_path, SEED, "sweep.yaml", accounts=["keeper"], trials=4)
    assert spec.trials == 4
    assert "run_cap" not in " ".join(remarks)


def test_a_draw_of_accounts_is_refused_with_the_line_and_a_way_on(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"sweep\.yaml, line 7: .*one of 2") as refused:
        read(tmp_path, SEED, "sweep.yaml")
    assert refused.value.next_step.endswith("mynah sweep FILE keeper")


def test_the_ways_of_wandb_to_draw_and_to_fix(tmp_path: Path) -> None:
    text = """\
method: bayes
name: My Sweep!
run_cap: 7
command: [python, train.py]
early_terminate: {type: hyperband, min_iter: 3}
metric: {name: eval/loss}
parameters:
  handle: {value: keeper}
  base: {value: scratch}
  lr: {min: 1e-4, max: 1e-2, distribution: log_uniform_values}
  weight_decay: {min: 0.0, max: 0.5}
  batch_tokens: {min: 64, max: 256}
  clip: {min: 0.5, max: 2.2, q: 0.5, distribution: q_uniform}
  num_train_epochs: {value: 2}
  dropout: {values: [0.1, 0.2]}
"""
    spec, remarks = read(tmp_path, text, "x.yml")
    assert (spec.name, spec.sampler, spec.trials, spec.pruning) == ("my-sweep", "tpe", 7, True)
    assert (spec.base, spec.accounts, spec.settings) == ("scratch", ("keeper",), {"epochs": 2})
    assert spec.space == {
        "lr": Range(1e-4, 1e-2, log=True),
        "weight_decay": Range(0.0, 0.5),
        "batch_tokens": Range(64, 256, step=1),
        "clip": Range(0.5, 2.0, step=0.5),
    }
    assert [word for word in ("command", "early_terminate", "dropout") if word in str(remarks)] == [
        "command", "early_terminate", "dropout",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("accounts = [\n", None, "TOML"),
        (LEAST, None, "nothing to try"),
        (f"trails = 3\n{LEAST}{SPACE}", 1, "'trials'"),
        (f"{LEAST}lr = 1e-3\n{SPACE}", 4, "[settings]"),
        ('accounts = ["keeper"]\nbase = "scratch"\n' + SPACE, None, "how many trials"),
        (LEAST.replace("3", '"3"') + SPACE, 3, "Expected"),
        (LEAST.replace("3", "0") + SPACE, 3, "from 1"),
        (LEAST.replace('"keeper"', "") + SPACE, 1, "no account"),
        (f'{LEAST}sampler = "best"\n{SPACE}', 4, "sampler"),
        (f"{LEAST}[space]\nlearning = [1]\n", 5, "no training setting"),
        (f"{LEAST}[space]\nlrr = [1]\n", 5, "'lr'"),
        (f"{LEAST}[space]\nseed = [1, 2]\n", 5, "held out"),
        (f'{LEAST}[space]\nbase = ["a", "b"]\n', 5, "do not compare"),
        (f"{LEAST}[space]\nlr = 1e-3\n", 5, "list nor a range"),
        (f"{LEAST}[space]\nlr = []\n", 5, "list of"),
        (f"{LEAST}[space]\nlr = [1e-3, 1e-3]\n", 5, "twice"),
        (f"{LEAST}[space]\nlr = [1e-3, 7]\n", 5, "from 1e-09 to 1"),
        (f'{LEAST}[space]\nlr = ["fast", 1e-3]\n', 5, "number"),
        (f"{LEAST}[space]\nlr = {{ low = 1e-2, high = 1e-3 }}\n", 5, "empty"),
        (f"{LEAST}[space]\nlr = {{ low = 1e-2, hi = 1e-3 }}\n", 5, "cannot be read"),
        (f"{LEAST}[space]\nlr = {{ low = 0, high = 1e-3, log = true }}\n", 5, "logarithmic"),
        (f"{LEAST}[space]\nlr = {{ low = 1e-4, high = nan }}\n", 5, "no number"),
        (f"{LEAST}[space]\nlr = {{ low = 1e-4, high = {10**400} }}\n", 5, "too large or too small"),
        (f"{LEAST}[space]\nlr = {{ low = 0, high = 1, step = 1e-320 }}\n", 5, "or too small"),
        (f"{LEAST}[space]\nbatch_tokens = {{ low = 8.5, high = 64 }}\n", 5, "whole number"),
        (f"{LEAST}[space]\npacking = {{ low = 1, high = 2 }}\n", 5, "no range"),
        (f"{LEAST}[space]\nlora_rank = [8, 16]\n", 5, "no difference"),
        (f"{LEAST}{SPACE}[settings]\nlr = 1e-3\n", 5, "both fixed"),
        (f"{LEAST}{SPACE}[settings]\nvalid_fraction = 0.0\n", 7, "No tweets are held out"),
        (f"{LEAST}{SPACE}[settings]\nfour_bit = true\n", 7, "beside a base in 4 bits"),
        (f"{LEAST}{SPACE}[settings]\npreset = 'fast'\n", 7, "top of the file"),
        (f'{LEAST}preset = "faithful"\n{SPACE}', 4, "No tweets are held out"),
        (f"{LEAST}minutes = 1\n{SPACE}[settings]\nminutes = 2\n", 4, "twice"),
        (f'{LEAST}preset = "slow"\n{SPACE}', 4, "no preset"),
        (f'{LEAST}sampler = "grid"\n[space]\nlr = {{ low = 1e-4, high = 1e-2 }}\n', 6, "grid"),
        (f'{LEAST}name = "???"\n{SPACE}', 4, "name of a sweep"),
        (f'{LEAST}[space]\nnproc = ["two", 4]\n', 5, "nproc is 'two'; it must be a number"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, line: int | None, said: str) -> None:
    with pytest.raises(InputRefused) as refused:
        read(tmp_path, text)
    error = refused.value
    where = "mine.toml" + ("" if line is None else f", line {line}")
    assert error.what.startswith(f"{where}: "), error.what
    assert said in str(error)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("method: [", "YAML"),
        ("method: random\nrun_cap: " + "1" * 5000, "YAML"),
        ("method: random\nuntil: 2024-13-45", "YAML"),
        ("- 1\n", "no sweep"),
        ("method: hyperband\n", "random, bayes or grid"),
        ("method: [random]\n", "random, bayes or grid"),
        ("method: random\n", "no parameters"),
        (SEED.replace("minimize", "maximize"), "maximise"),
        (SEED.replace("log_uniform", "log_normal"), "drawn by log_normal"),
        (SEED.replace("-14", "-14000").replace("-6", "9999"), "endless"),
        (SEED.replace("    max: 10\n", ""), "min and max"),
        (SEED.replace("  epochs:", "  lr: {value: 0.1}\n  epochs:"), "once more"),
    ],
)
def test_what_is_refused_of_wandb(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputRefused) as refused:
        read(tmp_path, text, "sweep.yaml", accounts=["keeper"])
    assert said in str(refused.value)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="cannot be read"):
        read_sweep(tmp_path / "nothing.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputRefused, match="UTF-8"):
        read_sweep(tmp_path / "bytes.toml")


numbers = st.one_of(
    st.integers(-(2**40), 2**40), st.floats(), st.sampled_from([1e-4, 0.5, 1, 2, 64])
)
scalars = st.one_of(numbers, st.booleans(), st.text(max_size=3), st.none())
ranges = st.dictionaries(
    st.sampled_from(["low", "high", "log", "step", "lo"]), st.one_of(numbers, scalars), max_size=4
)


@given(
    st.sampled_from(["lr", "batch_tokens", "epochs", "packing", "keep_best", "minutes"]),
    st.one_of(st.lists(scalars, max_size=4), ranges, scalars),
)
def test_whatever_stands_there_is_a_dimension_or_refused(name: str, given: object) -> None:
    try:
        dimension = read_dimension(name, given)
    except WrongSpace as refused:
        error = refused
    else:
        error = None
    if error is not None:
        assert error.key == name
        assert name in error.what
        return
    assert ends_of(dimension)
    if isinstance(dimension, Range):
        assert dimension.low <= dimension.high
        assert math.isfinite(dimension.high - dimension.low)
        if not dimension.log and dimension.step is not None:
            steps = (dimension.high - dimension.low) / dimension.step
            assert steps == pytest.approx(round(steps), rel=1e-6, abs=1e-6)


@given(
    st.dictionaries(
        st.sampled_from(["lr", "clip", "warmup", "epochs"]),
        st.lists(st.floats(0.1, 0.9), min_size=1, max_size=4, unique=True),
        min_size=1,
    )
)
def test_a_grid_has_each_point_once(lists: dict[str, list[float]]) -> None:
    space = {name: read_dimension(name, values) for name, values in lists.items()}
    points = [tuple(grid_point(space, number).items()) for number in range(grid_size(space))]
    assert len(set(points)) == len(points) == math.prod(map(len, lists.values()))
    assert {dict(point)["lr"] for point in points if "lr" in space} == set(lists.get("lr", []))


def test_the_values_of_a_range_with_steps() -> None:
    assert grid_values("epochs", read_dimension("epochs", {"low": 1, "high": 3, "step": 1})) == [
        1, 2, 3,
    ]  # fmt: skip
    assert grid_values(
        "clip", read_dimension("clip", {"low": 0.1, "high": 0.75, "step": 0.3})
    ) == pytest.approx([0.1, 0.4, 0.7])
