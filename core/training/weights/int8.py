"""Products with frozen weights in int8: what they are, and whether they are faster here.

A step with adapters multiplies by each frozen weight W twice: x W' on its way forward, and g W with
the gradient g on its way back. Both are done by whole numbers here. A weight has a scale for each
row of the product's output, and what it is multiplied with one for each of its rows, found anew
each time; the sums are exact, so that the same step always gives the same bits.
"""

from __future__ import annotations

import functools
import time
import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor

from core.models.rotation import rotation, turned

_SMALLEST: Final = 1e-20
# int8 loses digits: its products must be clearly faster to be worth that.
_WORTH_IT: Final = 1.2
# Frozen weights in all: below it, the products are not what a step takes its time for.
_WORTH_MEASURING: Final = 20_000_000
# The measurement ends after so many turns, or the first that is over after so many seconds.
_TURNS: Final = 6
_SECONDS: Final = 1.0
# How far a product may lie from that in float32, as a share of its norm: 2 % is what it loses.
_WRONG: Final = 0.1

Seconds = Callable[[Sequence[Callable[[], object]]], list[float]]


class Rounded(NamedTuple):
    """``numbers`` uint8 (rows, inputs) about the largest, and the float32 ``scale`` (rows, 1)."""

    numbers: Tensor
    scale: Tensor


@functools.cache
def largest() -> int:
    """The numbers of a product lie between minus this and this.

    127, unless the processor adds pairs of products in 16 bits, as those without VNNI do: inputs
    are from 0 to twice the largest, and 2 * 180 * 90 fits, where 2 * 254 * 127 does not.
    """
    inputs, weights = torch.full((1, 64), 254, dtype=torch.uint8), torch.full((1, 64), 127)
    made = _product(inputs, 0, _packed(weights.to(torch.int8)), torch.ones(1))
    return 127 if float(made) == 254 * 127 * 64 else 90


def rounded(x: Tensor) -> Rounded:
    """The float32 ``x`` (rows, inputs), each row in steps of a part of its largest number."""
    most = largest()
    scale = x.abs().amax(-1, keepdim=True).clamp_min_(_SMALLEST).div_(most)
    signed = (x / scale).round_().to(torch.int8)
    # the same as a conversion to bytes without a sign, which takes three times as long
    return Rounded(signed.view(torch.uint8).add_(most), scale)


class Int8Weight:
    """A weight (outputs, inputs) for products of its ``inputs``, ready for the processor."""

    def __init__(self, weight: Tensor) -> None:
        self._zero = largest()
        self._scales = weight.abs().amax(1).clamp_min(_SMALLEST).div_(self._zero)
        self._weight = _packed((weight / self._scales[:, None]).round_().to(torch.int8))

    def __call__(self, x: Rounded) -> Tensor:
        """The product in float32 (rows, outputs)."""
        return _product(x.numbers, self._zero, self._weight, self._scales).mul_(x.scale)


def _packed(numbers: Tensor) -> Tensor:
    packed: Tensor = torch.ops.onednn.qlinear_prepack(numbers.contiguous(), None)
    return packed


def _product(numbers: Tensor, zero: int, packed: Tensor, scales: Tensor) -> Tensor:
    """(numbers - zero) times the weight of these scales, in float32 (rows, outputs)."""
    made: Tensor = torch.ops.onednn.qlinear_pointwise(
        numbers, 1.0, zero, packed, scales, torch.zeros(len(scales), dtype=torch.int32),
        None, 1.0, 0, torch.float32, "none", [], "",
    )  # fmt: skip
    return made


class Int8Pair:
    """A frozen weight (outputs, inputs) for both ways of a step.

    On the way forward it is turned, as its input is (see `forward_input`): a few inputs of a layer
    are much larger than the others, and leave these few steps. On SmolLM2 a batch's loss was 0.09
    nats off without it, and is 0.03 off with it. Gradients need it less.
    """

    def __init__(self, weight: Tensor) -> None:
        with torch.no_grad():
            self.forward = Int8Weight(turned(weight, rotation(weight.shape[1])))
            self.backward = Int8Weight(weight.T)


def forward_input(x: Tensor) -> Rounded:
    """``x`` (rows, inputs) for `Int8Pair.forward`."""
    return rounded(turned(x, _rotation(x.shape[1])))


@functools.cache
def _rotation(inputs: int) -> Tensor:
    return rotation(inputs)


class SharedRounding:
    """Rounds an input once for all of the layers that read it one after the other."""

    def __init__(self) -> None:
        self._seen: Callable[[], Tensor | None] = lambda: None
        self._rounded: Rounded | None = None

    def of(self, x: Tensor) -> Rounded:
        """``x`` (…, inputs) as rows; nobody may have changed it since it was seen first."""
        if self._rounded is None or self._seen() is not x:
            with torch.no_grad():
                self._rounded = forward_input(x.reshape(-1, x.shape[-1]))
            self._seen = weakref.ref(x)
        return self._rounded


def int8_pays(shapes: Counter[tuple[int, int]], rows: int, seconds: Seconds | None = None) -> bool:
    """Whether products of ``rows`` rows with weights of these ``shapes`` (outputs, inputs), both
    ways, are clearly faster in int8 on this machine, the rounding of what goes in counted.

    It is tried, for about a second at most: the processor's flags do not tell. ``seconds`` gives
    the best time of each of some calls.
    """
    if sum(outputs * inputs * n for (outputs, inputs), n in shapes.items()) < _WORTH_MEASURING:
        return False
    rng = torch.Generator().manual_seed(1)
    counts: list[int] = []
    calls: list[Callable[[], object]] = []
    try:
        with torch.no_grad():
            for (outputs, inputs), count in shapes.items():
                weight = torch.randn(outputs, inputs, generator=rng)
                x = torch.randn(rows, inputs, generator=rng)
                gradient = torch.randn(rows, outputs, generator=rng)
                pair = Int8Pair(weight)
                if not _right(pair.forward(forward_input(x)), x @ weight.T):
                    return False
                calls += [
                    lambda w=weight, x=x, g=gradient: (x @ w.T, g @ w),  # type: ignore[misc]
                    lambda p=pair, x=x, g=gradient: (  # type: ignore[misc]
                        p.forward(forward_input(x)), p.backward(rounded(g)),
                    ),
                ]  # fmt: skip
                counts.append(count)
            taken = (seconds or _best_seconds)(calls)
    except (RuntimeError, AttributeError, NotImplementedError):  # this build, or processor, cannot
        return False
    exact = sum(n * each for n, each in zip(counts, taken[::2], strict=True))
    short = sum(n * each for n, each in zip(counts, taken[1::2], strict=True))
    return exact > _WORTH_IT * short


def _right(made: Tensor, wanted: Tensor) -> bool:
    return float((made - wanted).norm() / wanted.norm()) < _WRONG


def _best_seconds(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Of this thread, which other programs do not lengthen much, and in turns, so that what they do
    meets all of the calls.
    """
    best = [float("inf")] * len(calls)
    for call in calls:  # the first prepares what the others use
        call()
    give_up = time.perf_counter() + _SECONDS
    for _ in range(_TURNS):
        for number, call in enumerate(calls):
            began = time.thread_time()
            call()
            best[number] = min(best[number], time.thread_time() - began)
        if time.perf_counter() > give_up:
            break
    return best
