"""The memory a run will need: counted as autograd keeps it, told, refused where it is absurd."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_runs import _asked

from core.errors import InputRefused
from core.home import Home
from core.models.catalogue import resolve
from core.models.four_bit import is_packed, load_four_bit, numbers_of
from core.models.load import cast_weights
from core.models.scratch import VOCABULARY, new_model, train_tokenizer
from core.models.shape import Shape, shape_of
from core.processes import Memory, machine_memory
from core.runs.advise import advise
from core.runs.launch import create_run, prepare_run, start_run, stop_run
from core.runs.memory import (
    SURE,
    MemoryNeed,
    check_memory,
    memory_needed,
    next_step,
    wants_recomputing,
    warning,
)
from core.runs.settings import TrainSettings, settings_for
from core.runs.summary import run_result
from core.training.adapter import add_adapters, recompute_layers, trainable
from core.training.decide import Room

NEED = MemoryNeed(
    weights=400, learning=300, activations=200, recomputed=50, head=50, besides=0
)  # fmt: skip


def small(kind: str, layers: int) -> Any:
    """Models whose parts all have other widths."""
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    if kind == "gpt2":
        shape = GPT2Config(vocab_size=300, n_embd=48, n_layer=layers, n_head=3, n_positions=128)
        shape.activation_function = "gelu_pytorch_tanh"
        return GPT2LMHeadModel(shape).eval()
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=300, hidden_size=64, intermediate_size=160, num_hidden_layers=layers,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
        )
    ).eval()  # fmt: skip


def folder_of(model: Any, folder: Path) -> str:
    model.save_pretrained(folder)
    train_tokenizer(["the lamp is lit"]).save_pretrained(folder)
    return str(folder)


def packed(model: Any, folder: Path) -> Any:
    """As a run with a base in 4 bits has it, in float32."""
    folder_of(model, folder)
    return load_four_bit(folder, device=torch.device("cpu"), dtype=torch.float32)[0].eval()


def kept_for_backward(model: Any, tokens: int) -> int:
    """Bytes that autograd keeps of a pass through the body, weights not counted."""
    weights = {one.data_ptr() for one in [*model.parameters(), *model.buffers()]}
    kept: dict[int, tuple[int, torch.Tensor]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes(), tensor
        return tensor

    ids = torch.arange(tokens).reshape(4, -1) % 300
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
    assert out.requires_grad
    return sum(size for size, _ in kept.values())


@pytest.mark.parametrize("method", ["full", "lora", "lora, 4 bits"])
@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_what_a_layer_keeps_is_what_is_estimated(tmp_path: Path, kind: str, method: str) -> None:
    torch.manual_seed(0)
    tokens, models = 256, [small(kind, layers) for layers in (2, 3)]
    shape = shape_of(resolve(folder_of(models[1], tmp_path / "base")))
    assert shape is not None
    assert shape.parameters == sum(weight.numel() for weight in models[1].parameters())
    four_bit = "4 bits" in method
    settings = settings_for(
        "fast", "a", method=method[:4], four_bit=four_bit, lora_rank=8, lora_layers=1.0
    )
    if four_bit:
        models = [packed(model, tmp_path / str(i)) for i, model in enumerate(models)]
    if method != "full":
        for model in models:
            add_adapters(model, rank=8, alpha=8)
        learned = sum(weight.numel() for weight in trainable(models[1]).values())
        assert shape.adapter_parameters(8, shape.layers) == learned
    a_layer = kept_for_backward(models[1], tokens) - kept_for_backward(models[0], tokens)
    need = memory_needed(shape, settings, batch_tokens=tokens)
    assert need.activations / 3 == pytest.approx(a_layer, rel=0.05)
    for model in models:
        assert recompute_layers(model)
    a_layer = kept_for_backward(models[1], tokens) - kept_for_backward(models[0], tokens)
    assert a_layer == pytest.approx(tokens * shape.hidden * 4, rel=0.05)
    assert need.recomputed < need.activations


def test_a_layer_without_adapters_below_all_others_keeps_nothing(tmp_path: Path) -> None:
    models = [small("llama", layers) for layers in (2, 3)]
    shape = shape_of(resolve(folder_of(models[1], tmp_path / "base")))
    assert shape is not None
    for model in models:
        add_adapters(model, rank=8, alpha=8, layers=2)
    two, three = (kept_for_backward(model, 256) for model in models)
    assert three == pytest.approx(two, rel=0.02)
    upper, every = (
        memory_needed(shape, settings_for("fast", "a", lora_layers=share), batch_tokens=256)
        for share in (0.67, 1.0)
    )
    assert upper.activations == every.activations * 2 // 3
    assert upper.learning == every.learning * 2 // 3


def wide(kind: str) -> Any:
    """Models whose matrices are most of them."""
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    if kind == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=300, n_embd=192, n_layer=2, n_head=3, n_positions=128)
        )
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=300, hidden_size=192, intermediate_size=640, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, head_dim=80,
        )
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_base_in_4_bits_takes_what_is_estimated(tmp_path: Path, kind: str) -> None:
    base = folder_of(wide(kind).to(torch.bfloat16), tmp_path / "base")
    shape = shape_of(resolve(base))
    assert shape is not None
    model = load_four_bit(Path(base), device=torch.device("cpu"), dtype=torch.float32)[0]
    matrices = [layer for layer in model.modules() if is_packed(layer)]
    assert shape.matrix_parameters == sum(
        layer.in_features * layer.out_features for layer in matrices
    )
    settings = settings_for("fast", base, four_bit=True, lora_rank=8, lora_layers=1.0)
    add_adapters(cast_weights(model, torch.float32), rank=8, alpha=8)
    learned = sum(weight.numel() for weight in trainable(model).values())
    assert shape.adapter_parameters(8, shape.layers) == learned
    held = {
        numbers.untyped_storage().data_ptr(): numbers.untyped_storage().nbytes()
        for weight in model.parameters()
        for numbers in numbers_of(weight)
    }
    estimated = memory_needed(shape, settings).weights
    assert estimated == pytest.approx(sum(held.values()), rel=0.02)
    whole = memory_needed(shape, replace(settings, four_bit=False))
    assert estimated < 0.4 * whole.weights
    assert memory_needed(shape, settings, device="cuda").besides == 0


def test_8_billion_parameters_are_for_a_gpu_of_16_gb_in_4_bits_alone() -> None:
    """Llama 3 8B, whose card says 8.03 billion."""
    shape = Shape(8_030_261_248, 4096, 32, 14_336, 4096, 1024, 128_256, gated=True)
    ends, norms = 2 * 128_256 * 4096, (2 * 32 + 1) * 4096
    assert shape.matrix_parameters == shape.parameters - ends - norms
    whole = settings_for("quality", "llama", device="cuda")

    def need(settings: TrainSettings) -> MemoryNeed:
        return memory_needed(shape, settings, device="cuda", short=True)

    assert need(whole).weights == pytest.approx(2 * 8.03e9 + 4 * 167.8e6, rel=0.01)
    four = need(replace(whole, four_bit=True))
    # QLoRA's paper: 0.127 bits of scales a weight, after they are quantised themselves
    assert four.weights == pytest.approx(
        (0.5 + 0.127 / 8) * 6.979e9 + 2 * 1.051e9 + 4 * 167.8e6, rel=0.001
    )
    assert four.total(recompute=True) < 16e9 < need(whole).total(recompute=True)
    assert "--4bit" in next_step(whole, 16 * 10**9, need)
    for settings, there in ((whole, 4 * 10**9), (replace(whole, four_bit=True), 16 * 10**9)):
        assert "--4bit" not in next_step(settings, there, need), "where it would not help"
    assert "--4bit" not in next_step(replace(whole, method="full"), 16 * 10**9, need)


def test_a_refusal_names_4_bits_where_they_would_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run finds so many bytes on its device when its turn has come."""
    shape = Shape(8_030_261_248, 4096, 32, 14_336, 4096, 1024, 128_256, gated=True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (12 * 10**9, 0))
    settings = settings_for("quality", "llama", device="cuda")
    gpu = torch.device("cuda")
    with pytest.raises(InputRefused, match=r"the device now has 12\.0 GB") as refused:
        Room(settings, shape, gpu, torch.bfloat16).check()
    assert refused.value.next_step.startswith("Hold the base in 4 bits (--4bit)")
    Room(replace(settings, four_bit=True), shape, gpu, torch.bfloat16).check()


