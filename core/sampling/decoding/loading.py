"""A model folder in memory, on the device and in the arithmetic that decodes fastest there."""

from __future__ import annotations

import contextlib
import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from core.errors import InputRefused, kind_and_line
from core.files import write_text_whole
from core.home import cache_dir
from core.json_lines import parse_json
from core.models.load import cast_weights
from core.sampling.decoding.decoder import Decoder, LeanDecoder
from core.sampling.decoding.modules import ModuleDecoder
from core.sampling.decoding.products import FLOAT32, INT8, CentredHead, has_int8, product
from core.training.device import choose_device

# Below this size a token takes a few milliseconds in any arithmetic, so the exact one it is.
_WORTH_MEASURING: Final = 20_000_000
_WORTH_ROUNDING: Final = 1.15  # another arithmetic must be faster by that factor to be chosen
_ROWS: Final = 11
_TURNS: Final = 4


@dataclass(frozen=True)
class Loaded:
    """A model ready to decode.

    arithmetic    float32, or what the products with its weights are rounded to: bfloat16, float16,
                  int8
    vocabulary    how many logits it gives
    context       how many tokens it reads at most
    cache_bytes   of one token of one row
    """

    decoder: Decoder
    device: torch.device
    arithmetic: str
    parameters: int
    vocabulary: int
    context: int
    cache_bytes: int


def load(model_dir: Path, device: str = "auto", arithmetic: str = "auto") -> Loaded:
    """The model of a folder in Hugging Face format, from this disk only.

    ``device`` is auto, cpu, cuda, cuda:N or mps; ``arithmetic`` is auto, float32, bfloat16 or int8,
    where auto is float32 for small models on a processor, else what a measurement found to be
    faster (made once per machine, kept in the cache folder, so that the same seed keeps its texts).
    Raises InputRefused for a folder that cannot be loaded and for an absent device.
    """
    target = choose_device(device)
    model = _read(model_dir)
    if arithmetic == "auto":
        arithmetic = _fastest(model, target)
    return prepared(model.to(target), arithmetic, consume=True)


def prepared(model: Any, arithmetic: str, *, consume: bool = False) -> Loaded:
    """``model`` (weights in float32, or in ``arithmetic``) ready to decode where it is.

    ``consume``: nobody else needs it, so that its layers are given up one after the other.
    """
    config = model.config.get_text_config()
    parameters = int(sum(p.numel() for p in model.parameters()))
    head = model.get_output_embeddings().weight
    vocabulary, device = len(head), head.device
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    numbers = 2 * config.num_hidden_layers * heads * width
    context = int(getattr(config, "max_position_embeddings", 2**31))
    decoder: Decoder
    if LeanDecoder.fits(model):
        decoder, size = LeanDecoder(model, arithmetic, consume=consume), 4
    else:
        if arithmetic != FLOAT32 and model.dtype is torch.float32:
            model = _rounded(model, getattr(torch, arithmetic))
        decoder, size = ModuleDecoder(model), torch.finfo(model.dtype).bits // 8
    return Loaded(decoder, device, arithmetic, parameters, vocabulary, context, numbers * size)


def _read(model_dir: Path) -> Any:
    try:
        model, told = AutoModelForCausalLM.from_pretrained(
            model_dir, dtype=torch.float32, local_files_only=True, output_loading_info=True
        )
        if told["missing_keys"]:  # transformers would fill them with random numbers
            raise ValueError(f"it lacks {sorted(told['missing_keys'])[0]}")
    except Exception as error:  # a damaged folder fails in as many ways as there are files
        raise InputRefused(
            f"The model in {model_dir} cannot be loaded.",
            kind_and_line(error),
            "Train the run again, or choose another run.",
        ) from error
    return model.eval().requires_grad_(False)


def _rounded(model: Any, dtype: torch.dtype) -> Any:
    """``model`` in ``dtype``, with a centred head unless its logits are bent afterwards."""
    head = model.get_output_embeddings()
    bent = getattr(model.config, "final_logit_softcapping", None)
    if isinstance(head, nn.Linear) and not bent:
        model.set_output_embeddings(CentredHead(head.weight.detach(), head.bias, dtype))
    return cast_weights(model, dtype)


def _fastest(model: Any, target: torch.device) -> str:
    """The arithmetic for ``model`` on ``target``, by what decoding on it waits for."""
    if target.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    parameters = sum(p.numel() for p in model.parameters())
    if target.type != "cpu" or parameters < _WORTH_MEASURING:
        return FLOAT32
    record = cache_dir() / "decoding.json"
    known = _known(record)
    key = f"{_processor()}, torch {torch.__version__}, {torch.get_num_threads()} threads, "
    key += f"{model.config.model_type} of {parameters}"
    if not known.get(key):
        known[key] = _measured(model)
        _remember(record, known)
    seconds = known[key]
    best = min(seconds, key=lambda name: seconds[name])
    return best if seconds[best] * _WORTH_ROUNDING < seconds.get(FLOAT32, 0.0) else FLOAT32


@torch.inference_mode()
def _measured(model: Any) -> dict[str, float]:
    """Seconds of the head's product with a small batch in each arithmetic that can be had.

    The largest weight of a small model, which no cache holds, so that memory counts as it does in
    a step: the best of a few turns, after one to warm up.
    """
    weight = model.get_output_embeddings().weight
    x = torch.randn(_ROWS, weight.shape[1])
    candidates = [FLOAT32, "bfloat16"]
    if LeanDecoder.fits(model) and has_int8():
        candidates.append(INT8)
    products = {name: product(weight, None, name) for name in candidates}
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(1 + _TURNS):
        for name, multiply in products.items():
            began = time.perf_counter()
            multiply(x)
            taken[name].append(time.perf_counter() - began)
    return {name: round(min(turns[1:]), 6) for name, turns in taken.items()}


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _known(record: Path) -> dict[str, dict[str, float]]:
    """What was measured on this machine; older versions kept one number for each model."""
    try:
        read = parse_json(record.read_text("utf-8"))
        return {
            str(key): {str(name): float(seconds) for name, seconds in value.items()}
            for key, value in read.items()
            if isinstance(value, dict)
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _remember(record: Path, known: dict[str, dict[str, float]]) -> None:
    # Where nothing can be written, the measurement is merely made again.
    with contextlib.suppress(OSError):
        write_text_whole(record, json.dumps(known))
