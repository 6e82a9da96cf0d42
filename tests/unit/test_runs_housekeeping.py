"""Names, notes and tags of runs, and the trash: in the folders and on the command line."""

from __future__ import annotations

import json
import os
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from core.corpus.store import Corpus
from core.errors import InputRefused, WrongUsage
from core.forgetting import forget
from core.home import Home
from core.locks import held_lock
from core.processes import process_times, this_machine
from core.runs.folder import Run, find_run
from core.runs.housekeeping import (
    delete_run,
    deleted_id,
    deleted_runs,
    empty_trash,
    find_deleted,
    note_run,
    parts_of,
    rename_run,
    restore_run,
    runs_in_trash,
    set_tags,
    tag_run,
)
from core.runs.settings import Continued
from core.workflow.data import import_paths, sample_archives
from tests.unit.cli import MYNAH, environment, mynah
from tests.unit.cli import on_a_terminal as terminal

FIXTURES = Path(__file__).parents[1] / "fixtures" / "runs"
KEEPER = "20260301-1015-keeper-c0de"
HOSTILE = "[red]\x1b[31m\u202e no\nmarkup[/red]"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with two runs that have ended."""
    shutil.copytree(FIXTURES, tmp_path / "home" / "runs")
    return tmp_path / "home"


def listed(home: Path) -> dict[str, dict[str, Any]]:
    return {one["run"]: one for one in mynah("runs", "--json", home=home).json()}


def other(home: Path) -> str:
    (found,) = {path.name for path in (home / "runs").iterdir()} - {KEEPER}
    return found


def is_queued(home: Path, name: str, **fields: Any) -> Run:
    run = Run(home / "runs" / name)
    run.update_record(
        state="queued", result=None, resumed=4e9, machine=this_machine(),
        pid=os.getpid(), pid_start=process_times(os.getpid()), **fields,
    )  # fmt: skip
    return run


def test_a_name_stands_for_its_run_in_every_command(home: Path) -> None:
    before = listed(home)[KEEPER]
    assert (before["name"], before["note"], before["tags"]) == ("", "", [])
    named = mynah("runs", "rename", KEEPER, "  night   shift ", "--json", home=home).json()
    assert named == before | {"name": "night shift", "bytes": named["bytes"]}
    assert mynah("watch", "night shift", "--json", home=home).json()["run"] == KEEPER
    assert mynah("stop", "night shift", "--json", home=home).json()["run"] == KEEPER
    assert "night shift" in mynah("runs", home=home).text
    assert KEEPER in mynah("runs", "rename", other(home), "night shift", home=home, code=3).err
    assert "latest" in mynah("runs", "rename", KEEPER, "latest", home=home, code=2).err
    assert "60 characters" in mynah("runs", "rename", KEEPER, "x" * 61, home=home, code=2).err
    # an id goes before a name, a name before the beginning of an id
    rename_run(Home.at(home), Run(home / "runs" / other(home)), KEEPER[:8])
    assert find_run(Home.at(home), KEEPER[:8]).id == other(home)
    assert mynah("runs", "rename", "night shift", "", "--json", home=home).json()["name"] == ""
    assert "no run" in mynah("watch", "night shift", home=home, code=3).err


def test_notes_and_tags(home: Path) -> None:
    mynah("runs", "note", KEEPER, HOSTILE, home=home)
    assert listed(home)[KEEPER]["note"] == "[red]␛[31m‹202E› no markup[/red]"
    shown = mynah("runs", home=home).text
    assert "\x1b" not in shown
    assert "[red]" in shown
    tags = ["runs", "tag", KEEPER, "#base", "slow", "BASE", "--json"]
    assert mynah(*tags, home=home).json()["tags"] == ["base", "slow"]
    again = mynah("runs", "tag", KEEPER, "new", "--remove", "Base", "--json", home=home)
    assert again.json()["tags"] == ["slow", "new"]
    assert mynah("runs", "tag", KEEPER, "--json", home=home).json()["tags"] == ["slow", "new"]
    assert "#slow #new" in mynah("runs", "tag", KEEPER, home=home).err
    assert "one word" in mynah("runs", "tag", KEEPER, "two words", home=home, code=2).err
    query = "SELECT name, note, tags FROM runs WHERE 'slow' IN tags"
    (row,) = mynah("sql", query, "--json", home=home).json()
    assert (row["tags"], row["name"]) == (["slow", "new"], "")
    assert "no markup" in row["note"]
    mynah("runs", "note", KEEPER, "", home=home)
    assert listed(home)[KEEPER]["note"] == ""


def test_the_longest_name_note_and_tag(home: Path) -> None:
    at, run = Home.at(home), Run(home / "runs" / KEEPER)
    rename_run(at, run, "n" * 60)
    note_run(run, "t" * 1000)
    set_tags(run, ["#" + "g" * 29, "b"])
    record = run.record()
    assert (record.name, record.note, record.tags) == ("n" * 60, "t" * 1000, ["g" * 29, "b"])
    for refused, most in (
        (lambda: rename_run(at, run, "n" * 61), "60 characters; this has 61"),
        (lambda: note_run(run, "t" * 1001), "1,000 characters; this has 1,001"),
        (lambda: tag_run(run, ["g" * 31]), "30 characters; this has 31"),
    ):
        with pytest.raises(WrongUsage, match=most):
            refused()
    for wrong, why in (("", ""), ("#", ""), ("a b", "'a b' is not."), ("a,b", "'a,b' is not.")):
        with pytest.raises(WrongUsage, match="one word") as told:
            tag_run(run, [wrong])
        assert told.value.why == why
    assert run.record() == record
    rename_run(at, run, "n" * 60)
    with pytest.raises(InputRefused, match=f"{KEEPER} is called"):
        rename_run(at, Run(home / "runs" / other(home)), "n" * 60)
    with pytest.raises(InputRefused, match="is the id of another run"):
        rename_run(at, run, other(home))
    assert find_run(at, "n" * 60).id == KEEPER


def test_what_there_is_of_a_run(home: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "new")
    assert parts_of(run) == []
    for folder in (run.model, run.checkpoints, run.dataset):
        folder.mkdir(parents=True)
    assert parts_of(run) == ["checkpoints", "dataset"], "a folder alone is no model"
    for file in (run.model / "config.json", run.metrics, run.samples):
        file.touch()
    assert parts_of(run) == ["model", "checkpoints", "curve", "samples", "dataset"]


def test_what_a_process_writes_and_what_a_person_writes_do_not_undo_each_other(
    home: Path,
) -> None:
    run = Run(home / "runs" / KEEPER)
    with held_lock(run.lock):  # as a training process holds it for its life
        mynah("runs", "note", KEEPER, "while it learns", home=home)
        run.update_record(reason="so it was")
    assert (run.record().note, run.record().reason) == ("while it learns", "so it was")


def test_a_deleted_run_lies_in_the_trash_as_it_was(home: Path) -> None:
    files = {path.name for path in (home / "runs" / KEEPER).iterdir()}
    asked = mynah("runs", "delete", KEEPER, home=home, code=2)
    assert "--yes" in asked.err
    assert "curve" in asked.err
    assert set(listed(home)) == {KEEPER, other(home)}, "nobody said yes"
    summary = listed(home)[KEEPER]
    gone = mynah("runs", "delete", KEEPER, KEEPER[:-1], "--yes", "--json", home=home)
    assert gone.json() == summary
    assert set(listed(home)) == {other(home)}
    assert "no run" in mynah("watch", KEEPER, home=home, code=3).err
    (there,) = runs_in_trash(Home.at(home))
    assert there.record().id == KEEPER
    assert {path.name for path in there.folder.iterdir()} == files | {"lock"}
    both = mynah("runs", "delete", "nobody", other(home), "--yes", home=home, code=3)
    assert "nobody" in both.err
    assert len(listed(home)) == 1, "all are found, or none is deleted"


def test_a_run_is_not_deleted_under_a_report_that_is_being_made(home: Path) -> None:
    run = Run(home / "runs" / KEEPER)
    with held_lock(run.report_lock):
        told = mynah("runs", "delete", KEEPER, "--yes", home=home, code=3)
    assert "A report on" in told.err
    assert KEEPER in listed(home)
    mynah("runs", "delete", KEEPER, "--yes", home=home)
    assert KEEPER not in listed(home)


def test_a_deleted_run_can_be_had_back(home: Path) -> None:
    before = listed(home)[KEEPER]
    told = mynah("runs", "delete", KEEPER, "--yes", home=home)
    assert f"mynah trash restore {KEEPER}" in told.err
    assert "1 deleted run in the trash, " in mynah("runs", home=home).err
    doctor = {one["name"]: one["detail"] for one in mynah("doctor", "--json", home=home).json()}
    assert doctor["trash"].startswith("1 deleted run, ")
    (there,) = mynah("trash", "--json", home=home).json()
    assert mynah("trash", "--json", "list", home=home).json() == [there]
    assert there == mynah("trash", "list", "--json", home=home).json()[0]
    assert (there["run"], there["bytes"] > 1000, there["stale"]) == (KEEPER, True, False)
    when = [datetime.fromisoformat(there[name]) for name in ("deleted", "expires")]
    assert when[1] - when[0] == timedelta(days=7)
    assert KEEPER in mynah("trash", "list", home=home).text
    assert "no deleted run 'nobody'" in mynah("trash", "restore", "nobody", home=home, code=3).err
    back = mynah("trash", "restore", KEEPER[:12], "--json", home=home).json()
    assert back["run"] == KEEPER
    after = listed(home)[KEEPER]
    assert after | {"bytes": before["bytes"]} == before
    assert mynah("trash", "--json", home=home).json() == []
    assert "empty" in mynah("trash", home=home).err


def test_nothing_is_restored_over_a_run_that_is_there(home: Path) -> None:
    shutil.copytree(home / "runs" / KEEPER, home / "another")
    mynah("runs", "delete", KEEPER, "--yes", home=home)
    (home / "another").rename(home / "runs" / KEEPER)
    assert "a run" in mynah("trash", "restore", KEEPER, home=home, code=3).err
    assert len(runs_in_trash(Home.at(home))) == 1
    (home / "runs" / KEEPER / "run.json").unlink()
    with pytest.raises(InputRefused, match="and is no run"):
        restore_run(Home.at(home), find_deleted(Home.at(home), KEEPER))


def test_the_trash_is_emptied_after_a_yes(home: Path) -> None:
    mynah("runs", "delete", KEEPER, other(home), "--yes", home=home)
    assert "--yes" in mynah("trash", "empty", home=home, code=2).err
    assert len(runs_in_trash(Home.at(home))) == 2
    twice = KEEPER, KEEPER[:-1]
    (gone,) = mynah("trash", "empty", *twice, "--yes", "--json", home=home).json()
    assert gone["run"] == KEEPER
    assert [run.id.endswith(KEEPER) for run in runs_in_trash(Home.at(home))] == [False]
    mynah("trash", "empty", "--yes", home=home)
    assert runs_in_trash(Home.at(home)) == []


def test_a_command_that_lists_removes_a_few_that_are_too_old(home: Path) -> None:
    for number in range(4):
        folder = home / "trash" / f"20240101T00000{number}Z-run-{number}"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
    mynah("runs", "--json", home=home)
    assert len(runs_in_trash(Home.at(home))) == 1
    mynah("trash", "--json", home=home)
    assert runs_in_trash(Home.at(home)) == []


def test_on_a_terminal_it_asks(home: Path) -> None:
    command = [*MYNAH, "runs", "delete", KEEPER]
    given = {"keys": b"n\n", "after": "Delete this run?"}
    code, seen = terminal(command, environment(home), **given)  # type: ignore[arg-type]
    assert code == 130
    assert b"Nothing was deleted" in seen
    code, seen = terminal(command, environment(home), **given | {"keys": b"y\n"})  # type: ignore[arg-type]
    assert code == 0, seen
    assert set(listed(home)) == {other(home)}


def test_a_run_that_is_going_is_not_deleted(home: Path) -> None:
    run = is_queued(home, KEEPER)
    refused = mynah("runs", "delete", other(home), KEEPER, "--yes", home=home, code=3).err
    assert f"mynah stop {KEEPER}" in refused
    assert len(listed(home)) == 2
    with pytest.raises(InputRefused, match="still going"):
        delete_run(Home.at(home), run)


@pytest.mark.parametrize("by", ["continues", "base"])
def test_a_run_that_a_queued_one_is_to_begin_with_is_not_deleted(home: Path, by: str) -> None:
    run = Run(home / "runs" / KEEPER)
    given = {
        "continues": {"continues": Continued(KEEPER, "smollm2")},
        "base": {"base": str(run.model)},
    }[by]
    queued = is_queued(home, other(home), **given)
    refused = mynah("runs", "delete", KEEPER, "--yes", home=home, code=3).err
    assert f"{queued.id} is about to begin with the weights of {KEEPER}." in refused
    assert f"mynah stop {queued.id}" in refused
    with pytest.raises(InputRefused, match="about to begin"):
        delete_run(Home.at(home), run)
    queued.update_record(state="running")
    queued.metrics.write_text("")
    with queued.metrics.open("a") as journal:
        journal.write('{"kind": "start", "step": 0}\n{"kind": "train", "step": 1, "loss": 3.0}\n')
    delete_run(Home.at(home), run)


def test_a_run_that_is_deleted_twice_can_still_be_had_back(home: Path) -> None:
    at, run = Home.at(home), Run(home / "runs" / KEEPER)
    delete_run(at, run)
    with pytest.raises(InputRefused, match="is not a run"):
        delete_run(at, run)
    assert restore_run(at, find_deleted(at, KEEPER)).record().id == KEEPER


def test_a_deleted_run_is_known_by_its_whole_id_and_by_its_folder(tmp_path: Path) -> None:
    at = Home.at(tmp_path)
    for name in ("20260101T000000Z-lamp", "20260102T000000Z-lamp-2"):
        (at.trash / name).mkdir(parents=True)
    assert find_deleted(at, "lamp").id == "lamp", "though another one begins with it"
    assert find_deleted(at, "20260102T000000Z-lamp-2").id == "lamp-2"
    with pytest.raises(InputRefused, match="could be 2 deleted runs"):
        find_deleted(at, "la")


def test_of_what_lies_in_the_trash_only_deleted_runs_count(tmp_path: Path) -> None:
    at = Home.at(tmp_path)
    assert deleted_runs(at) == []
    with pytest.raises(InputRefused, match="no deleted run 'lamp'") as refused:
        find_deleted(at, "lamp")
    assert (refused.value.why, refused.value.next_step) == ("The trash is empty.", "")
    assert [deleted_id(name) for name in ("20260101T000000Z-a-b", "20260101T000000Z-", "x")] == [
        "a-b", None, None,
    ]  # fmt: skip
    for day in range(1, 8):
        (at.trash / f"2026010{day}T000000Z-lamp-{day}").mkdir(parents=True)
    (at.trash / "20260109T000000Z-file").touch()
    (at.trash / "20260109T000000Z-link").symlink_to(tmp_path)
    (at.trash / "20269999T000000Z-no-date").mkdir()
    there = deleted_runs(at)
    assert [one.id for one in there] == [f"lamp-{day}" for day in range(7, 0, -1)]
    assert [run.id[-6:] for run in runs_in_trash(at)] == [f"lamp-{day}" for day in range(1, 8)]
    assert there[0].deleted == datetime(2026, 1, 7, tzinfo=timezone.utc)
    assert there[0].expires == datetime(2026, 1, 14, tzinfo=timezone.utc)
    with pytest.raises(InputRefused) as refused:
        find_deleted(at, "gull")
    assert refused.value.why == "In the trash: lamp-7, lamp-6, lamp-5, lamp-4, lamp-3."
    assert refused.value.next_step == "`mynah trash list` shows what is there."
    with pytest.raises(InputRefused, match="could be 7 deleted runs") as refused:
        find_deleted(at, "lamp")
    assert refused.value.why == "They are lamp-7, lamp-6, lamp-5, lamp-4, lamp-3."
    with pytest.raises(InputRefused):
        find_deleted(at, "")
    (at.trash / "20260108T000000Z-lamp-1").mkdir()
    assert find_deleted(at, "lamp-1").deleted.day == 8, "the last deleted of one id"
    assert find_deleted(at, "20260101T000000Z-lamp-1").deleted.day == 1


def test_runs_leave_the_trash_when_their_week_is_over(tmp_path: Path) -> None:
    at = Home.at(tmp_path)
    for day in range(1, 6):
        (at.trash / f"2026010{day}T000000Z-lamp-{day}").mkdir(parents=True)
    week_of_2 = datetime(2026, 1, 9, tzinfo=timezone.utc)
    assert [one.id for one in empty_trash(at, week_of_2)] == ["lamp-1"]
    later = week_of_2 + timedelta(days=2, seconds=1)
    assert [one.id for one in empty_trash(at, later, most=2)] == ["lamp-4", "lamp-3"]
    assert [one.id for one in deleted_runs(at)] == ["lamp-5", "lamp-2"]
    assert [one.id for one in empty_trash(at)] == ["lamp-5", "lamp-2"], "now is long after"


def test_what_cannot_be_moved_stays_where_it_is(home: Path) -> None:
    at, run = Home.at(home), Run(home / "runs" / KEEPER)
    at.trash.write_text("in the way")
    with pytest.raises(InputRefused, match="cannot be moved to") as refused:
        delete_run(at, run)
    assert "File exists" in refused.value.why or "Not a directory" in refused.value.why
    assert run.record().id == KEEPER
    at.trash.unlink()
    delete_run(at, run)
    deleted = find_deleted(at, KEEPER)
    assert not deleted.stale
    (deleted.run.folder / "stale.json").write_text('{"tweets": 1}')
    assert deleted.stale
    shutil.rmtree(at.runs)
    at.runs.write_text("in the way")
    with pytest.raises(InputRefused, match="cannot be moved back") as refused:
        restore_run(at, deleted)
    assert "File exists" in refused.value.why
    at.runs.unlink()
    assert restore_run(at, deleted).record().id == KEEPER


def test_only_what_was_deleted_a_week_ago_is_removed(home: Path) -> None:
    at = Home.at(home)
    delete_run(at, find_run(at, KEEPER))
    (at.trash / "mine").mkdir()
    (at.trash / "99999999T999999Z-no-date").mkdir()
    now = datetime.now(timezone.utc)
    empty_trash(at, now + timedelta(days=6))
    assert len(runs_in_trash(at)) == 1
    empty_trash(at, now + timedelta(days=8))
    assert {path.name for path in at.trash.iterdir()} == {"mine", "99999999T999999Z-no-date"}


def test_tweets_that_are_forgotten_mark_a_deleted_run_too(home: Path) -> None:
    at = Home.at(home)
    handle = find_run(at, KEEPER).record().handles[0]
    delete_run(at, find_run(at, KEEPER))
    import_paths(at, [path for path in sample_archives() if path.stem == handle])
    forget(Corpus(at.corpus), at, handles=[handle])
    (there,) = runs_in_trash(at)
    assert json.loads((there.folder / "stale.json").read_text())["handles"] == [handle]
