"""One set of sampling defaults: requests, commands and a trained model's own file agree."""

from __future__ import annotations

import json

import click
import torch
from sampling_models import blank, tokenizer
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from core.sampling.request import MOST_SAMPLES, SampleRequest
from core.training.finish import save_model
from tui.cli.runs.sample import sample


def test_a_saved_model_says_how_requests_are_drawn(tmp_path):
    words = PreTrainedTokenizerFast(tokenizer_object=tokenizer())
    model = AutoModelForCausalLM.from_pretrained(blank())
    save_model(tmp_path / "model", model, words, separator=0, dtype=torch.float32)
    written = json.loads((tmp_path / "model" / "generation_config.json").read_text("utf-8"))
    request = SampleRequest()
    assert written["do_sample"] is True
    assert written["temperature"] == request.temperature
    assert written["top_p"] == request.top_p
    assert written["top_k"] == request.top_k
    assert written.get("min_p", 0.0) == request.min_p
    assert written.get("repetition_penalty", 1.0) == request.repetition_penalty
    assert written["max_new_tokens"] == request.max_tokens


def test_the_command_has_the_same_defaults():
    defaults = {option.name: option.default for option in sample.params}
    request = SampleRequest()
    assert isinstance(sample, click.Command)
    for name in ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens"):
        assert defaults[name] == getattr(request, name), name
    (count,) = (option for option in sample.params if option.name == "n")
    assert (count.type.min, count.type.max) == (1, MOST_SAMPLES)
