"""Where a run can be taken up again: what learns, the optimiser, and the position in the data.

A checkpoint is a folder that appears whole. Nothing in it is code: weights are safetensors, the
optimiser is read with ``weights_only``.
"""

from __future__ import annotations

import pickle
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import torch

from core.errors import InputRefused, kind_and_line
from core.files import folder_whole
from core.training.adapter import trainable
from core.training.best import Best, Measured

KEEP: Final = 2
# The largest share of a run's time that may go into checkpoints.
TIME_SHARE: Final = 0.03


@dataclass
class Position:
    """How far a run had come.

    ``epoch`` and ``batch`` name the next batch; ``seconds`` is what the process had taken, with
    what was taken before it if it had been resumed itself; ``done`` is the share of the run.
    ``tokens_by_author`` says which account wrote how many of the ``tokens``; ``best`` when the
    held-out loss was lowest, if the run goes back to that.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    tokens: int = 0
    seconds: float = 0.0
    train_seconds: float = 0.0
    done: float = 0.0
    valid_before: float | None = None
    tokens_by_author: dict[str, int] = field(default_factory=dict)
    best: Measured | None = None

    @property
    def name(self) -> str:
        """Of its checkpoint's folder."""
        return f"step-{self.step:07d}"


def pause_after(took: float, spent: float, gone: float, wanted: float) -> float:
    """Seconds until the next checkpoint: ``wanted``, or as many more as keep within TIME_SHARE.

    The last one ``took`` so long, as the next is taken to; ``spent`` went into all of them so far,
    in the ``gone`` seconds of the run.
    """
    return max(wanted, (spent + took) / TIME_SHARE - took - gone)


def save_checkpoint(
    folder: Path, model: Any, optimizer: Any, position: Position, best: Best | None = None
) -> Path:
    """Writes a checkpoint and removes all but the newest KEEP; raises OSError.

    The weights of the ``best`` measurement lie beside the newest, where they are others.
    """
    import msgspec
    from safetensors import SafetensorError

    from core.runs.folder import checkpoint_folders

    position = replace(position, best=best.measured if best is not None else None)
    final = folder / position.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folder_whole(final, "checkpoint") as part:
            other = best is not None and best.known and best.step != position.step
            save_state(part, model, optimizer, best.weights if best and other else None)
            (part / "position.json").write_bytes(msgspec.json.encode(position))
    # what PyTorch makes of a full disk, and what is missing where memory is
    except (RuntimeError, MemoryError, SafetensorError) as error:
        raise OSError(str(error).strip().partition("\n")[0] or "no memory") from error
    for old in checkpoint_folders(folder)[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def save_state(
    folder: Path, model: Any, optimizer: Any, best: list[torch.Tensor] | None = None
) -> None:
    """What learns, the optimiser, and the ``best`` weights if they are others.

    No random state: what a step draws follows from the run's seed and the step's number.
    """
    from safetensors.torch import save_file

    own = trainable(model)
    save_file(_contiguous(own), str(folder / "weights.safetensors"))
    if best is not None:
        save_file(_contiguous(dict(zip(own, best, strict=True))), str(folder / "best.safetensors"))
    torch.save({"optimizer": optimizer.state_dict()}, folder / "optimizer.pt")


def load_state(
    folder: Path, model: Any, optimizer: Any, *, other_best: bool = False
) -> list[torch.Tensor]:
    """Puts back what `save_state` wrote; returns the weights, or the best where they are others.

    Weights that do not fit raise ValueError, before any of the model's are changed.
    """
    from safetensors.torch import load_file

    own = trainable(model)
    weights = _fitting(load_file(str(folder / "weights.safetensors")), own)
    best = weights
    if other_best:
        best = _fitting(load_file(str(folder / "best.safetensors")), own)
    kept = torch.load(folder / "optimizer.pt", weights_only=True, map_location="cpu")
    optimizer.load_state_dict(kept["optimizer"])
    with torch.no_grad():
        for weight, saved in zip(own.values(), weights, strict=True):
            weight.copy_(saved)
    return best


def load_checkpoint(path: Path, model: Any, optimizer: Any, best: Best | None = None) -> Position:
    """Puts weights and optimiser back and returns the position.

    Raises InputRefused for a checkpoint that is damaged or of another model; the weights are then
    as they were.
    """
    import msgspec
    from safetensors import SafetensorError

    try:
        position = msgspec.json.decode((path / "position.json").read_bytes(), type=Position)
        other = position.best is not None and position.best.step != position.step
        weights = load_state(path, model, optimizer, other_best=other)
    except (
        OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RuntimeError,
        pickle.UnpicklingError, SafetensorError,
    ) as error:  # fmt: skip
        raise InputRefused(
            f"The checkpoint {path.name} cannot be taken up.",
            f"{kind_and_line(error)}.",
            "Start a new run.",
        ) from error
    if best is not None and position.best is not None:
        best.take_up(position.best, weights)
    return position


def all_finite(weights: list[Any]) -> bool:
    """Whether every number in ``weights`` is finite."""
    # all at once: each question to a device waits for it
    return all(torch.stack([torch.isfinite(weight).all() for weight in weights]).tolist())


def _contiguous(weights: dict[str, Any]) -> dict[str, Any]:
    return {name: weight.detach().contiguous() for name, weight in weights.items()}


def _fitting(found: dict[str, Any], own: dict[str, Any]) -> list[Any]:
    """``found`` in the order of ``own``; raises ValueError where they are not of one model."""
    if {name: tuple(weight.shape) for name, weight in found.items()} != {
        name: tuple(weight.shape) for name, weight in own.items()
    }:
        raise ValueError("its weights are those of another model")
    return [found[name] for name in own]