def test_the_bases_that_have_no_folder_have_their_shape(tmp_path: Path) -> None:
    of_scratch = shape_of(resolve("scratch"))
    assert of_scratch is not None
    assert of_scratch.parameters == sum(
        one.numel() for one in new_model(VOCABULARY, 0).parameters()
    )
    assert shape_of(resolve("gpt2-shape")) is not None
    model = small("llama", 1)
    folder = tmp_path / "odd"
    folder_of(model, folder)
    (folder / "config.json").write_text('{"model_type": "odd"}')
    assert shape_of(resolve(str(folder))) is None


# Shapes whose parts all differ, so that each part of an estimate shows.
W = Shape(142_000_000, 2000, 3, 6000, 2000, 500, 1000, gated=True)
G = replace(W, gated=False, keys=2000)
BIG = replace(W, vocabulary=1_000_000, hidden=10)
NEEDS: list[tuple[Shape, dict[str, Any], dict[str, Any], MemoryNeed]] = [
    (W, {}, {},
     MemoryNeed(596416000, 113664000, 115040256, 44490752, 8192000, 480000000)),
    (W, {"method": "full"}, {},
     MemoryNeed(568000000, 2272000000, 125952000, 48128000, 17024000, 480000000)),
    (W, {"method": "full", "keep_best": False}, {},
     MemoryNeed(568000000, 1704000000, 125952000, 48128000, 17024000, 480000000)),
    (W, {"keep_best": False, "max_memorised": 0.1}, {},
     MemoryNeed(596416000, 113664000, 115040256, 44490752, 8192000, 480000000)),
    (W, {"four_bit": True}, {"device": "cuda", "short": True},
     MemoryNeed(107605941, 113664000, 920322048, 355926016, 72000000, 0)),
    (W, {"four_bit": True}, {},
     MemoryNeed(115605941, 113664000, 115040256, 44490752, 96000000, 530000000)),
    (G, {"method": "full"}, {"device": "cuda", "short": True},
     MemoryNeed(852000000, 2272000000, 688128000, 278528000, 32384000, 0)),
    (G, {"packing": "blocks", "row_tokens": 512}, {},
     MemoryNeed(589504000, 86016000, 173604864, 70156288, 8192000, 480000000)),
    (W, {"nproc": 3, "lora_layers": 0.5}, {"batch_tokens": 1000},
     MemoryNeed(586944000, 75776000, 99761472, 55208736, 8192000, 480000000)),
    (G, {"batch_tokens": 2, "nproc": 4}, {},
     MemoryNeed(589504000, 86016000, 339072, 137024, 8192000, 480000000)),
    (BIG, {"method": "full"}, {"batch_tokens": 100},
     MemoryNeed(568000000, 2272000000, 30096000, 10044000, 147108864, 480000000)),
    (W, {"batch_tokens": 3000, "method": "full"}, {},
     MemoryNeed(568000000, 2272000000, 1476000000, 564000000, 28000000, 480000000)),
    (W, {}, {"device": "mps"},
     MemoryNeed(596416000, 113664000, 1840644096, 711852032, 16384000, 480000000)),
    (BIG, {}, {"device": "cuda", "batch_tokens": 1},
     MemoryNeed(585717760, 70871040, 306096, 102152, 2147483648, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "changed", "given", "need"), NEEDS)
def test_the_estimate_is_the_same_to_the_byte(
    shape: Shape, changed: dict[str, Any], given: dict[str, Any], need: MemoryNeed
) -> None:
    """What was measured on real bases is in each of its figures; a change is to be measured, too.

    Of the first: 4 bytes of each weight and adapter; of each adapter a gradient, two moments and
    the best one; 256 tokens by 3 layers of what is kept; twice the logits of 1,024 positions.
    """
    settings = replace(settings_for("fast", "x"), **changed)
    assert memory_needed(shape, settings, **given) == need


def test_the_parts_of_a_need_add_up() -> None:
    need = MemoryNeed(1, 20, 300, 40_000, 5_000_000, 600_000_000)
    assert need.total() == 605_000_321
    assert need.total(recompute=True) == 605_040_021
    assert need.over_idle == 175_000_321
    assert replace(need, besides=0).over_idle == 5_000_321, "on a GPU"


def test_more_is_needed_for_more() -> None:
    shape = shape_of(resolve("gpt2-shape"))
    assert shape is not None
    one = settings_for("fast", "gpt2-shape")
    total = memory_needed(shape, one).total()
    assert memory_needed(shape, replace(one, keep_best=False)).total() < total
    assert memory_needed(shape, replace(one, batch_tokens=1024)).total() > total
    assert memory_needed(shape, replace(one, method="lora")).total() < total
    assert memory_needed(shape, settings_for("classic", "gpt2-shape")).activations > (
        memory_needed(shape, one).activations
    )


def test_only_what_clearly_does_not_fit_is_refused() -> None:
    least = NEED.total(recompute=True)
    assert (NEED.total(), least) == (950, 800)
    check_memory(NEED, round(least / SURE) + 1, where="this machine", next_step="")
    with pytest.raises(InputRefused, match="and this machine has") as refused:
        check_memory(NEED, round(least / SURE) - 1, where="this machine", next_step="--now")
    assert refused.value.next_step == "--now"
    giga = MemoryNeed(10**9, 10**9, 0, 0, 0, 0)
    with pytest.raises(InputRefused) as refused:
        check_memory(giga, 10**9, where="this machine", next_step="", processes=3)
    assert "about 6.0 GB of memory in 3 processes, and this machine has 3.0" in refused.value.what
    assert refused.value.why.startswith("3.0 GB for the weights")
    assert [wants_recomputing(NEED, free) for free in (799, 800, 949, 950)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert warning(950, Memory(950, 2000)) == "" == warning(None, Memory(0, 0))
    assert "needs about 2.0 GB of memory, and 1.0 GB is free" in warning(
        2_000_000_000, Memory(1_000_000_000, 0)
    )


def test_a_run_that_the_machine_cannot_hold_is_refused_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, tweets = _asked(None, {})
    home = Home.at(tmp_path)
    real = machine_memory()
    assert 0 < real.free <= real.total
    told = create_run(home, request, tweets)
    assert run_result(told)["memory_needed"] == told.record().memory_needed
    assert 4e8 < (told.record().memory_needed or 0) < 2e9
    monkeypatch.setattr("core.runs.memory.machine_memory", lambda: Memory(0, 200_000_000))
    with pytest.raises(InputRefused, match="this machine has"):
        start_run(home, request, tweets)
    assert [path.name for path in home.runs.iterdir()] == [told.id], "nothing is left behind"
    prepared = prepare_run(home, request, tweets)
    assert prepared.record().memory_needed == told.record().memory_needed, "for other machines"
    insisted = start_run(home, replace(request, now=True), tweets)
    stop_run(insisted)
    assert insisted.record().memory_needed == told.record().memory_needed


def test_the_advice_says_where_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home.at(tmp_path)
    assert not any("is free" in line for line in advise(home, kept=9, base="scratch").lines)
    monkeypatch.setattr("core.runs.advise.machine_memory", lambda: Memory(100_000_000, 0))
    advice = advise(home, kept=9, base="scratch")
    assert "Only 0.1 GB of memory is free." in advice.lines
    assert advice.memory is not None
