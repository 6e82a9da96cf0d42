"""Models for other programs: GGUF that reads back as the same model, Ollama's folder, refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import polars as pl
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, pipeline

from core.errors import InputRefused, Interrupted, MynahError, WrongUsage
from core.files import sha256_of
from core.models.scratch import train_tokenizer
from core.publish import gguf_writer
from core.publish.convert import convert, ollama_files
from core.publish.gguf_writer import shape_of
from core.runs.folder import Run
from core.training.finish import save_model
from tests.unit.cli import mynah
from tests.unit.toy_runs import create_toy


def made_run(home: Path, kind: str, *, dtype: torch.dtype = torch.float32) -> Run:
    """A run with a small model of random weights in each of the two shapes."""
    run = create_toy(home)
    texts = pl.read_parquet(run.dataset / "train.parquet")["text"].to_list()
    tokenizer = train_tokenizer(texts)
    torch.manual_seed(5)
    model: Any
    if kind == "gpt2":
        model = GPT2LMHeadModel(
            GPT2Config(
                vocab_size=len(tokenizer) + 3, n_embd=64, n_layer=2, n_head=4, n_positions=256,
                activation_function="gelu_pytorch_tanh",
            )
        )  # fmt: skip
    else:
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer) + 3, hidden_size=64, intermediate_size=96,
                num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
                max_position_embeddings=256, rope_theta=5000.0,
                tie_word_embeddings=kind == "llama",
            )
        )  # fmt: skip
    separator = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    save_model(run.model, model, tokenizer, separator=separator, dtype=dtype)
    return run


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made_run(tmp_path_factory.mktemp("llama"), "llama")


@pytest.mark.parametrize("kind", ["llama", "untied llama", "gpt2"])
def test_an_f16_file_is_the_same_model_token_by_token(kind: str, tmp_path: Path) -> None:
    run = made_run(tmp_path, kind)
    done = convert(run, "gguf", tmp_path / "m.gguf")
    proof = done.proof
    assert proof["equal"] == proof["tokens"] > 100
    assert "rounded to float16" in proof["compared"]
    assert proof["texts"] > 6, "the fixed prompts, and held-out tweets"
    assert proof["held_out_tokens"] > 50
    assert abs(proof["drift"]) < 1e-3
    assert proof["rounded_weights"] > 0, "float32 weights do not all fit float16"
    assert done.sha256 == sha256_of(tmp_path / "m.gguf")
    reader = gguf.GGUFReader(tmp_path / "m.gguf")
    assert reader.fields["tokenizer.ggml.pre"].contents() == "gpt-2"
    assert reader.fields["tokenizer.ggml.add_bos_token"].contents() is True
    assert "AI-generated" in reader.fields["general.description"].contents()
    names = {tensor.name for tensor in reader.tensors}
    assert ("output.weight" in names) == (kind == "untied llama")


def test_weights_of_bfloat16_fit_an_f16_file_as_they_are(tmp_path: Path) -> None:
    run = made_run(tmp_path, "llama", dtype=torch.bfloat16)
    proof = convert(run, "gguf", tmp_path / "m.gguf").proof
    # but those so small that float16 has fewer digits for them
    assert proof["rounded_weights"] < 200
    assert proof["equal"] == proof["tokens"]


def test_a_q8_0_file_says_what_it_costs(llama: Run, tmp_path: Path) -> None:
    done = convert(llama, "gguf", tmp_path / "m.gguf", quant="q8_0")
    assert 0 < abs(done.proof["drift"]) < 0.05
    assert done.proof["drift"] == done.proof["converted_loss"] - done.proof["loss"]
    kinds = {tensor.tensor_type.name for tensor in gguf.GGUFReader(done.path).tensors}
    assert kinds == {"Q8_0", "F32"}
    f16 = convert(llama, "gguf", tmp_path / "f16.gguf")
    assert done.path.stat().st_size < f16.path.stat().st_size * 0.8


@pytest.mark.parametrize("spoilt", ["rows", "weights"])
def test_a_file_that_is_not_the_model_is_thrown_away(
    spoilt: str, llama: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = gguf_writer._laid_out

    def wrong(name: str, array: Any, config: Any) -> Any:
        if spoilt == "rows":  # the halves of each head as transformers has them
            return array
        return right(name, array, config) * (0.5 if "down_proj" in name else 1.0)

    monkeypatch.setattr(gguf_writer, "_laid_out", wrong)
    with pytest.raises(MynahError, match="not the same model"):
        convert(llama, "gguf", tmp_path / "m.gguf")
    assert not list(tmp_path.iterdir())


def test_digits_are_cut_as_the_tokenizer_cuts_them(llama: Run, tmp_path: Path) -> None:
    """llama.cpp has a name for each way; the base's own name does not decide."""
    tokenizer = json.loads((llama.model / "tokenizer.json").read_text())
    byte_level = tokenizer["pre_tokenizer"]
    steps = [{"type": "Digits", "individual_digits": True}, byte_level]
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_bytes((llama.model / "config.json").read_bytes())
    for pre, name in (
        (byte_level, "gpt-2"),
        ({"type": "Sequence", "pretokenizers": steps}, "smollm"),
    ):
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer | {"pre_tokenizer": pre}))
        assert shape_of(folder).pre == name
    (folder / "tokenizer.json").write_text(
        json.dumps(tokenizer | {"pre_tokenizer": {"type": "Whitespace"}})
    )
    with pytest.raises(InputRefused, match="Whitespace"):
        shape_of(folder)
    for damaged in ("[" * 60_000, "{", "[]"):
        (folder / "tokenizer.json").write_text(damaged)
        with pytest.raises(InputRefused, match=r"tokenizer\.json cannot be read"):
            shape_of(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "gemma3"}, "gemma3"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "yarn"),
        ({"attention_bias": True}, "attention_bias"),
        ({"hidden_act": "gelu"}, "gelu"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(
    change: dict[str, Any], said: str, tmp_path: Path
) -> None:
    run = create_toy(tmp_path)
    run.model.mkdir()
    config = {"model_type": "llama", "hidden_act": "silu"} | change
    (run.model / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputRefused, match=said):
        convert(run, "gguf", tmp_path / "m.gguf")
    assert not (tmp_path / "m.gguf").exists()


def test_a_weight_beyond_float16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="larger than float16"):
        gguf_writer._stored("w", np.full((2, 32), 1e6, np.float32), "f16")


