"""The loss of a language model, without ever holding all its logits at once.

The head of a small model is a large part of it (49,152 words by 576 in SmolLM2): logits for every
position of a batch, their softmax and their gradient would be most of the memory. Here they exist
for a chunk of positions at a time, and only where there is something to predict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention

from core.runs.memory import LOGITS
from core.training.data import IGNORE
from core.training.device import static_shapes


class Scorer:
    """Sums of next-token losses under a causal language model of transformers.

    Most models are a body and a linear head; where the two together do not give what the model
    itself gives (some scale or cap their logits), the model's own logits are used instead.
    """

    def __init__(self, model: Any, *, static: bool | None = None) -> None:
        """``static``: the head is run for padding, too, instead of asking the device where it is;
        None: as the device of ``model`` wants it.
        """
        self._model = model
        device = next(model.parameters()).device
        self._static = static_shapes(device) if static is None else static
        self._body = model.base_model
        self._head = model.get_output_embeddings()
        self._simple = self._body is not model and isinstance(self._head, torch.nn.Linear)
        if self._simple:
            self._simple = self._agrees()

    def __call__(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The sum of losses in nats, a float32 scalar, over the targets that are not IGNORE.

        ``inputs``, ``targets``: int64 of shape (rows, width).
        """
        if not self._simple:
            logits = self._model(input_ids=inputs, use_cache=False).logits
            logits, targets = self._counted(logits, targets)
            return F.cross_entropy(logits.float(), targets, ignore_index=IGNORE, reduction="sum")
        hidden = self._body(input_ids=inputs, use_cache=False).last_hidden_state
        hidden, targets = self._counted(hidden, targets)
        return linear_cross_entropy(hidden, self._head.weight, self._head.bias, targets)

    @torch.no_grad()
    def of_rows(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The sum of each row, float32 of shape (rows,), without a gradient."""
        wanted = targets != IGNORE
        row_of = torch.arange(len(targets), device=targets.device).unsqueeze(1).expand_as(targets)
        if self._simple:
            states = self._body(input_ids=inputs, use_cache=False).last_hidden_state[wanted]
            head: Callable[[torch.Tensor], torch.Tensor] = self._head
            size = _chunk_size(states.device.type, self._head.weight.shape[0])
        else:
            states = self._model(input_ids=inputs, use_cache=False).logits[wanted]
            head, size = torch.nn.Identity(), max(1, len(states))
        sums = torch.zeros(len(targets), device=targets.device)
        for part, aims, rows in zip(
            torch.split(states, size),
            torch.split(targets[wanted], size),
            torch.split(row_of[wanted], size),
            strict=True,
        ):
            sums.index_add_(0, rows, F.cross_entropy(head(part).float(), aims, reduction="none"))
        return sums

    def _counted(
        self, states: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, H) and (N): positions that have a target, and where ``static`` the others, too."""
        if self._static:
            return states.flatten(0, 1), targets.flatten()
        wanted = targets != IGNORE
        return states[wanted], targets[wanted]

    @torch.no_grad()
    def _agrees(self) -> bool:
        device = self._head.weight.device
        inputs = torch.arange(8, device=device).unsqueeze(0) % self._head.weight.shape[0]
        own = self._model(input_ids=inputs, use_cache=False).logits.float()
        ours = self._head(self._body(input_ids=inputs, use_cache=False).last_hidden_state).float()
        return own.shape == ours.shape and torch.allclose(own, ours, rtol=1e-3, atol=1e-3)


def linear_cross_entropy(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    targets: torch.Tensor,
    *,
    chunk: int | None = None,
) -> torch.Tensor:
    """``cross_entropy(hidden @ weight.T + bias, targets, reduction="sum")``, chunk by chunk.

    hidden (N, H), weight (V, H), bias (V) or None, targets (N) int64 in [0, V), or IGNORE for what
    does not count; gives a float32 scalar in nats. ``chunk`` is in positions. Gradients are made in
    the forward pass, so the result can be differentiated once, not twice.
    """
    if chunk is None:
        chunk = _chunk_size(hidden.device.type, weight.shape[0])
    kind = hidden.device.type
    # Inside the function below autocast is spelled out, because it does not reach there by itself.
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
    with_gradient = torch.is_grad_enabled()
    loss: torch.Tensor = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden, weight, bias, targets, chunk, dtype, with_gradient
    )
    return loss


def _chunk_size(device_type: str, vocabulary: int) -> int:
    """Positions whose logits are held at once."""
    return max(1, LOGITS.get(device_type, LOGITS["cpu"]) // (4 * vocabulary))


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        chunk: int,
        dtype: torch.dtype,
        with_gradient: bool,
    ) -> torch.Tensor:
        wants = [with_gradient and wanted for wanted in ctx.needs_input_grad[:3]]
        hidden_grad = torch.empty_like(hidden) if wants[0] else None
        weight_grad = torch.zeros_like(weight, dtype=torch.float32) if wants[1] else None
        bias_grad = torch.zeros_like(weight[:, 0], dtype=torch.float32) if wants[2] else None
        matrix = weight.to(dtype)
        offset = None if bias is None else bias.to(dtype)
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for start in range(0, hidden.shape[0], chunk):
            part = slice(start, start + chunk)
            states, wanted = hidden[part].to(dtype), targets[part].unsqueeze(1)
            ignored = wanted == IGNORE
            wanted = wanted.masked_fill(ignored, 0)
            logits = F.linear(states, matrix, offset).float()
            norms = logits.logsumexp(dim=1, keepdim=True)
            total += (norms - logits.gather(1, wanted)).masked_fill(ignored, 0.0).sum()
            if not any(wants):
                continue
            # d loss / d logits = softmax(logits) - one_hot(targets), or 0 where nothing counts
            error = logits.sub_(norms.masked_fill(ignored, torch.inf)).exp_()
            error.scatter_add_(1, wanted, ignored.float() - 1.0)
            if bias_grad is not None:
                bias_grad += error.sum(dim=0)
            error = error.to(dtype)
            if hidden_grad is not None:
                hidden_grad[part] = (error @ matrix).to(hidden.dtype)
            if weight_grad is not None and dtype == weight_grad.dtype:
                weight_grad.addmm_(error.T, states)  # without a second matrix of this size
            elif weight_grad is not None:
                weight_grad += error.T @ states
        ctx.save_for_backward(hidden_grad, weight_grad, bias_grad)
        ctx.dtypes = (hidden.dtype, weight.dtype, None if bias is None else bias.dtype)
        return total

    @staticmethod
    def backward(ctx: Any, *outer: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        grads = [
            None if grad is None else (grad * outer[0]).to(dtype)
            for grad, dtype in zip(ctx.saved_tensors, ctx.dtypes, strict=True)
        ]
        return (*grads, None, None, None, None)
