"""Our own forward pass gives the logits of transformers' modules; other shapes use these."""

from __future__ import annotations

import pytest
import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from core.sampling.decoding.decoder import LeanDecoder
from core.sampling.decoding.loading import prepared
from core.sampling.decoding.modules import ModuleDecoder
from core.sampling.decoding.products import has_int8, head_product, product

PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0}


def llama(**fields):
    sizes = {
        "vocab_size": 90,
        "hidden_size": 48,
        "intermediate_size": 80,
        "num_hidden_layers": 2,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128,
    }
    return LlamaForCausalLM(LlamaConfig(**sizes | fields))


def gpt2(**fields):
    sizes = {"vocab_size": 90, "n_embd": 48, "n_layer": 2, "n_head": 4, "n_positions": 128}
    return GPT2LMHeadModel(GPT2Config(**sizes | fields))


MODELS = {
    "groups": lambda: llama(),
    "tied": lambda: llama(tie_word_embeddings=True),
    "no groups": lambda: llama(num_key_value_heads=6),
    "one key head": lambda: llama(num_key_value_heads=1),
    "biases": lambda: llama(attention_bias=True, mlp_bias=True),
    "wide heads": lambda: llama(head_dim=16),
    "linear": lambda: llama(
        rope_parameters={"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}
    ),
    "llama3": lambda: llama(rope_parameters=LLAMA3),
    "yarn": lambda: llama(rope_parameters=YARN),
    "gpt2": lambda: gpt2(),
    "gpt2 untied": lambda: gpt2(tie_word_embeddings=False),
    "gpt2 gelu": lambda: gpt2(activation_function="gelu_pytorch_tanh", n_inner=100),
}


def made(name):
    torch.manual_seed(7)
    model = MODELS[name]().eval().requires_grad_(False)
    for parameter in model.parameters():  # biases and norms begin as zeros and ones
        parameter.data += torch.randn_like(parameter) * 0.1
    return model


@pytest.mark.parametrize("name", MODELS)
def test_the_logits_are_those_of_transformers(name):
    model = made(name)
    assert LeanDecoder.fits(model)
    decoder = LeanDecoder(model, "float32")
    expected = model(input_ids=torch.tensor([PROMPT])).logits[0]
    torch.testing.assert_close(decoder.score(PROMPT), expected, atol=1e-4, rtol=1e-4)
    prompt = decoder.prompt(PROMPT)
    torch.testing.assert_close(prompt.logits, expected[-1], atol=1e-4, rtol=1e-4)

    batch = decoder.batch(prompt, 3, 60)
    rows = [[*PROMPT] for _ in range(3)]
    generator = torch.Generator().manual_seed(1)
    for step in range(40):
        tokens = torch.randint(90, (len(rows),), generator=generator).tolist()
        for row, token in zip(rows, tokens, strict=True):
            row.append(token)
        logits = batch.step(tokens)
        if step % 13 in (0, 12):
            for row, got in zip(rows, logits, strict=True):
                whole = model(input_ids=torch.tensor([row])).logits[0, -1]
                torch.testing.assert_close(got, whole, atol=1e-4, rtol=1e-4)
        if step == 5:  # one begins anew, while the others go on
            batch.restart(1)
            rows[1] = [*PROMPT]
        if step == 20:  # the first has ended, and the last takes its place
            batch.keep([2, 1])
            rows = [rows[2], rows[1]]


@pytest.mark.parametrize(
    "model",
    [
        lambda: llama(hidden_act="gelu"),
        lambda: llama(rope_parameters={"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}),
        lambda: gpt2(activation_function="relu"),
        lambda: gpt2(scale_attn_by_inverse_layer_idx=True),
        lambda: Qwen2ForCausalLM(
            Qwen2Config(
                vocab_size=90, hidden_size=48, intermediate_size=80, num_hidden_layers=2,
                num_attention_heads=6, num_key_value_heads=2,
            )
        ),
    ],
)  # fmt: skip
def test_other_shapes_are_decoded_by_their_own_module(model):
    torch.manual_seed(7)
    model = model().eval().requires_grad_(False)
    loaded = prepared(model, "float32")
    decoder = loaded.decoder
    assert isinstance(decoder, ModuleDecoder)
    prompt = decoder.prompt(PROMPT)
    for _ in range(2):  # the prompt can be continued more than once
        batch = decoder.batch(prompt, 3, 60)
        batch.step([1, 2, 3])
        batch.keep([2, 1])
        logits = batch.step([4, 5])
        for row, got in zip(([*PROMPT, 3, 4], [*PROMPT, 2, 5]), logits, strict=True):
            expected = model(input_ids=torch.tensor([row])).logits[0, -1]
            torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(decoder.score(row)[-1], expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "fields",
    [
        {"activation_function": "gelu"}, {"scale_attn_weights": False},
        {"scale_attn_by_inverse_layer_idx": True}, {"reorder_and_upcast_attn": True},
        {"add_cross_attention": True},
    ],
)  # fmt: skip
def test_an_attention_of_another_kind_is_not_computed_as_gpt2s(fields):
    assert not LeanDecoder.fits(gpt2(**fields))


@pytest.mark.parametrize(
    ("name", "layers"), [("biases", "model.layers"), ("gpt2", "transformer.h")]
)
def test_a_consumed_model_decodes_the_same_and_is_given_up(name, layers):
    kept, given = made(name), made(name)
    score = prepared(kept, "float32").decoder.score(PROMPT)
    assert torch.equal(prepared(given, "float32", consume=True).decoder.score(PROMPT), score)
    kinds = [{type(one) for one in model.get_submodule(layers)} for model in (kept, given)]
    assert kinds[1] == {torch.nn.Identity} != kinds[0]


def test_a_row_goes_on_while_spare_ones_have_come_to_the_end():
    model = made("groups")
    decoder = LeanDecoder(model, "float32")
    batch = decoder.batch(decoder.prompt(PROMPT), 2, len(PROMPT) + 5)
    row = [*PROMPT]
    for step in range(60):
        if step % 20 == 0:
            batch.restart(1)
            row = [*PROMPT]
        row.append(step)
        logits = batch.step([7, step])
    expected = model(input_ids=torch.tensor([row])).logits[0, -1]
    torch.testing.assert_close(logits[1], expected, atol=1e-4, rtol=1e-4)


def test_a_rounded_module_keeps_what_all_its_logits_share():
    torch.manual_seed(7)
    config = Qwen2Config(
        vocab_size=90, hidden_size=48, intermediate_size=80, num_hidden_layers=1,
        num_attention_heads=6, num_key_value_heads=2,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config).eval().requires_grad_(False)
    model.lm_head.weight += 30
    exact = prepared(model, "float32").decoder.score(PROMPT).softmax(-1)
    rounded = prepared(model, "bfloat16").decoder.score(PROMPT).softmax(-1)
    assert 0 < (exact - rounded).abs().sum(-1).max() < 0.1


def test_what_is_known_of_a_model_that_is_ready():
    """Sizes by hand: keys and values of each layer, of each key head, in bytes."""
    qwen = Qwen2Config(
        vocab_size=90, hidden_size=48, intermediate_size=80, num_hidden_layers=3,
        num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=64,
    )  # fmt: skip
    for model, arithmetic, size, context in (
        (llama(), "float32", 2 * 2 * 2 * 8 * 4, 128),
        (llama(head_dim=16), "bfloat16", 2 * 2 * 2 * 16 * 4, 128),
        (gpt2(), "float32", 2 * 2 * 48 * 4, 128),
        (Qwen2ForCausalLM(qwen), "float32", 2 * 3 * 2 * 8 * 4, 64),
        (Qwen2ForCausalLM(qwen), "bfloat16", 2 * 3 * 2 * 8 * 2, 64),
    ):
        parameters = sum(one.numel() for one in model.parameters())
        loaded = prepared(model.eval().requires_grad_(False), arithmetic)
        assert (loaded.cache_bytes, loaded.context, loaded.vocabulary) == (size, context, 90)
        assert (loaded.parameters, loaded.arithmetic) == (parameters, arithmetic)
        assert loaded.device.type == "cpu"


@pytest.mark.parametrize("arithmetic", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("with_bias", [False, True])
def test_a_product_is_near_the_exact_one(arithmetic, with_bias):
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(70, 50, generator=generator)
    bias = 3 * torch.randn(70, generator=generator) if with_bias else None
    x = torch.randn(12, 50, generator=generator)
    exact = torch.nn.functional.linear(x, weight, bias)
    for kind in (product, head_product):
        made_of = kind(weight, bias, arithmetic)(x)
        assert made_of.dtype is torch.float32
        if arithmetic == "float32":
            assert torch.equal(made_of, exact)
        else:
            assert 0 < (made_of - exact).norm() / exact.norm() < 0.006
    if arithmetic != "float32":  # what all logits share is exact
        far = torch.full_like(weight, 30.0) + weight / 100
        wanted = torch.nn.functional.linear(x, far, bias)
        assert (head_product(far, bias, arithmetic)(x) - wanted).abs().max() < 0.02
        assert (product(far, bias, arithmetic)(x) - wanted).abs().max() > 0.02


@pytest.mark.skipif(not has_int8(), reason="fbgemm is for x86")
@pytest.mark.parametrize("inputs", [64, 96, 1536, 50])
def test_an_int8_product_is_near_and_no_four_rows_mind_the_others(inputs):
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(70, inputs, generator=generator)
    bias = torch.randn(70, generator=generator)
    x = torch.randn(12, inputs, generator=generator)
    x[:, 3] *= 40  # a few inputs of real models are that much larger than the rest
    x[4] *= 1000
    x[5] = 0
    multiply = product(weight, bias, "int8")
    exact = x @ weight.T + bias
    together = multiply(x)
    small = product(weight / 1e4, None, "int8")(x / 1e4)
    assert (small * 1e8 + bias - together).norm() / together.norm() < 0.01
    without = torch.cat((weight, torch.zeros(2, inputs)))
    assert (product(without, None, "int8")(x)[:, 70:] == 0).all()
    error = (together - exact).norm(dim=1) / exact.norm(dim=1)
    assert error.max() < 0.033
    for row in range(12):
        assert torch.equal(multiply(x[[row] * 4])[0], together[row])
    assert torch.equal(multiply(x[:4]), together[:4])
    assert torch.equal(multiply(x[4:]), together[4:])
