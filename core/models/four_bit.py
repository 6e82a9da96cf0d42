"""A base whose matrices are held in 4 bits while adapters learn beside them: loading, counting,
unpacking, and writing the plain model.

The numbers are NormalFloat's 16, scaled in blocks of 64 by scales that are 8-bit numbers
themselves. Source: Dettmers et al. 2023, QLoRA; bitsandbytes, an optional dependency, does it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused, MynahError
from core.models.load import load_stored

# Bytes of a weight: half of one, and of each block of 64 a scale of one byte, of which 256 share
# a scale of four.
BYTES_A_WEIGHT: Final = 0.5 + (1 + 4 / 256) / 64

NOT_FINITE: Final = "The model is not saved: some of its weights are not numbers."

# A model is written in files of so many bytes, each of which is in memory while it is written.
_FILE_BYTES: Final = 2 << 30


def check_library() -> None:
    """Raises InputRefused where bitsandbytes is not installed; imports nothing."""
    if find_spec("bitsandbytes") is None:
        raise InputRefused(
            "A base cannot be held in 4 bits here.",
            "That takes the library bitsandbytes, which is not installed.",
            "pip install 'mynah-tui[fourbit]', or leave the 4 bits out.",
        )


def load_four_bit(folder: Path, *, device: Any, dtype: Any) -> tuple[Any, Any]:
    """The causal language model in ``folder`` on ``device``, its matrices but the head packed in 4
    bits, and the torch dtype it is stored in; products are made in ``dtype``.

    The rest is in the dtype it is stored in. One matrix after the other is read and packed on the
    device, so that the model as it is stored is never in memory. Raises InputRefused.
    """
    check_library()
    import torch
    from transformers import BitsAndBytesConfig

    how = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    # On a processor bitsandbytes would compile its packing anew for each shape.
    with torch.compiler.set_stance("force_eager"):
        model, stored = load_stored(folder, quantization_config=how, device_map={"": device})
    for layer in model.modules():
        if is_packed(layer):
            # On a processor with bfloat16 products it would pack the weights anew at the first
            # measurement, multiply in bfloat16 whatever the run does, and have no gradient.
            layer.support_avx512bf16_for_cpu = False
    return model, stored


def is_packed(layer: Any) -> bool:
    """Whether the weight of a linear ``layer`` is packed, or of the one under its adapters."""
    return getattr(getattr(layer, "weight", None), "quant_state", None) is not None


def has_packed(model: Any) -> bool:
    """Whether any layer of ``model`` is packed."""
    return any(is_packed(layer) for layer in model.modules())


def count_parameters(model: Any) -> int:
    """The numbers that the weights of ``model`` stand for; a byte of a packed one is two."""
    state = "quant_state"
    return sum(
        weight.numel() if getattr(weight, state, None) is None else weight.quant_state.shape.numel()
        for weight in model.parameters()
    )


def numbers_of(weight: Any) -> list[Any]:
    """Tensors that ``weight`` consists of: itself, or its packed bytes and their scales."""
    import torch

    state = getattr(weight, "quant_state", None)
    plain = weight.detach().as_subclass(torch.Tensor)
    return [plain] if state is None else [plain, state.absmax, state.state2.absmax, state.offset]


def plain_weight(layer: Any) -> Any:
    """The weight of a linear ``layer`` in float32, unpacked where it is packed: (out, in)."""
    import torch

    if not is_packed(layer):
        return layer.weight.detach().float()
    from bitsandbytes.functional import dequantize_4bit

    state = copy.copy(layer.weight.quant_state)
    state.dtype = torch.float32  # what products in float32 use, without a rounding more
    return dequantize_4bit(layer.weight.data, state)


def write_plain(folder: Path, model: Any, dtype: Any, weight_of: Callable[[Any, str], Any]) -> None:
    """Writes ``model`` into ``folder`` as transformers reads it without bitsandbytes: weights of
    ``dtype`` in safetensors, config.json, generation_config.json.

    ``weight_of`` gives the tensor that one of the model's modules has by a name, a packed one as
    (out, in). One file of at most _FILE_BYTES is in memory at a time. Raises OSError, MynahError
    for a weight that is not finite in ``dtype``, and SafetensorError.
    """
    import torch
    from huggingface_hub import split_torch_state_dict_into_shards
    from safetensors.torch import save_file
    from transformers.pytorch_utils import Conv1D

    config = copy.deepcopy(model.config)
    del config.quantization_config
    config.dtype = dtype
    config.architectures = [type(model).__name__]
    with torch.device("meta"):
        empty = type(model)(config)  # the layers of the class itself, without any weights
    places: dict[str, Any] = {}
    seen: set[int] = set()
    for name, tensor in empty.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:  # a tied head is its embedding
            seen.add(id(tensor))
            places[name] = tensor.detach().to(dtype) if tensor.is_floating_point() else tensor

    def written(name: str) -> Any:
        module, _, last = name.rpartition(".")
        layer = model.get_submodule(module)
        found = weight_of(layer, last)
        if (
            last == "weight"
            and is_packed(layer)
            and isinstance(empty.get_submodule(module), Conv1D)
        ):
            found = found.T  # GPT-2 keeps its matrices the other way round
        if found.is_floating_point():
            found = found.to(dtype)
        if not found.isfinite().all():
            raise MynahError(NOT_FINITE)
        return found

    split = split_torch_state_dict_into_shards(places, max_shard_size=_FILE_BYTES)
    for file, names in split.filename_to_tensors.items():
        tensors = {name: written(name).cpu().contiguous() for name in names}
        save_file(tensors, str(folder / file), metadata={"format": "pt"})
    if split.is_sharded:
        index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
        text = json.dumps(index, indent=2) + "\n"
        (folder / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
