"""Where a run can be taken up again: what learns, the optimiser, and the place in the data.

A checkpoint is a folder that appears whole: it is written under another name and then renamed.
Nothing in it is code: weights are safetensors, the optimiser is read with ``weights_only``.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefused
from core.runs.folder import checkpoint_folders
from core.training.adapter import trainable

KEEP: Final = 2


@dataclass
class Position:
    """How far a run had come.

    ``epoch`` and ``batch`` name the next batch; ``seconds`` is what the process had taken, with
    what was taken before it if it had been resumed itself; ``done`` is the share of the run.
    ``tokens_by_author`` says which account wrote how many of the ``tokens``.
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


def save_checkpoint(folder: Path, model: Any, optimizer: Any, position: Position) -> Path:
    """Writes a checkpoint and forgets all but the newest KEEP; raises OSError."""
    import torch
    from safetensors.torch import save_file

    final = folder / f"step-{position.step:07d}"
    part = folder / f".{final.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    weights = {name: weight.detach().contiguous() for name, weight in trainable(model).items()}
    save_file(weights, str(part / "weights.safetensors"))
    torch.save(
        {"optimizer": optimizer.state_dict(), "rng": torch.get_rng_state()}, part / "optimizer.pt"
    )
    (part / "position.json").write_text(json.dumps(asdict(position)), encoding="utf-8")
    if final.exists():
        shutil.rmtree(final)
    part.replace(final)
    for old in checkpoint_folders(folder)[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def load_checkpoint(path: Path, model: Any, optimizer: Any) -> Position:
    """Puts weights and optimiser back and returns the position; raises InputRefused."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        position = Position(**json.loads((path / "position.json").read_bytes()))
        weights = load_file(str(path / "weights.safetensors"))
        kept = torch.load(path / "optimizer.pt", weights_only=True, map_location="cpu")
        own = trainable(model)
        if own.keys() != weights.keys():
            raise ValueError("its weights are those of another model")
        with torch.no_grad():
            for name, weight in own.items():
                weight.copy_(weights[name])
        optimizer.load_state_dict(kept["optimizer"])
        torch.set_rng_state(kept["rng"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InputRefused(
            f"The checkpoint {path.name} cannot be taken up.",
            f"{type(error).__name__}: {error}.",
            "Start a new run.",
        ) from error
    return position
