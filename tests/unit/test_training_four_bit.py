"""A base in 4 bits, on this processor: packed by bitsandbytes itself, trained, resumed, saved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bitsandbytes.nn.modules as of_library
import pytest
import torch
from safetensors import safe_open
from test_runs_memory import folder_of, small
from test_training_endings import in_hand, of_kind
from toy_runs import StopAfter, create_toy, lines_of, train_here

from core.errors import InputRefused, MynahError
from core.models import four_bit
from core.models.four_bit import count_parameters, is_packed, load_four_bit, plain_weight
from core.models.load import cast_weights, load_model
from core.publish.card_sections import procedure
from core.publish.facts import facts_of
from core.runs.folder import Run, checkpoint_folders
from core.runs.summary import run_summary
from core.training.adapter import add_adapters, trainable, write_merged
from core.training.decode import glimpse
from core.training.distributed.group import frozen_sum, same_sum
from core.training.finish import finish
from core.training.fit import fit
from core.training.loss import Scorer
from core.training.setup import Training, set_up
from core.training.signals import StopRequest
from core.workflow.training import resume_training
from tests.unit.cli import HANDLES, ROOT, home_with_samples, mynah

CPU = torch.device("cpu")
IDS = torch.arange(60).reshape(3, 20) % 40
# In float32: whether a processor has bfloat16 is not what is looked at.
SHORT: dict[str, Any] = {
    "max_steps": 6, "batch_tokens": 128, "eval_tokens": 64, "lora_rank": 8, "four_bit": True,
    "arithmetic": "float32",
}  # fmt: skip


def made_base(kind: str, dtype: torch.dtype, folder: Path, seed: int = 0) -> str:
    torch.manual_seed(seed)
    model = small(kind, 2)
    with torch.no_grad():  # as far from zero as trained weights are
        for weight in model.parameters():
            weight *= 4 if weight.ndim == 2 else 1
    return folder_of(model.to(dtype), folder)


def loaded(base: str | Path) -> Any:
    return load_four_bit(Path(base), device=CPU, dtype=torch.float32)[0].eval()


@torch.no_grad()
def logits(model: Any) -> torch.Tensor:
    found: torch.Tensor = model(input_ids=IDS).logits
    return found


def tensors_in(folder: Path) -> dict[str, torch.Tensor]:
    found = {}
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            found |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return found


@dataclass(frozen=True)
class Learned:
    """A run that has ended, with the model that it has learned still packed."""

    base: Path
    run: Run
    training: Training
    dtype: torch.dtype


@pytest.fixture(
    scope="module",
    params=[("llama", torch.bfloat16), ("gpt2", torch.float32)],
    ids=["llama", "gpt2"],
)
def learned(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    kind, dtype = request.param
    folder = tmp_path_factory.mktemp(kind)
    base = made_base(kind, dtype, folder / "base")
    run = create_toy(folder, base=base, **SHORT)
    with in_hand(run) as journal:
        training = set_up(run, journal, StopRequest(run), resume=False)
        fit(training)
        journal.end(finish(training))
    return Learned(Path(base), run, training, dtype)


def test_what_is_saved_is_a_plain_model_that_gives_what_the_packed_one_gave(
    learned: Learned, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, saved = learned.training.model, learned.run.model
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)  # as where it is not installed
    plain, stored = load_model(saved)
    monkeypatch.undo()
    assert stored == learned.dtype
    of_base, of_model = tensors_in(learned.base), tensors_in(saved)
    assert {name: (one.dtype, one.shape) for name, one in of_model.items()} == {
        name: (one.dtype, one.shape) for name, one in of_base.items()
    }
    assert "quantization_config" not in json.loads((saved / "config.json").read_text())
    expected, found = logits(packed), logits(plain.eval())
    gap = 1e-4 if stored == torch.float32 else 0.02  # of weights that are rounded to be stored
    assert torch.allclose(found, expected, rtol=0, atol=gap * float(expected.abs().max()))
    before = logits(cast_weights(loaded(learned.base), torch.float32))
    assert not torch.allclose(before, expected, rtol=0, atol=0.5)
    measured = learned.training.held_out.measure(Scorer(plain))
    assert measured is not None
    first, *_, last = of_kind(lines_of(learned.run), "eval")
    assert last["tokens"] > first["tokens"], "a run without a limit measures on all in the end"
    after = next(one for one in of_kind(lines_of(learned.run), "eval") if one["phase"] == "after")
    assert after["valid_loss"] == pytest.approx(measured.loss, rel=gap / 10)
    assert after["valid_loss"] < first["valid_loss"] - 0.1


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_layers_without_adapters_are_unpacked_too_when_it_is_saved(
    tmp_path: Path, kind: str
) -> None:
    model = loaded(made_base(kind, torch.float32, tmp_path / "base"))
    add_adapters(cast_weights(model, torch.float32), rank=4, alpha=4, layers=1)
    with torch.no_grad():
        for weight in trainable(model).values():
            weight.add_(torch.randn_like(weight) * 0.05)
    (tmp_path / "saved").mkdir()
    write_merged(tmp_path / "saved", model, torch.float32)
    expected, found = logits(model), logits(load_model(tmp_path / "saved")[0].eval())
    assert torch.allclose(found, expected, rtol=0, atol=1e-4 * float(expected.abs().max()))


def test_the_matrices_are_packed_while_it_learns_and_nothing_else_is(learned: Learned) -> None:
    model, (start,) = learned.training.model, of_kind(lines_of(learned.run), "start")
    llama = model.config.model_type == "llama"
    of_bytes = {name for name, one in model.named_parameters() if one.dtype == torch.uint8}
    assert len(of_bytes) == 2 * (7 if llama else 4)
    assert all(name.endswith("base_layer.weight") for name in of_bytes)
    assert {one.dtype for one in trainable(model).values()} == {torch.float32}
    plain = load_model(learned.base)[0]
    of_base = sum(weight.numel() for weight in plain.parameters())
    assert learned.training.parameters == of_base == start["parameters"]
    for name, weight in plain.named_parameters():
        layer = model.get_submodule(name.rpartition(".")[0])
        if hasattr(layer, "base_layer") and name.endswith("weight"):
            unpacked = plain_weight(layer.base_layer)
            gap = (unpacked if llama else unpacked.T) - weight
            # half of the widest step between two of NormalFloat's numbers, and of the scale's
            assert 0 < gap.abs().max() < 0.17 * weight.abs().max()


def test_its_samples_are_those_of_the_saved_model(learned: Learned) -> None:
    data = learned.training.data
    one, other = (
        glimpse(model, data.tokenizer, separator=data.separator, seed=3, max_tokens=12)
        for model in (learned.training.model, load_model(learned.run.model)[0].eval())
    )
    assert any(one)
    if learned.dtype == torch.float32:
        assert one == other
    assert learned.run.samples.read_text(encoding="utf-8").count("\n") >= 2
    assert learned.training.memorisation is not None
    found = learned.training.memorisation.measure(learned.training.model)
    assert 0 <= found.train <= 1
    assert found.tweets > 1


def test_summary_log_and_card_say_that_it_was_in_4_bits(learned: Learned) -> None:
    summary = run_summary(learned.run)
    assert summary.base_in_words == f"{summary.base} in 4 bits"
    assert "on cpu (1 thread), float32, the base in 4 bits" in summary.log_text()
    rows = dict(procedure(facts_of(learned.run)))
    assert "4 bits" in rows["Base while it learned"]
    assert rows["Parameters"] == f"{learned.training.parameters:,}"


def test_a_model_of_several_files_is_the_same_model(
    learned: Learned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(four_bit, "_FILE_BYTES", 60_000)
    write_merged(tmp_path, learned.training.model, learned.dtype)
    assert len(list(tmp_path.glob("model-*-of-*.safetensors"))) > 2
    found, expected = load_model(tmp_path)[0], load_model(learned.run.model)[0]
    for (name, one), (other_name, other) in zip(
        found.named_parameters(), expected.named_parameters(), strict=True
    ):
        assert name == other_name
        assert torch.equal(one, other)


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    model = loaded(made_base("llama", torch.bfloat16, tmp_path / "base"))
    add_adapters(model, rank=2, alpha=2)
    with torch.no_grad():
        for weight in trainable(model).values():
            weight.fill_(float("inf"))
    with pytest.raises(MynahError, match="not numbers"):
        write_merged(tmp_path, model, torch.bfloat16)


def test_a_resumed_run_is_the_undisturbed_one_to_the_bit_and_knows_its_base(tmp_path: Path) -> None:
    base = made_base("llama", torch.bfloat16, tmp_path / "base")
    unbroken, broken = (create_toy(tmp_path / name, base=base, **SHORT) for name in ("one", "two"))
    whole = train_here(unbroken)[-1]
    assert train_here(broken, StopAfter(broken, 3))[-1]["steps"] == 3
    (checkpoint,) = checkpoint_folders(broken.checkpoints)
    with safe_open(checkpoint / "weights.safetensors", "pt") as file:
        assert all(".lora_" in name for name in file.keys())  # noqa: SIM118
    shutil.copytree(base, tmp_path / "kept")
    made_base("llama", torch.bfloat16, Path(base), seed=1)
    other = train_here(broken, resume=True)[-1]
    assert (other["state"], "are others now" in other["reason"]) == ("failed", True)
    shutil.rmtree(base)
    shutil.copytree(tmp_path / "kept", base)
    rest = train_here(broken, resume=True)
    assert of_kind(rest, "start")[0]["resumed_from"] == 3
    assert rest[-1]["valid_loss_after"] == whole["valid_loss_after"]
    name = "model.safetensors"
    assert (broken.model / name).read_bytes() == (unbroken.model / name).read_bytes()


def test_a_base_is_known_by_its_packed_weights_and_their_scales(tmp_path: Path) -> None:
    base = Path(made_base("gpt2", torch.float32, tmp_path / "base"))
    first = frozen_sum(add_adapters(loaded(base), rank=2, alpha=2).model)
    assert frozen_sum(add_adapters(loaded(base), rank=2, alpha=2).model) == first
    model = load_model(base)[0]
    with torch.no_grad():
        model.transformer.h[1].mlp.c_fc.weight *= 2  # the same bytes, with other scales
    folder_of(model, tmp_path / "other")
    scaled = frozen_sum(add_adapters(loaded(tmp_path / "other"), rank=2, alpha=2).model)
    assert not same_sum(first, scaled)
    packed = loaded(base)
    with torch.no_grad():
        weight = packed.transformer.h[1].mlp.c_fc.weight
        weight.data = weight.data ^ 16
    assert not same_sum(first, frozen_sum(add_adapters(packed, rank=2, alpha=2).model))


def test_the_packed_weights_are_never_packed_anew_for_a_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As bitsandbytes does for one with bfloat16 products: there are no gradients then."""
    asked: list[object] = []
    monkeypatch.setattr(of_library, "has_avx512bf16", lambda: True)
    monkeypatch.setattr(
        of_library, "_convert_weight_packed_for_cpu", lambda *given: asked.append(given) or given
    )
    model = loaded(made_base("llama", torch.float32, tmp_path / "base"))
    logits(model)
    assert asked == []
    assert sum(is_packed(layer) for layer in model.modules()) == 14


