"""What learns of a model: low-rank adapters or every weight, its optimiser, its loss."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from core.models.load import cast_weights
from core.training import device as devices
from core.training.fused_lora import fuse_adapters
from core.training.loss import Scorer

if TYPE_CHECKING:
    from core.runs.settings import TrainSettings


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


@dataclass(frozen=True)
class Learner:
    """A model that is ready to learn; the fields are those of `core.training.setup.Training`."""

    adapted: Any
    weights: list[torch.Tensor]
    optimizer: torch.optim.Optimizer
    score: Scorer
    resting: torch.dtype
    parameters: int


def learner_of(
    model: Any,
    stored: torch.dtype,
    settings: TrainSettings,
    *,
    device: torch.device,
    dtype: torch.dtype,
) -> Learner:
    """Puts ``model`` on the device, with adapters if the settings want them, and its optimiser."""
    _choose_attention(model, device, dtype, settings)
    # Frozen weights that are stored in the type that is multiplied in can stay in it; weights that
    # learn need float32, or small updates would be rounded away.
    resting = dtype if settings.method == "lora" and dtype == stored else torch.float32
    cast_weights(model, resting).to(device).eval()
    parameters = sum(weight.numel() for weight in model.parameters())
    adapted = None
    if settings.method == "lora":
        adapted = add_adapters(
            model,
            rank=settings.lora_rank,
            alpha=settings.lora_alpha,
            autocast=dtype != torch.float32,
        )
    weights = list(trainable(model).values())
    optimizer = _adamw(weights, settings)
    with devices.in_arithmetic(device, dtype):
        score = Scorer(model)
    return Learner(adapted, weights, optimizer, score, resting, parameters)


def _choose_attention(
    model: Any, device: torch.device, dtype: torch.dtype, settings: TrainSettings
) -> None:
    """Short rows in bfloat16 on a CPU: plain products beat PyTorch's fused attention by 10-20 %."""
    if device.type == "cpu" and dtype == torch.bfloat16 and settings.row_tokens <= 256:
        model.set_attn_implementation("eager")


def _adamw(weights: list[torch.Tensor], settings: TrainSettings) -> torch.optim.AdamW:
    options: dict[str, Any] = {
        "lr": settings.lr,
        "betas": (0.9, settings.beta2),
        "weight_decay": settings.weight_decay,
    }
    try:
        return torch.optim.AdamW(weights, fused=True, **options)
    except (RuntimeError, TypeError):  # not on every device
        return torch.optim.AdamW(weights, **options)
