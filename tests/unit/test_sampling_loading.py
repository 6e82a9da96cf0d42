"""A model folder in memory: what is refused, what is rounded, and what is measured once."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from sampling_models import blank
from transformers import Qwen2Config, Qwen2ForCausalLM

from core.errors import InputRefused, WrongUsage
from core.sampling.decoding import loading
from core.sampling.decoding.loading import load
from core.sampling.decoding.products import CentredHead, has_int8
from core.sampling.engine import Engine


def test_a_folder_that_holds_no_model_is_refused(tmp_path):
    with pytest.raises(InputRefused, match="cannot be loaded"):
        Engine.of(tmp_path, "cpu")
    shutil.copytree(blank(), tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").write_text("{", "utf-8")
    with pytest.raises(InputRefused, match="tokenizer"):
        Engine.of(tmp_path / "model", "cpu")
    config = json.loads((blank() / "config.json").read_text("utf-8"))
    config["num_hidden_layers"] = 3  # one layer that the file does not have
    (tmp_path / "model" / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(InputRefused, match="lacks"):
        load(tmp_path / "model", "cpu")
    with pytest.raises(WrongUsage, match="device"):
        load(blank(), "toaster")


@pytest.mark.parametrize("arithmetic", ["bfloat16", "int8"])
def test_a_rounded_model_keeps_its_distribution(arithmetic):
    if arithmetic == "int8" and not has_int8():
        pytest.skip("fbgemm is for x86")
    ids = [0, 40, 50, 60]
    exact = load(blank(), "cpu", "float32").decoder.score(ids).softmax(-1)
    loaded = load(blank(), "cpu", arithmetic)
    rounded = loaded.decoder.score(ids).softmax(-1)
    assert loaded.arithmetic == arithmetic
    assert 0 < (exact - rounded).abs().sum(-1).max() < 0.02


def test_a_centred_head_survives_logits_far_from_zero():
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(500, 64, generator=generator) / 8
    hidden = torch.randn(20, 64, generator=generator)
    weight = weight - 100 * hidden.mean(0) / hidden.mean(0).norm() ** 2
    exact = (hidden @ weight.T).softmax(-1)
    plain = (hidden.bfloat16() @ weight.bfloat16().T).float().softmax(-1)
    head = CentredHead(weight, None, torch.bfloat16)
    assert (head(hidden) - hidden @ weight.T).abs().max() < 0.1
    ours = head(hidden.bfloat16()).softmax(-1)
    assert (ours - exact).abs().sum(-1).mean() < 0.02
    assert (plain - exact).abs().sum(-1).mean() > 0.1


def test_the_faster_type_is_measured_once_and_then_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(loading, "_WORTH_MEASURING", 0)
    parameters = load(blank(), "cpu").parameters
    record = tmp_path / "cache" / "decoding.json"
    ((key, seconds),) = json.loads(record.read_text("utf-8")).items()
    processor = Path("/proc/cpuinfo")
    name = re.search(r"model name\s*: (.*)", processor.read_text()) if processor.exists() else None
    assert key == (
        f"{name[1].strip() if name else loading._processor()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, llama of {parameters}"
    )
    assert set(seconds) == {"float32", "bfloat16", *(["int8"] if has_int8() else [])}
    assert all(0 < one < 10 for one in seconds.values())
    for seconds, chosen in (
        ({"float32": 1.1, "bfloat16": 1.0}, "float32"),
        ({"float32": 1.2, "bfloat16": 1.0}, "bfloat16"),
        ({"float32": 1.2, "bfloat16": 1.0, "int8": 0.9}, "int8"),
        ({"bfloat16": 0.5}, "float32"),
    ):
        record.write_text(json.dumps({"another": {"float32": 1}, key: seconds}), "utf-8")
        assert load(blank(), "cpu").arithmetic == chosen
        assert json.loads(record.read_text("utf-8")) == {"another": {"float32": 1}, key: seconds}
    for other in ("[]", json.dumps({key: 1.3}), json.dumps({key: {}}), "{", '{"a": {"b": "c"}}'):
        record.write_text(other, "utf-8")
        load(blank(), "cpu")
        assert list(json.loads(record.read_text("utf-8"))) == [key]
    record.unlink()
    record.mkdir()
    load(blank(), "cpu")  # where nothing can be written it is measured each time


def test_what_is_small_is_not_measured_and_int8_only_where_it_can_be_had(tmp_path, monkeypatch):
    monkeypatch.setenv("MYNAH_CACHE", str(tmp_path / "cache"))
    record = tmp_path / "cache" / "decoding.json"
    assert load(blank(), "cpu").arithmetic == "float32"
    assert not record.exists()
    config = Qwen2Config(
        vocab_size=20, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2,
    )  # fmt: skip
    Qwen2ForCausalLM(config).save_pretrained(tmp_path / "model")
    monkeypatch.setattr(loading, "_WORTH_MEASURING", 0)
    load(tmp_path / "model", "cpu")
    (seconds,) = json.loads(record.read_text("utf-8")).values()
    assert set(seconds) == {"float32", "bfloat16"}
