"""The forward and backward pass of an adapted linear layer, in as few passes as there can be."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


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
    from peft.tuners.lora import LoraLayer

    count = 0
    for layer in adapted.modules():
        if isinstance(layer, LoraLayer) and _suits(layer):
            layer.forward = _Forward(layer)
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


class _Forward:
    """In place of the ``forward`` of a layer; while it is merged, the layer is a plain one."""

    def __init__(self, layer: Any) -> None:
        name = next(iter(layer.lora_A))
        self._layer = layer
        self._a, self._b = layer.lora_A[name].weight, layer.lora_B[name].weight
        self._scale = layer.scaling[name]

    def __call__(self, x: Tensor) -> Tensor:
        layer = self._layer
        base = layer.base_layer
        if layer.merged or layer.disable_adapters:
            plain: Tensor = base(x)
            return plain
        # GPT-2 keeps its matrices the other way round
        weight = base.weight.T if layer.fan_in_fan_out else base.weight
        out: Tensor = _AdaptedLinear.apply(  # type: ignore[no-untyped-call]
            x, weight, base.bias, self._a, self._b, self._scale
        )
        return out
