"""Noticing that a model learns by heart, and going back; what of a difference is noise."""

from __future__ import annotations

import math
import random
import statistics

import pytest
import torch

from core.training.best import PATIENCE, Best, Measured
from core.training.evaluate import Measure

SIZES = [10, 30, 40, 20, 25, 25]
HARD = [60.0, 90.0, 118.0, 85.0, 140.0, 110.0]
"""Nats of each row: some are hard for every model."""


def measured(shift: float = 0.0, scatter: float = 0.0) -> Measure:
    """``HARD``, each token worse by ``shift``, and by turns a little more or less."""
    sums = [
        hard + size * (shift + scatter * (-1) ** row)
        for row, (hard, size) in enumerate(zip(HARD, SIZES, strict=True))
    ]
    return Measure(sum(sums) / sum(SIZES), sum(SIZES), 1.0, sums, SIZES)


def test_it_goes_back_to_the_best_weights() -> None:
    weight = torch.zeros(3, requires_grad=True)
    best = Best([weight])
    for step, shift in enumerate((1.0, 0.0, 0.1), start=1):
        with torch.no_grad():
            weight.fill_(step)
        best.look(measured(shift, 0.01), step)
    assert best.worse
    assert best.step == 2
    best.restore()
    assert weight.tolist() == [2.0, 2.0, 2.0]


def test_what_was_best_is_taken_up_by_the_next_process() -> None:
    weight = torch.ones(2, requires_grad=True)
    best = Best([weight])
    assert (best.known, best.measured, best.worse, best.hopeless) == (False, None, False, False)
    assert (best.step, best.last_step) == (0, 0)
    best.look(measured(), 3)
    best.look(measured(0.1), 4)
    best.look(measured(0.1), 5)
    assert best.known
    assert best.measured == Measured(measured(), 3, 5, 2)
    assert (best.worse, best.hopeless) == (True, False)
    again = Best([torch.zeros(2)])
    again.take_up(best.measured, [torch.full((2,), 7.0)])
    assert again.measured == best.measured
    assert again.weights[0].tolist() == [7.0, 7.0]
    again.look(measured(), 6)
    assert (again.step, again.last_step, again.worse) == (3, 6, False), "as good is no better"
    again.look(measured(-0.1), 7)
    assert (again.step, again.worse) == (7, False)
    assert again.weights[0].tolist() == [0.0, 0.0]
    for step in (8, 9, 10):
        assert not again.hopeless
        again.look(measured(0.1), step)
    assert again.hopeless, "three in a row"


def test_clearly_worse_is_by_two_standard_errors_and_more() -> None:
    class By:
        def __init__(self, errors: float | None) -> None:
            self.loss, self.errors = 1.0, errors

        def errors_above(self, other: object) -> float | None:
            return self.errors

    for errors, worse in ((2.0, False), (2.01, True), (1.0, False), (None, False), (9.0, True)):
        best = Best([])
        best.look(By(0.0), 1)  # type: ignore[arg-type]
        best.look(By(errors), 2)  # type: ignore[arg-type]
        assert best.worse is worse


def test_the_error_of_a_ratio_is_cochran_s() -> None:
    """Sampling Techniques, 6.4, by hand: residuals 1, -1 and 0 of 3 pairs, 6 tokens in all."""
    found = Measure(2.0, 6, 1.0, [3.0, 3.0, 6.0], [1, 2, 3])
    assert found.error == pytest.approx(math.sqrt(3 / 2 * 2) / 6)
    assert Measure(2.0, 2, 1.0, [2.0, 2.0], [1, 1]).error == 0.0
    worse = Measure(2.5, 2, 1.0, [2.5, 2.5], [1, 1])
    better = Measure(2.0, 2, 1.0, [2.0, 2.0], [1, 1])
    assert worse.errors_above(better) == math.inf
    assert better.errors_above(worse) == -math.inf
    other = Measure(1.0, 6, 1.0, [1.0, 2.0, 3.0], [1, 2, 3])
    assert found.errors_above(other) == pytest.approx(1 / (math.sqrt(3) / 6))


def test_noise_is_not_worse_and_patience_ends() -> None:
    best = Best([torch.zeros(1)])
    best.look(measured(), 1)
    # 0.05 worse on average, by turns 0.35 worse and 0.25 better
    best.look(measured(0.05, 0.3), 2)
    assert not best.worse
    for step in range(PATIENCE):
        assert not best.hopeless
        # no more worse on average, but everywhere
        best.look(measured(0.05, 0.01), 3 + step)
    assert best.hopeless
    best.look(measured(-0.1), 9)
    assert not best.worse


def test_a_difference_is_judged_row_by_row_and_not_by_how_hard_the_rows_are() -> None:
    one, other = measured(), measured(0.05, 0.01)
    assert other.loss - one.loss < one.error  # as two samples they could not be told apart
    assert other.errors_above(one) > 2
    assert one.errors_above(other) < -2
    assert one.errors_above(one) == 0
    assert measured(0.05).errors_above(one) > 1e6  # the same everywhere


def test_the_standard_error_is_how_much_the_loss_of_drawn_tweets_varies() -> None:
    """Against many draws from the same population."""
    rng = random.Random(1)

    def drawn() -> Measure:
        sizes = [rng.randint(5, 60) for _ in range(120)]
        sums = [size * max(0.5, rng.gauss(3.5, 0.8)) for size in sizes]
        return Measure(sum(sums) / sum(sizes), sum(sizes), 1.0, sums, sizes)

    measures = [drawn() for _ in range(400)]
    spread = statistics.stdev(one.loss for one in measures)
    assert statistics.fmean(one.error for one in measures) == pytest.approx(spread, rel=0.1)


def test_one_row_has_no_error_that_is_known() -> None:
    one, other = Measure(3.0, 4, 1.0, [12.0], [4]), Measure(2.0, 4, 1.0, [8.0], [4])
    assert one.error is None
    assert one.errors_above(other) is None
    best = Best([])
    for step, found in enumerate([other, one, one, one]):
        best.look(found, step)
    assert not best.hopeless, "a single tweet ends no training"
    assert not best.worse
