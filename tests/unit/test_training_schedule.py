"""The learning rate over a run, by steps and by time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.training.schedule import Course, Pace, learning_rate


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_rises_to_the_peak_and_falls_to_zero() -> None:
    rates = [learning_rate(i / 100, peak=1.0, warmup=0.1) for i in range(101)]
    assert 0 < rates[0] < 0.2
    assert max(rates) == rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)


@given(st.floats(0, 1), st.floats(0, 0.9))
def test_it_stays_between_zero_and_the_peak(done: float, warmup: float) -> None:
    assert 0 <= learning_rate(done, peak=2e-3, warmup=warmup) <= 2e-3


def test_without_a_limit_the_course_is_its_steps() -> None:
    course = Course(10)
    course.start()
    assert [course.done(step) for step in (0, 5, 10, 12)] == [0, 0.5, 1, 1]


def test_with_a_limit_the_further_of_steps_and_time_counts() -> None:
    clock = Clock()
    course = Course(1000, budget=100, began=clock(), clock=clock)
    clock.now += 10  # loading
    course.start(reserve=10)
    assert course.done(0) == 0
    clock.now += 40  # half of the 80 seconds between loading and what the end needs
    assert course.done(10) == pytest.approx(0.5)
    assert course.done(900) == pytest.approx(0.9)
    clock.now += 40
    assert course.done(20) == 1
    assert course.seconds == pytest.approx(90)


def test_a_limit_that_loading_has_eaten_up_leaves_a_quarter_for_learning() -> None:
    clock = Clock()
    course = Course(1000, budget=8, began=clock(), clock=clock)
    clock.now += 10
    course.start(reserve=3)
    assert course.done(0) == 0
    clock.now += 1
    assert course.done(1) == pytest.approx(0.5)
    clock.now += 1
    assert course.done(2) == 1


def test_a_resumed_course_goes_on_where_it_was() -> None:
    clock = Clock()
    course = Course(1000, budget=100, began=clock() - 40, clock=clock)
    course.start(done=0.4)
    assert course.done(1) == pytest.approx(0.4)
    clock.now += 30
    assert course.done(1) == pytest.approx(0.7)


def test_time_left_is_that_of_whatever_ends_first() -> None:
    clock = Clock()
    course = Course(100, budget=60, began=clock(), clock=clock)
    course.start(reserve=2)
    assert course.seconds_left(0, None) == pytest.approx(60)
    assert course.seconds_left(90, 0.5) == pytest.approx(7)
    assert course.seconds_left(0, 10.0) == pytest.approx(60)

    def half(seconds: float) -> float:
        return seconds / 2

    # with measurements and samples between the steps, of which the last tenth has none
    assert course.seconds_left(40, 0.2, pausing=half) == pytest.approx(60 * 0.2 + 50 * 0.2 / 2 + 2)
    assert course.seconds_left(95, 0.2, pausing=half, end=9) == pytest.approx(5 * 0.2 + 9)
    assert course.seconds_left(0, 10.0, end=9) == pytest.approx(67), "more than was kept back"


@pytest.mark.parametrize("pause", [0.0, 4.0, 45.0])
@pytest.mark.parametrize("first_steps", [0.5, 4.0])
def test_time_left_is_right_after_the_first_minute(pause: float, first_steps: float) -> None:
    """A run of 900 steps of half a second, of which the first may be slow, that pauses at times."""
    clock, pace = Clock(), Pace()
    course = Course(900, began=clock(), clock=clock)
    clock.now += 9
    course.start(reserve=3)
    began, expected = clock(), []
    due = began + 60
    for step in range(900):
        if clock() >= began + 60 + pause:
            left = course.seconds_left(step, pace.seconds_a_step, pausing=pace.pausing, end=5)
            assert left is not None
            expected.append((clock(), left))
        took = first_steps if step < 5 else 0.5
        clock.now += took
        pace.step(took)
        if pause and clock() >= due and step < 810:
            clock.now += pause
            pace.pause(pause)
            due = clock() + 60
    end = clock() + 5
    assert len(expected) > 600
    for at, left in expected:
        # where little is left, half a pause more or less counts for much
        assert left == pytest.approx(end - at, rel=0.15, abs=1 + pause / 2)
