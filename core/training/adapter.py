"""What learns of a model: low-rank adapters or every weight, its optimiser, its loss."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from core.models.four_bit import (
    count_parameters,
    is_packed,
    load_four_bit,
    plain_weight,
    write_plain,
)
from core.models.load import cast_weights, load_model
from core.training import device as devices
from core.training.loss import Scorer

if TYPE_CHECKING:
    from core.runs.settings import TrainSettings


# So few rows times a matrix take a third longer than the matrix times as many columns.
_FEW_ROWS: Final = 4


def add_adapters(
    model: Any, *, rank: int, alpha: int, layers: int | None = None, autocast: bool = False
) -> Any:
    """Freezes ``model`` and adds trainable matrices to the linear layers of its uppermost
    ``layers`` transformer layers (None: of all); the head has none.

    The matrices are float32, whatever the model is in; ``autocast`` says that it will be run under
    autocast, where their inputs need not be widened first.

    The update of a weight W is (alpha / rank) B A with B zero at first, so nothing changes before
    the first step. Source: Hu et al. 2021, LoRA. ``model`` itself is changed; what is returned is
    the handle that `merge_adapters` needs.
    """
    from core.models.light_peft import (
        LoraConfig,
        LoraLayer,
        LoraModel,
        cast_adapter_dtype,
        without_bitsandbytes,
    )

    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=0.0,
        bias="none",
        target_modules="all-linear",
        exclude_modules=_below(model, layers),
    )
    with warnings.catch_warnings(), without_bitsandbytes():
        # GPT-2 keeps its matrices the other way round; peft says that it has noticed.
        warnings.filterwarnings("ignore", message="fan_in_fan_out")
        # not get_peft_model, which asks for a switch that transformers warns of
        adapted = LoraModel(model, config, "default")
    cast_adapter_dtype(adapted, "default")
    for layer in adapted.modules():
        if isinstance(layer, LoraLayer):
            layer.cast_input_dtype_enabled = not autocast
    if not autocast:
        fuse_adapters(adapted)
    return adapted


def _below(model: Any, layers: int | None) -> str | None:
    """What the names of all modules below the uppermost ``layers`` match; None: there are none."""
    every = layers_of(model)
    lower = {id(each) for each in every[: len(every) - (layers or len(every))]}
    names = [re.escape(name) for name, each in model.named_modules() if id(each) in lower]
    return rf"(?:{'|'.join(names)})\..*" if names else None


def merge_adapters(adapted: Any) -> Any:
    """The plain model, in float32, with the adapters added into its weights."""
    return adapted.float().merge_and_unload()


def write_merged(folder: Path, model: Any, dtype: torch.dtype) -> None:
    """Writes the plain model, with the adapters of a packed ``model`` added into its weights, one
    layer after the other; ``model`` stays as it is. Raises what `write_plain` does.

    Merged in memory it might not fit where it has learned.
    """
    from core.models.light_peft import LoraLayer

    @torch.no_grad()
    def weight_of(layer: Any, name: str) -> Tensor:
        adapted = isinstance(layer, LoraLayer)
        if name != "weight" or not (adapted or is_packed(layer)):
            found: Tensor = getattr(layer, name).detach()
            return found
        weight: Tensor = plain_weight(layer.base_layer if adapted else layer)
        if not adapted:
            return weight
        for adapter in layer.lora_A:
            weight += layer.get_delta_weight(adapter)
        return weight

    write_plain(folder, model, dtype, weight_of)


class _AdaptedLinear(torch.autograd.Function):
    """y = x W' + b + (x A') (s B)' for a frozen W (out, in), with A (rank, in) and B (out, rank).

    The adapter's part is added by the product itself (BLAS's C += A B), so that nothing as large
    as y is written twice, and s scales what has ``rank`` columns.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        low = (flat @ a.T).mul_(scale)
        out = flat @ weight.T if bias is None else torch.addmm(bias, flat, weight.T)
        out.addmm_(low, b.T)
        ctx.save_for_backward(flat, weight, a, b, low)
        ctx.scale = scale
        return out.view(*x.shape[:-1], out.shape[-1])

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        flat, weight, a, b, low = ctx.saved_tensors
        gradient = outer[0].reshape(-1, outer[0].shape[-1])
        of_low = (gradient @ b).mul_(ctx.scale)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = (gradient @ weight).addmm_(of_low, a).view(*outer[0].shape[:-1], a.shape[1])
        return of_x, None, None, of_low.T @ flat, gradient.T @ low, None


