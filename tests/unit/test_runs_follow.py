"""Reading what a run writes while it is being written."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from toy_runs import edit_record, follow, start_toy

from core.errors import InputRefused
from core.home import Home
from core.json_lines import read_json_lines
from core.processes import Owner, process_times, this_machine
from core.runs.curve import whole_curve
from core.runs.events import Journal
from core.runs.folder import STALE_NOTE, Run, all_runs, find_run, new_run_id
from core.runs.follow import LAUNCH_SECONDS, SLICE_RECORDS, LineTail, RunReader
from core.runs.history import RunHistory
from core.runs.record import Result
from core.runs.summary import RunsFollower, list_runs, run_result, run_summary
from core.runs.tracked import Tracked, write_tracked
from tests.unit.cli import mynah


def make_run(
    home: Path, name: str, created: str = "2026-01-01T00:00:00+00:00", **more: object
) -> Run:
    run = Run(home / "runs" / name)
    run.folder.mkdir(parents=True)
    record = {"id": name, "handles": ["keeper"], "base": "scratch", "created": created,
              "settings": {"method": "full", "preset": "fast"}, "state": "queued", "pid": None,
              "pid_start": None, "machine": this_machine()}  # fmt: skip
    edit_record(run, **{**record, **more})
    return run


def alive(run: Run) -> None:
    run.update_record(pid=os.getpid(), pid_start=process_times(os.getpid()))


def gone(run: Run) -> None:
    run.update_record(pid=os.getpid(), pid_start=1.0)


def long_ago(folder: Path) -> None:
    """What was written less than a second ago is always read again."""
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9))


def test_a_half_written_line_is_not_there_yet(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    alive(run)
    run.metrics.write_bytes(b'{"kind":"train","step":1,"loss":2.5}\n{"kind":"tra')
    reader = RunReader(run)
    assert [record["step"] for record in reader.poll().records] == [1]
    assert reader.poll().records == []
    with run.metrics.open("ab") as file:
        file.write(b'in","step":2,"loss":2.4}\n')
    assert [record["step"] for record in reader.poll().records] == [2]


def test_a_slice_is_bounded_and_the_rest_comes_next(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    alive(run)
    count = 3 * SLICE_RECORDS + 17
    lines = [json.dumps({"kind": "train", "step": i, "loss": 1.0}) for i in range(count)]
    run.metrics.write_text("\n".join(lines) + "\n")
    reader, seen, slices = RunReader(run), [], 0
    while True:
        update = reader.poll()
        assert len(update.records) + len(update.samples) <= SLICE_RECORDS
        seen += [record["step"] for record in update.records]
        slices += 1
        if not update.more:
            break
    assert seen == list(range(count))
    assert slices >= 4


def test_time_bounds_a_slice_too(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"kind":"train"}\n' * 10)
    tail = LineTail(path)
    records, more = tail.read(100, until=time.monotonic() - 1)
    assert (records, more) == ([], True)


def test_broken_lines_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b'{"a":1}\nnot json\n[1]\n\xff\xfe\n\n{"a":2}\n')
    tail = LineTail(path)
    records, more = tail.read(100, until=time.monotonic() + 5)
    assert (records, more) == ([{"a": 1}, {"a": 2}], False)
    assert tail.broken == 3


def test_states(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    run.heartbeat.touch()
    assert RunReader(run).poll().state == "queued"
    alive(run)
    assert RunReader(run).poll().state == "starting"
    journal = Journal(run)
    journal.phase("loading the model")
    assert RunReader(run).poll().state == "starting"
    journal.write("start", steps=5)
    assert RunReader(run).poll().state == "running"
    run.stop_mark.touch()
    assert RunReader(run).poll().state == "stopping"
    run.stop_mark.unlink()
    gone(run)
    assert RunReader(run).poll().state == "dead"
    journal.end(Result(state="stopped", reason="asked to"))
    assert RunReader(run).poll().state == "stopped"
    run.update_record(state="queued", resumed=time.time() + 1)
    alive(run)
    assert RunReader(run).poll().state == "starting"
    journal.write("start", steps=5, resumed_from=2)
    assert RunReader(run).poll().state == "running", "a later line revives it"
    journal.close()


def test_a_run_on_another_machine_is_known_by_its_heartbeat(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a", machine="elsewhere", pid=1, pid_start=1.0)
    run.heartbeat.touch()
    run.metrics.write_text('{"kind":"train","step":1}\n')
    assert RunReader(run).poll().state == "running"
    long_ago = time.time() - 3600
    os.utime(run.heartbeat, (long_ago, long_ago))
    assert RunReader(run).poll().state == "dead"


def test_the_journal_ends_a_line_that_a_killed_process_left(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    run.metrics.write_bytes(b'{"kind":"train","step":1}\n{"kind":"tr')
    journal = Journal(run)
    journal.write("train", step=2, loss=float("nan"))
    journal.close()
    tail = LineTail(run.metrics)
    records, _ = tail.read(100, until=time.monotonic() + 5)
    assert [record["step"] for record in records] == [1, 2]
    assert records[1]["loss"] is None, "what is not a number is a gap"


def test_history_of_a_resumed_run_does_not_run_back_in_time() -> None:
    history = RunHistory()
    history.take({"kind": "train", "step": step, "loss": 1.0} for step in range(1, 9))
    history.take([{"kind": "start", "steps": 20, "resumed_from": 5}])
    history.take({"kind": "train", "step": step, "loss": 0.5} for step in range(6, 8))
    assert history.train_steps == [1, 2, 3, 4, 5, 6, 7]
    assert history.train_losses[-2:] == [0.5, 0.5]
    history.take_samples({"step": step, "text": "the lamp"} for step in (5, 8, 8))
    assert [sample.step for sample in history.samples] == [5, 8], "it writes step 8 once more"


def test_the_curve_of_a_resumed_run_does_not_run_back_in_time(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")

    def lines(*records: dict[str, object]) -> None:
        with run.metrics.open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)

    lines({"kind": "start", "time": 1000.0, "seconds": 5.0},
          {"kind": "eval", "time": 1001.0, "step": 0, "phase": "before", "valid_loss": 5.0},
          *({"kind": "train", "step": step, "loss": 1.0, "seconds": 6.0 + step}
            for step in range(1, 9)),
          {"kind": "eval", "time": 1010.0, "step": 8, "valid_loss": 4.0})  # fmt: skip
    # an hour later
    lines({"kind": "start", "time": 4600.0, "seconds": 11.0, "resumed_from": 5},
          {"kind": "train", "step": 6, "loss": 0.5, "seconds": 13.0},
          {"kind": "eval", "time": 4603.0, "step": 6, "valid_loss": None})  # fmt: skip
    curve = whole_curve(run)
    assert [point["step"] for point in curve["train"]] == [1, 2, 3, 4, 5, 6]
    assert [(one["step"], one["seconds"]) for one in curve["held_out"]] == [(0, 6.0), (6, 14.0)]
    assert curve["held_out"][1]["valid_loss"] is None
    lines({"kind": "start", "time": 9000.0, "seconds": 0.0, "resumed_from": 0})
    assert whole_curve(run) == {"train": [], "held_out": [], "memorisation": []}


def test_the_journal_says_what_the_process_takes_of_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.runs.events.BEAT_SECONDS", 0.02)
    monkeypatch.setattr("core.runs.events.SYSTEM_SECONDS", 0.02)
    run = make_run(tmp_path, "a")
    journal = Journal(run)
    journal.write("train", step=7, loss=1.0, seconds=3.0)
    journal.watch_system(gpus=True)
    give_up = time.monotonic() + 30
    while len(records := list(read_json_lines(run.metrics))) < 3 and time.monotonic() < give_up:
        time.sleep(0.02)
    journal.end(Result(state="finished"))
    time.sleep(0.1)
    assert [*read_json_lines(run.metrics)][-1]["kind"] == "end", "nothing comes after it"
    journal.close()
    assert [one["kind"] for one in records[:3]] == ["train", "system", "system"]
    assert {"time", "cpu", "memory", "process_cpu", "process_memory"} <= set(records[1])
    assert 10 < records[1]["process_memory"] < 2**20, "MiB, of a process that fits in a machine"
    history = RunHistory()
    history.take(records)
    assert history.system_at.steps[:2] == [7, 7]
    assert history.system["process_memory"][0] == records[1]["process_memory"]
    assert history.system_at.seconds[0] >= 3.0


def line(step: int, seconds: float, **fields: object) -> dict[str, object]:
    """A train line of a run that learns 100 tokens a step and was started at 1000."""
    tokens = step * 100
    return {"kind": "train", "step": step, "time": 1000.0 + seconds, "seconds": seconds,
            "tokens": tokens, "loss": 1.0, **fields}  # fmt: skip


def test_each_point_lies_at_a_step_a_number_of_tokens_and_a_second() -> None:
    history = RunHistory()
    history.take([
        {"kind": "start", "time": 1005.0, "seconds": 5.0, "steps": 9, "resumed_from": None},
        {"kind": "eval", "time": 1005.5, "step": 0, "phase": "before", "valid_loss": 5.0},
        line(1, 8.0, tokens_per_second=100.0, lr=0.1, grad_norm=2.0),
        line(3, 10.0, tokens_per_second=200.0, lr=0.2),
        {"kind": "eval", "time": 1013.0, "step": 3, "valid_loss": 4.0},
        {"kind": "system", "time": 1014.0, "cpu": 50.0},
        {"kind": "system", "time": 1015.0, "cpu": 60.0, "gpu0_use": 90.0},
    ])  # fmt: skip
    assert list(history.train_at.tokens) == [100, 300]
    assert list(history.train_at.seconds) == [8, 10]
    assert list(history.rates) == [0.1, 0.2]
    assert history.gradients[0] == 2.0
    assert history.gradients[1] != history.gradients[1]
    # 100 tokens in its first second of learning, then 200 in half of one
    assert list(history.speeds) == [100, 400]
    assert (list(history.valid_at.tokens), list(history.valid_at.seconds)) == ([0, 300], [5.5, 13])
    assert list(history.system["cpu"]) == [50, 60]
    assert str(list(history.system["gpu0_use"])) == "[nan, 90.0]"
    assert list(history.system_at.seconds) == [14, 15]


def test_the_seconds_of_a_resumed_run_go_on_without_the_pause() -> None:
    history = RunHistory()
    history.take([line(step, 10.0 * step, tokens_per_second=10.0) for step in (1, 2, 3)])
    history.take([{"kind": "system", "time": 1031.0, "cpu": 50.0}])
    history.take([{"kind": "start", "time": 9000.0, "seconds": 24.0, "resumed_from": 2}])
    assert (history.step, history.tokens, len(history.system["cpu"])) == (2, 200, 0)
    history.take([{"kind": "eval", "time": 9001.0, "step": 2, "valid_loss": 4.0}])
    history.take([{**line(3, 26.0, tokens_per_second=10.0), "time": 9002.0}])
    assert list(history.train_at.seconds) == [10, 20, 26]
    assert list(history.valid_at.seconds) == [25]
    assert list(history.speeds) == [10, 10, 10]


def test_ids_are_readable_and_safe() -> None:
    from datetime import datetime, timezone

    now = datetime(2026, 11, 21, 3, 12, tzinfo=timezone.utc)
    assert new_run_id(["keeper"], now).startswith("20261121-0312-keeper-")
    assert "/" not in new_run_id(["../../etc@x"], now)
    assert len({new_run_id(["keeper"], now) for _ in range(20)}) > 1


def test_finding_runs(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    with pytest.raises(InputRefused, match="no runs"):
        find_run(home, "latest")
    make_run(tmp_path, "20260101-a-1111", "2026-01-01T00:00:00+00:00")
    make_run(tmp_path, "20260102-b-2222", "2026-01-03T00:00:00+00:00")
    make_run(tmp_path, "20260102-b-22223", "2026-01-02T00:00:00+00:00")
    assert find_run(home, "latest").id == "20260102-b-2222"
    assert find_run(home, "20260101").id == "20260101-a-1111"
    assert find_run(home, "20260102-b-2222").id == "20260102-b-2222", "a whole id is never unclear"
    with pytest.raises(InputRefused, match="could be 2"):
        find_run(home, "20260102")
    with pytest.raises(InputRefused, match="no run"):
        find_run(home, "../..")
    with pytest.raises(InputRefused):
        find_run(home, "")
    assert all_runs(home)[0].id == "20260102-b-2222"


def test_damaged_runs_are_passed_over(tmp_path: Path) -> None:
    make_run(tmp_path, "good")
    bad = make_run(tmp_path, "bad")
    bad.record_file.write_text("{")
    (tmp_path / "runs" / "empty").mkdir()
    home = Home.at(tmp_path)
    assert [summary.run for summary in list_runs(home)] == ["good"]
    summaries, histories, changed = RunsFollower(home).poll()
    assert [summary.run for summary in summaries] == ["good"]
    assert list(histories) == ["good"]
    assert changed


def test_a_summary_reads_only_the_edges_of_a_long_file(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    alive(run)
    with run.metrics.open("w") as file:
        file.write('{"kind":"start","steps":99999,"device":"cpu"}\n')
        file.write('{"kind":"eval","phase":"before","step":0,"valid_loss":5.0}\n')
        for step in range(20_000):
            file.write(
                json.dumps({"kind": "train", "step": step, "loss": 1.5, "pad": "x" * 40}) + "\n"
            )
        file.write('{"kind":"eval","phase":"during","step":19999,"valid_loss":4.0}\n')
        file.write('{"kind":"train","st')
    (summary,) = list_runs(Home.at(tmp_path))
    assert (summary.state, summary.step, summary.steps) == ("running", 19999, 99999)
    assert (summary.train_loss, summary.valid_loss, summary.device) == (1.5, 4.0, "cpu")
    result = run_result(run)
    assert (result["valid_loss_before"], result["valid_loss_after"]) == (5.0, 4.0)
    assert result["model_dir"] is None
    assert set(summary.to_json()) == set(
        "run handles base state step steps train_loss valid_loss started ended shares stale "
        "name note tags waits_for sweep trial continues".split()
    )


def test_the_follower_says_when_nothing_is_new(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    alive(run)
    follower = RunsFollower(Home.at(tmp_path), only="a")
    assert follower.poll()[2]
    assert not follower.poll()[2]
    journal = Journal(run)
    journal.write("train", step=1, steps=5, loss=2.0, tokens=10, tokens_per_second=5.0)
    journal.sample(1, "[red]the lamp[/red]")
    summaries, histories, changed = follower.poll()
    journal.close()
    assert changed
    assert summaries[0].step == 1
    assert histories["a"].samples[0].text == "[red]the lamp[/red]"
    with pytest.raises(InputRefused):
        RunsFollower(Home.at(tmp_path), only="nobody").poll()


def test_a_look_reads_no_file_that_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        ended = make_run(tmp_path, f"r{number}", state="finished")
        Journal(ended).write("train", step=7, steps=9, loss=2.0, tokens=10, tokens_per_second=5.0)
        long_ago(ended.folder)
    going = make_run(tmp_path, "going")
    alive(going)
    long_ago(going.folder)
    follower = RunsFollower(Home.at(tmp_path))
    while follower.poll()[2]:
        pass
    opened: list[str] = []
    read = Path.read_bytes, Path.open

    def read_bytes(path: Path) -> bytes:
        opened.append(path.name)
        return read[0](path)

    def open_(path: Path, *options: Any, **more: Any) -> Any:
        opened.append(path.name)
        return read[1](path, *options, **more)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    monkeypatch.setattr(Path, "open", open_)
    assert not follower.poll()[2]
    assert opened == []
    Run(tmp_path / "runs" / "r2").update_record(name="the lamp")
    opened.clear()
    summaries, _, changed = follower.poll()
    assert changed
    assert [summary.name for summary in summaries if summary.run == "r2"] == ["the lamp"]
    assert "metrics.jsonl" not in opened


def test_what_lies_beside_the_record_of_a_run_that_has_ended_is_seen(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a", state="finished")
    long_ago(run.folder)
    follower = RunsFollower(Home.at(tmp_path))
    assert not follower.poll()[0][0].tracked
    write_tracked(run, Tracked(to="tensorboard", state="following"))
    (summary,), _, changed = follower.poll()
    assert changed
    assert [one.state for one in summary.tracked] == ["following"]
    write_tracked(run, Tracked(to="tensorboard", state="finished"))
    assert [one.state for one in follower.poll()[0][0].tracked] == ["finished"]
    (run.folder / STALE_NOTE).write_text('{"tweets": 2, "handles": ["a"]}')
    assert follower.poll()[0][0].stale


def test_runs_that_have_ended_are_looked_at_in_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.runs.summary._AT_REST_A_LOOK", 2)
    for number in range(6):
        make_run(tmp_path, f"r{number}", state="finished")
    follower = RunsFollower(Home.at(tmp_path))
    assert len(follower.poll(every=False)[0]) == 6, "those that are not known yet are all read"
    for run in all_runs(Home.at(tmp_path)):
        run.update_record(name="the lamp")
    named = []
    for _ in range(3):
        named.append(sum(one.name == "the lamp" for one in follower.poll(every=False)[0]))
    assert named == [2, 4, 6]


def test_every_run_is_read_however_little_time_a_look_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at a time at worst; and the one that goes on is read each time."""
    monkeypatch.setattr("core.runs.summary._LOOK_SECONDS", 0.0)
    for number in range(5):
        run = make_run(tmp_path, f"r{number}", state="finished")
        journal = Journal(run)
        journal.write("train", step=7, steps=9, loss=2.0, tokens=10, tokens_per_second=5.0)
        journal.close()
    follower = RunsFollower(Home.at(tmp_path))
    for _ in range(5):
        summaries, histories, changed = follower.poll()
        assert changed
    assert [summary.run for summary in summaries] == [run.id for run in all_runs(Home.at(tmp_path))]
    assert [history.step for history in histories.values()] == [7] * 5
    Run(tmp_path / "runs" / "r0").update_record(state="running")
    alive(Run(tmp_path / "runs" / "r0"))
    for _ in range(5):
        follower.poll()
    journal = Journal(Run(tmp_path / "runs" / "r0"))
    for step in (8, 9):
        journal.write("train", step=step, steps=9, loss=2.0, tokens=10, tokens_per_second=5.0)
        assert follower.poll()[1]["r0"].step == step
    journal.close()


def test_a_run_that_never_got_a_process_is_known_at_once(tmp_path: Path) -> None:
    """Whoever starts a run says so, and is looked for; so nobody waits for one that is gone."""
    run = make_run(tmp_path, "a")
    run.heartbeat.touch()
    run.update_record(starter=Owner.this_process())
    long_ago = time.time() - LAUNCH_SECONDS - 1
    os.utime(run.heartbeat, (long_ago, long_ago))
    assert run_summary(run).state == "queued", "it is being started, however long that takes"
    run.update_record(starter=Owner(this_machine(), os.getpid(), 1))
    assert run_summary(run).state == "dead"
    assert "never started" in run_summary(run).reason
    run.update_record(starter=None)
    assert run_summary(run).state == "dead"
    said = mynah("watch", "a", home=tmp_path, code=1)
    assert "presumed dead" in said.err
    assert "never started" in said.err


def test_a_run_forgets_who_started_it_once_it_has_a_process(tmp_path: Path) -> None:
    run = start_toy(tmp_path, max_steps=1)
    assert run.record().starter is None
    assert run.record().pid is not None
    assert follow(run)[1] == "finished", run.log.read_text()
