"""What a run decides at its first start, and what of that it does again when it is resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import torch
from toy_runs import lines_of

from core.errors import InputRefused, WrongUsage
from core.models.shape import Shape
from core.processes import Memory
from core.runs.events import Journal
from core.runs.memory import memory_needed
from core.runs.record import Decisions
from core.runs.settings import TrainSettings, settings_for
from core.training import decide as deciding
from core.training import device as devices
from core.training.decide import Room, arithmetic_of, decide, device_of, threads_of
from core.training.distributed.ranks import Ranks
from tests.unit.test_runs_follow import make_run

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
FAST = settings_for("fast", "smollm2")
SHAPE = Shape(142_000_000, 2000, 3, 6000, 2000, 500, 1000, gated=True)
BEFORE = Decisions(
    device="cpu", arithmetic="bfloat16", threads=4, batch_tokens=99, row_tokens=64, eval_tokens=77,
    steps=50, steps_a_round=10,
)  # fmt: skip
PLENTY = SimpleNamespace(recompute=lambda batch_tokens: False)


class Tweets:
    """A first epoch of ten batches, whatever their size; later ones have more."""

    epoch_tokens, epochs_a_round, row_tokens = 300_000, 1, 128
    valid = SimpleNamespace(rows=[[[0, 1, 2, 0]]] * 50)

    def plan(self, batch_tokens: int) -> Any:
        return SimpleNamespace(batches=lambda epoch, order: [0] * (10 + epoch + order[0]))

    def order(self, turn: int) -> list[int]:
        return [turn]


def decided(
    settings: TrainSettings = FAST, *, before: Decisions | None = None, device: torch.device = CPU,
    data: Any = None, room: Any = PLENTY, score: Any = None,
) -> Decisions:  # fmt: skip
    return decide(
        before, settings, data or Tweets(), device, torch.float32, 2, 134_515_008, score, room, 3
    )


def test_what_the_settings_leave_open_is_decided() -> None:
    found = decided()
    assert found == Decisions(
        device="cpu", arithmetic="float32", threads=2, batch_tokens=256, row_tokens=128,
        eval_tokens=4000, steps=15, steps_a_round=10, processes=3, recompute=False,
    )  # fmt: skip
    given = decided(replace(FAST, batch_tokens=64, eval_tokens=500, max_steps=12))
    assert (given.batch_tokens, given.eval_tokens, given.steps) == (64, 500, 12)
    assert decided(replace(FAST, epochs=0.001)).steps == 1
    assert decided(replace(FAST, max_steps=99)).steps == 15
    classic = Tweets()
    classic.epochs_a_round = 4  # the round has all four epochs
    assert decided(replace(FAST, epochs=4.0), data=classic).steps == 10


def test_a_gpu_takes_large_steps_but_enough_of_them() -> None:
    def batch(epoch_tokens: int) -> int:
        data = Tweets()
        data.epoch_tokens = epoch_tokens
        return decided(device=CUDA, data=data).batch_tokens

    assert batch(300_000) == 3000, "150 steps in one and a half epochs"
    assert batch(1_000) == 256
    assert batch(10**8) == 4096
    assert decided(device=CUDA).eval_tokens == 100_000


def test_a_short_run_measures_fewer_tokens_unless_it_was_told_how_many() -> None:
    class Slow:
        def of_rows(self, inputs: Any, targets: Any) -> torch.Tensor:
            return torch.zeros(len(inputs))

    def most(seconds: float, settings: TrainSettings) -> int:
        clock = iter([0.0, seconds])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("core.training.evaluate.time.perf_counter", lambda: next(clock))
            return decided(settings, score=Slow()).eval_tokens

    minute = replace(FAST, minutes=1.0)
    # 129 tokens of 43 rows in a tenth of a second, and two seconds for a measure
    assert most(0.1, minute) == 2580
    assert most(0.001, minute) == 4000, "no more than without a limit"
    assert most(10.0, minute) == 1000
    assert decided(replace(minute, eval_tokens=9)).eval_tokens == 9


def test_a_resumed_run_goes_on_as_it_began() -> None:
    found = decided(replace(FAST, batch_tokens=64, eval_tokens=500), before=BEFORE)
    assert (found.batch_tokens, found.eval_tokens, found.steps, found.steps_a_round) == (
        99, 77, 50, 10,
    )  # fmt: skip
    assert decided(replace(FAST, max_steps=20), before=BEFORE).steps == 20
    assert not found.recompute
    assert decided(before=replace_decided(recompute=True)).recompute
    asked: list[int] = []
    tight = SimpleNamespace(recompute=lambda batch_tokens: asked.append(batch_tokens) or True)
    assert decided(before=BEFORE, room=tight).recompute
    assert decided(room=tight).recompute
    assert asked == [99, 256]


def replace_decided(**changes: Any) -> Decisions:
    import msgspec

    return msgspec.structs.replace(BEFORE, **changes)


def test_the_arithmetic_is_that_of_before_on_the_same_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "arithmetic", lambda device: torch.float16)
    assert arithmetic_of(CPU, None, FAST) == torch.float16
    assert arithmetic_of(CPU, BEFORE, FAST) == torch.bfloat16
    assert arithmetic_of(CUDA, BEFORE, FAST) == torch.float16
    exact = replace(FAST, arithmetic="float32")
    assert arithmetic_of(CPU, BEFORE, exact) == torch.float32


def test_the_device_is_that_of_before_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, "a")
    journal = Journal(run)
    monkeypatch.setattr(devices, "devices_here", lambda: ["cuda", "cpu"])
    assert device_of(replace(FAST, device="cpu"), None, journal) == CPU
    assert device_of(FAST, None, journal) == CUDA
    assert device_of(FAST, BEFORE, journal) == CPU
    assert lines_of(run) == []
    assert device_of(FAST, replace_decided(device="mps"), journal) == CUDA
    journal.close()
    assert lines_of(run)[0]["text"] == (
        "The run began on mps, which is not here now; it goes on on cuda."
    )


def test_threads_are_those_of_before_where_there_are_as_many_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, "a")
    journal = Journal(run)

    def threads(cores: int, before: Decisions | None, device: torch.device = CPU) -> int | None:
        monkeypatch.setattr(devices, "cores_of_each", lambda processes: cores)
        return threads_of(device, before, journal, Ranks())

    assert threads(8, BEFORE, CUDA) is None
    assert threads(8, None) == 8
    assert threads(8, BEFORE) == 4
    assert threads(4, BEFORE) == 4
    assert threads(8, replace_decided(threads=None)) == 8
    assert threads(8, replace_decided(processes=2)) == 8
    assert lines_of(run) == []
    assert threads(2, BEFORE) == 2
    journal.close()
    assert "began with 4 threads; it goes on with 2." in lines_of(run)[0]["text"]


def test_room_is_what_is_free_and_what_the_process_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def room(free: int, shape: Shape | None = SHAPE, dtype: torch.dtype = torch.float32) -> Room:
        monkeypatch.setattr(deciding, "machine_memory", lambda: Memory(free, free))
        return Room(FAST, shape, CPU, dtype)

    process = type("Process", (), {"memory_info": lambda self: SimpleNamespace(rss=10**8)})
    monkeypatch.setattr(psutil, "Process", process)
    assert room(10**9).free == 1_100_000_000
    need = memory_needed(SHAPE, FAST, batch_tokens=256)
    fits = need.total() - 10**8
    assert not room(fits).recompute(256)
    assert room(fits - 1).recompute(256)
    assert not room(fits - 1).recompute(128)
    assert not room(need.total(recompute=True) - 10**8 - 1).recompute(256), "nor would that help"
    assert not room(10, None).recompute(256)
    room(10, None).check()
    room(10**10).check()
    with pytest.raises(InputRefused, match="and this machine now has") as refused:
        room(10**8).check()
    assert "about 1.2 GB of memory, and" in refused.value.what
    short = memory_needed(SHAPE, FAST, batch_tokens=256, short=True).total() - 10**8
    assert not room(short, dtype=torch.bfloat16).recompute(256)
    assert room(short - 1, dtype=torch.bfloat16).recompute(256)


# ── devices ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def with_gpus(count: int, *, bf16: bool = True) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bf16)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 7)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    return with_gpus


def test_the_best_device_that_is_here(gpus: Any) -> None:
    gpus(0)
    assert devices.devices_here() == ["cpu"]
    assert devices.choose_device("auto") == CPU
    with pytest.raises(InputRefused) as refused:
        devices.choose_device("cuda:1")
    assert refused.value.what == "There is no cuda:1 device here."
    assert refused.value.why.endswith("finds cpu.")
    with pytest.raises(WrongUsage, match="'tpu' is no kind of device"):
        devices.choose_device("tpu")
    gpus(2)
    assert devices.choose_device("auto") == CUDA
    assert devices.choose_device("cuda:1") == torch.device("cuda:1")
    assert devices.devices_here() == ["cuda", "cpu"]
    assert devices.device_name(CUDA) == "NVIDIA H200"
    assert devices.peak_memory(CUDA) == 7
    assert devices.arithmetic(CUDA) == torch.bfloat16
    gpus(2, bf16=False)
    assert devices.arithmetic(CUDA) == torch.float32
    assert devices.arithmetic(torch.device("mps")) == torch.float32
    assert [devices.static_shapes(one) for one in (CPU, CUDA)] == [False, True]


def products(
    took: dict[Any, float], given: dict[Any, float], dtype: Any, enough: float = 0.0
) -> float:
    given[dtype] = enough
    return took[dtype]


def test_bfloat16_is_used_where_it_is_clearly_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    for slow, fast, found in ((3.0, 1.9, torch.bfloat16), (3.0, 2.0, torch.float32)):
        took, given = {torch.float32: slow, torch.bfloat16: fast}, dict[Any, float]()
        monkeypatch.setattr(devices, "_seconds_of_products", partial(products, took, given))
        devices._bfloat16_pays.cache_clear()
        assert devices.arithmetic(CPU) == found
        assert given == {torch.float32: 0.0, torch.bfloat16: 6.0}, "twice as slow is slow enough"
    devices._bfloat16_pays.cache_clear()


def test_a_device_is_one_word_for_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    def name(device: str, visible: str = "") -> str:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        return devices.queue_name(torch.device(device))

    assert [name("cpu"), name("mps", "3")] == ["cpu", "mps"]
    assert [name("cuda"), name("cuda:1")] == ["cuda-0", "cuda-1"]
    assert [name("cuda", "3, 5"), name("cuda:1", "3, 5")] == ["cuda-3", "cuda-5"]
    assert name("cuda:2", "3,5") == "cuda-2"
    assert name("cuda", "GPU-8a/b") == "cuda-GPU-8a-b"


def test_names_and_memory_of_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = torch.get_num_threads()
    try:
        devices.set_up(CPU, 1)
        assert devices.device_name(CPU) == "cpu (1 thread)"
        devices.set_up(CPU, 2)
        assert devices.device_name(CPU) == "cpu (2 threads)"
        monkeypatch.setattr(devices, "usable_threads", lambda: 3)
        devices.set_up(CPU)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    monkeypatch.setattr(devices.platform, "machine", lambda: "arm64")
    assert devices.device_name(torch.device("mps")) == "mps (arm64)"
    peak = devices.peak_memory(CPU)
    assert peak is not None
    assert 10**8 < peak < 10**11, "bytes, of a process that has PyTorch"


def test_no_more_processes_than_there_is_room_for(
    gpus: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "usable_cores", lambda: 2)
    gpus(1)
    devices.check_processes(2, CPU)
    devices.check_processes(1, CUDA)
    for device, count, why, most in (
        (CPU, 3, "there are 2 processor cores.", 2),
        (CUDA, 2, "there is 1 CUDA device.", 1),
        (torch.device("mps"), 2, "there is 1 mps device.", 1),
    ):
        with pytest.raises(InputRefused) as refused:
            devices.check_processes(count, device)
        assert refused.value.what == f"{count} processes cannot train here."
        assert refused.value.why.endswith(why)
        assert refused.value.next_step == f"The most is --nproc {most}."
