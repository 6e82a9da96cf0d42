"""Products with a weight, by the arithmetic that a model decodes in: float32, bfloat16 or int8."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Final

import torch
from torch import nn
from torch.nn import functional

# (rows, inputs) float32 to (rows, outputs) float32
Product = Callable[[torch.Tensor], torch.Tensor]

FLOAT32: Final = "float32"
INT8: Final = "int8"
# fbgemm multiplies bytes by signed bytes and adds two such products in 16 bits. So that they fit on
# processors without VNNI, an input has 7 bits: 127 steps from -1 to 1.
_STEPS: Final = 63.5
_WHOLE_STEPS: Final = 63.0
_BLOCK: Final = 64
# The op takes its steps from the smallest and the largest input of all rows: with these inputs
# beside the others, whose weights are 0, they are always the same. Four, as it packs them.
_ENDS: Final = (-1.0, 1.0, 0.0, 0.0)
_SMALLEST: Final = 1e-20


def has_int8() -> bool:
    """Whether this build of torch has the products of fbgemm, which only x86 has."""
    return "fbgemm" in torch.backends.quantized.supported_engines


def product(weight: torch.Tensor, bias: torch.Tensor | None, arithmetic: str) -> Product:
    """The product with ``weight`` (outputs, inputs), plus ``bias``."""
    if arithmetic == INT8:
        return Int8Product(weight, bias)
    if arithmetic == FLOAT32:
        return Exact(weight, bias)
    return Rounded(weight, bias, getattr(torch, arithmetic))


class Exact:
    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        self._weight = weight.float().contiguous()
        self._bias = None if bias is None else bias.float()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self._weight, self._bias)


class Rounded:
    """Weight and input in a 16-bit type; the output in float32."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype) -> None:
        self._weight = weight.to(dtype).contiguous()
        self._bias = None if bias is None else bias.float()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        made = functional.linear(x.to(self._weight.dtype), self._weight).float()
        return made if self._bias is None else made + self._bias


class CentredHead(nn.Module):
    """An output layer in a 16-bit type, the part that all its logits share in float32.

    That part is the product with the mean row of the matrix. Logits near zero survive bfloat16's
    8 bits, and GPT-2's, which lie around -100 in steps of 0.5, do not.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        self._shared = weight.float().mean(0)
        self.weight = nn.Parameter((weight.float() - self._shared).to(dtype), requires_grad=False)
        self._bias = None if bias is None else bias.float()

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        made = functional.linear(hidden.to(self.weight.dtype), self.weight).float()
        made = made + (hidden.float() @ self._shared)[..., None]
        return made if self._bias is None else made + self._bias


def head_product(weight: torch.Tensor, bias: torch.Tensor | None, arithmetic: str) -> Product:
    """As ``product``, for the logits."""
    if arithmetic in (FLOAT32, INT8):
        return product(weight, bias, arithmetic)
    return CentredHead(weight, bias, getattr(torch, arithmetic))


class Int8Product:
    """A weight in 8 bits with a scale per output; an input in 7 bits with a scale per row.

    Both are turned by the same rotation beforehand (random signs and a Hadamard matrix over blocks
    of inputs: Chee et al. 2023, arXiv 2307.13304; Ashkboos et al. 2024, arXiv 2404.00456), which
    leaves the product as it is and no input much larger than the others: without it the held-out
    loss of SmolLM2 rises by 3.6 %, with it by 0.3 %. The product sums whole numbers, so that a row
    has the same bits whatever the other rows are.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        self._rotation = _rotation(weight.shape[1])
        weight = self._rotated(weight.float())
        scales = weight.abs().amax(1).clamp_min(_SMALLEST) / 127
        before = torch.backends.quantized.engine
        torch.backends.quantized.engine = "fbgemm"
        with warnings.catch_warnings():  # that torch.ao will be replaced
            warnings.simplefilter("ignore")
            rounded = torch.quantize_per_channel(
                functional.pad(weight, (0, len(_ENDS))),
                scales,
                torch.zeros(len(weight), dtype=torch.long),
                0,
                torch.qint8,
            )
        self._packed = torch.ops.quantized.linear_prepack(rounded, None)
        torch.backends.quantized.engine = before
        self._bias = None if bias is None else bias.float()
        self._ends = torch.tensor(_ENDS)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        turned = self._rotated(x)
        scale = turned.abs().amax(-1, keepdim=True).clamp_min_(_SMALLEST)
        scale.mul_(_STEPS / _WHOLE_STEPS)
        made: torch.Tensor = torch.ops.quantized.linear_dynamic(
            torch.cat((turned.div_(scale), self._ends.expand(len(x), -1)), 1),
            self._packed,
            reduce_range=True,
        ).mul_(scale)
        return made if self._bias is None else made.add_(self._bias)

    def _rotated(self, x: torch.Tensor) -> torch.Tensor:
        size = len(self._rotation)
        return (x.reshape(-1, size) @ self._rotation).view(x.shape)


def _rotation(inputs: int) -> torch.Tensor:
    """An orthogonal matrix over blocks of at most 64 of so many inputs, always the same."""
    size = min(_BLOCK, inputs & -inputs)
    made = torch.ones(1, 1)
    while len(made) < size:
        made = torch.cat((torch.cat((made, made), 1), torch.cat((made, -made), 1)))
    signs = torch.randint(0, 2, (size, 1), generator=torch.Generator().manual_seed(1)) * 2 - 1
    return made * signs / math.sqrt(size)
