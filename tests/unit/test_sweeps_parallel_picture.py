"""Parallel plots as text: axes and their labels, lines, the names of trials, little room."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tui.sweeps.parallel_picture import Axis, Trace, axes_that_fit, parallel_picture
from tui.widgets.cells import cell_len

LR = Axis("lr", 1e-4, 1e-2, log=True)
METHOD = Axis("method", names=("full", "lora"))
LOSS = Axis("held out", 3.0, 4.0)


def drawn(axes: list[Axis], traces: list[Trace], width: int = 60, height: int = 13) -> list[str]:
    lines = parallel_picture(axes, traces, width, height)
    return ["".join(text for text, _ in line) for line in lines]


def row_of(lines: list[str], text: str) -> int:
    (found,) = (index for index, line in enumerate(lines) if text in line)
    return found


def test_each_axis_has_its_name_and_its_labels() -> None:
    lines = drawn([LR, METHOD, LOSS], [])
    assert lines[0].split() == ["lr", "method", "held", "out"]
    assert row_of(lines, "0.0100┤") == 1
    assert row_of(lines, "0.0010┤") in (6, 7), "a logarithmic axis has its middle there"
    assert row_of(lines, "0.0001┤") == 12
    assert row_of(lines, "lora┤") < row_of(lines, "full┤")
    assert row_of(lines, "4.00┤") == 1
    assert row_of(lines, "3.00┤") == 12
    assert all(line.count("│") + line.count("┤") == 3 for line in lines[1:])


def test_a_line_goes_through_its_values_and_is_named_at_its_end() -> None:
    lines = drawn([LR, LOSS], [Trace((1e-4, 4.0), "good", "✦ 3")])
    assert lines[1].rstrip().endswith("✦ 3")
    dots = [[at for at, cell in enumerate(line) if "⠀" < cell <= "⣿"] for line in lines[1:]]
    assert sum(map(bool, dots)) >= 11, "it crosses every line, but for those of labels"
    middles = [sum(row) / len(row) for row in dots if row]
    assert middles == sorted(middles, reverse=True), "from the bottom at the left to the top"


def test_what_is_not_known_yet_is_not_drawn() -> None:
    none = drawn([LR, METHOD, LOSS], [Trace((None, None, None), "going", "7")])
    half = drawn([LR, METHOD, LOSS], [Trace((1e-3, 1.0, None), "going", "7")])
    at = half[row_of(half, "lora┤")].index("┤", 10)
    assert [line[at:] for line in half[1:]] == [line[at:] for line in none[1:]]
    assert half != none


def test_a_thick_line_has_twice_the_dots() -> None:
    def dots(trace: Trace) -> int:
        text = "".join(drawn([LR, LOSS], [trace]))
        return sum((ord(cell) - 0x2800).bit_count() for cell in text if "⠀" < cell <= "⣿")

    thin = dots(Trace((1e-3, 3.5), "good"))
    assert dots(Trace((1e-3, 3.5), "good", thick=True)) >= 1.9 * thin
    assert dots(Trace((1e-3, 3.5), "ended", dotted=True)) <= thin / 2


def test_names_at_the_same_place_stand_one_under_the_other() -> None:
    traces = [Trace((1e-3, 3.5), "best", "✦ 3", True), Trace((2e-3, 3.5), "cursor", "▸ 14", True)]
    lines = drawn([LR, LOSS], traces)
    assert abs(row_of(lines, "✦ 3") - row_of(lines, "▸ 14")) == 1


def test_a_loss_far_away_is_drawn_at_the_edge() -> None:
    lines = drawn([LR, Axis("held out", 3.0, 4.0, cut=True)], [Trace((1e-3, 11.0), "bad", "9")])
    assert "more┤" in lines[1]
    assert lines[1].rstrip().endswith("9")


def test_the_axes_that_have_no_room_are_left_out() -> None:
    assert axes_that_fit(4, 120) == 4
    assert axes_that_fit(20, 76) == 7
    assert axes_that_fit(20, 10) == 2


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(st.none() | st.floats(-1, 2), min_size=4, max_size=4), max_size=5),
    st.integers(24, 130),
    st.integers(4, 40),
)
def test_it_has_the_size_that_was_asked_for(
    values: list[list[float | None]], width: int, height: int
) -> None:
    axes = [LR, Axis("p", 0.0, 1.0), Axis("a long name of a parameter"), LOSS]
    axes = axes[-axes_that_fit(4, width) :]
    traces = [Trace(tuple(one[-len(axes) :]), "good", "✦ 1", thick=True) for one in values]
    lines = drawn(axes, traces, width, height)
    assert len(lines) == height
    assert {cell_len(line) for line in lines} == {width}
