"""The sentence that leads a newcomer on, and what the app remembers between sessions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.home import Home
from tui.actions import SECTIONS, of_section
from tui.state import State
from tui.text.next_step import next_step


@dataclass
class Run:
    """As much of a run summary as the sentence looks at."""

    state: str
    has_model: bool = False
    run: str = "20260301-1015-keeper-c0de"


def state(**known: Any) -> State:
    chosen = ["keeper"] if known.get("accounts") else []
    return State(Home(Path("/nowhere")), **({"chosen": chosen} | known))


@pytest.mark.parametrize("section", SECTIONS)
def test_nothing_is_said_before_anything_is_known(section: str) -> None:
    assert next_step(state(), section) == ""


@pytest.mark.parametrize("section", SECTIONS)
def test_an_empty_corpus_leads_to_data(section: str) -> None:
    said = next_step(state(accounts=[]), section)
    assert (said == "") == (section == "data"), "in Data the empty list itself says it"
    assert section == "data" or "Press 1" in said


@pytest.mark.parametrize("section", SECTIONS)
def test_each_stage_says_its_own_next_key(section: str) -> None:
    account: Any = object()
    stages: list[dict[str, Any]] = [
        {},
        {"runs": [Run("running")]},
        {"runs": [Run("finished", has_model=True)]},
    ]
    said = [next_step(state(accounts=[account], **stage), section) for stage in stages]
    assert all(said)
    assert len(set(said)) == 3
    assert max(map(len, [*said, next_step(state(accounts=[]), section)])) <= 74, "80 columns"
    nobody = next_step(state(accounts=[account], chosen=[]), section)
    assert ("No account is chosen" in nobody) == (section != "sample")
    assert len(nobody) <= 74
    keys = {key for action in of_section(section) for key in action.keys.split(",")}
    named = {
        word.strip(".,") for line in said for word in line.split() if len(word.strip(".,")) == 1
    }
    assert named - {"a", "A"} <= keys | set("12345") | {"s"}, "it names keys that work"


@pytest.mark.parametrize("section", SECTIONS)
def test_it_is_silent_once_the_first_sample_is_made_and_while_importing(section: str) -> None:
    account: Any = object()
    assert next_step(state(accounts=[account], sampled=True), section) == ""
    assert next_step(state(accounts=[account], importing=True), section) == ""


@pytest.mark.parametrize("going", ["starting", "running", "stopping"])
def test_the_live_run_is_the_newest_that_goes_on(going: str) -> None:
    runs: list[Any] = [Run("finished", True), Run(going, run="b"), Run("running", run="c")]
    known = state(runs=runs)
    assert known.live_run is runs[1]
    assert known.ready_run is runs[0]
    assert state(runs=[Run("dead")]).live_run is None
    assert state().ready_run is None


def test_a_run_that_waits_is_the_live_one_only_where_none_is_at_work() -> None:
    runs: list[Any] = [Run("queued", run="b"), Run("queued", run="c"), Run("running", run="d")]
    assert state(runs=runs).live_run is runs[2]
    assert state(runs=runs[:2]).live_run is runs[0]


def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    first = State(home, chosen=["keeper", "gran"], sampled=True)
    first.remember()
    second = State(home)
    assert second.recall() == "standard"
    assert second.chosen == ["keeper", "gran"]
    assert second.sampled


@pytest.mark.parametrize("damage", ["", "{", "[]", "3", '{"chosen": 3}', '{"recipe": []}', "\x00"])
def test_damaged_memory_is_no_memory(tmp_path: Path, damage: str) -> None:
    home = Home(tmp_path)
    home.settings.write_text(damage)
    assert State(home).recall() == "standard"


def test_memory_that_cannot_be_written_hurts_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    State(Home(tmp_path / "file" / "home"), chosen=["keeper"]).remember()


def test_settings_of_the_first_version_load_and_what_is_unknown_in_them_stays(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    home.settings.write_text('{"chosen": ["keeper"], "recipe": "mine", "sampled": true, "x": 1}')
    known = State(home)
    assert known.recall() == "mine"
    assert (known.chosen, known.sampled, known.theme) == (["keeper"], True, "")
    known.theme = "mynah-day"
    known.remember()
    again = State(home)
    again.recall()
    assert again.theme == "mynah-day"
    assert json.loads(home.settings.read_text())["x"] == 1
