"""Looking at sweeps that others work on: their trials, what was asked, rank correlations."""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputRefused
from core.home import Home
from core.sweeps.overview import SweepsReader, rank_correlations, read_folder
from core.sweeps.space import Choice, Dimension, Range
from core.sweeps.spec import read_sweep
from core.sweeps.study import Study, TrialRow, begin
from tests.fixtures.sweeps import FAILED, GOING, PRUNED, rates, run_of, told_sweep
from tui.sweeps.trial_table import trials_of
from tui.text.sweeps import in_thirds, next_step


def test_a_reader_sees_what_the_study_says_and_writes_nothing(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    study = told_sweep(home)
    folder = home.sweeps / "rates"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (sweep,), changed = SweepsReader(home).poll()
    assert changed
    assert list(sweep.rows) == study.trials()
    asked = rates()
    for name in ("name", "accounts", "base", "preset", "sampler", "space", "trials", "file"):
        assert getattr(sweep, name) == getattr(asked, name)
    states = {row.trial: row.state for row in sweep.rows}
    assert (states[PRUNED], states[GOING], states[FAILED]) == ("pruned", "running", "failed")
    assert sweep.rows[0].run == run_of(1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_it_says_when_something_was_written(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    reader = SweepsReader(home)
    assert reader.poll() == ([], True)
    assert reader.poll() == ([], False)
    study = told_sweep(home)
    assert len(reader.poll()[0]) == 1
    assert not reader.poll()[1]
    study.end(GOING, "finished", loss=3.0)
    (sweep,), changed = reader.poll()
    assert changed
    assert sweep.rows[GOING - 1].valid_loss == 3.0
    second = told_sweep_of_its_own(home, "second")
    os.utime(home.sweeps / "rates" / "study.log", (0, 0))
    assert [sweep.name for sweep in reader.poll()[0]] == ["second", "rates"]
    with (home.sweeps / "second" / "study.log").open("ab") as file:
        file.write(b'{"op_code": 4, "worker')  # a line that is being written
    assert list(reader.poll()[0][0].rows) == second


def told_sweep_of_its_own(home: Home, name: str) -> list[TrialRow]:
    spec = rates(name=name)
    folder = home.sweeps / name
    folder.mkdir()
    begin(folder, spec, begun=lambda _: False)
    study = Study(folder, spec)
    study.draw()
    return study.trials()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"name": "rates", "space": {"lr": 3}}', '{"name": "rates", "space": ["lr"]}'],
)
def test_a_damaged_sweep_hides_no_other(tmp_path: Path, content: str) -> None:
    home = Home.at(tmp_path)
    told_sweep(home)
    told_sweep_of_its_own(home, "whole")
    (home.sweeps / "rates" / "sweep.json").write_text(content)
    (home.sweeps / "no folder").touch()
    (home.sweeps / "empty").mkdir()
    assert [sweep.name for sweep in SweepsReader(home).poll()[0]] == ["whole"]


@pytest.mark.parametrize(
    "damage",
    [
        {"op_code": 99},
        {"op_code": None},
        {"op_code": 4, "distributions": None},
        {"op_code": 7, "trial_id": 0},
        {"op_code": 7, "trial_id": 0, "step": 1, "intermediate_value": "low"},
        {"op_code": 6, "trial_id": 0, "state": 1, "values": []},
    ],
)
def test_a_damaged_journal_hides_no_other_and_is_refused(
    tmp_path: Path, damage: dict[str, object]
) -> None:
    home = Home.at(tmp_path)
    home.sweeps.mkdir()
    told_sweep_of_its_own(home, "damaged")
    told_sweep_of_its_own(home, "whole")
    log = home.sweeps / "damaged" / "study.log"
    _, second, *_ = (json.loads(line) for line in log.read_bytes().splitlines())
    with log.open("ab") as file:
        file.write(json.dumps(second | damage).encode() + b"\n")
    assert [sweep.name for sweep in SweepsReader(home).poll()[0]] == ["whole"]
    with pytest.raises(InputRefused, match="The trials of the sweep damaged cannot be read"):
        Study(log.parent, rates(name="damaged"))


def test_one_of_an_older_version_has_no_file_and_no_number(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    told_sweep(home)
    path = home.sweeps / "rates" / "sweep.json"
    kept = json.loads(path.read_text())
    for name in ("trials", "pruning", "file"):
        del kept[name]
    path.write_text(json.dumps(kept))
    sweep = read_folder(path.parent)
    assert (sweep.trials, sweep.file) == (None, None)
    assert len(sweep.rows) == 12
    asked = rates(trials=30, file="/elsewhere/rates.toml")
    assert begin(path.parent, asked, begun=lambda _: True) == kept["id"]
    assert read_folder(path.parent).trials == 30


def test_the_command_by_which_it_goes_on_is_the_one_that_it_takes(tmp_path: Path) -> None:
    """With the accounts and the number of trials that did not come from the file."""
    file, folder = tmp_path / "grid.toml", tmp_path / "sweep"
    file.write_text('base = "scratch"\nsampler = "grid"\nspace.lr = [1e-4, 1e-3, 1e-2]')
    folder.mkdir()

    def one_more(trials: int | None) -> str:
        spec, _ = read_sweep(file, accounts=["@Eva"], trials=trials)
        begin(folder, spec, begun=lambda _: True)
        study = Study(folder, spec)
        study.end(study.draw(), "finished", loss=3.0)
        sweep = read_folder(folder)
        return next_step(sweep, [trial.row for trial in trials_of(sweep, [], {})], "x")

    command = f"by mynah sweep {file} eva"
    assert one_more(2) == f"It goes on where it was {command} --trials 2"
    assert one_more(2) == f"All trials are done; more are made {command} --trials 3"
    assert one_more(None) == "All trials are done, and there can be no more.", "of a grid of three"


def rows(values: list[tuple[object, float]], name: str = "lr") -> list[TrialRow]:
    return [
        TrialRow(number, None, {name: value}, loss, "finished")
        for number, (value, loss) in enumerate(values, 1)
    ]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=8, max_size=30))
