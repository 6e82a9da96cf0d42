"""Reading a GGUF file as transformers does: the model with its weights, and the tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from core.models.load import quiet


def read_gguf(path: Path, architecture: str, layers: int, dtype: Any) -> tuple[Any, Any]:
    """The causal language model (weights as torch ``dtype``) and the tokenizer in ``path``.

    ``architecture`` is transformers' name of it, such as "llama". Raises ValueError when the file
    does not hold exactly the weights of such a model with so many layers, and what the readers
    raise for a damaged file.
    """
    import torch
    from transformers import (
        AutoConfig,
        AutoModelForCausalLM,
        PreTrainedTokenizerFast,
        modeling_gguf_pytorch_utils,
    )

    quiet()
    # Reading the file takes most of the time, and from_pretrained of the Auto classes reads it
    # three times. The names of the weights are needed to read them, and they depend on nothing but
    # the number of layers.
    tokenizer = PreTrainedTokenizerFast.from_pretrained(
        path.parent, gguf_file=path.name, local_files_only=True
    )
    with torch.device("meta"):
        config = AutoConfig.for_model(architecture, num_hidden_layers=layers)
        names = AutoModelForCausalLM.from_config(config)
    with _quick_reader():
        found = modeling_gguf_pytorch_utils.load_gguf_checkpoint(
            str(path), return_tensors=True, model_to_load=names
        )
    settings = found["config"]
    if "n_ctx" in settings:  # GPT-2's other name for it, which its model does not look at
        settings["n_positions"] = settings["n_ctx"]
    marks = {name: found["tokenizer"].get(name) for name in ("bos_token_id", "eos_token_id")}
    settings |= {name: number for name, number in marks.items() if isinstance(number, int)}
    model, loaded = type(names).from_pretrained(
        None,
        config=AutoConfig.for_model(**settings),
        state_dict=found["tensors"],
        dtype=dtype,
        output_loading_info=True,
    )
    if loaded["missing_keys"] or loaded["unexpected_keys"] or loaded["mismatched_keys"]:
        raise ValueError(f"its weights are not those of a {architecture} of {layers} layers")
    return model, tokenizer


@contextmanager
def _quick_reader() -> Iterator[None]:
    """transformers' reader of GGUF without its progress bar, and in a third of its time."""
    import gguf
    import numpy as np
    from transformers import modeling_gguf_pytorch_utils

    class Reader(gguf.GGUFReader):  # type: ignore[misc]
        data: Any

        def _get(self, *given: Any, **named: Any) -> Any:
            # a slice of a memmap is a memmap, which takes six times as long as a plain view
            if isinstance(self.data, np.memmap):
                self.data = np.asarray(self.data)
            return super()._get(*given, **named)

    bar = modeling_gguf_pytorch_utils.tqdm
    reader, name_map = gguf.GGUFReader, gguf.get_tensor_name_map
    modeling_gguf_pytorch_utils.tqdm = partial(bar, disable=True)  # no setting turns it off
    # it is asked for the same map of names once for each weight
    gguf.GGUFReader, gguf.get_tensor_name_map = Reader, cache(name_map)
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = reader, name_map
        modeling_gguf_pytorch_utils.tqdm = bar
