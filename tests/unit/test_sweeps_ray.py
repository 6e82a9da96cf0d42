"""Several trials at once, and the Ray engine with two workers; skipped where Ray is missing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.errors import WrongUsage
from core.home import Home
from core.runs.folder import GOING, Run, all_runs
from core.runs.launch import resume_run, start_run
from core.runs.settings import RunRequest
from core.runs.summary import list_runs
from core.sweeps.study import TrialRow
from core.sweeps.trials import SweepEvent, TrialBegun, TrialEnded, run_sweep
from core.workflow.training import sweep
from tests.oracles.frames import in_order
from tests.oracles.one_frame import curate
from tests.unit.cli import Started, mynah
from tests.unit.test_sweeps_trials import RECIPE, asked, at_work, told
from tests.unit.toy_runs import toy_tweets

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
FILE = (
    'accounts = ["keeper"]\nbase = "scratch"\ntrials = 3\nmax_steps = 3\n'
    '[space]\nlr = { low = 1e-4, high = 1e-2, log = true }\n[settings]\ndevice = "cpu"\n'
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    tweets = tmp_path / "tweets.csv"
    toy_tweets().select("tweet_id", "created_at", "text").write_csv(tweets)
    mynah("import", tweets, "--handle", "keeper", home=tmp_path / "home")
    (tmp_path / "toy.toml").write_text(FILE)
    return tmp_path / "home"


def most_at_once(events: list[SweepEvent]) -> int:
    going = most = 0
    for event in events:
        going += isinstance(event, TrialBegun) - isinstance(event, TrialEnded)
        most = max(most, going)
    return most


def close_to(rows: list[TrialRow], others: list[TrialRow]) -> bool:
    """The same trials; how many threads add up a sum moves its last digits."""
    losses = [(row.valid_loss, other.valid_loss) for row, other in zip(rows, others, strict=True)]
    return all(
        one is not None and one == pytest.approx(other, abs=1e-3) for one, other in losses
    ) and [one[:2] + one[3:] for one in told(rows)] == [one[:2] + one[3:] for one in told(others)]


@pytest.mark.slow
def test_two_trials_at_once_come_to_what_one_after_the_other_does(tmp_path: Path) -> None:
    spec, events = asked(tmp_path, trials=2), list[SweepEvent]()
    batches = [in_order(curate(toy_tweets(), RECIPE))]

    def start(request: RunRequest) -> Run:
        return start_run(Home.at(tmp_path / "two"), replace(request, now=True), batches)

    rows = run_sweep(
        Home.at(tmp_path / "two"), spec, RECIPE, start, resume_run,
        report=events.append, cancelled=lambda: False, at_once=2,
    )  # fmt: skip
    assert close_to(rows, at_work(tmp_path / "one", spec))
    assert most_at_once(events) == 2


def test_two_at_once_are_both_stopped(tmp_path: Path) -> None:
    from core.sweeps.trials import SweepStopped

    spec = asked(tmp_path, max_steps=100_000)
    batches = [in_order(curate(toy_tweets(), RECIPE))]
    begun: list[SweepEvent] = []

    def start(request: RunRequest) -> Run:
        return start_run(Home.at(tmp_path), replace(request, now=True), batches)

    def report(event: SweepEvent) -> None:
        if isinstance(event, TrialBegun):
            begun.append(event)

    with pytest.raises(SweepStopped, match="0 of 3 trials") as stopped:
        run_sweep(
            Home.at(tmp_path), spec, RECIPE, start, resume_run,
            report=report, cancelled=lambda: len(begun) == 2, at_once=2,
        )  # fmt: skip
    assert [row.state for row in stopped.value.rows] == ["stopped", "stopped"]
    assert not [run for run in list_runs(Home.at(tmp_path)) if run.state in GOING]


@needs_ray
def test_two_workers_of_ray_give_the_losses_of_this_machine(home: Path, tmp_path: Path) -> None:
    from core.sweeps.spec import read_sweep

    spec, events = read_sweep(tmp_path / "toy.toml")[0], list[SweepEvent]()
    rows = sweep(
        Home.at(home), spec, report=events.append, cancelled=lambda: False,
        engine="ray", workers=2,
    )  # fmt: skip
    assert most_at_once(events) == 2
    assert len(all_runs(Home.at(home))) == 3
    assert close_to(rows, at_work(tmp_path / "one", asked(tmp_path)))
    assert all(run.record().now for run in all_runs(Home.at(home)))


@needs_ray
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_driver_goes_on_where_it_was(home: Path, tmp_path: Path) -> None:
    """Without Ray as well."""
    file = tmp_path / "toy.toml"
    driver = Started(
        "sweep", file, "--engine", "ray", "--workers", "2", home=home, notes=tmp_path / "first"
    )

    def begun(of: Callable[[], int]) -> None:
        while of() < 2:
            assert driver.process.poll() is None, driver.err
            time.sleep(0.05)

    begun(lambda: driver.err.count(" begins: "))
    os.kill(driver.process.pid, signal.SIGKILL)
    driver.process.wait()
    again = mynah("sweep", file, "--json", home=home)
    assert "trial 1 of 3 goes on" in again.err
    assert "trial 2 of 3 goes on" in again.err
    assert [row["state"] for row in again.json()] == ["finished"] * 3
    assert len(all_runs(Home.at(home))) == 3


def test_without_ray_the_words_say_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.ray_session.find_spec", lambda name: None)
    with pytest.raises(WrongUsage, match=r"pip install 'mynah-tui\[ray\]'"):
        sweep(
            Home.at(tmp_path / "home"), asked(tmp_path), report=lambda _: None,
            cancelled=lambda: False, engine="ray",
        )  # fmt: skip
    with pytest.raises(WrongUsage, match="Only Ray has workers"):
        sweep(
            Home.at(tmp_path / "home"), asked(tmp_path), report=lambda _: None,
            cancelled=lambda: False, workers=2,
        )  # fmt: skip
    assert not (tmp_path / "home").exists()
