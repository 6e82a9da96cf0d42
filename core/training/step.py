"""One optimiser step on one batch, in as many parts as the memory asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from core.training import memory
from core.training.data import Row, predicted, tensors
from core.training.device import in_arithmetic, static_shapes
from core.training.distributed.ranks import Ranks
from core.training.loss import Scorer


class BatchStep:
    """Called with a batch, it makes the step and returns the sum of losses and the norm of the
    gradient, both as tensors that have not been waited for. Where several ``ranks`` train, each is
    called with the same batch, and the sum and the norm are those of all.

    The gradient is that of the mean loss over the tokens of the whole batch. When the device runs
    out of memory the batch is taken in twice as many parts from then on: the same gradient, slower.
    Raises TooLittleMemory when not even a single row fits, or not the optimiser's state.
    """

    def __init__(
        self,
        score: Scorer,
        optimizer: torch.optim.Optimizer,
        weights: list[torch.Tensor],
        *,
        clip: float,
        device: torch.device,
        dtype: torch.dtype,
        batch_tokens: int = 0,
        ranks: Ranks | None = None,
        recompute: Callable[[], bool] = lambda: False,
    ) -> None:
        """``batch_tokens``: of a full batch, where the device wants few different shapes.
        ``recompute`` is called when not even a single row fits: whether steps take less memory now.
        """
        self._ranks = ranks or Ranks()
        self._score = score
        self._optimizer = optimizer
        self._weights = weights
        self._clip = clip
        self._device = device
        self._dtype = dtype
        self._batch_tokens = batch_tokens // self._ranks.size if static_shapes(device) else 0
        self._recompute = recompute
        self._recomputes = False
        self.parts = 1

    def __call__(self, batch: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = sum(predicted(row) for row in batch)
        batch = self._ranks.share(batch)
        while True:
            try:
                loss = self._gradient(batch, tokens)
                break
            except Exception as error:
                self._optimizer.zero_grad(set_to_none=True)
                try:
                    self.parts = memory.more_parts(error, self.parts, batch, self._device)
                except memory.TooLittleMemory:
                    if self._recomputes or not self._recompute():
                        raise
                    self._recomputes = True
            memory.release(self._device)
        loss = self._ranks.sum(self._weights, loss)
        norm = torch.nn.utils.clip_grad_norm_(self._weights, self._clip)
        try:
            self._optimizer.step()
        except Exception as error:  # in the first step, before any weight is changed
            if not memory.out_of_memory(error):
                raise
            raise memory.too_little(
                self._device.type, "What the optimiser keeps of each weight does not fit."
            ) from error
        self._optimizer.zero_grad(set_to_none=True)
        return loss, norm

    def _gradient(self, batch: Sequence[Row], tokens: int) -> torch.Tensor:
        """The sum of losses; of a step of ``tokens`` tokens, ``batch`` may be a share."""
        size = max(1, -(-len(batch) // self.parts))
        total = torch.zeros((), device=self._device)
        for start in range(0, len(batch), size):
            inputs, targets = tensors(
                batch[start : start + size], self._device, batch_tokens=self._batch_tokens
            )
            with in_arithmetic(self._device, self._dtype):
                loss = self._score(inputs, targets)
            (loss / tokens).backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        return total