def fuse_adapters(adapted: Any) -> int:
    """Gives the adapted layers of a model of peft this pass; returns how many it suits.

    They must be float32 on a CPU: elsewhere peft's own forward goes, which also casts.
    """
    from core.models.light_peft import LoraLayer

    count = 0
    for layer in adapted.modules():
        if isinstance(layer, LoraLayer) and _suits(layer):
            layer.forward = _FusedForward(layer)
            count += 1
    return count


def _suits(layer: Any) -> bool:
    weights = [layer.base_layer.weight, *layer.lora_A.parameters(), *layer.lora_B.parameters()]
    return (
        len(layer.lora_A) == 1
        and not layer.lora_variant
        and not layer.base_layer.weight.requires_grad
        and all(each.dtype == torch.float32 and each.device.type == "cpu" for each in weights)
    )


class _FusedForward:
    """In place of the ``forward`` of a layer; while it is merged, the layer is a plain one."""

    def __init__(self, layer: Any) -> None:
        name = next(iter(layer.lora_A))
        self._layer = layer
        self._a, self._b = layer.lora_A[name].weight, layer.lora_B[name].weight
        self._scale = layer.scaling[name]

    @property
    def weight(self) -> Tensor:
        """The frozen weight (outputs, inputs); GPT-2 keeps its matrices the other way round."""
        weight: Tensor = self._layer.base_layer.weight
        return weight.T if self._layer.fan_in_fan_out else weight

    def __call__(self, x: Tensor) -> Tensor:
        layer = self._layer
        base = layer.base_layer
        if layer.merged or layer.disable_adapters:
            plain: Tensor = base(x)
            return plain
        if not torch.is_grad_enabled():
            return self._without_gradient(x)
        out: Tensor = _AdaptedLinear.apply(  # type: ignore[no-untyped-call]
            x, self.weight, base.bias, self._a, self._b, self._scale
        )
        return out

    def _without_gradient(self, x: Tensor) -> Tensor:
        """The same numbers to rounding; a token that is decoded spends its time in such calls."""
        weight, bias = self.weight, self._layer.base_layer.bias
        flat = x.reshape(-1, x.shape[-1])
        if len(flat) <= _FEW_ROWS:
            columns = flat.T
            out = (weight @ columns).addmm_(self._b, (self._a @ columns).mul_(self._scale)).T
            out = out.contiguous() if bias is None else out + bias
        else:
            out = flat @ weight.T if bias is None else torch.addmm(bias, flat, weight.T)
            out.addmm_((flat @ self._a.T).mul_(self._scale), self._b.T)
        return out.view(*x.shape[:-1], out.shape[-1])


def recompute_layers(model: Any) -> bool:
    """From now on a step keeps the input of each layer of ``model`` only, and computes the rest of
    it again on its way back: the same numbers, in less memory and a third more time.

    Returns False for a model whose layers are not known. Source: Chen et al. 2016, Training Deep
    Nets with Sublinear Memory Cost. transformers' own switch works in training mode alone, which
    also turns dropout on.
    """
    layers = layers_of(model)
    for layer in layers:
        if not isinstance(layer.forward, _Recomputed):
            layer.forward = _Recomputed(layer.forward)
    return bool(layers)


def layers_of(model: Any) -> list[Any]:
    """The transformer layers of ``model``, the lowest first; none of one that is not known."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    return [each for each in model.modules() if isinstance(each, GradientCheckpointingLayer)]


class _Recomputed:
    """In place of the ``forward`` of a layer."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        self._forward = forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return self._forward(*args, **kwargs)
        return checkpoint(self._forward, *args, use_reentrant=False, **kwargs)


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


def base_model(
    folder: Path, settings: TrainSettings, *, device: torch.device, dtype: torch.dtype
) -> tuple[Any, torch.dtype]:
    """The base in ``folder`` as the settings hold it, and the type that it is stored in; raises
    InputRefused.
    """
    if not settings.four_bit:
        return load_model(folder)
    found = load_four_bit(folder, device=device, dtype=dtype)
    if device.type == "cpu":  # each matrix was there in float32 while it was packed
        devices.give_freed_memory_back()
    return found


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
    parameters = count_parameters(model)
    adapted = None
    if settings.method == "lora":
        adapted = add_adapters(
            model,
            rank=settings.lora_rank,
            alpha=settings.lora_alpha,
            layers=settings.adapted_layers(len(layers_of(model))),
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
