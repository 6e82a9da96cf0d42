"""Zooming and panning along an axis, and lines that run through the edges of what is in view."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_train_plot_picture import drawn, series
from tui.train.plot_legend import View
from tui.train.plot_window import LEAST_SHARE, Window, panned, showing, zoomed

WHOLE = (0.0, 100.0)


def test_zooming_keeps_the_point_where_it_was() -> None:
    once = zoomed(None, WHOLE, 2, 25)
    assert once == Window(50, 62.5)
    assert once.span(WHOLE) == (12.5, 62.5)
    assert zoomed(once, WHOLE, 0.5, 25) is None


def test_at_the_end_it_goes_along_with_a_run() -> None:
    window = zoomed(None, WHOLE, 4, 100)
    assert window == Window(25, None)
    assert window.span((0, 200)) == (175, 200)
    back = panned(window, (0, 200), -0.5)
    assert back is not None
    assert back.span((0, 300)) == (162.5, 187.5)
    assert panned(back, (0, 300), 99) == Window(25, None)


def test_panning_stops_at_both_ends_and_needs_a_zoom() -> None:
    assert panned(None, WHOLE, 1) is None
    window = panned(Window(10, 50), WHOLE, -99)
    assert window is not None
    assert window.span(WHOLE) == (0, 10)


def test_a_cursor_outside_comes_into_view() -> None:
    assert showing(None, WHOLE, 50) is None
    assert showing(Window(10, 50), WHOLE, 45) == Window(10, 50)
    for x, span in ((70.0, (60, 70)), (20.0, (20, 30)), (100.0, (90, 100)), (0.0, (0, 10))):
        found = showing(Window(10, 50), WHOLE, x)
        assert found is not None
        assert found.span(WHOLE) == pytest.approx(span)


@given(
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e9),
    st.lists(st.tuples(st.booleans(), st.floats(-3, 3), st.floats(0, 1)), max_size=20),
)
def test_whatever_is_pressed_the_span_is_inside(
    low: float, width: float, presses: list[tuple[bool, float, float]]
) -> None:
    whole = (low, low + width)
    window: Window | None = None
    for zoom, amount, at in presses:
        if zoom:
            window = zoomed(window, whole, 2**amount, low + at * width)
        else:
            window = panned(window, whole, amount)
        left, right = whole if window is None else window.span(whole)
        air = 1e-6 * (width + abs(low))
        assert low - air <= left < right <= low + width + air
        assert right - left >= LEAST_SHARE * width - air


def test_a_line_leads_through_a_view_that_holds_none_of_its_points() -> None:
    held = series("held out", [4.0, 2.0], "valid")
    held.set([0, 100], [4.0, 2.0])
    bins = held.bins(40, 60, 10, 0.0)
    assert bins[0] is not None
    assert bins[-1] is not None
    assert (bins[0].first, bins[-1].last) == pytest.approx((3.2, 2.8))
    assert bins[-1].joins
    lines = drawn([held], View(40, 10, x_span=(40, 60)))
    assert not any("●" in line for line in lines[1:]), "no point lies in view"
    assert any(char >= "\u2801" for line in lines[1:-2] for char in line if char <= "\u28ff")
    assert lines[-1].split()[1:] == ["40", "50", "60"]


def test_a_gap_at_an_edge_stays_a_gap() -> None:
    train = series("train", [4.0, None, 2.0])
    assert train.bins(1.5, 2.5, 4, 0.0) == [None] * 4


def test_only_points_in_view_are_marked_and_count_for_the_scale() -> None:
    held = series("held out", [9.0, 4.0, 3.0, 2.0], "valid")
    lines = drawn([held], View(40, 12, x_span=(1.5, 3.5)))
    assert sum(line.count("●") for line in lines[1:]) == 2
    assert not any(line.lstrip().startswith("9") for line in lines)