def test_rank_correlation_is_that_of_polars(pairs: list[tuple[int, int]]) -> None:
    """Ties share their rank in both."""
    count, found = rank_correlations(["lr"], rows([(a, float(b)) for a, b in pairs]))
    assert count == len(pairs)
    frame = pl.DataFrame(pairs, schema=["a", "b"], orient="row").cast(pl.Float64)
    expected = frame.select(pl.corr("a", "b", method="spearman")).item()
    if found:
        assert found[0].rho == pytest.approx(expected)
    else:
        assert expected is None or expected != expected


def test_only_finished_trials_and_numbers_have_ranks() -> None:
    rising = [(n / 100, 3.0 + n / 10) for n in range(8)]
    count, (one,) = rank_correlations(["lr"], rows(rising))
    assert (count, one.rho, one.clear) == (8, pytest.approx(1.0), True)
    assert rank_correlations(["lr"], rows(rising[:7])) == (7, [])
    early = [TrialRow(9, None, {"lr": 0.5}, 9.0, "pruned"), *rows(rising[:7])]
    assert rank_correlations(["lr"], early) == (7, [])
    words = rows([("lora", 3.0), ("full", 4.0)] * 5, "method")
    assert rank_correlations(["method"], words) == (10, [])
    assert rank_correlations(["lr"], rows([(True, 3.0), (False, 4.0)] * 5)) == (10, [])
    mixed = rows([(n, 3.0 + (n % 2)) for n in range(10)])
    count, (one,) = rank_correlations(["lr"], mixed)
    assert not one.clear


def test_the_plot_as_a_sentence_names_the_best_and_the_worst_third() -> None:
    space: dict[str, Dimension] = {"lr": Range(1e-4, 2e-2), "method": Choice(("lora", "full"))}

    def row(trial: int, lr: float, method: str, loss: float, state: str = "finished") -> TrialRow:
        return TrialRow(trial, None, {"lr": lr, "method": method}, loss, state)

    rows = [
        row(1, 0.001, "lora", 3.5), row(2, 0.002, "lora", 3.2), row(3, 0.01, "full", 4.0),
        row(4, 0.004, "full", 3.3), row(5, 0.02, "lora", 2.0, "pruned"), row(6, 0.01, "full", 4.5),
        row(7, 0.003, "lora", 3.4),
    ]  # fmt: skip
    assert in_thirds(space, rows) == (
        "Of 6 finished trials, the 2 with the lowest held-out losses (3.200 to 3.300) had "
        "lr 0.002 to 0.004, method lora (1 of 2) and full (1 of 2); the 2 with the highest "
        "held-out losses (4.000 to 4.500) had lr 0.01, method full."
    )
    assert in_thirds(space, rows[:3]) == (
        "Of 3 finished trials, the one with the lowest held-out loss (3.200) had lr 0.002, method "
        "lora; the one with the highest held-out loss (4.000) had lr 0.01, method full."
    )
    assert in_thirds(space, rows[:2]) == ""
