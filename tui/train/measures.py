"""What Train draws: where points lie along the x axis, and the measures under the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, log10, nan
from typing import TYPE_CHECKING, Final, NamedTuple, overload

if TYPE_CHECKING:
    from core.runs.history import RunHistory
    from core.runs.positions import Positions
    from tui.train.plot_series import Role

AXES: Final = ("step", "tok", "time")


def along(at: Positions, axis: str) -> Sequence[float]:
    """The positions of points on one of AXES: optimiser steps, tokens, seconds."""
    positions: dict[str, Sequence[float]] = {
        "step": at.steps,
        "tok": at.tokens,
        "time": at.seconds,
    }
    return positions[axis]


class Logarithms(Sequence[float]):
    """Of the numbers in a sequence, to the base 10, worked out where they are asked for.

    What has none is NaN: a point that a logarithmic axis cannot show.
    """

    def __init__(self, of: Sequence[float]) -> None:
        self._of = of

    def __len__(self) -> int:
        return len(self._of)

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> list[float]: ...
    def __getitem__(self, index: int | slice) -> float | list[float]:
        found = self._of[index]
        if isinstance(found, (int, float)):
            return log10(found) if found > 0 else nan
        return [log10(value) if value > 0 else nan for value in found]


class Curve(NamedTuple):
    """One line of a measure."""

    name: str
    at: Positions
    values: Sequence[float | None]
    role: Role


@dataclass(frozen=True)
class Measure:
    """``label`` stands in the plot, with the unit; ``curves`` of a run may be none."""

    label: str
    curves: Callable[[RunHistory], list[Curve]]

    def known(self, history: RunHistory) -> bool:
        return any(value == value for one in self.curves(history) for value in one.values[-1:])


def _memorised(history: RunHistory) -> list[Curve]:
    at = history.memorised_at
    if not at:
        return []
    return [
        Curve("training tweets", at, history.memorised_train, "train"),
        Curve("held-out tweets", at, history.memorised_held_out, "valid"),
    ]


def _trained(values: str, name: str) -> Callable[[RunHistory], list[Curve]]:
    return lambda history: [Curve(name, history.train_at, getattr(history, values), "train")]


def _system(*named: tuple[str, str]) -> Callable[[RunHistory], list[Curve]]:
    """Names of the figures, and what their lines are called."""

    def curves(history: RunHistory) -> Iterator[Curve]:
        roles: list[Role] = ["train", "valid"]
        for (key, name), role in zip(named, roles, strict=False):
            if key in history.system:
                yield Curve(name, history.system_at, history.system[key], role)

    return lambda history: list(curves(history))


def _gpus(figure: str) -> Callable[[RunHistory], list[Curve]]:
    def curves(history: RunHistory) -> Iterator[Curve]:
        names = sorted(name for name in history.system if name.endswith(f"_{figure}"))
        for number, name in enumerate(name for name in names if name.startswith("gpu")):
            role: Role = "other" if number else "train"
            shown = name.removesuffix(f"_{figure}").replace("gpu", "GPU ")
            yield Curve(shown, history.system_at, history.system[name], role)

    return lambda history: list(curves(history))


MEASURES: Final = {
    "memorisation": Measure("given back word for word", _memorised),
    "speed": Measure("tokens a second", _trained("speeds", "tok/s")),
    "gradient": Measure("gradient norm", _trained("gradients", "norm")),
    "rate": Measure("learning rate", _trained("rates", "rate")),
    "processor": Measure("processor, %", _system(
        ("process_cpu", "training, of one core"), ("cpu", "machine, of all"),
    )),
    "memory": Measure("memory, MiB", _system(("process_memory", "training, MiB"))),
    "gpu": Measure("GPU, %", _gpus("use")),
    "gpu memory": Measure("GPU memory, MiB", _gpus("memory")),
}  # fmt: skip


def measures_in_words(history: RunHistory) -> list[str]:
    """Each curve under the loss as a sentence, but for memorisation, which a run's own have."""
    sentences = []
    for name, measure in MEASURES.items():
        curves = measure.curves(history) if name != "memorisation" else []
        for curve in curves:
            known = [value for value in curve.values if value is not None and isfinite(value)]
            if known:
                of = f" ({curve.name})" if len(curves) > 1 else ""
                first, last, low, high = (
                    f"{value:,.4g}" for value in (known[0], known[-1], min(known), max(known))
                )
                moved = f"first {first}, last {last}, lowest {low}, highest {high}"
                label = f"{measure.label[:1].upper()}{measure.label[1:]}{of}"
                sentences.append(f"{label}: {moved if len(known) > 1 else last}.")
    return sentences


def measures_of(history: RunHistory) -> list[str]:
    """The names in MEASURES of which the run has something, in their order."""
    return [name for name, measure in MEASURES.items() if measure.known(history)]
