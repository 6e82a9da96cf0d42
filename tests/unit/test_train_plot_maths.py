"""The plot's arithmetic: ticks are round and inside, no peak is lost, dots stay on the grid."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.text.numbers import clock
from tui.train.plot_bins import MinMaxPyramid, min_max_bins
from tui.train.plot_maths import (
    Raster,
    Scale,
    Smoother,
    draw_bins,
    linear_ticks,
    log_ticks,
    nice_step,
    tick_labels,
    time_ticks,
    y_limits,
)

NAN = math.nan
values = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
losses = st.lists(st.one_of(st.floats(min_value=0.001, max_value=1e4), st.just(NAN)), max_size=200)


@pytest.mark.parametrize(
    ("span", "count", "step"), [(10, 5, 2), (1, 4, 0.25), (7, 4, 2), (0.3, 5, 0.1), (990, 3, 500)]
)
def test_a_step_is_a_round_number(span: float, count: int, step: float) -> None:
    assert nice_step(span, count) == pytest.approx(step)


@given(values, values, st.integers(1, 20))
def test_linear_ticks_are_inside_ascending_and_few(a: float, b: float, count: int) -> None:
    low, high = min(a, b), max(a, b)
    ticks = linear_ticks(low, high, count)
    air = max(abs(low), abs(high), 1e-300) * 1e-6
    assert len(ticks) <= count + 1
    assert all(low - air <= tick <= high + air for tick in ticks)
    assert ticks == sorted(ticks)


@example(1.0, 1.0000000000000002, 3)
@given(st.floats(1e-5, 1e5), st.floats(1.0, 1e6), st.integers(2, 12))
def test_log_ticks_are_inside_and_few(low: float, factor: float, count: int) -> None:
    high = low * factor
    ticks = log_ticks(low, high, count)
    assert len(ticks) <= count + 1
    assert all(low * (1 - 1e-6) <= tick <= high * (1 + 1e-6) for tick in ticks)


@given(values, st.floats(1e-3, 1e6), st.integers(2, 12))
def test_labels_tell_ticks_apart(low: float, span: float, count: int) -> None:
    ticks = linear_ticks(low, low + span, count)
    labels = tick_labels(ticks)
    assert len(set(labels)) == len(ticks) or span / max(abs(low), 1) < 1e-3


def test_labels_have_the_same_decimals() -> None:
    assert tick_labels([3.5, 4.0, 4.5]) == ["3.5", "4.0", "4.5"]
    assert tick_labels([0.0, 10_000.0, 20_000.0]) == ["0", "10,000", "20,000"]
    assert tick_labels([-0.0, 1.0]) == ["0", "1"]
    assert tick_labels([1_000_000.0, 1_500_000.0]) == ["1.0M", "1.5M"]


def test_time_ticks_are_times_of_a_clock() -> None:
    assert time_ticks(0, 200, 4) == [0, 60, 120, 180]
    assert [clock(t) for t in (0, 90, 3725)] == ["0:00", "1:30", "1:02:05"]
    assert time_ticks(5, 5, 3) == [5]


def ema(ys: list[float], weight: float) -> list[float]:
    push = Smoother(weight).push
    return [push(y) for y in ys]


def test_ema_starts_at_the_first_value_and_keeps_gaps() -> None:
    smooth = ema([4.0, NAN, 2.0], 0.9)
    assert smooth[0] == pytest.approx(4.0)
    assert math.isnan(smooth[1])
    # (0.9 * 0.1 * 4 + 0.1 * 2) / (1 - 0.9**2)
    assert smooth[2] == pytest.approx((0.36 + 0.2) / 0.19)
    assert list(ema([1.0, 5.0], 0.0)) == [1.0, 5.0]
    with pytest.raises(ValueError, match="weight"):
        ema([1.0], 1.0)


@given(st.lists(values, min_size=1, max_size=100), st.floats(0, 0.99))
def test_ema_stays_between_the_extremes(ys: list[float], weight: float) -> None:
    smooth = ema(ys, weight)
    air = 1e-6 * (1 + max(abs(y) for y in ys))
    assert len(smooth) == len(ys)
    assert all(min(ys) - air <= value <= max(ys) + air for value in smooth)


@given(losses, st.integers(1, 60))
def test_no_peak_is_lost(ys: list[float], count: int) -> None:
    xs = array("d", range(len(ys)))
    bins = min_max_bins(xs, MinMaxPyramid(ys), 0, max(len(ys) - 1, 0), count)
    real = [y for y in ys if y == y]
    filled = [item for item in bins if item is not None]
    assert len(bins) == count
    if real:
        assert min(item.low for item in filled) == min(real)
        assert max(item.high for item in filled) == max(real)
        assert all(item.low <= item.first <= item.high for item in filled)
        assert all(item.low <= item.last <= item.high for item in filled)
    else:
        assert not filled


def test_points_outside_the_window_are_left_out() -> None:
    bins = min_max_bins([0, 1, 2, 3], MinMaxPyramid([9.0, 1.0, 2.0, 9.0]), 1, 2, 2)
    assert [item and item.high for item in bins] == [1.0, 2.0]


def test_a_gap_breaks_the_line() -> None:
    bins = min_max_bins([0, 1, 2, 3], MinMaxPyramid([1.0, NAN, 1.0, 1.0]), 0, 3, 4)
    assert bins[1] is None
    assert bins[2] is not None
    assert not bins[2].joins
    assert bins[3] is not None
    assert bins[3].joins


@given(
    st.lists(
        st.tuples(st.sampled_from([1.0, NAN, -3.5, 0.25, 7.0]), st.integers(1, 900)), max_size=6
    ),
    st.lists(st.integers(0, 4000), min_size=2, max_size=2),
    st.integers(1, 700),
)
def test_a_pyramid_finds_what_a_search_would_find(
    runs: list[tuple[float, int]], ends: list[int], piece: int
) -> None:
    ys = [y + at % 11 for y, times in runs for at in range(times)]
    pyramid = MinMaxPyramid()
    for start in range(0, len(ys), piece):
        pyramid.extend(ys[start : start + piece])
    start, stop = sorted(min(end, len(ys)) for end in ends)
    real = [y for y in ys[start:stop] if y == y]
    assert pyramid.extremes(start, stop) == (
        min(real, default=math.inf),
        max(real, default=-math.inf),
    )
    for found, expected in (
        (pyramid.first(start, stop), real[:1]),
        (pyramid.last(stop), [y for y in ys[:stop] if y == y][-1:]),
    ):
        assert [found] == expected if expected else found != found


def test_a_flat_line_is_a_line_without_holes() -> None:
    raster = Raster(10, 1)
    bins = min_max_bins([0, 19], MinMaxPyramid([1.0, 1.0]), 0, 19, 20)
    draw_bins(raster, bins, Scale(0, 2, 4))
    assert raster.row(0) == raster.row(0)[0] * 10
    assert raster.row(0).strip()


def test_one_dot_is_where_unicode_says() -> None:
    raster = Raster(1, 1)
    raster.dot(0, 0)
    assert raster.row(0) == "⡀"
    raster.dot(1, 3)
    assert raster.row(0) == "⡈"


@given(losses, st.integers(1, 20), st.integers(1, 8), st.booleans())
def test_any_curve_is_drawn_inside_its_box(
    ys: list[float], width: int, height: int, log: bool
) -> None:
    bins = min_max_bins(array("d", range(len(ys))), MinMaxPyramid(ys), 0, len(ys), 2 * width)
    limits = y_limits([bins], log)
    raster = Raster(width, height)
    if limits is None:
        assert not any(item is not None for item in bins)
        return
    draw_bins(raster, bins, Scale(*limits, 4 * height, log))
    rows = [raster.row(index) for index in range(height)]
    assert all(len(row) == width for row in rows)
    assert any(row.strip() for row in rows)


def test_dashes_leave_every_other_piece_out() -> None:
    raster = Raster(6, 1)
    raster.line(0, 0, 11, 0)
    raster.mask_columns(2, 2)
    assert raster.row(0) == "⣀ ⣀ ⣀ "


def test_limits_have_air_and_never_go_under_zero_for_a_loss() -> None:
    bins = min_max_bins([0, 1], MinMaxPyramid([0.01, 10.0]), 0, 1, 2)
    low, high = y_limits([bins], log=False) or (NAN, NAN)
    assert low == 0
    assert high > 10
    flat = min_max_bins([0], MinMaxPyramid([3.0]), 0, 0, 1)
    low, high = y_limits([flat], log=False) or (NAN, NAN)
    assert low < 3 < high
    nothing = min_max_bins([0], MinMaxPyramid([0.0]), 0, 0, 1)
    assert y_limits([nothing], log=False) == (0, 1)
