"""The loss in chunks is the plain loss, and what a model is wrapped in does not change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from core.models.scratch import new_model
from core.runs.memory import LOGITS
from core.runs.settings import settings_for
from core.training.adapter import (
    _adamw,
    add_adapters,
    layers_of,
    merge_adapters,
    trainable,
)
from core.training.data import IGNORE, predicted, tensors
from core.training.loss import Scorer, linear_cross_entropy

ROWS = [[0, 5, 9, 0], [0, 7, 3, 8, 2, 4, 0], [0, 1, 0]]


def tiny(vocabulary: int = 300) -> torch.nn.Module:
    torch.manual_seed(0)
    return new_model(vocabulary, 0).eval()


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
@pytest.mark.parametrize("with_bias", [False, True])
def test_chunked_loss_and_gradients_are_the_plain_ones(chunk: int, with_bias: bool) -> None:
    torch.manual_seed(1)
    hidden = torch.randn(7, 12, requires_grad=True)
    weight = torch.randn(30, 12, requires_grad=True)
    bias = torch.randn(30, requires_grad=True) if with_bias else None
    targets = torch.randint(0, 30, (7,))
    leaves = [leaf for leaf in (hidden, weight, bias) if leaf is not None]

    plain = F.cross_entropy(F.linear(hidden, weight, bias), targets, reduction="sum")
    expected = torch.autograd.grad(3 * plain, leaves)
    ours = linear_cross_entropy(hidden, weight, bias, targets, chunk=chunk)
    found = torch.autograd.grad(3 * ours, leaves)

    assert torch.allclose(ours, plain, atol=1e-5, rtol=1e-5)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_what_is_ignored_counts_for_nothing(chunk: int) -> None:
    torch.manual_seed(1)
    hidden = torch.randn(7, 12, requires_grad=True)
    weight = torch.randn(30, 12, requires_grad=True)
    targets = torch.tensor([3, IGNORE, 4, 29, IGNORE, 0, IGNORE])
    kept = targets != IGNORE
    plain = F.cross_entropy(F.linear(hidden[kept], weight), targets[kept], reduction="sum")
    expected = torch.autograd.grad(plain, [hidden, weight])
    ours = linear_cross_entropy(hidden, weight, None, targets, chunk=chunk)
    found = torch.autograd.grad(ours, [hidden, weight])
    assert torch.allclose(ours, plain, atol=1e-5, rtol=1e-5)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-5, rtol=1e-5)
    assert not found[0][~kept].any()


def test_a_frozen_head_costs_no_gradient() -> None:
    hidden = torch.randn(4, 6, requires_grad=True)
    weight = torch.randn(9, 6)
    linear_cross_entropy(hidden, weight, None, torch.tensor([1, 2, 3, 4])).backward()
    assert hidden.grad is not None
    assert weight.grad is None


def test_the_score_is_the_models_own_loss() -> None:
    model = tiny()
    inputs, targets = tensors(ROWS, "cpu")
    logits = model(input_ids=inputs).logits
    wanted = targets != IGNORE
    plain = F.cross_entropy(logits[wanted], targets[wanted], reduction="sum")
    assert torch.allclose(Scorer(model)(inputs, targets), plain, atol=1e-5, rtol=1e-5)


def test_padding_does_not_change_the_loss() -> None:
    score = Scorer(tiny())
    together = score(*tensors(ROWS, "cpu"))
    apart = sum(score(*tensors([row], "cpu")) for row in ROWS)
    assert torch.allclose(together, apart, atol=1e-4, rtol=1e-5)


def test_a_model_that_scales_its_logits_is_scored_by_its_own() -> None:
    from transformers import CohereConfig, CohereForCausalLM

    torch.manual_seed(0)
    config = CohereConfig(
        vocab_size=64, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, logit_scale=0.5,
        bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    model = CohereForCausalLM(config).eval()
    inputs, targets = tensors(ROWS, "cpu")
    wanted = targets != IGNORE
    logits = model(input_ids=inputs).logits
    plain = F.cross_entropy(logits[wanted], targets[wanted], reduction="sum")
    assert torch.allclose(Scorer(model)(inputs, targets), plain, atol=1e-5, rtol=1e-5)


def test_new_adapters_change_nothing_and_merged_ones_act_as_before() -> None:
    model = tiny()
    inputs, targets = tensors(ROWS, "cpu")
    bare = Scorer(model)(inputs, targets).detach()
    adapted = add_adapters(model, rank=4, alpha=8)
    score = Scorer(model)
    assert torch.allclose(score(inputs, targets), bare)
    names = trainable(model)
    assert names
    assert all("lora_" in name for name in names)
    with torch.no_grad():
        for weight in names.values():
            weight.add_(torch.randn_like(weight) * 0.05)
    learned = score(inputs, targets).detach()
    assert not torch.allclose(learned, bare, atol=1e-2)
    merged = merge_adapters(adapted)
    assert not any("lora" in name for name, _ in merged.named_parameters())
    assert torch.allclose(Scorer(merged)(inputs, targets), learned, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("make", [tiny, lambda: tiny_gpt2()])
def test_adapters_of_the_upper_layers_alone_leave_the_lower_ones_without_a_way_back(
    make: Callable[[], Any],
) -> None:
    model = make()
    layers = layers_of(model)
    adapted = add_adapters(model, rank=4, alpha=8, layers=len(layers) - 1)
    with_adapters = [any(w.requires_grad for w in layer.parameters()) for layer in layers]
    assert with_adapters == [False] + [True] * (len(layers) - 1)
    states: list[torch.Tensor] = []
    for layer in layers:
        layer.register_forward_hook(
            lambda _m, _i, out: states.append(out if torch.is_tensor(out) else out[0])
        )
    inputs, targets = tensors(ROWS, "cpu")
    before = Scorer(model)(inputs, targets)
    assert [one.requires_grad for one in states[-len(layers) :]] == with_adapters
    weights = list(trainable(model).values())
    (gradient,) = torch.autograd.grad(before, weights[-1:])
    assert gradient.abs().sum() > 0
    with torch.no_grad():
        for weight in weights:
            weight.add_(torch.randn_like(weight) * 0.05)
    learned = Scorer(model)(inputs, targets).detach()
    assert not torch.allclose(learned, before, atol=1e-2)
    merged = merge_adapters(adapted)
    assert torch.allclose(Scorer(merged)(inputs, targets), learned, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("simple", [True, False])
def test_the_losses_of_rows_add_up_to_that_of_the_batch(simple: bool) -> None:
    model = tiny()
    score = Scorer(model)
    score._simple = simple
    inputs, targets = tensors(ROWS, "cpu")
    rows = score.of_rows(inputs, targets)
    assert torch.allclose(rows.sum(), score(inputs, targets), rtol=1e-6)
    for number, row in enumerate(ROWS):
        assert torch.allclose(rows[number], score(*tensors([row], "cpu")), rtol=1e-5)


def tiny_gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=64, n_positions=32, n_embd=32, n_layer=2, n_head=2)
    return GPT2LMHeadModel(config).eval()


@pytest.mark.parametrize("make", [tiny, tiny_gpt2])
def test_the_fused_pass_of_an_adapted_layer_is_that_of_peft(
    make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """GPT-2 has biases, and its matrices the other way round."""
    from core.training.adapter import fuse_adapters

    model = make()
    monkeypatch.setattr("core.training.adapter.fuse_adapters", lambda _: None)
    adapted = add_adapters(model, rank=4, alpha=8)
    weights = trainable(model)
    with torch.no_grad():
        for weight in weights.values():
            weight.copy_(torch.randn_like(weight) * 0.1)
    inputs, targets = tensors(ROWS, "cpu")
    score, found = Scorer(model), []
    for fused in (0, len(weights) // 2):
        if fused:
            assert fuse_adapters(adapted) == fused
        loss = score(inputs, targets)
        loss.backward()
        found.append((loss.detach(), [weight.grad for weight in weights.values()]))
        for weight in weights.values():
            weight.grad = None
    (plain, of_plain), (ours, of_ours) = found
    assert torch.allclose(plain, ours, rtol=1e-6)
    for one, other in zip(of_plain, of_ours, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)
    for some in (inputs, inputs[:1, :3]):  # many rows, and as few as while a text is written
        wanted = model(input_ids=some).logits.detach()
        with torch.no_grad():
            assert torch.allclose(model(input_ids=some).logits, wanted, atol=1e-5)
    adapted.disable_adapter_layers()
    without = score(inputs, targets).detach()
    adapted.enable_adapter_layers()
    assert not torch.allclose(without, ours, rtol=1e-4)
    merged = merge_adapters(adapted)
    assert torch.allclose(Scorer(merged)(inputs, targets), ours, rtol=1e-5)


def test_what_is_not_float32_on_a_cpu_keeps_the_pass_of_peft() -> None:
    from core.training.adapter import fuse_adapters

    adapted = add_adapters(tiny().to(torch.bfloat16), rank=4, alpha=8, autocast=True)
    assert fuse_adapters(adapted) == 0


def test_only_a_part_of_the_logits_is_there_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny()
    score, (inputs, targets) = Scorer(model), tensors(ROWS, "cpu")
    expected = score.of_rows(inputs, targets), score(inputs, targets)
    vocabulary = model.get_output_embeddings().weight.shape[0]
    monkeypatch.setitem(LOGITS, "cpu", 4 * vocabulary * 3)  # float32, of three positions
    heights: list[int] = []
    linear = torch.nn.functional.linear

    def counted(states: torch.Tensor, weight: torch.Tensor, *more: Any) -> torch.Tensor:
        if weight.shape[0] == vocabulary:
            heights.append(states.numel() // states.shape[-1])
        return linear(states, weight, *more)

    monkeypatch.setattr(torch.nn.functional, "linear", counted)
    found = score.of_rows(inputs, targets), score(inputs, targets)
    assert max(heights) == 3
    assert sum(heights) == 2 * sum(map(predicted, ROWS)), "and only where something is predicted"
    assert torch.allclose(found[0], expected[0], rtol=1e-5)
    assert torch.allclose(found[1], expected[1], rtol=1e-5)
    heights.clear()
    Scorer(model, static=True)(inputs, targets)
    assert sum(heights) == targets.numel() + 2 * 8, "with padding, after two looks at the head"


def test_the_optimiser_is_what_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for("fast", "scratch", lr=0.5, beta2=0.9, weight_decay=0.25)
    weights = [torch.nn.Parameter(torch.zeros(2))]
    plain, made = torch.optim.AdamW, []

    def not_fused(weights: Any, **options: Any) -> Any:
        made.append(options)
        if options.get("fused"):
            raise RuntimeError("`fused=True` requires another device")
        return plain(weights, **options)

    for refused in (False, True):
        if refused:
            monkeypatch.setattr(torch.optim, "AdamW", not_fused)
        (group,) = _adamw(weights, settings).param_groups
        assert (group["lr"], group["betas"], group["weight_decay"]) == (0.5, (0.9, 0.9), 0.25)
        assert bool(group["fused"]) is not refused
    assert [options.get("fused") for options in made] == [True, None]
