"""The learning rate over a run, by steps and by time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runs.settings import Schedule
from core.training.schedule import Course, Pace, learning_rate


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def learn(course: Course, clock: Clock, seconds: float) -> None:
    clock.now += seconds
    course.pace.step(seconds)


@pytest.mark.parametrize(("schedule", "late"), [("linear", 0.25), ("cosine", 0.1464)])
def test_it_rises_to_the_peak_and_falls_to_zero(schedule: Schedule, late: float) -> None:
    rates = [
        learning_rate(i / 1000, peak=1.0, warmup=0.1, schedule=schedule) for i in range(0, 1001, 5)
    ]
    assert 0 < rates[0] < 0.2
    assert max(rates) == rates[20] == 1.0
    assert rates[110] == pytest.approx(0.5)
    assert rates[155] == pytest.approx(late, abs=1e-4)
    assert rates[200] == pytest.approx(0.0)
    assert rates[20:] == sorted(rates[20:], reverse=True)


@given(st.floats(0, 1), st.floats(0, 0.9), st.sampled_from(["linear", "cosine"]))
def test_it_stays_between_zero_and_the_peak(done: float, warmup: float, schedule: Schedule) -> None:
    assert 0 <= learning_rate(done, peak=2e-3, warmup=warmup, schedule=schedule) <= 2e-3


def test_it_begins_at_a_tenth_of_the_peak_and_without_warmup_at_all_of_it() -> None:
    def rates(warmup: float, *shares: float) -> list[float]:
        return [learning_rate(x, peak=2.0, warmup=warmup, schedule="linear") for x in shares]

    assert rates(0.5, 0.0, 0.05, 0.25, 0.5, 0.75, 1.0, 1.5) == [0.2, 0.2, 1.0, 2.0, 1.0, 0.0, 0.0]
    assert rates(0.0, 0.0, 0.25, 1.0) == [2.0, 1.5, 0.0]
    cosine = learning_rate(0.25, peak=2.0, warmup=0.0, schedule="cosine")
    assert cosine == pytest.approx(1 + math.cos(math.pi / 4))


def test_what_a_step_takes_is_its_mean_of_late() -> None:
    def lately(*steps: tuple[int, float]) -> float | None:
        pace = Pace()
        for count, seconds in steps:
            for _ in range(count):
                pace.step(seconds)
        return pace.seconds_a_step

    assert lately() is None
    assert lately((1, 3.0)) == 3.0
    assert lately((60, 1.0), (15, 4.0)) == 4.0, "of the last 15 at least"
    assert lately((60, 1.0), (14, 4.0)) == pytest.approx(57 / 15)
    # half a minute and the step in which it begins: 20 seconds of the late ones, 11 before
    assert lately((50, 1.0), (40, 0.5)) == pytest.approx(31 / 51)


def test_what_goes_into_pauses_is_what_went_into_them() -> None:
    pace = Pace()
    assert (pace.pausing(20.0), pace.learning_within(50.0)) == (0.0, 50.0)
    pace.expect(6.0, 30.0)
    pace.step(10.0)
    # a fifth of 30 seconds since the last pause, but for half of one
    assert pace.pausing(20.0) == pytest.approx(3.0)
    assert pace.learning_within(50.0) == pytest.approx((50 + 3 - 0.2 * (10 - 1)) / (1 + 0.2 * 0.9))
    pace.pause(8.0)
    assert pace.pausing(20.0) == pytest.approx(0.8 * 20 - 4)
    pace.pause(2.0)
    assert pace.pausing(20.0) == pytest.approx(20 - 5), "of one pause: a measure and a checkpoint"
    pace.step(10.0)
    pace.pause(2.0)
    assert pace.learned == 20.0
    assert pace.pausing(20.0) == pytest.approx(0.6 * 20 - 3)
    assert pace.pausing(1.0) == 0.0
    assert pace.learning_within(50.0) == pytest.approx((50 + 3 + 0.6 * 2) / (1 + 0.6 * 0.9))
    assert pace.learning_within(-50.0) == 0.0
    assert pace.learning_within(1.0) == 1.0, "no more than there is"


def test_a_run_may_be_resumed_at_its_very_end() -> None:
    clock = Clock()
    course = Course(10, budget=100, began=clock(), clock=clock)
    assert (course.budget, course.seconds) == (100, 0.0)
    assert Course(10).budget is None
    clock.now += 500
    course.start(done=1.0, reserve=4.0)
    assert course.done(0) == pytest.approx(0.999)
    # a quarter of the budget for what is left of the run, and what the end needs
    assert course.seconds_left(0) == pytest.approx(4 + 25 * 0.001)
    assert course.run_seconds(0) == pytest.approx(504 + 25 * 0.001)
    assert Course(10).run_seconds(0) is None
    clock.now += 50
    assert course.seconds_left(0) == pytest.approx(4)
    over = Course(10, began=clock(), clock=clock)
    over.start()
    over.pace.step(2.0)
    assert [over.seconds_left(step) for step in (8, 10, 12)] == [4.0, 0.0, 0.0]


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
    learn(course, clock, 40)  # half of the 80 seconds between loading and what the end needs
    assert course.done(10) == pytest.approx(0.5)
    assert course.done(900) == pytest.approx(0.9)
    assert course.done(1200) == 1
    learn(course, clock, 40)
    assert course.done(20) == 1
    assert course.seconds == pytest.approx(90)


def test_a_limit_that_loading_has_eaten_up_leaves_a_quarter_for_learning() -> None:
    clock = Clock()
    course = Course(1000, budget=8, began=clock(), clock=clock)
    clock.now += 10
    course.start(reserve=3)
    assert course.done(0) == 0
    learn(course, clock, 1)
    assert course.done(1) == pytest.approx(0.5)
    learn(course, clock, 1)
    assert course.done(2) == 1


def test_pauses_take_nothing_from_the_schedule() -> None:
    """A run of 400 seconds that measures for 20 after each 80 of steps: 300 of them are steps."""
    clock = Clock()
    course = Course(10_000, budget=400, began=clock(), clock=clock)
    course.start(reserve=20)
    course.pace.expect(20, 80)
    found = [course.done(0)]
    since = 0.0
    while found[-1] < 1:
        learn(course, clock, 2)
        since += 2
        before = course.done(1)
        if since >= 80 and before < 0.9:
            clock.now += 20
            course.pace.pause(20)
            since = 0
            assert course.done(1) == pytest.approx(before, abs=0.03)
        found.append(course.done(1))
    assert clock() - 100 == pytest.approx(380, abs=3), "the budget, but for the reserve"
    assert found == sorted(found)
    # a straight line, however the steps lie between the pauses
    assert found == pytest.approx([i / (len(found) - 1) for i in range(len(found))], abs=0.04)


def test_the_rate_does_not_rise_again_when_pauses_are_shorter_than_expected() -> None:
    clock = Clock()
    course = Course(10_000, budget=100, began=clock(), clock=clock)
    course.start()
    course.pace.expect(10, 20)
    learn(course, clock, 20)
    expected = course.done(1)
    assert 0.2 < expected < 0.3
    course.pace.pause(0.1)  # as long as this, 80 more seconds can be learned, not 53
    assert course.done(1) == expected
    learn(course, clock, 40)
    assert expected < course.done(1) < 0.65
    clock.now += 40
    assert course.done(1) == 1, "standing still takes from the time that is left"


def test_a_resumed_course_goes_on_where_it_was() -> None:
    clock = Clock()
    course = Course(1000, budget=100, began=clock() - 40, clock=clock)
    course.start(done=0.4)
    assert course.done(1) == pytest.approx(0.4)
    learn(course, clock, 30)
    assert course.done(1) == pytest.approx(0.7)


def test_time_left_is_that_of_whatever_ends_first() -> None:
    clock = Clock()

    def left(step: int, seconds_a_step: float, *, pause: float = 0.0, end: float = 0.0) -> float:
        course = Course(100, budget=60, began=clock(), clock=clock)
        course.start(reserve=2)
        course.pace.step(seconds_a_step)
        # so that half of a pause has gone by
        course.pace.expect(pause, 2 * seconds_a_step)
        found = course.seconds_left(step, end=end)
        assert found is not None
        return found

    course = Course(100, budget=60, began=clock(), clock=clock)
    course.start(reserve=2)
    assert course.seconds_left(0) == pytest.approx(60)
    assert left(90, 0.5) == pytest.approx(7)
    assert left(0, 10.0) == pytest.approx(60)
    # with measurements and samples between the steps, of which the last tenth has none
    assert left(40, 0.2, pause=0.2) == pytest.approx(60 * 0.2 + 50 * 0.2 / 2 + 2)
    assert left(95, 0.2, pause=0.2, end=9) == pytest.approx(5 * 0.2 + 9)
    assert left(0, 10.0, end=9) == pytest.approx(67), "more than was kept back"


@pytest.mark.parametrize("pause", [0.0, 4.0, 45.0])
@pytest.mark.parametrize("first_steps", [0.5, 4.0])
def test_time_left_is_right_after_the_first_minute(pause: float, first_steps: float) -> None:
    """A run of 900 steps of half a second, of which the first may be slow, that pauses at times."""
    clock = Clock()
    course = Course(900, began=clock(), clock=clock)
    clock.now += 9
    course.start(reserve=3)
    began, expected = clock(), []
    due = began + 60
    for step in range(900):
        if clock() >= began + 60 + pause:
            left = course.seconds_left(step, end=5)
            assert left is not None
            expected.append((clock(), left))
        took = first_steps if step < 5 else 0.5
        clock.now += took
        course.pace.step(took)
        if pause and clock() >= due and step < 810:
            clock.now += pause
            course.pace.pause(pause)
            due = clock() + 60
    end = clock() + 5
    assert len(expected) > 600
    for at, left in expected:
        # where little is left, half a pause more or less counts for much
        assert left == pytest.approx(end - at, rel=0.15, abs=1 + pause / 2)
