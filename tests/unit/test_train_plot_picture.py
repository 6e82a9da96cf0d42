"""Pictures of a plot as text: axes, legend, gaps, cursor, and the sparkline for little room."""

from __future__ import annotations

import math
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.train.plot_picture import View, picture
from tui.train.plot_series import Series
from tui.widgets.cells import cell_len


def series(name: str, ys: list[float | None], role: str = "train", start: int = 1) -> Series:
    made = Series(name, role)  # type: ignore[arg-type]
    made.set(range(start, start + len(ys)), ys)
    return made


def drawn(items: list[Series], view: View) -> list[str]:
    return ["".join(text for text, _ in line) for line in picture(items, view)]


def test_axes_and_legend() -> None:
    train = series("train", [5.0 - step / 50 for step in range(100)])
    held = series("held out", [4.0, 3.5], "valid", start=50)
    lines = drawn([train, held], View(60, 12))
    assert lines[0].startswith("loss")
    assert lines[0].endswith("── train 3.02   ─● held out 3.50")
    assert any(line.startswith("   4┤") for line in lines)
    assert lines[-2].startswith("    └┬")
    assert lines[-1].split() == ["step", "0", "50", "100"]
    assert sum(line.count("●") for line in lines[1:-2]) == 2


def test_the_legend_shows_values_at_the_cursor() -> None:
    train = series("train", [5.0, 4.0, 3.0])
    held = series("held out", [9.0], "valid", start=3)
    lines = drawn([train, held], View(60, 10, cursor=2))
    assert lines[0].startswith("step 2")
    assert "train 4.00" in lines[0]
    assert "held out –" in lines[0]
    assert any("│" in line[5:] for line in lines[1:-2])


def test_other_runs_are_dashed_and_named_until_the_line_is_full() -> None:
    items = [series("train", [3.0, 2.0])]
    items += [series(f"another run {n}", [3.0, 2.5], "other") for n in range(6)]
    lines = drawn(items, View(70, 10))
    assert "╌╌ another run 0 2.50" in lines[0]
    assert lines[0].rstrip().endswith("more")
    assert "… 5 more" in lines[0]


def test_log_and_smoothing_are_said() -> None:
    lines = drawn([series("train", [100.0, 10.0, 1.0])], View(60, 12, log_y=True, smoothing=0.9))
    assert lines[0].startswith("loss, log, smoothed 0.9")
    assert any(line.lstrip().startswith("10┤") for line in lines)


def test_a_sparkline_remains_of_a_low_plot() -> None:
    train = series("train", [5.0, 4.0, 3.61])
    one = drawn([train], View(30, 1))
    assert len(one) == 1
    assert one[0].startswith("─ train 3.61  ")
    three = drawn([train], View(40, 3))
    assert three[0].rstrip().endswith("train 3.61")
    assert not any("┤" in line for line in three)


def test_points_before_the_last_are_put_in_place() -> None:
    run = series("train", [3.0, 2.0])
    run.extend([(1.5, 9.0), (math.nan, 1.0), (3, math.inf)])
    assert list(run.xs) == [1, 1.5, 2, 3]
    assert run.at(1.6, 0) == 9.0
    assert run.last(0) == 2.0


def test_smoothing_while_points_arrive_equals_smoothing_afterwards() -> None:
    late = series("a", [5.0, None, 4.0, 3.0, 2.0])
    early = Series("b", "train")
    for x, y in enumerate([5.0, None, 4.0, 3.0, 2.0], 1):
        early.extend([(x, y)])
        early.last(0.6)
    assert [early.at(x, 0.6) for x in range(1, 6)] == [late.at(x, 0.6) for x in range(1, 6)]
    assert early.bins(1, 5, 8, 0.6) == late.bins(1, 5, 8, 0.6)


class Counted(array):  # type: ignore[type-arg]
    """An array that counts how many of its items are looked at."""

    looked_at = 0

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        Counted.looked_at += len(found) if isinstance(index, slice) else 1
        return found


def looked_at(length: int, smoothing: float, monkeypatch: pytest.MonkeyPatch) -> int:
    """Points (and sums of points) that one more frame of a run of this length looks at."""
    monkeypatch.setattr("tui.train.plot_bins.array", Counted)
    monkeypatch.setattr("tui.train.plot_series.array", Counted)
    run, held = Series("train", "train"), Series("held out", "valid")
    run.extend((x, 5 - 4 * x / length + x % 7) for x in range(length))
    held.extend((x, 4.0) for x in range(0, length, 10))
    view = View(100, 20, smoothing=smoothing)
    drawn([run, held], view)
    Counted.looked_at = 0
    run.extend([(length, 1.5)])
    drawn([run, held], view)
    return Counted.looked_at


