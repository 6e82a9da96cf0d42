"""A model folder that appears whole: weights, config, tokenizer and how to sample."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from core.models.generation import MAX_TOKENS, TEMPERATURE, TOP_K, TOP_P


def save_model(folder: Path, model: Any, tokenizer: Any, *, separator: int, dtype: Any) -> None:
    """Writes ``folder`` as transformers reads it, weights as safetensors of ``dtype``.

    ``model`` is left with the weights as they were rounded, in the type it had. An older folder is
    replaced in one step. Raises OSError.
    """
    from transformers import GenerationConfig

    part = folder.with_name(f".{folder.name}.part")
    old = folder.with_name(f".{folder.name}.old")
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    for config in (model.config, model.generation_config):
        config.bos_token_id = config.eos_token_id = config.pad_token_id = separator
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=TEMPERATURE,
        top_k=TOP_K,
        top_p=TOP_P,
        max_new_tokens=MAX_TOKENS,
        bos_token_id=separator,
        eos_token_id=separator,
        pad_token_id=separator,
    )
    mark = tokenizer.convert_ids_to_tokens(separator)
    tokenizer.bos_token = tokenizer.eos_token = tokenizer.pad_token = mark
    tokenizer.chat_template = None
    kept = model.dtype
    model.to(dtype).save_pretrained(part)
    model.to(kept)
    tokenizer.save_pretrained(part)
    if folder.exists():
        folder.replace(old)
    part.replace(folder)
    shutil.rmtree(old, ignore_errors=True)
