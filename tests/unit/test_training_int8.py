"""Steps with frozen weights in int8: how far they lie from float32, when they are chosen, and that
a run which is taken up goes on with what it began with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toy_runs import StopAfter, create_toy, edit_record, train_here

from core.models.rotation import rotation, turned
from core.models.scratch import gpt2_shape, new_model
from core.processes import Memory
from core.runs.folder import Run
from core.runs.memory import memory_needed
from core.runs.settings import settings_for
from core.training import decide
from core.training.data import tensors
from core.training.loss import Scorer
from core.training.weights import int8
from core.training.weights.adapter import add_adapters, frozen_shapes, round_frozen, trainable
from core.training.weights.int8 import (
    Int8Pair,
    Int8Weight,
    SharedRounding,
    forward_input,
    int8_pays,
    largest,
    rounded,
)

ROWS = [[0, 5, 9, 0], [0, 7, 3, 8, 2, 4, 0], [0, 1, 0], [0, 2, 2, 0]]


def _here() -> bool:
    try:
        Int8Pair(torch.ones(8, 8)).forward(forward_input(torch.ones(2, 8)))
    except (RuntimeError, AttributeError):
        return False
    return True


needs_int8 = pytest.mark.skipif(not _here(), reason="this build of PyTorch has no such products")


@needs_int8
@given(
    st.integers(1, 9), st.integers(1, 40), st.integers(1, 40), st.integers(0, 99),
    st.sampled_from([1e-6, 1.0, 1e4]),
)  # fmt: skip
def test_a_product_both_ways_is_within_what_rounding_explains(
    rows: int, inputs: int, outputs: int, seed: int, size: float
) -> None:
    rng = torch.Generator().manual_seed(seed)
    weight = torch.randn(outputs, inputs, generator=rng)
    x = torch.randn(rows, inputs, generator=rng) * size
    x[0] = 0.0  # a position that nothing flows through
    pair = Int8Pair(weight)
    turn = rotation(inputs)
    _within(pair.forward(forward_input(x)), turned(x, turn), turned(weight, turn))
    gradient = torch.randn(rows, outputs, generator=rng) * size
    _within(pair.backward(rounded(gradient)), gradient, weight.T)


def _within(made: torch.Tensor, x: torch.Tensor, weight: torch.Tensor) -> None:
    """Half a step of either side: |x - X| <= a, |w - W| <= b, so |xw - XW| <= a|w| + b|x| + ab."""
    a = x.abs().amax(1, keepdim=True) / largest() / 2
    b = weight.abs().amax(1) / largest() / 2
    bound = a * weight.abs().sum(1) + x.abs().sum(1, keepdim=True) * b
    bound += a * b * x.shape[1]
    assert ((made - x @ weight.T).abs() <= 1.001 * bound + 1e-12).all()


@needs_int8
def test_the_largest_sums_do_not_overflow() -> None:
    """Processors without VNNI add pairs of products in 16 bits, and would stop at 32,767."""
    x, weight = torch.ones(4, 64), torch.ones(8, 64)
    x[1] = weight[1] = -1.0
    for made in (Int8Weight(weight)(rounded(x)), Int8Pair(weight.T).backward(rounded(x))):
        assert torch.allclose(made, x @ weight.T, rtol=1e-5)


@needs_int8
def test_a_few_large_inputs_do_not_drown_the_others() -> None:
    rng = torch.Generator().manual_seed(1)
    weight, x = torch.randn(32, 128, generator=rng), torch.randn(16, 128, generator=rng)
    x[:, [3, 70]] *= 100
    wanted = x @ weight.T
    made = Int8Pair(weight).forward(forward_input(x))
    without = Int8Weight(weight)(rounded(x))
    assert (made - wanted).norm() < 0.5 * (without - wanted).norm()


def test_one_input_is_rounded_once() -> None:
    shared, x = SharedRounding(), torch.randn(2, 3, 8)
    first = shared.of(x)
    assert shared.of(x) is first
    assert first.numbers.shape == (6, 8)
    other = shared.of(x.clone())
    assert other is not first
    assert torch.equal(other.numbers, first.numbers)


def small_llama() -> Any:
    return new_model(64, 0).eval()


def small_gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2, n_positions=64)
    ).eval()


@needs_int8
@pytest.mark.parametrize("make", [small_llama, small_gpt2])
def test_a_step_of_a_model_is_near_that_in_float32(make: Callable[[], Any]) -> None:
    torch.manual_seed(0)
    model = make()
    add_adapters(model, rank=4, alpha=8)
    weights = list(trainable(model).values())
    with torch.no_grad():
        for weight in weights:
            weight.copy_(torch.randn_like(weight) * 0.05)
    score = Scorer(model)
    inputs, targets = tensors(ROWS, "cpu")

    def step() -> tuple[torch.Tensor, list[torch.Tensor]]:
        for weight in weights:
            weight.grad = None
        loss = score(inputs, targets)
        loss.backward()
        grads = [weight.grad for weight in weights if weight.grad is not None]
        return loss.detach(), grads

    exact, of_exact = step()
    round_frozen(model)
    short, of_short = step()
    assert short != exact
    assert torch.allclose(short, exact, rtol=0.01)
    one, other = (torch.cat([grad.flatten() for grad in grads]) for grads in (of_exact, of_short))
    assert float((one - other).norm() / one.norm()) < 0.1
    again, of_again = step()
    assert torch.equal(again, short)
    assert all(torch.equal(a, b) for a, b in zip(of_short, of_again, strict=True))
    with torch.no_grad():
        assert torch.equal(score(inputs, targets), exact), "what is measured is not rounded"


def test_shapes_are_those_of_the_products() -> None:
    model = gpt2_shape(64, 0)
    assert not frozen_shapes(model), "every weight of it learns"
    add_adapters(model, rank=4, alpha=8)
    assert frozen_shapes(model) == {
        (2304, 768): 12, (768, 768): 12, (3072, 768): 12, (768, 3072): 12
    }  # fmt: skip


LARGE = Counter({(512, 512): 100})


def taking(*seconds: float) -> Callable[[Sequence[object]], list[float]]:
    """As if the float32 and the int8 products of each shape had taken so long."""
    return lambda calls: list(seconds)


@needs_int8
def test_int8_is_chosen_where_it_was_measured_to_be_clearly_faster() -> None:
    assert int8_pays(LARGE, 8, taking(2.0, 1.0))
    assert not int8_pays(LARGE, 8, taking(1.1, 1.0)), "it loses digits"
    assert not int8_pays(LARGE, 8, taking(1.0, 2.0))
    # a shape counts as often as it is there
    two = Counter({(512, 512): 100, (64, 512): 1})
    assert int8_pays(two, 8, taking(2.0, 1.0, 1.0, 9.0))
    assert not int8_pays(two, 8, taking(2.0, 1.9, 9.0, 1.0))


def test_small_models_are_not_worth_the_measurement() -> None:
    def never(calls: Sequence[object]) -> list[float]:
        raise AssertionError("it was measured")

    assert not int8_pays(Counter({(192, 192): 16}), 256, never)


def test_a_build_without_such_products_uses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise RuntimeError("onednn is not here")

    monkeypatch.setattr(int8, "Int8Pair", missing)
    assert not int8_pays(LARGE, 8, taking(2.0, 1.0))


@needs_int8
def test_products_that_come_out_wrong_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8, "forward_input", lambda x: forward_input(x * 2))
    assert not int8_pays(LARGE, 8, taking(2.0, 1.0))


@pytest.fixture
def _pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide, "int8_pays", lambda shapes, rows: True)
    return


ADAPTERS: dict[str, Any] = {"method": "lora", "max_steps": 5, "batch_tokens": 96, "eval_tokens": 50}


INT8: dict[str, Any] = {"arithmetic": "int8"}


def weights_of(run: Run) -> bytes:
    return (run.model / "model.safetensors").read_bytes()


@needs_int8
@pytest.mark.usefixtures("_pays")
def test_a_run_in_int8_is_taken_up_in_int8_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken, broken, exact = (
        create_toy(tmp_path / name, **ADAPTERS, **more)
        for name, more in (("one", INT8), ("two", INT8), ("three", {}))
    )
    start = next(line for line in train_here(unbroken) if line["kind"] == "start")
    assert start["arithmetic"] == "float32, frozen weights in int8"
    train_here(broken, StopAfter(broken, 2))
    monkeypatch.setattr(decide, "int8_pays", lambda shapes, rows: False)
    assert train_here(broken, resume=True)[-1]["state"] == "finished"
    decided = broken.record().decisions
    assert decided is not None
    assert decided.frozen_int8
    assert weights_of(broken) == weights_of(unbroken)
    monkeypatch.setattr(decide, "int8_pays", lambda shapes, rows: True)
    start = next(line for line in train_here(exact) if line["kind"] == "start")
    assert start["arithmetic"] == "float32", "int8 must be asked for"
    assert weights_of(exact) != weights_of(unbroken)


@needs_int8
def test_a_run_of_an_older_version_goes_on_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_toy(tmp_path, **ADAPTERS, **INT8)
    train_here(run, StopAfter(run, 2))
    decided = run.record().decisions
    assert decided is not None
    kept = {name: getattr(decided, name) for name in decided.__struct_fields__}
    del kept["frozen_int8"]
    edit_record(run, decisions=kept)
    monkeypatch.setattr(decide, "int8_pays", lambda shapes, rows: True)
    assert train_here(run, resume=True)[-1]["state"] == "finished"
    decided = run.record().decisions
    assert decided is not None
    assert not decided.frozen_int8


def test_short_of_memory_there_are_no_copies() -> None:
    from core.models.catalogue import resolve
    from core.models.shape import shape_of

    shape = shape_of(resolve("smollm2"))
    assert shape is not None
    settings = settings_for("fast", "smollm2")
    need = memory_needed(shape, settings)
    assert need.int8 == pytest.approx(2 * 106_200_000, rel=0.01), "a byte a weight, both ways"
    room = decide.Room(settings, shape, torch.device("cpu"), torch.float32)
    room.free = need.total(int8=True)
    assert room.has_int8(256)
    room.free -= need.int8 // 2
    assert not room.has_int8(256)


def test_processes_on_a_machine_share_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.decide.machine_memory", lambda: Memory(8 * 10**9, 8 * 10**9))
    settings, cpu = settings_for("fast", "smollm2"), torch.device("cpu")
    alone, among = (decide.Room(settings, None, cpu, torch.float32, size) for size in (1, 4))
    assert among.free == pytest.approx(alone.free / 4, rel=0.01)
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(decide, "int8_pays", lambda _, rows: asked.append(("rows", rows)) or True)
    monkeypatch.setattr(among, "has_int8", lambda tokens: asked.append(("tokens", tokens)) or True)
    frozen = Counter({(8, 8): 1})
    assert not decide._frozen_int8(None, settings, frozen, among, 256, 4), "it must be asked for"
    settings = replace(settings, arithmetic="int8")
    assert decide._frozen_int8(None, settings, frozen, among, 256, 4)
    assert asked == [("tokens", 256), ("rows", 64)]
