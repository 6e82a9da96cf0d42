"""A model folder in memory, on the device and in the number type that decodes fastest there."""

from __future__ import annotations

import contextlib
import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, DynamicCache

from core.errors import InputRefused
from core.files import write_text_whole
from core.home import cache_dir
from core.models.load import cast_weights
from core.training.device import choose_device

# Below this size a token takes a few milliseconds in any type, so the exact one it is.
_WORTH_MEASURING = 20_000_000
_WORTH_ROUNDING = 1.15  # bfloat16 must be faster by that factor to be chosen
_ROWS = 8


@dataclass(frozen=True)
class Loaded:
    """A model ready to decode; ``model`` is a transformers causal language model in eval mode."""

    model: Any
    device: torch.device
    dtype: torch.dtype
    parameters: int


class CentredHead(nn.Module):
    """The output layer in a rounded type, without the part that all its logits share.

    Taking the mean row off the matrix takes the same number off every logit of a position, which
    softmax does not see; but logits near zero survive bfloat16's 8 bits and GPT-2's, which lie
    around -100 in steps of 0.5, do not.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        centred = weight.float() - weight.float().mean(0)
        self.weight = nn.Parameter(centred.to(dtype), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.to(dtype), requires_grad=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(hidden, self.weight, self.bias)


def load(model_dir: Path, device: str = "auto", dtype: str = "auto") -> Loaded:
    """The model of a folder in Hugging Face format, from this disk only.

    ``device`` is auto, cpu, cuda, cuda:N or mps; ``dtype`` is auto, float32 or bfloat16, where
    auto is float32 for small models on a processor, else what a measurement found to be faster
    (made once per machine, kept in the cache folder, so that the same seed keeps its texts).
    Raises InputRefused for a folder that cannot be loaded and for an absent device.
    """
    target = choose_device(device)
    model = _read(model_dir)
    parameters = int(sum(p.numel() for p in model.parameters()))
    chosen = _dtype(model, target, parameters) if dtype == "auto" else getattr(torch, dtype)
    if chosen is not torch.float32:
        # A measurement left the weights rounded; the head is centred from the exact ones.
        model = _rounded(_read(model_dir), chosen)
    elif next(model.parameters()).dtype is not torch.float32:
        model = _read(model_dir)
    return Loaded(model.to(target), target, chosen, parameters)


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
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
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


def _dtype(model: Any, target: torch.device, parameters: int) -> torch.dtype:
    if target.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if target.type != "cpu" or parameters < _WORTH_MEASURING:
        return torch.float32
    record = cache_dir() / "decoding.json"
    known = _known(record)
    key = f"{_processor()}, torch {torch.__version__}, {torch.get_num_threads()} threads, "
    key += f"{model.config.model_type} of {parameters}"
    if key not in known:
        exact = _seconds_per_step(model)
        known[key] = exact / _seconds_per_step(cast_weights(model, torch.bfloat16))
        _remember(record, known)
    return torch.bfloat16 if known[key] >= _WORTH_ROUNDING else torch.float32


@torch.inference_mode()
def _seconds_per_step(model: Any, steps: int = 4) -> float:
    """The fastest of a few decoding steps of a small batch, after one to warm up."""
    cache = DynamicCache(config=model.config)
    ids = torch.zeros(_ROWS, 1, dtype=torch.long)
    taken = []
    for _ in range(1 + steps):
        began = time.perf_counter()
        model(input_ids=ids, past_key_values=cache, use_cache=True)
        taken.append(time.perf_counter() - began)
    return min(taken[1:])


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _known(record: Path) -> dict[str, float]:
    try:
        read = json.loads(record.read_text("utf-8"))
        return {str(key): float(value) for key, value in read.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _remember(record: Path, known: dict[str, float]) -> None:
    # Where nothing can be written, the measurement is merely made again.
    with contextlib.suppress(OSError):
        write_text_whole(record, json.dumps(known, indent=1))
