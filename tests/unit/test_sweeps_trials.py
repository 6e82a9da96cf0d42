"""Sweeps at work: small runs of a model from nothing, killed at any moment, compared, pruned."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.curation.recipe import load_recipe
from core.errors import InputRefused, Interrupted, MynahError
from core.home import Home
from core.query.run_tables import run_frames
from core.runs.folder import Run, all_runs
from core.runs.housekeeping import delete_run
from core.runs.launch import create_run, resume_run, start_run
from core.runs.settings import RunRequest
from core.runs.summary import list_runs
from core.sweeps.spec import SweepSpec, read_sweep
from core.sweeps.study import Study, TrialRow, begin
from core.sweeps.trials import SweepEvent, TrialBegun, TrialEnded, TrialMoved, best_first, run_sweep
from tests.fixtures.sweeps import told_sweep
from tests.oracles.frames import in_order
from tests.oracles.one_frame import curate
from tests.unit.cli import Started, mynah
from tests.unit.toy_runs import toy_tweets, train_here

RECIPE = load_recipe("standard", None)
LOG_RANGE = "lr = { low = 1e-4, high = 1e-2, log = true }"
Start = Callable[[RunRequest], Run]


class Killed(BaseException):
    """Stands for a kill: nothing of the sweep's own may run after it."""


def asked(folder: Path, space: str = LOG_RANGE, **more: object) -> SweepSpec:
    """A sweep of three trials of three steps."""
    given = {"accounts": ["keeper"], "base": "scratch", "trials": 3, "max_steps": 3} | more
    lines = [f"{name} = {json.dumps(value)}" for name, value in given.items()]
    path = folder / "toy.toml"
    path.write_text("\n".join([*lines, "[space]", space, "[settings]", 'device = "cpu"']))
    return read_sweep(path)[0]


def made(home: Path, request: RunRequest, *, tweets: int = 60) -> Run:
    batches = [in_order(curate(toy_tweets(tweets), RECIPE))]
    return create_run(Home.at(home), request, batches)


def trained_here(home: Path) -> Start:
    """Starts a run by training it to its end, in this process."""

    def start(request: RunRequest) -> Run:
        run = made(home, request)
        train_here(run)
        return run

    return start


def never(request: RunRequest) -> Run:
    raise AssertionError("no run is to be started")