@pytest.mark.parametrize("smoothing", [0.0, 0.9])
def test_a_frame_of_a_run_eight_times_as_long_looks_at_less_than_twice_as_much(
    smoothing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = looked_at(30_000, smoothing, monkeypatch)
    assert 0 < looked_at(240_000, smoothing, monkeypatch) < 2 * short


numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=32))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(numbers, min_size=1, max_size=40),
    st.lists(numbers, max_size=10),
    st.integers(4, 70),
    st.integers(1, 14),
    st.booleans(),
    st.sampled_from([0.0, 0.9]),
    st.sampled_from([None, 3.0]),
)
def test_every_picture_fills_its_room_exactly(
    ys: list[float | None],
    held: list[float | None],
    width: int,
    height: int,
    log: bool,
    smoothing: float,
    cursor: float | None,
) -> None:
    items = [series("train", ys), series("held out", held, "valid"), series("x", ys[::2], "other")]
    view = View(width, height, log_y=log, smoothing=smoothing, cursor=cursor)
    lines = drawn(items, view)
    assert len(lines) == height
    if width >= 12:
        assert {cell_len(line) for line in lines} == {width}


@pytest.mark.parametrize(("width", "height"), [(76, 13), (82, 17), (120, 30)])
def test_fourteen_runs_are_named_by_letters_in_legend_and_plot(width: int, height: int) -> None:
    items = [series("train", [5.0, 4.0, 3.0]), series("held out", [4.0, 3.5], "valid")]
    for number in range(14):
        other = series(f"id{number}", [6 - number / 5, 5 - number / 5, 4 - number / 5], "other")
        other.label = f"run {number}"
        items.append(other)
    lines = drawn(items, View(width, height))
    rows = [n for n, line in enumerate(lines) if "run " in line]
    assert rows == list(range(1, len(rows) + 1))
    named = " ".join(lines[n] for n in rows)
    below = "".join(lines[rows[-1] + 1 : -2])
    for number, char in enumerate("abcdefghijklmn"):
        assert f"{char} run {number} " in named
        assert f"{4 - number / 5:.2f}" in named
        assert below.count(char) == 1
    assert "train 3.00" in lines[0]
    assert len(lines) == height
    assert {cell_len(line) for line in lines} == {width}


def test_a_letter_stays_with_its_run() -> None:
    items = [series(f"id{number}", [3.0, 2.0], "other") for number in range(5)]
    for number, item in zip((0, 2, 5, 6, 30), items, strict=True):
        item.number, item.label = number, f"run {number}"
    named = "".join(drawn(items, View(100, 12))[1:3])
    for char, number in zip("acfge", (0, 2, 5, 6, 30), strict=True):
        assert f"{char} run {number} " in named


def test_more_runs_than_there_is_room_for_are_counted() -> None:
    items = [series(f"id{number}", [3.0, 2.0], "other") for number in range(40)]
    lines = drawn(items, View(60, 12))
    (said,) = [line for line in lines if "more" in line]
    shown = sum(line.count("id") for line in lines)
    assert f"… {40 - shown} more" in said
    assert {cell_len(line) for line in lines} == {60}


def test_a_low_plot_with_a_margin_says_its_scale() -> None:
    lines = drawn([series("train", [54.12, 60.0, 206.0])], View(40, 4, margin=5))
    high, low = float(lines[1][:5]), float(lines[-1][:5])
    assert low < 54.12 < 206 < high, "with a little air"
    assert lines[1][4] == lines[-1][4] == " "
    assert {cell_len(line) for line in lines} == {40}


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([1.0, 1150.0], ["1.2k", "0.00"]),
        ([9000.0, 15_000.0], ["15k", "8.8k"]),
        ([0.0, 2e-3], ["2e-3", "0.00"]),
        ([1.1e-5, 1.4e-5], ["1e-5", "1e-5"]),
        ([10.0, 20.0], ["20.4", "9.60"]),
        ([-1.5, 1.5], ["1.62", "-1.6"]),
    ],
)
def test_the_scale_of_a_low_plot_is_never_cut(values: list[float], ends: list[str]) -> None:
    lines = drawn([series("train", values)], View(40, 4, margin=5))
    assert [lines[1][:5].strip(), lines[-1][:5].strip()] == ends


def test_large_and_small_figures_keep_the_axis_narrow() -> None:
    for values in ([0.0, 176_000.0], [0.0, 2e-3]):
        lines = drawn([series("train", values)], View(60, 12))  # type: ignore[arg-type]
        assert lines[-2].startswith("    └")


def test_a_logarithmic_axis_reads_in_plain_numbers() -> None:
    train = series("train", [5.0, 4.0, 3.0, 2.0])
    train.set([0.0, 1.0, 2.0, math.log10(2000)], [5.0, 4.0, 3.0, 2.0])
    lines = drawn([train], View(60, 12, x_log=True, cursor=2.0))
    assert lines[0].startswith("step 100 ")
    assert lines[-1].split() == ["step", "1", "10", "100", "1000"]
    timed = drawn([train], View(60, 12, x_log=True, x_is_time=True, x_label="time", cursor=2.0))
    assert timed[0].startswith("time 1:40")
    assert timed[-1].split()[1:3] == ["0:01", "0:10"]
