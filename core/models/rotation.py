"""A rotation that makes numbers fit for few bits: for products with weights in int8."""

from __future__ import annotations

import math
from typing import Final

import torch

_BLOCK: Final = 64


def rotation(inputs: int) -> torch.Tensor:
    """An orthogonal matrix over blocks of at most 64 of so many inputs, always the same.

    Random signs and a Hadamard matrix: no input of a row is much larger than the others after it,
    and the product of two that are both turned is as before (Chee et al. 2023, arXiv 2307.13304;
    Ashkboos et al. 2024, arXiv 2404.00456).
    """
    size = min(_BLOCK, inputs & -inputs)
    made = torch.ones(1, 1)
    while len(made) < size:
        made = torch.cat((torch.cat((made, made), 1), torch.cat((made, -made), 1)))
    signs = torch.randint(0, 2, (size, 1), generator=torch.Generator().manual_seed(1)) * 2 - 1
    return made * signs / math.sqrt(size)


def turned(x: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    """``x`` (..., inputs) with each block of inputs turned by a `rotation`."""
    return (x.reshape(-1, len(by)) @ by).view(x.shape)
