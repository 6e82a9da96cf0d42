"""One step, one measurement, one glimpse: the small parts of the loop on a real small model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from core.errors import InputRefused, MynahError
from core.models.load import cast_weights
from core.models.scratch import new_model, train_tokenizer
from core.processes import usable_cores, usable_threads
from core.runs.settings import settings_for
from core.training.adapter import add_adapters, trainable
from core.training.data import TweetRows, prepare
from core.training.decode import glimpse, nucleus
from core.training.device import (
    arithmetic,
    choose_device,
    cores_of_each,
    in_arithmetic,
    set_up,
)
from core.training.evaluate import HeldOut, affordable_tokens, tokens_within
from core.training.finish import round_weights, save_model
from core.training.loss import Scorer
from core.training.setup import Training
from core.training.step import BatchStep

CPU = torch.device("cpu")
BATCH = [[0, 5, 9, 0], [0, 7, 3, 8, 2, 4, 0], [0, 1, 0], [0, 2, 2, 0], [0, 9, 0]]


def stepper(score_of: object = Scorer) -> tuple[torch.nn.Module, BatchStep]:
    torch.manual_seed(0)
    model = new_model(64, 0).eval()
    weights = list(model.parameters())
    optimizer = torch.optim.SGD(weights, lr=0.1)
    score = score_of(model)  # type: ignore[operator]
    step = BatchStep(
        score, optimizer, weights, clip=1.0, device=CPU, dtype=torch.float32
    )  # fmt: skip
    return model, step


def test_a_batch_in_parts_is_the_same_step() -> None:
    whole, step_whole = stepper()
    parts, step_parts = stepper()
    step_parts.parts = 3
    one, other = step_whole(BATCH), step_parts(BATCH)
    assert torch.allclose(one[0], other[0], rtol=1e-5)
    assert torch.allclose(one[1], other[1], rtol=1e-4)
    for mine, theirs in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)


class Cramped(Scorer):
    """A device on which only ``room`` rows fit."""

    room = 2

    def __call__(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if len(inputs) > self.room:
            torch.empty(1 << 50)
        return super().__call__(inputs, targets)


def test_out_of_memory_halves_and_goes_on() -> None:
    plain, step_plain = stepper()
    cramped, step_cramped = stepper(Cramped)
    step_plain(BATCH)
    step_cramped(BATCH)
    assert step_cramped.parts == 4
    for mine, theirs in zip(plain.parameters(), cramped.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)


def test_where_one_row_fits_a_batch_is_taken_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cramped, "room", 1)
    plain, step_plain = stepper()
    cramped, step_cramped = stepper(Cramped)
    step_plain(BATCH)
    step_cramped(BATCH)
    for mine, theirs in zip(plain.parameters(), cramped.parameters(), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)


def test_when_not_even_a_row_fits_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cramped, "room", 0)
    _, step = stepper(Cramped)
    with pytest.raises(MynahError, match="too little memory"):
        step(BATCH)
    tried: list[int] = []
    step._recompute = lambda: tried.append(len(tried)) or len(tried) < 9
    with pytest.raises(MynahError, match="too little memory"):
        step(BATCH)
    assert tried == [0], "what takes less memory already takes no less the next time"


def test_an_optimiser_that_does_not_fit_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        torch.empty(1 << 50)

    monkeypatch.setattr(torch.optim.SGD, "_init_group", full)
    model, step = stepper()
    before = [weight.clone() for weight in model.parameters()]
    with pytest.raises(MynahError, match="optimiser"):
        step(BATCH)
    assert all(map(torch.equal, before, model.parameters()))


def test_the_held_out_rows_are_the_same_each_time() -> None:
    texts = [f"the lamp number {i} is lit" for i in range(60)]
    tokenizer = train_tokenizer(texts)
    tweets = prepare(texts, tokenizer, separator=0, row_tokens=64)
    model = new_model(len(tokenizer), 0).eval()
    some = [HeldOut(tweets, at_most=100, batch_tokens=64, seed=1, device=CPU) for _ in range(2)]
    measures = [held_out.measure(Scorer(model)) for held_out in some]
    assert measures[0] == measures[1]
    assert measures[0] is not None
    assert 100 <= measures[0].tokens < 130
    whole = HeldOut(tweets, at_most=10**9, batch_tokens=64, seed=1, device=CPU)
    assert whole.tokens == tweets.total_tokens
    measure = whole.measure(Scorer(model))
    assert measure is not None
    bits = measure.loss * measure.tokens / math.log(2)
    assert measure.bits_per_byte == pytest.approx(bits / sum(len(text) + 1 for text in texts))
    assert measure.loss == pytest.approx(sum(measure.sums) / sum(measure.sizes))
    assert len(measure.sums) == len(texts)
    assert whole.measure(Scorer(model), give_up=lambda: True) is None


def test_without_held_out_tweets_there_is_no_figure() -> None:
    nothing = HeldOut(
        prepare([], None, separator=0, row_tokens=8), at_most=9, batch_tokens=8, seed=1, device=CPU
    )
    assert nothing.measure(stepper()[1]._score) is None


def test_small_models_are_measured_on_more() -> None:
    assert affordable_tokens(2_000_000, "cpu") > affordable_tokens(134_000_000, "cpu") >= 4000
    assert affordable_tokens(134_000_000, "cuda") > affordable_tokens(134_000_000, "cpu")


def test_a_short_run_measures_what_a_thirtieth_of_it_is_enough_for() -> None:
    rows, score = [[1, 2, 3, 4]] * 100, stepper()[1]._score
    assert tokens_within(1e-9, score, rows, CPU) == 1000
    assert tokens_within(1e6, score, rows, CPU) > 1_000_000
    assert tokens_within(1.0, score, [], CPU) == 0


def test_what_two_seconds_are_enough_for() -> None:
    """At two operations a parameter and token, by the kind of device."""
    assert affordable_tokens(10**7, "cpu") == 25_000
    assert affordable_tokens(10**9, "cuda") == 20_000
    assert affordable_tokens(10**8, "mps") == 20_000
    assert affordable_tokens(10**12, "cpu") == 4000
    assert affordable_tokens(1, "cpu") == 100_000


def test_as_many_tweets_are_held_out_as_were_asked_for() -> None:
    tweets = TweetRows([[[0, 1, 2, 0]], [[0, 3, 4, 0]], [[0, 5, 6, 0]]], [3, 3, 3], [5, 6, 7])

    def held(at_most: int, **given: Any) -> HeldOut:
        asked = {"batch_tokens": 16, "seed": 1, "device": CPU} | given
        return HeldOut(tweets, at_most=at_most, **asked)

    assert [held(most).tokens for most in (0, 1, 3, 4, 6, 7, 99)] == [0, 3, 3, 6, 6, 9, 9]
    assert held(99).bytes == 18
    every = {held(1, seed=seed).bytes for seed in range(9)}
    assert every == {5, 6, 7}, "which ones is drawn by the seed"
    assert held(99).parts == 1
    score = stepper()[1]._score
    whole = held(99).measure(score)
    assert whole is not None
    assert (whole.tokens, whole.sizes, len(whole.sums)) == (9, [3, 3, 3], 3)
    assert whole.bits_per_byte == pytest.approx(sum(whole.sums) / math.log(2) / 18)
    in_parts = held(99)
    in_parts.parts = 2
    other = in_parts.measure(score)
    assert other is not None
    assert other.sums == pytest.approx(whole.sums, rel=1e-5)


def test_a_nucleus_that_is_wider_than_the_likeliest_is_found_too() -> None:
    flat = torch.zeros(2, 3000)
    flat[0, 7] = flat[1, 2999] = 1.0
    kept = nucleus(flat, 0.95)
    assert [int((row > 0).sum()) for row in kept] == [2850, 2850]
    assert (kept[0, 7], kept[1, 2999]) == (kept[0].max(), kept[1].max())
    many = nucleus(torch.zeros(1500, 1500), 0.9)  # as many rows as tokens: columns hold 1, too
    assert {int((row > 0).sum()) for row in many} == {1350}
    steep = torch.arange(3000.0).flip(0).repeat(2, 1)
    assert [row.nonzero().flatten().tolist() for row in nucleus(steep, 0.7)] == [[0, 1], [0, 1]]
    assert [row.nonzero().flatten().tolist() for row in nucleus(steep, 1e-9)] == [[0], [0]]


def test_a_glimpse_is_as_long_as_it_may_be_and_is_unescaped() -> None:
    class Letters:
        def decode(self, ids: list[int], **_: Any) -> str:
            return f" a &amp;\n b {len(ids)} "

    class Flat(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, input_ids: torch.Tensor, **_: Any) -> Any:
            logits = torch.zeros(len(input_ids), 1, 50)
            logits[..., 0] = -1e9  # never the separator
            return type("Out", (), {"logits": logits, "past_key_values": None})

    def texts(**given: Any) -> list[str]:
        return glimpse(Flat(), Letters(), separator=0, seed=1, **given)

    assert texts() == ["a & b 36"] * 2
    assert texts(count=3, max_tokens=5) == ["a & b 5"] * 3


def test_a_glimpse_repeats_with_its_seed_and_is_one_line() -> None:
    texts = [f"the lamp number {i} is lit" for i in range(60)]
    tokenizer = train_tokenizer(texts)
    torch.manual_seed(0)
    model = new_model(len(tokenizer), 0).eval()
    one, two, other = (
        glimpse(model, tokenizer, separator=0, seed=seed, max_tokens=12) for seed in (1, 1, 2)
    )
    assert one == two != other
    assert len(one) == 2
    assert not any("\n" in text or "<|endoftext|>" in text for text in one)


@pytest.mark.parametrize(
    ("has_entities", "text"), [(False, "salt & lamps"), (True, "salt &amp; lamps")]
)
def test_a_glimpse_has_an_entity_only_where_the_tweets_have(has_entities: bool, text: str) -> None:
    class Entities:
        def decode(self, tokens: Sequence[int], *, skip_special_tokens: bool) -> str:
            return "salt &amp; lamps"

    written: list[tuple[int, str]] = []
    training: Any = SimpleNamespace(
        _sampled_at=None, _dispensable=nullcontext, at=SimpleNamespace(step=3),
        model=new_model(300, 0).eval(), settings=settings_for("fast", "scratch"),
        journal=SimpleNamespace(sample=lambda *sample: written.append(sample)),
        data=SimpleNamespace(
            tokenizer=Entities(), separator=0, context=4, has_entities=has_entities
        ),
    )  # fmt: skip
    Training.show_samples(training)
    assert written == [(3, text), (3, text)]


@given(st.lists(st.floats(-20, 20), min_size=2, max_size=30), st.floats(0.05, 1.0))
def test_a_nucleus_holds_its_share_and_no_more_than_it_needs(
    logits: list[float], top_p: float
) -> None:
    chances = torch.softmax(torch.tensor([logits], dtype=torch.float64), -1)[0]
    kept = nucleus(torch.tensor([logits], dtype=torch.float64), top_p)[0]
    inside = kept > 0
    assert torch.allclose(kept[inside], chances[inside])
    assert float(kept.sum()) >= top_p - 1e-6
    least = float(kept[inside].min())
    assert float(kept.sum()) - least < top_p + 1e-6


@pytest.mark.parametrize(
    ("said", "threads"), [("1", 1), ("100000", None), ("0", None), ("x,2", None)]
)
def test_no_more_threads_than_the_environment_says(
    said: str, threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert cores_of_each(1) == usable_threads() == (threads or usable_cores())
    assert cores_of_each(2) == max(1, usable_cores() // 2), "torchrun sets it by itself"
    assert cores_of_each(100_000) == 1, "more processes than cores"


def test_devices() -> None:
    assert usable_cores() >= 1
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    if not torch.cuda.is_available():
        with pytest.raises(InputRefused, match="no cuda"):
            choose_device("cuda")
    assert arithmetic(CPU) in (torch.float32, torch.bfloat16)
    with in_arithmetic(CPU, torch.bfloat16):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_other_weights_leave_the_rotary_frequencies_exact() -> None:
    model = new_model(64, 0)
    exact = model.model.rotary_emb.inv_freq.clone()
    cast_weights(model, torch.bfloat16)
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    assert torch.equal(model.model.rotary_emb.inv_freq, exact)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    round_weights(cast_weights(model, torch.float32), torch.bfloat16)
    assert torch.equal(model.model.rotary_emb.inv_freq, exact)


def test_saving_again_replaces_the_model_and_leaves_nothing_else(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(["the lamp is lit"])
    model = new_model(len(tokenizer), 0)
    for _ in range(2):
        save_model(tmp_path / "model", model, tokenizer, separator=0, dtype=torch.bfloat16)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert next(model.parameters()).dtype == torch.float32
    from core.models.load import load_model

    loaded, stored = load_model(tmp_path / "model")
    assert stored == torch.bfloat16
    for mine, theirs in zip(model.parameters(), loaded.parameters(), strict=True):
        assert torch.equal(mine, theirs), "the model in hand is the one that was saved"


class AsksTheDevice(TorchDispatchMode):
    """Counts what makes the processor wait for a device: reading a number, or where a mask is."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        by_mask = name in ("index", "_index_put_impl_", "index_put", "index_put_") and any(
            place is not None and place.dtype == torch.bool for place in args[1]
        )
        self.asked[name] += by_mask or name in ("_local_scalar_dense", "nonzero", "masked_select")
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("shape", ["llama", "gpt2"])
def test_a_step_on_a_gpu_never_waits_for_it(
    method: str, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the static shapes of CUDA, on this processor."""
    from transformers import GPT2Config, GPT2LMHeadModel, masking_utils

    def stepped(static: bool) -> tuple[torch.Tensor, Counter[str]]:
        torch.manual_seed(0)
        config = GPT2Config(
            n_embd=32, n_head=2, n_layer=2, vocab_size=64, bos_token_id=0, eos_token_id=0
        )
        model = new_model(64, 0) if shape == "llama" else GPT2LMHeadModel(config)
        if method == "lora":
            add_adapters(model.eval(), rank=4, alpha=8)
        weights = list(trainable(model.eval()).values())
        step = BatchStep(
            Scorer(model, static=static), torch.optim.AdamW(weights, lr=1e-3, fused=True), weights,
            clip=1.0, device=CPU, dtype=torch.float32, batch_tokens=64 if static else 0,
        )  # fmt: skip
        with AsksTheDevice() as device:
            loss, norm = step(BATCH)
        return torch.stack([loss, norm]), +device.asked

    moving, asked = stepped(static=False)
    assert {"index", "_local_scalar_dense"} <= asked.keys(), "what counts waiting sees it"
    packed = masking_utils.find_packed_sequence_indices
    monkeypatch.setattr(masking_utils, "find_packed_sequence_indices", packed)
    precisions: list[str] = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", precisions.append)
    set_up(torch.device("cuda"))
    set_up(torch.device("cuda"), exact=True)
    assert precisions == ["high", "highest"]
    monkeypatch.setattr("core.training.step.static_shapes", lambda device: True)
    static, asked = stepped(static=True)
    assert not asked
    assert torch.allclose(static, moving, rtol=1e-4)
