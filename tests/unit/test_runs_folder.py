"""Run folders: their names, finding one, and what of a run's tweets was forgotten."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputRefused
from core.home import Home
from core.locks import held_lock
from core.runs import folder
from core.runs.folder import (
    STALE_NOTE,
    Run,
    all_runs,
    checkpoint_folders,
    find_run,
    new_run_id,
    runs_named,
    stale_note,
    stale_reason,
)
from tests.unit.test_runs_follow import make_run


def test_an_id_has_time_account_and_four_digits() -> None:
    now = datetime(2026, 11, 21, 3, 12)  # noqa: DTZ001 - local time
    assert re.fullmatch(r"20261121-0312-keeper-[0-9a-f]{4}", new_run_id(["Keeper", "b"], now))
    long = new_run_id(["a_handle_of_thirty_characters_"], now)
    assert re.fullmatch(r"20261121-0312-a_handle_of_thirty_chara-[0-9a-f]{4}", long)
    assert new_run_id(["漢字"], now).startswith("20261121-0312-run-")


def test_a_refusal_names_runs_that_could_be_meant(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    assert all_runs(home) == []
    with pytest.raises(InputRefused, match="no runs yet"):
        find_run(home, "a")
    for number in range(7):
        make_run(tmp_path, f"lamp-{number}", f"2026-01-0{number + 1}T00:00:00+00:00")
    with pytest.raises(InputRefused) as refused:
        find_run(home, "lamp")
    assert refused.value.what == "'lamp' could be 7 runs."
    assert refused.value.why == "They are lamp-6, lamp-5, lamp-4, lamp-3, lamp-2."
    with pytest.raises(InputRefused) as refused:
        find_run(home, "gull")
    assert refused.value.why == "The newest is lamp-6."
    Run(home.runs / "lamp-3").update_record(name="lamp-4")
    assert find_run(home, "lamp-4").id == "lamp-4", "an id goes before a name"
    Run(home.runs / "lamp-3").update_record(name="lamp")
    assert find_run(home, "lamp").id == "lamp-3", "a name before the beginning of an id"
    assert [run.id for run in runs_named(all_runs(home), "lamp")] == ["lamp-3"]
    assert runs_named(all_runs(home), "") == [], "runs without a name have none in common"
    Run(home.runs / "lamp-5").record_file.write_text("{")
    assert [run.id for run in all_runs(home)][-1] == "lamp-5", "of which no date is known"
    assert find_run(home, "lamp").id == "lamp-3"


def test_whole_checkpoints_in_their_order(tmp_path: Path) -> None:
    assert checkpoint_folders(tmp_path / "none") == []
    for name in ("step-0000020", "step-0000003", "step-12", "step-0000020-part", "other"):
        (tmp_path / name).mkdir()
    assert [path.name for path in checkpoint_folders(tmp_path)] == ["step-0000003", "step-0000020"]


def test_a_record_that_somebody_else_is_writing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "_RECORD_SECONDS", 0.05)
    run = make_run(tmp_path, "a")
    with (
        held_lock(run.folder / "record.lock"),
        pytest.raises(InputRefused, match="Another process is writing") as refused,
    ):
        run.update_record(name="b")
    assert refused.value.what == "a cannot be changed."
    run.record_file.unlink()
    with pytest.raises(InputRefused, match="a is not a run"):
        run.update_record(name="b")
    assert not Run(tmp_path / "gone").folder.exists()
    with pytest.raises(InputRefused):
        Run(tmp_path / "gone").update_record(name="b")
    assert not Run(tmp_path / "gone").folder.exists(), "no folder is made for the lock"


def test_a_run_takes_the_room_of_its_files(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    before = run.disk_bytes()
    run.metrics.write_bytes(os.urandom(300_000))
    assert 290_000 < run.disk_bytes() - before < 400_000


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ({"tweets": 1, "handles": []}, "1 tweet"),
        ({"tweets": 2345, "handles": ["a", "b"]}, "2,345 tweets of @a, @b"),
        ({"tweets": 0, "handles": ["a"]}, "tweets of @a"),
        ({"tweets": "many", "handles": ["a"]}, "tweets of @a"),
        ({}, "tweets"),
        # tweets that went one by one: of the accounts named, of others, and of nobody knows whom
        ({"tweets": 3, "handles": ["a"], "tweet_ids": ["1"], "tweets_by": ["a"]},
         "3 tweets of @a"),
        ({"tweets": 3, "handles": ["a", "b"], "tweet_ids": ["1"], "tweets_by": ["a"]},
         "3 tweets of @a, @b"),
        ({"tweets": 3, "handles": ["a"], "tweet_ids": ["1"], "tweets_by": ["b"]},
         "3 tweets of @a and others"),
        ({"tweets": 3, "handles": ["a"], "tweet_ids": ["1"]}, "3 tweets of @a and others"),
        ({"tweets": 3, "handles": ["a"], "tweet_ids": []}, "3 tweets of @a"),
        ({"tweets": 3, "handles": [], "tweet_ids": ["1"], "tweets_by": ["b"]}, "3 tweets"),
        ({"tweets": 3, "handles": "a"}, "3 tweets"),
    ],
)  # fmt: skip
def test_what_was_forgotten_is_a_sentence(tmp_path: Path, note: dict[str, Any], said: str) -> None:
    (tmp_path / STALE_NOTE).write_text(json.dumps(note))
    assert stale_reason(tmp_path) == f"Made with {said} that you have forgotten since."


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_note_that_is_none_says_nothing(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / STALE_NOTE).write_text(content)
    assert stale_note(tmp_path) is None
    assert stale_reason(tmp_path) is None
