"""Homes to walk through: an empty one, one with the sample authors, one with runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from core.home import Home
from core.runs.folder import Run
from tests.shared import made_once

RUNS = Path(__file__).parents[1] / "fixtures" / "runs"


@pytest.fixture(scope="session", autouse=True)
def _economy() -> Iterator[None]:
    from tests.functional.economy import economy

    with economy():
        yield


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home; its folder does not exist."""
    return Home.at(tmp_path / "home")


@pytest.fixture(scope="session")
def _samples_once(tmp_path_factory: pytest.TempPathFactory) -> Home:
    from core.workflow.data import import_paths, sample_archives

    def make(root: Path) -> None:
        import_paths(Home.at(root), sample_archives())

    return Home.at(made_once(tmp_path_factory, "samples", make))


@pytest.fixture
def sample_home(home: Home, _samples_once: Home) -> Home:
    """A home with the three sample authors."""
    shutil.copytree(_samples_once.root, home.root)
    return home


@pytest.fixture
def told_home(sample_home: Home) -> Home:
    """The sample authors, and two runs written by hand: always the same picture."""
    shutil.copytree(RUNS, sample_home.runs)
    return sample_home


@pytest.fixture(scope="session")
def trained_once(_samples_once: Home, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A model that a real training process made: few steps, so that it babbles."""

    def make(root: Path) -> None:
        shutil.copytree(_samples_once.root, root)
        _train(Home.at(root))

    made = Home.at(made_once(tmp_path_factory, "trained", make))
    (folder,) = made.runs.iterdir()
    return Run(folder)


def _train(home: Home) -> None:
    import time

    from core.runs.follow import RunReader, is_alive
    from core.workflow.training import train

    run = train(home, ["orbit_grandmother"], base="scratch", max_steps=12, eval_tokens=256)
    reader, give_up = RunReader(run), time.monotonic() + 120
    while time.monotonic() < give_up:
        state = reader.poll().state
        if state == "finished" and not is_alive(run, run.record()):
            return  # and writes no more
        assert state not in ("failed", "dead"), run.log.read_text()
        time.sleep(0.2)
    raise AssertionError(f"no end within two minutes: {run.log.read_text()}")


@pytest.fixture
def trained_home(sample_home: Home, trained_once: Run) -> Home:
    """The sample authors, and a run with a model."""
    shutil.copytree(trained_once.folder, sample_home.runs / trained_once.id)
    return sample_home


@pytest.fixture
def next_run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Settings for the runs that the app starts from now on, also those it does not offer.

    A run limited by steps learns the same on a slow machine as on a fast one.
    """
    from core.runs import settings

    as_offered = settings.settings_for

    def choose(**values: object) -> None:
        def settings_for(preset: str, base: str, **offered: object) -> settings.TrainSettings:
            return as_offered(preset, base, **(offered | values))

        monkeypatch.setattr(settings, "settings_for", settings_for)

    return choose


@pytest.fixture
def no_process_stays(home: Home) -> Iterator[None]:
    """Whatever a test does to a trainer, it does not outlive the test."""
    yield
    from core.errors import MynahError
    from core.runs.launch import stop_run
    from core.runs.summary import list_runs

    for run in list_runs(home):
        with suppress(MynahError):  # what is no process of ours is none to end
            stop_run(Run(run.folder), wait=0.1)
