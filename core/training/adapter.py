"""Low-rank adapters: put beside a model's linear layers, and merged into them at the end."""

from __future__ import annotations

import warnings
from typing import Any

from core.training.fused_lora import fuse_adapters


def add_adapters(model: Any, *, rank: int, alpha: int, autocast: bool = False) -> Any:
    """Freezes ``model`` and adds trainable matrices to each of its linear layers but the head.

    The matrices are float32, whatever the model is in; ``autocast`` says that it will be run under
    autocast, where their inputs need not be widened first.

    The update of a weight W is (alpha / rank) B A with B zero at first, so nothing changes before
    the first step. Source: Hu et al. 2021, LoRA. ``model`` itself is changed; what is returned is
    the handle that `merge_adapters` needs.
    """
    from peft import LoraConfig, get_peft_model
    from peft.tuners.lora import LoraLayer

    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=0.0,
        bias="none",
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # GPT-2 keeps its matrices the other way round; peft says that it has noticed.
        warnings.filterwarnings("ignore", message="fan_in_fan_out")
        adapted = get_peft_model(model, config)
    for layer in adapted.modules():
        if isinstance(layer, LoraLayer):
            layer.cast_input_dtype_enabled = not autocast
    if not autocast:
        fuse_adapters(adapted)
    return adapted


def merge_adapters(adapted: Any) -> Any:
    """The plain model, in float32, with the adapters added into its weights."""
    return adapted.float().merge_and_unload()


def trainable(model: Any) -> dict[str, Any]:
    """The parameters that learn, by name, each once (a tied head is its embedding)."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
