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
from core.sampling.decoding.products import has_int8, product

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


def test_a_consumed_model_decodes_the_same():
    kept = prepared(made("biases"), "float32").decoder.score(PROMPT)
    assert torch.equal(
        prepared(made("biases"), "float32", consume=True).decoder.score(PROMPT), kept
    )


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
    error = (together - exact).norm(dim=1) / exact.norm(dim=1)
    assert error.max() < 0.05
    assert torch.equal(multiply(x[:4]), together[:4])
    assert torch.equal(multiply(x[4:]), together[4:])
