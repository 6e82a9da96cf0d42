"""What the processes of a run say to each other, and how the first tells that one has gone."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from subprocess import TimeoutExpired
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.distributed as dist

from core.errors import InputRefused, MynahError
from core.runs.folder import Run
from core.runs.settings import settings_for
from core.training.distributed import group, leader, torchrun, worker
from core.training.distributed.follower import Follower, LeaderGone
from core.training.distributed.group import failed_key, frozen_sum, here_key, same_sum
from core.training.distributed.leader import Leader, leader_of
from core.training.distributed.ranks import Ranks
from tests.unit.test_runs_follow import make_run


class Store(dict[str, bytes]):
    def check(self, keys: list[str]) -> bool:
        return all(key in self for key in keys)

    def set(self, key: str, value: str) -> None:
        self[key] = value.encode()


def follower(store: Any = None) -> Follower:
    return Follower(1, 3, store, local_rank=1, local_size=3)


def test_what_the_first_says_is_what_the_others_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    wire: deque[torch.Tensor] = deque()
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    monkeypatch.setattr(dist, "broadcast", lambda sent, src: wire.append(sent.clone()))
    first, rows = Leader(3), [[0, 5, ~7, 3], [1, 2], []]
    first.step(rows, 1 / 3)
    first.step([[9, 9]], 0.0)
    first.end()
    monkeypatch.setattr(dist, "broadcast", lambda there, src: there.copy_(wire.popleft()))
    heard = list(follower().steps())
    assert [(step.rows, step.rate) for step in heard] == [(rows, 1 / 3), ([[9, 9]], 0.0)]
    assert not wire


def test_each_takes_its_share_of_the_rows() -> None:
    rows: Any = list(range(8))
    shares = [group.Group(rank, 3, 3).share(rows) for rank in range(3)]
    assert shares == [[0, 3, 6], [1, 4, 7], [2, 5]]
    assert Ranks().share(rows) == rows


def test_gradients_are_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "_PART_NUMBERS", 6)
    sizes: list[int] = []

    def twice(summed: torch.Tensor, group: Any) -> None:
        sizes.append(summed.numel())
        summed *= 2

    monkeypatch.setattr(dist, "all_reduce", twice)
    weights = [torch.nn.Parameter(torch.zeros(n, 2)) for n in (2, 1, 1, 5)]
    for number, weight in enumerate(weights[:3], start=1):
        weight.grad = torch.full_like(weight, number)
    total = group.Group(0, 2, 2).sum(weights, torch.tensor(1.5))
    assert (float(total), total.shape) == (3.0, ())
    assert sizes == [1, 6, 2, 10], "the loss, then parts of six numbers at most, or one weight"
    assert [float(weight.grad.sum()) for weight in weights if weight.grad is not None] == [
        8.0, 8.0, 12.0, 0.0,
    ]  # fmt: skip


def test_a_base_is_known_by_a_part_of_its_frozen_weights() -> None:
    assert same_sum(1e6, 1e6 + 1.0)
    assert not same_sum(1e6, 1e6 + 1.1)
    assert not same_sum(-1e6, -1e6 - 1.1)
    assert same_sum(0.0, 0.0)
    model = torch.nn.Sequential(torch.nn.Linear(10, 30, bias=False), torch.nn.Linear(2, 2))
    assert frozen_sum(model) == 0.0, "all of it learns"
    model[0].requires_grad_(False)
    weight = model[0].weight.flatten()
    assert frozen_sum(model) == pytest.approx(float(weight[[0, 97, 194, 291]].sum()))
    before = frozen_sum(model)
    with torch.no_grad():
        model[1].weight += 1
        weight[1] += 5
    assert frozen_sum(model) == before
    with torch.no_grad():
        weight[97] += 5
    assert not same_sum(frozen_sum(model), before)


class Child:
    def __init__(self, code: int | None, *, slow: bool = False) -> None:
        self.code, self.slow, self.waited, self.killed = code, slow, -1.0, False

    def poll(self) -> int | None:
        return self.code

    def wait(self, seconds: float) -> None:
        self.waited = seconds
        if self.slow:
            raise TimeoutExpired("child", seconds)

    def kill(self) -> None:
        self.killed = True


def leading(*codes: int | None, store: Store | None = None) -> Leader:
    made = Leader(len(codes) + 1)
    made._children = [Child(code) for code in codes]  # type: ignore[misc]
    made._store, made._run_id = store, "a-run"  # type: ignore[assignment]
    return made


def test_why_one_of_them_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leader, "_REASON_SECONDS", 0.05)
    assert leading(None, None)._reason() == ""
    assert leading(None, 75)._reason() == "", "it has gone because others have"
    assert leading(None, 0)._reason() == "Rank 2 has ended with code 0."
    assert leading(3, 4)._reason() == "Rank 1 has ended with code 3."
    assert leading(None, -9)._reason() == "Rank 2 was ended by signal 9."
    said = Store({failed_key(2): b"It is \xff full."})
    assert leading(None, 1, store=said)._reason() == "Rank 2 failed: It is \ufffd full."
    for made, why in (
        (leading(None), "One of its processes does not answer: Connection closed"),
        (leading(-9), "Rank 1 was ended by signal 9."),
    ):
        lost = made._lost(RuntimeError("\nConnection closed\nframes"))
        assert isinstance(lost, MynahError)
        assert lost.what == "The processes of this run no longer train together."
        assert lost.why == why
        assert lost.next_step == "`mynah resume a-run` goes on from the last checkpoint."


def test_the_first_waits_until_all_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store({here_key(1): b"here"})
    made = leading(None, None, store=store)
    monkeypatch.setattr(leader.time, "sleep", lambda seconds: store.update({here_key(2): b"here"}))
    made._wait_for_all(store)  # type: ignore[arg-type]
    del store[here_key(2)]
    monkeypatch.setattr(leader.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(leader, "_START_SECONDS", 0.0)
    with pytest.raises(MynahError, match="Rank 2 did not start in time"):
        made._wait_for_all(store)  # type: ignore[arg-type]
    monkeypatch.setattr(leader, "_START_SECONDS", 1e9)
    gone = leading(None, 1, store=store)
    with pytest.raises(MynahError, match="Rank 2 has ended with code 1"):
        gone._wait_for_all(store)  # type: ignore[arg-type]


def test_whatever_ends_the_first_ends_the_others(tmp_path: Path) -> None:
    made = leading(None, None)
    quick, slow = made._children = [Child(None), Child(None, slow=True)]  # type: ignore[misc]
    made._file = tmp_path / "ranks-1"
    made._file.touch()
    with made as entered:
        assert entered is made
    assert (quick.killed, slow.killed) == (False, True)
    assert quick.waited == slow.waited > 0
    assert made._children == []
    assert not made._file.exists()
    assert made._over.is_set()


def test_how_many_processes_a_run_has(tmp_path: Path) -> None:
    def of(**given: Any) -> Ranks:
        settings = settings_for("fast", "scratch", **given).to_json()
        name = f"{len(list(tmp_path.rglob('run.json')))}"
        return leader_of(make_run(tmp_path, name, settings=settings))

    assert type(of()) is type(of(nproc=1)) is Ranks
    three = of(nproc=3)
    assert (type(three), three.rank, three.size, three.local_size) == (Leader, 0, 3, 3)
    assert Leader(4, local_size=2).local_size == 2
    assert (Ranks().rank, Ranks().size, Ranks().local_size) == (0, 1, 1)
    cpu = torch.device("cpu")
    assert Ranks().named(cpu).startswith("cpu (")
    assert three.named(cpu).startswith("3 processes, each cpu (")
    assert type(leader_of(make_run(tmp_path, "old", settings={}))) is Ranks


def test_blocks_cannot_be_shared_whoever_starts_the_processes(tmp_path: Path) -> None:
    settings = settings_for("classic", "scratch").to_json()
    run = make_run(tmp_path, "a", settings=settings)
    with pytest.raises(InputRefused, match="2 processes cannot share this run"):
        Leader(2, store=Store()).start(run, torch.device("cpu"))  # type: ignore[arg-type]
    plain = make_run(tmp_path, "b", settings=settings_for("fast", "scratch").to_json())
    Leader(2, store=Store()).start(plain, torch.device("cpu"))  # type: ignore[arg-type]
    assert list(plain.folder.glob("ranks-*")) == [], "they are there already"


@pytest.mark.parametrize(
    ("error", "code", "left"),
    [
        (LeaderGone("closed"), 75, None),
        (InputRefused("Another base."), 3, "Another base."),
        (ValueError("\nodd\nmore"), 1, "ValueError: odd"),
        (KeyboardInterrupt(), 1, "KeyboardInterrupt"),
        (None, 0, None),
    ],
)
def test_how_another_process_of_a_run_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException | None, code: int,
    left: str | None,
) -> None:  # fmt: skip
    def follow(run: Run, ranks: Follower) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(worker, "follow", follow)
    store = Store()
    assert worker.work(Run(tmp_path), follower(store)) == code
    assert store == ({} if left is None else {failed_key(1): left.encode()})


def test_one_that_cannot_leave_word_leaves_anyway() -> None:
    class Closed:
        def set(self, key: str, value: str) -> None:
            raise RuntimeError("closed")

    follower(Closed()).fail("It is full.")
    with pytest.raises(LeaderGone, match="closed"), follower()._exchange():
        raise RuntimeError("closed")


def test_torchrun_is_what_starts_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(torchrun.sys, "path", list(torchrun.sys.path))
    led: list[Any] = []
    monkeypatch.setattr(torchrun, "_lead", lambda run: led.append(("lead", run)) or 5)
    monkeypatch.setattr(torchrun, "_follow", lambda run: led.append(("follow", run)) or 6)
    monkeypatch.setattr(torchrun.os, "environ", {})
    for arguments in (["x"], ["x", str(tmp_path)]):
        monkeypatch.setattr(torchrun.sys, "argv", arguments)
        assert torchrun.main() == 2
        assert "torchrun starts this" in capsys.readouterr().err
    monkeypatch.setattr(torchrun.sys, "argv", ["x", str(tmp_path)])
    for rank, code in (("0", 5), ("1", 6), ("2", 6)):
        monkeypatch.setattr(torchrun.os, "environ", {"RANK": rank})
        assert torchrun.main() == code
    assert led == [(name, Run(tmp_path)) for name in ("lead", "follow", "follow")]
    monkeypatch.setattr(torchrun.sys, "argv", ["x", str(tmp_path), "more"])
    assert torchrun.main() == 2


def test_one_leaves_where_the_first_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is gone closes no socket."""
    run = make_run(tmp_path, "a")
    run.heartbeat.touch()
    now, left = SimpleNamespace(at=0.0, beats=5), []

    def sleep(seconds: float) -> None:
        now.at += seconds
        if now.beats:
            now.beats -= 1
            os.utime(run.heartbeat, (now.at, now.at))

    monkeypatch.setattr(torchrun.time, "monotonic", lambda: now.at)
    monkeypatch.setattr(torchrun.time, "sleep", sleep)
    monkeypatch.setattr(torchrun.os, "_exit", left.append)
    torchrun._leave_with(run)
    assert left == [75]
    assert now.at == pytest.approx(50.0 + 600.0), "ten minutes after the last beat"
