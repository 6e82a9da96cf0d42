"""Noticing that a model learns by heart, and going back."""

from __future__ import annotations

import torch

from core.training.best import CLEARLY, PATIENCE, Best


def test_it_goes_back_to_the_best_weights() -> None:
    weight = torch.zeros(3, requires_grad=True)
    best = Best([weight])
    for step, loss in enumerate((5.0, 4.0, 4.0 + 2 * CLEARLY), start=1):
        with torch.no_grad():
            weight.fill_(step)
        best.look(loss, step)
    assert best.worse
    assert (best.loss, best.step) == (4.0, 2)
    best.restore()
    assert weight.tolist() == [2.0, 2.0, 2.0]


def test_noise_is_not_worse_and_patience_ends() -> None:
    best = Best([torch.zeros(1)])
    best.look(4.0, 1)
    best.look(4.0 + CLEARLY / 2, 2)
    assert not best.worse
    for step in range(PATIENCE):
        assert not best.hopeless
        best.look(4.0 + 2 * CLEARLY, 3 + step)
    assert best.hopeless
    best.look(3.9, 9)
    assert not best.worse
