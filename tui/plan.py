"""The training that the Train section would start, and what it is expected to cost."""

from __future__ import annotations

from dataclasses import dataclass, field

PRESET_HELP = (
    "fast: adapters on the base, good in minutes. quality: longer, a little better. "
    "classic: every weight, as huggingtweets did."
)


@dataclass
class TrainPlan:
    """``bases`` is filled once the models at hand are known."""

    base: str = ""
    preset: str = "fast"
    minutes: float = 2.0
    seed: int = 1
    bases: list[str] = field(default_factory=list)
    presets: tuple[str, ...] = ("fast", "quality", "classic")
    preset_help: str = PRESET_HELP
    advice: list[str] = field(default_factory=list)

    def values(self) -> dict[str, object]:
        return {
            "base": self.base,
            "preset": self.preset,
            "minutes": self.minutes,
            "seed": self.seed,
        }
