"""Checkpoints appear whole, are few, and bring everything back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.errors import InputRefused
from core.models.scratch import new_model
from core.runs.folder import checkpoint_folders
from core.training.best import Best
from core.training.checkpoint import (
    TIME_SHARE,
    Position,
    all_finite,
    load_checkpoint,
    pause_after,
    save_checkpoint,
)
from core.training.evaluate import Measure


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


def test_how_long_until_the_next_checkpoint() -> None:
    # 3 seconds of 100 may go into them
    assert pause_after(0.6, 0.6, 60.0, 10.0) == 10.0
    assert pause_after(3.0, 3.0, 60.0, 10.0) == pytest.approx(200 - 63)
    assert pause_after(3.0, 9.0, 60.0, 10.0) == pytest.approx(400 - 63)
    assert pause_after(3.0, 3.0, 190.0, 10.0) == 10.0


def test_the_best_weights_lie_beside_those_that_are_others(tmp_path: Path) -> None:
    model, optimizer = learner(1)
    weights = list(model.parameters())
    best = Best(weights)
    best.look(Measure(3.0, 4, 1.0, [6.0, 6.0], [2, 2]), 1)
    first = save_checkpoint(tmp_path, model, optimizer, Position(step=1), best)
    assert sorted(path.name for path in first.iterdir()) == [
        "optimizer.pt", "position.json", "weights.safetensors",
    ]  # fmt: skip
    kept = [weight.detach().clone() for weight in weights]
    one_step(model, optimizer)
    second = save_checkpoint(tmp_path, model, optimizer, Position(step=2), best)
    assert (second / "best.safetensors").exists()
    for path, step in ((first, 1), (second, 2)):
        other, other_optimizer = learner(2)
        again = Best(list(other.parameters()))
        position = load_checkpoint(path, other, other_optimizer, again)
        assert (position.step, position.best) == (step, best.measured)
        assert all(map(torch.equal, again.weights, kept))
    save_checkpoint(tmp_path, model, optimizer, Position(step=3), Best(weights))
    assert not (tmp_path / "step-0000003" / "best.safetensors").exists()
    assert load_checkpoint(second, *learner(2)).best is not None, "which may be left alone"


def test_a_full_disk_is_an_os_error_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, optimizer = learner(1)
    for error, words in (
        (RuntimeError("enforce fail at inline_container.cc\nframes"), "enforce fail at inline"),
        (MemoryError(), "no memory"),
    ):

        def full(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(torch, "save", full)
        with pytest.raises(OSError, match=words) as raised:
            save_checkpoint(tmp_path, model, optimizer, Position(step=1))
        assert "\n" not in str(raised.value)
        assert checkpoint_folders(tmp_path) == []


def test_what_is_no_number_is_found_in_whichever_weight() -> None:
    assert all_finite([torch.ones(2), torch.zeros(2, 3)])
    assert not all_finite([torch.ones(2), torch.tensor([1.0, float("nan")])])
    assert not all_finite([torch.tensor([float("inf")]), torch.ones(2)])


@pytest.mark.parametrize("name", ["position.json", "weights.safetensors", "optimizer.pt"])
@pytest.mark.parametrize("damage", ["gone", "empty", "half", "other"])
def test_any_damage_is_refused_and_leaves_the_weights(
    tmp_path: Path, name: str, damage: str
) -> None:
    model, optimizer = learner(1)
    path = save_checkpoint(tmp_path, model, optimizer, Position(step=1))
    content = (path / name).read_bytes()
    (path / name).unlink()
    if damage != "gone":
        left = {"empty": b"", "half": content[: len(content) // 2], "other": b"[1]"}[damage]
        (path / name).write_bytes(left)
    before = [weight.detach().clone() for weight in model.parameters()]
    with pytest.raises(InputRefused, match="step-0000001 cannot be taken up") as refused:
        load_checkpoint(path, model, optimizer)
    assert "\n" not in refused.value.why
    assert all(map(torch.equal, before, model.parameters()))


@pytest.mark.parametrize("kept", [[1], {}, {"optimizer": 5}, {"optimizer": []}])
def test_an_optimiser_of_another_kind_is_refused(tmp_path: Path, kept: object) -> None:
    model, optimizer = learner(1)
    path = save_checkpoint(tmp_path, model, optimizer, Position(step=1))
    torch.save(kept, path / "optimizer.pt")
    with pytest.raises(InputRefused, match="step-0000001 cannot be taken up"):
        load_checkpoint(path, model, optimizer)


def test_only_the_newest_are_kept_and_unfinished_ones_do_not_count(tmp_path: Path) -> None:
    model, optimizer = learner(1)
    (tmp_path / ".step-0000009.part").mkdir(parents=True)
    for step in (1, 2, 3, 12):
        save_checkpoint(tmp_path, model, optimizer, Position(step=step))
    names = [path.name for path in checkpoint_folders(tmp_path)]
    assert names == ["step-0000003", "step-0000012"]


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
