"""A run at a glance: what the record, the journal and the last word say together."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from core.home import Home
from core.runs.folder import Run
from core.runs.record import Result, RunRecord, short_name
from core.runs.settings import Continued, SweepTrial, settings_for
from core.runs.summary import RunsFollower, RunSummary, run_result, run_snapshot, run_summary
from tests.unit.test_runs_follow import alive, gone, make_run

RESULT = {"state": "stopped", "reason": "asked to", "steps": 7, "train_loss": 3.25,
          "valid_loss_after": 3.5, "device": "cuda", "expected_shares": {"keeper": 0.75},
          "tokens_by_author": {"keeper": 5}}  # fmt: skip


def with_lines(run: Run, *lines: dict[str, Any]) -> Run:
    run.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def test_a_run_whose_journal_is_gone_is_told_by_its_last_word(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a", state="stopped", result=RESULT, reason="so", ended="2026-02-03")
    told = run_summary(run)
    assert (told.step, told.steps, told.train_loss, told.valid_loss) == (7, None, 3.25, 3.5)
    assert (told.device, told.reason, told.ended) == ("cuda", "asked to", "2026-02-03")
    assert told.shares["keeper"].to_json() == {"expected": 0.75, "measured": 1.0}
    assert (told.method, told.preset, told.started) == ("full", "fast", "2026-01-01T00:00:00+00:00")
    assert (told.sweep, told.trial, told.continues, told.answers) == (None, None, None, False)
    bare = run_summary(make_run(tmp_path, "b", state="failed", reason="so", settings={}))
    assert (bare.step, bare.train_loss, bare.valid_loss, bare.reason) == (0, None, None, "so")
    assert (bare.device, bare.method, bare.preset, bare.settings) == ("", "", "", None)


def test_the_journal_goes_before_the_record(tmp_path: Path) -> None:
    lines = (
        {"kind": "start", "steps": 9, "device": "cpu", "expected_shares": {"keeper": 0.5}},
        {"kind": "train", "step": 8, "steps": 9, "loss": 2.5, "tokens": 90},
        {"kind": "eval", "step": 8, "phase": "during", "valid_loss": 4.5},
        {"kind": "eval", "step": 8, "phase": "during", "valid_loss": None},
    )
    run = with_lines(make_run(tmp_path, "a", result=RESULT, reason="x", ended="2026"), *lines)
    alive(run)
    told = run_summary(run)
    assert (told.state, told.step, told.steps, told.train_loss) == ("running", 8, 9, 2.5)
    assert (told.valid_loss, told.device, told.reason, told.ended) == (4.5, "cpu", "", None)
    assert told.shares["keeper"].to_json() == {"expected": 0.5, "measured": None}
    with_lines(run, *lines, {"kind": "end", "state": "finished", "steps": 9, "train_loss": 2.0,
                             "valid_loss_after": 4.25, "device": "mps", "reason": ""})  # fmt: skip
    ended = run_summary(run)
    assert (ended.state, ended.train_loss, ended.valid_loss) == ("finished", 2.0, 4.25)
    assert (ended.device, ended.reason) == ("mps", "x")


def test_who_it_waits_for_and_what_it_goes_on_from(tmp_path: Path) -> None:
    run = make_run(
        tmp_path, "a", base="/x/first", base_source="",
        sweep={"name": "rates", "trial": 3}, continues={"run": "first", "base": "smollm2"},
        settings=settings_for("fast", "smollm2", four_bit=True).to_json(),
    )  # fmt: skip
    alive(run)
    with_lines(run, {"kind": "queued", "waits_for": "another"})
    told = run_summary(run)
    assert (told.state, told.waits_for, told.continues) == ("queued", "another", "first")
    assert (told.sweep, told.trial, told.base) == ("rates", 3, "smollm2")
    assert (told.base_in_words, told.method, told.preset) == ("smollm2 in 4 bits", "lora", "fast")
    with_lines(run, {"kind": "queued", "waits_for": "another"}, {"kind": "train", "step": 1})
    assert run_summary(run).waits_for is None
    plain = run_summary(make_run(tmp_path, "b", base="/x/mine"))
    assert (plain.base, plain.base_in_words) == ("/x/mine", "/x/mine")


def test_names_of_a_base_for_others() -> None:
    folder = RunRecord(base="/home/me/models/mine")
    assert (folder.base_name, folder.began_with) == ("mine", "/home/me/models/mine")
    assert RunRecord(base="/").base_name == "a folder"
    assert RunRecord(base="org/base", base_source="hub").base_name == "org/base"
    again = RunRecord(base="/x", continues=Continued("first", "smollm2"))
    assert (again.base_name, again.began_with) == ("smollm2", "run first")
    assert RunRecord(handles=["b", "a"]).slug == "a-b"
    assert short_name("x" * 100) == "x" * 100
    assert short_name("x" * 101) == "x" * 100 + "-c675a2e6"
    assert RunRecord(sweep=SweepTrial("rates", 1)).now is False


def test_the_result_of_a_run_that_goes_on_is_what_is_known(tmp_path: Path) -> None:
    run = with_lines(
        make_run(tmp_path, "a"),
        {"kind": "start", "steps": 9, "device": "cpu", "valid_tweets": 6},
        {"kind": "eval", "step": 0, "phase": "before", "valid_loss": 5.0},
        {"kind": "train", "step": 2, "steps": 9, "loss": 2.5, "tokens": 90, "done": 0.25,
         "tokens_per_second": 30.0, "seconds": 3.5, "seconds_left": 9.5},
        {"kind": "memorisation", "step": 2, "train": 0.5, "held_out": 0.25},
        {"kind": "memorisation", "step": 2, "train": None, "held_out": None},
        {"kind": "note", "text": "good"}, {"kind": "warning", "text": "bad"},
    )  # fmt: skip
    run.samples.write_text('{"kind": "sample", "step": 2, "text": "the lamp"}\n')
    alive(run)
    found = run_result(run)
    assert (found["steps"], found["tokens"], found["tokens_per_second"]) == (2, 90, 30.0)
    assert (found["train_loss"], found["valid_loss_before"], found["valid_tweets"]) == (2.5, 5.0, 6)
    assert (found["memorised_train"], found["memorised_held_out"]) == (0.5, 0.25)
    assert (found["model_dir"], found["peak_memory"], found["state"]) == (None, None, "running")
    watched = run_snapshot(Home.at(tmp_path), run)
    assert {name: watched[name] for name in found} == found
    assert (watched["step"], watched["steps_planned"], watched["done"]) == (2, 9, 0.25)
    assert (watched["seconds"], watched["seconds_left"], watched["waits_for"]) == (3.5, 9.5, None)
    assert (watched["notes"], watched["warnings"]) == (["good"], ["bad"])
    assert watched["samples"] == [{"step": 2, "text": "the lamp"}]
    assert [len(points) for points in watched["curve"].values()] == [1, 1, 2]
    run.model.mkdir()
    (run.model / "config.json").write_text("{}")
    with run.metrics.open("a") as file:
        end = {"kind": "end", **RESULT, "state": "finished", "tokens": 80, "memorised_train": 0.0,
               "tokens_per_second": 25.0, "valid_loss_before": 5.5, "memorised_held_out": 0.125,
               "peak_memory": 7}  # fmt: skip
        file.write(json.dumps(end) + "\n")
    after = run_result(run)
    assert (after["steps"], after["tokens"], after["tokens_per_second"]) == (7, 80, 25.0)
    assert (after["memorised_train"], after["memorised_held_out"]) == (0.0, 0.125)
    assert (after["valid_loss_before"], after["peak_memory"]) == (5.5, 7)
    assert after["model_dir"] == str(run.model)
    assert run_snapshot(Home.at(tmp_path), run)["done"] == 1.0


def test_the_log_has_the_end_of_what_the_process_printed(tmp_path: Path) -> None:
    run = with_lines(make_run(tmp_path, "a", state="failed", reason="No."), {"kind": "phase"})
    assert run_summary(run).log_text() == "No."
    (run.folder / "train.log").write_text("first\n" + "x" * 200_000 + "\nlast\n")
    text = run_summary(run).log_text()
    assert text.startswith("No.\n\nIts process printed:\nxxx")
    assert text.endswith("xxx\nlast")
    assert "first" not in text
    (run.folder / "train.log").write_text("first\nlast\n")
    assert run_summary(run).log_text().endswith("printed:\nfirst\nlast")
    (run.folder / "train.log").write_text("\n\n")
    assert run_summary(run).log_text() == "No."
    gone(run)
    run.update_record(state="running", reason="")
    with_lines(run, {"kind": "train", "step": 1})
    assert "Its process is gone" in run_summary(run).log_text()


@pytest.mark.parametrize(
    ("started", "hours"),
    [("2026-01-01T00:00:00", 0), ("2026-01-01T00:00:00+02:00", 2), ("soon", None), (None, None),
     ("", None)],
)  # fmt: skip
def test_when_it_started(tmp_path: Path, started: str | None, hours: int | None) -> None:
    told = run_summary(make_run(tmp_path, "a", state="failed"))
    at = RunSummary(**{**vars(told), "started": started}).started_at
    midnight = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert at == (None if hours is None else midnight - timedelta(hours=hours))


def test_all_runs_are_followed_newest_first(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    assert RunsFollower(home).poll() == ([], {}, False)
    for name, day in (("a", 2), ("b", 3), ("c", 1), ("d", 3)):
        make_run(tmp_path, name, f"2026-01-0{day}T00:00:00+00:00", state="finished")
    follower = RunsFollower(home)
    assert [one.run for one in follower.poll()[0]] == ["d", "b", "a", "c"]
    summary, history = follower.catch_up()
    assert (summary.run, history.step) == ("d", 0)
    with_lines(Run(home.runs / "a"), {"kind": "train", "step": 4})
    summaries, histories, changed = follower.poll()
    assert changed
    assert [one.step for one in summaries] == [0, 0, 4, 0]
    assert histories["a"].step == 4
    (home.runs / "b").rename(tmp_path / "b")
    summaries, histories, changed = follower.poll()
    assert ([one.run for one in summaries], changed) == (["d", "a", "c"], True)
    assert sorted(histories) == ["a", "c", "d"]
    Run(home.runs / "c").record_file.write_text("{")
    summaries, _, changed = follower.poll()
    assert ([one.run for one in summaries], changed) == (["d", "a"], True)
    assert not follower.poll()[2], "what stays damaged is no news"


def test_a_result_is_kept_whole(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    run.update_record(result=Result(state="finished", steps=0))
    assert json.loads(run.record_file.read_bytes())["result"] == {"state": "finished", "steps": 0}
    assert run.record_file.read_bytes().startswith(b'{\n "')
    assert run.record_file.read_bytes().endswith(b"\n}\n")