def test_what_is_packed_already_is_refused(tmp_path: Path) -> None:
    base = Path(made_base("llama", torch.bfloat16, tmp_path / "base"))
    model = loaded(base)
    assert count_parameters(model) == sum(one.numel() for one in load_model(base)[0].parameters())
    model.save_pretrained(tmp_path / "packed")
    for load in (load_model, loaded):
        with pytest.raises(InputRefused, match="packed already"):
            load(tmp_path / "packed")


def test_without_the_library_it_is_refused_before_there_is_a_run(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(home_with_samples(tmp_path_factory), home)
    base = made_base("llama", torch.bfloat16, tmp_path / "base")
    given = ("train", HANDLES[0], "--4bit", "--device", "cpu", "--base")
    assert "knows nothing yet" in mynah(*given, "scratch", home=home, code=2).err
    monkeypatch.setattr(four_bit, "find_spec", lambda name: None)
    refused = mynah(*given, base, home=home, code=3).err
    assert "bitsandbytes" in refused
    assert "pip install 'mynah-tui[fourbit]'" in refused
    assert not (home / "runs").exists()
    run = create_toy(tmp_path, base=base, **SHORT)
    run.update_record(state="stopped")
    with pytest.raises(InputRefused, match="4 bits"):
        resume_training(run)
    assert train_here(run, resume=True)[-1]["state"] == "failed"


@pytest.mark.slow
def test_a_run_without_4_bits_imports_nothing_of_it(tmp_path: Path) -> None:
    """peft would: PyTorch's compiler with it, which takes seconds."""
    base = made_base("llama", torch.bfloat16, tmp_path / "base")
    code = f"""
import sys
from pathlib import Path
import torch
from core.models.four_bit import load_four_bit
from core.models.scratch import new_model
from core.training.adapter import add_adapters
add_adapters(new_model(64, 0), rank=2, alpha=2)
assert "bitsandbytes" not in sys.modules
model = load_four_bit(Path({base!r}), device=torch.device("cpu"), dtype=torch.float32)[0]
add_adapters(model, rank=2, alpha=2)
kinds = {{type(layer).__name__ for layer in model.modules()}}
assert "Linear4bit" in kinds and "bitsandbytes" in sys.modules
assert any(name.endswith("lora_A.default.weight") for name, _ in model.named_parameters())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