def test_a_folder_for_ollama(llama: Run, tmp_path: Path) -> None:
    done = convert(llama, "ollama", tmp_path / "out")
    assert set(done.files) == {"keeper.gguf", "Modelfile", "template", "params", "README.md"}
    assert done.sha256 == done.files["keeper.gguf"]
    assert done.proof["equal"] == done.proof["tokens"]
    modelfile = (done.path / "Modelfile").read_text()
    assert "FROM ./keeper.gguf\n" in modelfile
    assert 'TEMPLATE "{{ .Prompt }}"' in modelfile
    # Ollama reads what stands between two quotes as it is, over line breaks
    assert re.findall(r'^PARAMETER stop "([^"]*)"', modelfile, re.MULTILINE) == [
        "<|endoftext|>",
        "\n",
    ]
    assert "PARAMETER repeat_penalty 1.0" in modelfile
    params = json.loads((done.path / "params").read_text())
    assert params["stop"] == ["<|endoftext|>", "\n"]
    assert params["temperature"] == 0.8


def test_tweets_of_several_lines_do_not_stop_at_the_first() -> None:
    assert '"\n"' not in ollama_files("m.gguf", ["<|endoftext|>"])["Modelfile"]


def test_a_folder_is_the_model_with_its_card(llama: Run, tmp_path: Path) -> None:
    done = convert(llama, "folder", tmp_path / "out")
    assert done.files["model.safetensors"] == sha256_of(llama.model / "model.safetensors")
    assert done.sha256 == done.files["model.safetensors"]
    assert (done.path / "README.md").read_text().startswith("---\n")
    made = pipeline("text-generation", model=str(done.path))("the lamp", max_new_tokens=3)
    assert made[0]["generated_text"].startswith("the lamp")
    with pytest.raises(WrongUsage, match="--quant"):
        convert(llama, "folder", tmp_path / "other", quant="f16")


def test_what_is_there_stays_unless_forced(llama: Run, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_text("somebody's")
    with pytest.raises(InputRefused, match="there already"):
        convert(llama, "gguf", path)
    assert path.read_text() == "somebody's"
    convert(llama, "gguf", path, force=True)
    assert path.read_bytes()[:4] == b"GGUF"
    mine = tmp_path / "photos"
    mine.mkdir()
    (mine / "one.jpg").write_text("x")
    with pytest.raises(InputRefused, match="not replaced"):
        convert(llama, "folder", mine, force=True)
    (mine / "config.json").write_text("{}")  # of a program of somebody's
    with pytest.raises(InputRefused, match="not replaced"):
        convert(llama, "folder", mine, force=True)
    assert (mine / "one.jpg").exists()
    with pytest.raises(InputRefused, match="own folder"):
        convert(llama, "ollama", llama.model, force=True)


def test_it_can_be_stopped(llama: Run, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        convert(llama, "gguf", tmp_path / "m.gguf", cancelled=lambda: True)
    assert not list(tmp_path.iterdir())


def test_without_held_out_tweets_there_is_no_drift(tmp_path: Path) -> None:
    run = made_run(tmp_path, "llama")
    (run.dataset / "valid.parquet").unlink()
    proof = convert(run, "gguf", tmp_path / "m.gguf").proof
    assert (proof["loss"], proof["drift"], proof["held_out_tokens"]) == (None, None, 0)
    assert proof["equal"] == proof["tokens"]


def test_the_command(tmp_path: Path) -> None:
    made_run(tmp_path, "llama")
    path = tmp_path / "m.gguf"
    told = mynah("convert", "latest", "--to", "gguf", "-o", path, "--json", home=tmp_path).json()
    assert {"path", "format", "sha256", "proof"} <= set(told)
    assert (told["path"], told["format"], told["sha256"]) == (str(path), "gguf", sha256_of(path))
    refused = mynah("convert", "latest", "--to", "gguf", "-o", path, home=tmp_path, code=3)
    assert "--force" in refused.err
    shown = mynah("convert", "latest", "--to", "gguf", "-o", path, "--force", home=tmp_path)
    assert "equal tokens" in shown.text
    assert "Traceback" not in shown.err
    assert "it/s" not in shown.err


def test_the_loss_of_a_proof_says_on_what_it_was_measured() -> None:
    from core.publish.proof import Proof
    from tui.cli.runs.convert import _proved

    proof = Proof("", held_out=2_006, loss=6.65, converted=6.6501)
    (told,) = [words for name, words in _proved(proof.to_json()) if name == "held-out loss"]
    assert str(told).startswith("6.6501 on 2,006 held-out tokens, +0.00010 nats a token against")
