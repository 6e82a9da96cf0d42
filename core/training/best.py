"""Going back to where a model was best on the tweets that it does not learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

from core.training.evaluate import Measure

# A measurement is clearly worse than the best when it lies more than so many standard errors of
# their difference above it: less is noise, by chance once in forty times at most.
CLEARLY: Final = 2.0
PATIENCE: Final = 3


@dataclass(frozen=True)
class Measured:
    """The best measurement and its step, the step of the last one, and how many in a row have been
    clearly worse than the best."""

    best: Measure
    step: int
    last_step: int
    worse: int


class Best:
    """Remembers the weights of the best measurement so far.

    A few hundred tweets are soon learned by heart: the loss on them falls on while that on others
    rises. Source of the practice: Prechelt 1998, Early stopping - but when?
    """

    def __init__(self, weights: list[torch.Tensor]) -> None:
        self._learning = weights
        self.weights: list[torch.Tensor] = []
        """Those of the best measurement; empty before the first."""
        self._worse = 0
        self._best: Measure | None = None
        self.step = self.last_step = 0

    def look(self, found: Measure, step: int) -> None:
        """Takes note of what was ``found`` after ``step``, with the weights as they are."""
        self.last_step = step
        if self._best is None or found.loss < self._best.loss:
            self._best, self.step, self._worse = found, step, 0
            self._keep(self._learning)
        else:
            above = found.errors_above(self._best)
            self._worse = self._worse + 1 if above is not None and above > CLEARLY else 0

    @property
    def known(self) -> bool:
        """Whether there has been a measurement."""
        return bool(self.weights)

    @property
    def measured(self) -> Measured | None:
        """What `take_up` needs besides the weights; None before the first measurement."""
        if self._best is None:
            return None
        return Measured(self._best, self.step, self.last_step, self._worse)

    def take_up(self, measured: Measured, weights: list[torch.Tensor]) -> None:
        """Goes on from what another process had measured, ``weights`` being those of the best."""
        self._best, self.step, self._worse = measured.best, measured.step, measured.worse
        self.last_step = measured.last_step
        self._keep(weights)

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
        for weight, kept in zip(self._learning, self.weights, strict=True):
            weight.copy_(kept)

    @torch.no_grad()
    def _keep(self, weights: list[torch.Tensor]) -> None:
        """In place of those kept before: there is never a third copy."""
        self.weights = self.weights or [torch.empty_like(own) for own in self._learning]
        for kept, weight in zip(self.weights, weights, strict=True):
            kept.copy_(weight)