def at_work(
    home: Path,
    spec: SweepSpec,
    start: Start | None = None,
    report: Callable[[SweepEvent], None] = lambda event: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[TrialRow]:
    start = start or trained_here(home)
    return run_sweep(
        Home.at(home), spec, RECIPE, start, resume_run, report=report, cancelled=cancelled
    )


def test_trials_are_runs_on_the_same_tweets(tmp_path: Path) -> None:
    home, events = tmp_path / "home", list[SweepEvent]()
    rows = at_work(home, asked(tmp_path, trials=2), report=events.append)
    assert [(row.trial, row.state) for row in rows] == [(1, "finished"), (2, "finished")]
    runs = {run.id: run.record() for run in all_runs(Home.at(home))}
    assert {row.run for row in rows} == set(runs)
    assert len({record.dataset for record in runs.values()}) == 1
    for row in rows:
        record = runs[str(row.run)]
        assert record.sweep is not None
        assert (record.sweep.name, record.sweep.trial) == ("toy", row.trial)
        assert record.settings["lr"] == row.params["lr"]
        assert 1e-4 <= row.params["lr"] <= 1e-2
        assert (record.settings["max_steps"], record.settings["seed"]) == (3, 1)
        assert record.result is not None
        assert record.result.valid_loss_after == row.valid_loss
    begun = [event for event in events if isinstance(event, TrialBegun)]
    ended = [event for event in events if isinstance(event, TrialEnded)]
    assert [event.row.trial for event in begun] == [event.row.trial for event in ended] == [1, 2]
    assert [event.best for event in ended] == [True, best_first(rows)[0].trial == 2]

    assert {(one.sweep, one.trial) for one in list_runs(Home.at(home))} == {("toy", 1), ("toy", 2)}
    table = run_frames(Home.at(home), lambda name: name == "runs")["runs"]
    assert sorted(table.select("sweep", "trial").rows()) == [("toy", 1), ("toy", 2)]

    assert at_work(home, asked(tmp_path, trials=2), never) == rows, "a finished sweep is left"
    more = at_work(home, asked(tmp_path, trials=3))
    assert more[:2] == rows
    assert len(more) == len(all_runs(Home.at(home))) == 3
    with pytest.raises(InputRefused, match="another space"):
        at_work(home, asked(tmp_path, space="lr = [1e-3, 2e-3]"), never)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return told(at_work(folder / "home", asked(folder, sampler="tpe")))


def told(rows: list[TrialRow]) -> list[tuple[Any, ...]]:
    return [(row.trial, row.params, row.valid_loss, row.state) for row in rows]


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_and_counts_nothing_twice(
    tmp_path: Path, undisturbed: list[tuple[Any, ...]]
) -> None:
    """Before a trial has a run, after its run was trained, and while a line was being written."""
    home = tmp_path / "home"
    spec = asked(tmp_path, sampler="tpe")

    def killed(*_: object) -> Any:
        raise Killed

    def killed_when(kind: type) -> Callable[[SweepEvent], None]:
        return lambda event: killed() if isinstance(event, kind) else None

    with pytest.raises(Killed):
        at_work(home, spec, killed)
    with pytest.raises(Killed):
        at_work(home, spec, report=killed_when(TrialMoved))
    log = home / "sweeps" / "toy" / "study.log"
    with log.open("ab") as file:
        file.write(b'{"op_code": 4, "worker')
    with pytest.raises(Killed):
        at_work(home, spec, never, report=killed_when(TrialEnded))
    with pytest.raises(Killed):
        at_work(home, spec, report=killed_when(TrialBegun))
    assert told(at_work(home, spec)) == undisturbed
    assert len(all_runs(Home.at(home))) == 3


@pytest.mark.parametrize("sampler", ["random", "tpe", "grid"])
def test_a_study_opened_anew_draws_what_it_would_have_drawn(tmp_path: Path, sampler: str) -> None:
    space = "lr = { low = 1e-4, high = 1e-2, log = true }\nbatch_tokens = { low = 64, high = 256 }"
    if sampler == "grid":
        space = "lr = [1e-3, 2e-3, 3e-3]\nbatch_tokens = { low = 64, high = 256, step = 64 }"
    spec = asked(tmp_path, space, sampler=sampler, trials=16)

    def draw(study: Study) -> None:
        trial = study.draw()
        study.end(trial, "finished", loss=study.trial(trial).params["lr"])

    (tmp_path / "once").mkdir()
    (tmp_path / "again").mkdir()
    study = Study(tmp_path / "once", spec)
    for _ in range(16):
        draw(study)
        draw(Study(tmp_path / "again", spec))
    params = [row.params for row in study.trials()]
    assert params == [row.params for row in Study(tmp_path / "again", spec).trials()]
    assert len({tuple(one.items()) for one in params}) == (12 if sampler == "grid" else 16)
    if sampler == "tpe":  # which has learned that a low rate is good
        late = sum(one["lr"] for one in params[10:]) / 6
        assert late < sum(one["lr"] for one in params[:5]) / 5


def test_a_trial_worse_than_the_median_is_to_be_pruned(tmp_path: Path) -> None:
    study = Study(tmp_path, asked(tmp_path, pruning=True))
    for losses in ([5.0, 4.0], [5.2, 4.4]):
        trial = study.draw()
        assert not any(study.report(trial, i, loss) for i, loss in enumerate(losses, 1))
        study.end(trial, "finished", loss=losses[-1])
    trial = study.draw()
    assert not study.report(trial, 1, 5.05)
    assert study.report(trial, 2, 4.9)
    study.end(trial, "pruned")
    row = study.trial(trial)
    assert (row.state, row.valid_loss) == ("pruned", 4.9)
    assert [one.trial for one in best_first(study.trials())] == [1, 2, 3]


def test_a_pruned_run_is_stopped_and_keeps_what_it_has(tmp_path: Path) -> None:
    """Two trials that learn, and a third at a rate at which nothing is learned, in a process."""
    home = tmp_path / "home"
    space = "lr = [4e-3, 3e-3, 1e-9]"
    spec = asked(tmp_path, space, sampler="grid", pruning=True, max_steps=100_000)
    spec.settings["eval_seconds"] = 1e-3
    started: list[Run] = []

    def start(request: RunRequest) -> Run:
        if len(started) < 2:
            shorter = replace(request.settings, max_steps=4)
            started.append(trained_here(home)(replace(request, settings=shorter)))
        else:
            batches = [in_order(curate(toy_tweets(), RECIPE))]
            started.append(start_run(Home.at(home), request, batches))
        return started[-1]

    rows = at_work(home, spec, start)
    assert [row.state for row in rows] == ["finished", "finished", "pruned"]
    record = started[2].record()
    assert record.state == "stopped"
    assert record.result is not None
    assert (record.result.steps or 0) < 100_000
    assert (started[2].model / "config.json").is_file()
    assert rows[2].valid_loss is not None
    assert rows[2].valid_loss > rows[0].valid_loss  # type: ignore[operator]


@pytest.mark.slow
def test_trials_that_fail_one_after_the_other_end_the_sweep(tmp_path: Path) -> None:
    home = tmp_path / "home"

    def start(request: RunRequest) -> Run:
        run = made(home, request)
        shutil.rmtree(run.dataset)
        train_here(run)
        return run

    with pytest.raises(MynahError, match="3 trials failed"):
        at_work(home, asked(tmp_path, trials=5), start)
    rows = Study(home / "sweeps" / "toy", asked(tmp_path, trials=5)).trials()
    assert [row.state for row in rows] == ["failed"] * 3
    assert all(row.reason for row in rows)


def test_values_that_do_not_go_together_fail_their_own_trial_only(tmp_path: Path) -> None:
    space = 'packing = ["blocks", "tweets"]\nnproc = [2, 1]'
    rows = at_work(tmp_path / "home", asked(tmp_path, space, sampler="grid", trials=2))
    assert [row.state for row in rows] == ["failed", "finished"]
    assert "2 processes cannot share a step of one block." in rows[0].reason


def test_tweets_that_have_changed_do_not_compare(tmp_path: Path) -> None:
    home = tmp_path / "home"
    spec = asked(tmp_path, trials=1)
    at_work(home, spec)
    with pytest.raises(InputRefused, match="not those that the other trials"):
        at_work(home, asked(tmp_path, trials=2), lambda request: made(home, request, tweets=80))
    (run,) = all_runs(Home.at(home))
    delete_run(Home.at(home), run)
    with pytest.raises(InputRefused, match="not those that the other trials"):
        at_work(home, asked(tmp_path, trials=2), lambda request: made(home, request, tweets=80))
    assert not list((home / "runs").iterdir())


def test_one_that_never_had_a_run_begins_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"

    def refuse(request: RunRequest) -> Run:
        raise InputRefused("There are no tweets of @keeper.")

    with pytest.raises(InputRefused, match="no tweets"):
        at_work(home, asked(tmp_path), refuse)
    rows = at_work(home, asked(tmp_path, space="epochs = [0.5]", sampler="grid"))
    assert [row.params for row in rows] == [{"epochs": 0.5}]


def test_only_one_at_a_time(tmp_path: Path) -> None:
    home = tmp_path / "home"
    spec = asked(tmp_path, trials=1)

    def start(request: RunRequest) -> Run:
        with pytest.raises(InputRefused, match="Another process"):
            at_work(home, spec, never)
        raise Interrupted("enough")

    with pytest.raises(Interrupted):
        at_work(home, spec, start)


def test_sweep_json_holds_what_was_asked(tmp_path: Path) -> None:
    first = begin(tmp_path, asked(tmp_path), begun=bool)
    kept = json.loads((tmp_path / "sweep.json").read_bytes())
    assert kept["space"] == {"lr": {"low": 1e-4, "high": 1e-2, "log": True, "step": None}}
    assert begin(tmp_path, asked(tmp_path, trials=99, pruning=True), begun=bool) == first
    assert begin(tmp_path, asked(tmp_path, seed=2), begun=lambda _: False) != first


@pytest.mark.parametrize("damaged", ["", '{"id": ', "[1]", "5", '{"name": "x"}'])
def test_the_trials_of_a_damaged_sweep_are_not_lost(tmp_path: Path, damaged: str) -> None:
    begin(tmp_path, asked(tmp_path), begun=bool)
    (tmp_path / "study.log").write_text("trials")
    (tmp_path / "sweep.json").write_text(damaged)
    with pytest.raises(InputRefused, match="What was asked of the sweep"):
        begin(tmp_path, asked(tmp_path), begun=bool)
    assert (tmp_path / "study.log").read_text() == "trials"


def test_a_sweep_that_was_deleted_leaves_its_runs_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (before,) = at_work(home, asked(tmp_path, trials=1))
    shutil.rmtree(home / "sweeps")
    (after,) = at_work(home, asked(tmp_path, trials=1, space="lr = [1e-3]"))
    assert before.run != after.run
    assert {one.run for one in list_runs(Home.at(home))} == {before.run, after.run}


@pytest.mark.slow
def test_the_command_stopped_killed_and_resumed(tmp_path: Path) -> None:
    """ctrl+c at first, SIGKILL the second time; the third time it comes to its end."""
    home, tweets, file = tmp_path / "home", tmp_path / "tweets.csv", tmp_path / "one.toml"
    toy_tweets().select("tweet_id", "created_at", "text").write_csv(tweets)
    mynah("import", tweets, "--handle", "keeper", home=home)
    file.write_text(
        'accounts = ["@Keeper"]\nbase = "scratch"\ntrials = 1\nmax_steps = 3\n'
        f"[space]\n{LOG_RANGE}\n"
    )

    def processes() -> set[int]:
        return {record.pid for run in all_runs(Home.at(home)) if (record := run.record()).pid}

    first = Started("sweep", file, "--json", home=home, notes=tmp_path / "first")
    ended = first.interrupt(processes)
    assert "trial 1 of 1 begins: lr " in ended.err
    assert "0 of 1 trials done" in ended.err
    (row,) = ended.json()
    assert set(row) == {"trial", "run", "params", "valid_loss", "state", "reason"}
    assert (row["trial"], row["state"]) == (1, "stopped")
    stopped = processes()
    second = Started("sweep", file, home=home, notes=tmp_path / "second")
    while processes() <= stopped:
        assert second.process.poll() is None, second.err
    second.process.kill()
    second.process.wait()

    last = mynah("sweep", file, home=home)
    assert "trial 1 of 1 goes on" in last.err
    assert f"`mynah sample {row['run']}`" in last.err
    assert row["run"] in last.text.splitlines()[2]
    again = mynah("sweep", file, "--json", home=home)
    (done,) = again.json()
    assert done["valid_loss"] > 0
    assert done | {"valid_loss": row["valid_loss"]} == row | {"state": "finished"}
    assert "trial 1 of 1" not in again.err
    (listed,) = mynah("runs", "--json", home=home).json()
    assert [listed[name] for name in ("sweep", "trial", "step")] == ["one", 1, 3]
    assert "one 1" in mynah("runs", home=home).text
    found = mynah("sql", "SELECT sweep, trial FROM runs", "--json", home=home).json()
    assert found == [{"sweep": "one", "trial": 1}]


def test_the_command_says_which_settings_went_with_low_losses(tmp_path: Path) -> None:
    file, home = tmp_path / "rates.toml", Home.at(tmp_path / "home")
    file.write_text(
        'accounts = ["keeper"]\nbase = "scratch"\ntrials = 4\nmax_steps = 3\n'
        f"[space]\n{LOG_RANGE}\n"
    )
    rows = told_sweep(home, read_sweep(file)[0], trials=4).trials()
    best = min(row.valid_loss or 0.0 for row in rows)
    said = mynah("sweep", file, home=home.root).err
    assert (
        f"Of 4 finished trials, the one with the lowest held-out loss ({best:.3f}) had lr " in said
    )
    assert "Only 4 trials have finished: too few to tell which parameter matters (8 are" in said
