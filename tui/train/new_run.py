"""The training that the Train section would start, and what it is expected to cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.dataset.shares import Share

PRESET_HELP = (
    "fast: adapters on the base, good in minutes. quality: longer, a little better. "
    "classic: every weight, as huggingtweets did."
)


@dataclass
class TrainPlan:
    """``bases`` is filled once the models at hand are known.

    ``weights`` are those that are not 1, also of accounts that are not chosen now; ``shares`` what
    an epoch would show of the chosen ones. ``whole`` says how long all of the tweets would take.
    """

    base: str = ""
    preset: str = "fast"
    minutes: float = 2.0
    seed: int = 1
    bases: list[str] = field(default_factory=list)
    presets: tuple[str, ...] = ("fast", "quality", "classic")
    preset_help: str = PRESET_HELP
    advice: list[str] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)
    shares: list[Share] = field(default_factory=list)
    whole: str = ""

    def weights_of(self, handles: Sequence[str]) -> dict[str, float]:
        """The weights that count for these accounts; the preset classic knows none."""
        if self.preset == "classic" or len(handles) < 2:
            return {}
        return {handle: self.weights[handle] for handle in handles if handle in self.weights}

    def weights_in_short(self, handles: Sequence[str]) -> str:
        """``equal``, ``2:1``, or how many of many accounts have another weight than 1."""
        if self.preset == "classic":
            return "as classic"
        given = self.weights_of(handles)
        weights = [given.get(handle, 1.0) for handle in sorted(handles)]
        if len(set(weights)) < 2:
            return "equal"
        if len(weights) <= 4:
            return ":".join(f"{weight:.4g}" for weight in weights)
        return f"{len(given)} set"

    def values(self) -> dict[str, object]:
        return {
            "base": self.base,
            "preset": self.preset,
            "minutes": self.minutes,
            "seed": self.seed,
        }
