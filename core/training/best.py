"""Going back to where a model was best on the tweets that it does not learn from."""

from __future__ import annotations

from typing import Final

import torch

# Below this, a difference between two measurements of some thousand tokens says nothing.
CLEARLY: Final = 0.03
PATIENCE: Final = 3


class Best:
    """Remembers the weights of the best measurement so far.

    A few hundred tweets are soon learned by heart: the loss on them falls on while that on others
    rises. Source of the practice: Prechelt 1998, Early stopping - but when?
    """

    def __init__(self, weights: list[torch.Tensor]) -> None:
        self._weights = weights
        self._kept: list[torch.Tensor] = []
        self._worse = 0
        self.loss = self.last = float("inf")
        self.step = self.last_step = 0

    def look(self, loss: float, step: int) -> None:
        """Takes note of the held-out ``loss`` after ``step``, with the weights as they are."""
        self.last, self.last_step = loss, step
        if loss < self.loss:
            self.loss, self.step, self._worse = loss, step, 0
            self._kept = [weight.detach().clone() for weight in self._weights]
        else:
            self._worse = self._worse + 1 if loss > self.loss + CLEARLY else 0

    @property
    def worse(self) -> bool:
        """Whether the last look was clearly worse than the best."""
        return self._worse > 0

    @property
    def hopeless(self) -> bool:
        """Whether it has been worse for so long that going on is a waste."""
        return self._worse >= PATIENCE

    @torch.no_grad()
    def restore(self) -> None:
        """Puts the weights of the best look back."""
        for weight, kept in zip(self._weights, self._kept, strict=True):
            weight.copy_(kept)
