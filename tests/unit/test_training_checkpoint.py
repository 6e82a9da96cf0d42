"""Checkpoints appear whole, are few, and bring everything back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.errors import InputRefused
from core.models.scratch import new_model
from core.runs.folder import checkpoint_folders
from core.training.checkpoint import (
    KEEP,
    TIME_SHARE,
    Position,
    load_checkpoint,
    pause_after,
    save_checkpoint,
)


def learner(seed: int) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = new_model(64, 0)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3)


def one_step(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    ids = torch.tensor([[0, 3, 5, 7]])
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    optimizer.zero_grad()


def test_what_is_saved_comes_back_and_goes_on_alike(tmp_path: Path) -> None:
    model, optimizer = learner(1)
    one_step(model, optimizer)
    position = Position(step=1, epoch=2, batch=3, tokens=4, seconds=5.0, done=0.5)
    path = save_checkpoint(tmp_path, model, optimizer, position)
    other, other_optimizer = learner(2)
    assert load_checkpoint(path, other, other_optimizer) == position
    one_step(model, optimizer)
    one_step(other, other_optimizer)
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("wanted", [1e-9, 60.0])
@pytest.mark.parametrize("costs", [[0.01], [2.0], [9.0], [3.0, 0.5, 9.0, 9.0, 0.1, 4.0]])
def test_checkpoints_take_their_share_of_the_time_and_no_more(
    costs: list[float], wanted: float
) -> None:
    gone, spent, pauses = wanted, 0.0, []
    for took in costs * 12:
        # all before it, and it, if it took as long as the last, have kept to their share
        gone, spent = gone + took, spent + took
        pauses.append(pause_after(took, spent, gone, wanted))
        gone += pauses[-1]
        assert (spent + took) / (gone + took) <= TIME_SHARE * (1 + 1e-9)
    assert min(pauses) >= wanted
    cheap = max(costs) <= TIME_SHARE * wanted
    assert not cheap or set(pauses) == {wanted}, "what costs little is done as often as asked"


def test_only_the_newest_are_kept_and_unfinished_ones_do_not_count(tmp_path: Path) -> None:
    model, optimizer = learner(1)
    (tmp_path / ".step-0000009.part").mkdir(parents=True)
    for step in (1, 2, 3, 12):
        save_checkpoint(tmp_path, model, optimizer, Position(step=step))
    names = [path.name for path in checkpoint_folders(tmp_path)]
    assert names == ["step-0000003", "step-0000012"][-KEEP:]


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    model, optimizer = learner(1)
    path = save_checkpoint(tmp_path, model, optimizer, Position(step=1))
    (path / "weights.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputRefused, match="step-0000001"):
        load_checkpoint(path, model, optimizer)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    model, optimizer = learner(1)
    path = save_checkpoint(tmp_path, model, optimizer, Position(step=1))
    for weight in list(model.parameters())[:3]:
        weight.requires_grad_(False)
    with pytest.raises(InputRefused, match="another model"):
        load_checkpoint(path, model, optimizer)
