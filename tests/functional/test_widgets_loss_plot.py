"""The plot in an app: lines arrive, the cursor moves, keys are left to the screen."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from textual.app import App, ComposeResult

from tests.functional.gallery import fill_plot, losses
from tui.train.loss_plot import LossPlot


class Plot(App[None]):
    BINDINGS = [("escape", "left", "Left")]

    def __init__(self) -> None:
        super().__init__()
        self.moves: list[tuple[float | None, dict[str, float]]] = []
        self.left = 0

    def compose(self) -> ComposeResult:
        yield LossPlot()

    def action_left(self) -> None:
        self.left += 1

    def on_loss_plot_cursor_moved(self, event: LossPlot.CursorMoved) -> None:
        self.moves.append((event.x, event.values))

    @property
    def plot(self) -> LossPlot:
        return self.query_one(LossPlot)

    def lines(self) -> list[str]:
        return [self.plot.render_line(y).text for y in range(self.plot.size.height)]


async def test_empty_then_growing() -> None:
    app = Plot()
    async with app.run_test(size=(80, 20)) as pilot:
        assert any("No loss yet" in line for line in app.lines())
        await pilot.press("left", "home")  # nothing to stand on, nothing happens
        app.plot.extend("train", [(1, 5.5)], role="train")
        assert "train 5.50" in app.lines()[0]
        app.plot.extend("train", [(2, 4.5), (3, None), (4, math.nan), (5, 3.25)])
        app.plot.extend("held out", [(5, 3.5)], role="valid")
        assert "train 3.25" in app.lines()[0]
        assert "held out 3.50" in app.lines()[0]
        app.plot.clear()
        assert app.plot.series_names == []
        assert any("No loss yet" in line for line in app.lines())


async def test_the_cursor_steps_and_tells() -> None:
    app = Plot()
    async with app.run_test(size=(80, 20)) as pilot:
        app.plot.set_series("train", [10, 20, 30], [5.0, 4.0, 3.0], role="train")
        app.plot.set_series("held out", [20], [4.5], role="valid")
        app.plot.focus()
        await pilot.press("left")
        assert app.moves[-1] == (30, {"train": 3.0, "held out": 4.5})
        await pilot.press("left")
        assert app.plot.cursor == 20
        assert app.lines()[0].startswith("step 20")
        await pilot.press("left", "left")
        x, values = app.moves[-1]
        assert x == 10
        assert math.isnan(values["held out"])
        await pilot.press("end")
        assert app.plot.cursor == 30
        await pilot.press("escape")
        assert app.moves[-1] == (None, {})
        assert app.left == 0
        await pilot.press("escape")
        assert app.left == 1
        await pilot.click(LossPlot, offset=(5, 6))
        assert app.plot.cursor == 10


async def test_the_axis_is_held_open_and_any_size_is_drawn() -> None:
    app = Plot()
    async with app.run_test(size=(80, 20)) as pilot:
        fill_plot(app.plot)
        assert "300" in app.lines()[-1]
        for width, height in ((80, 5), (40, 3), (30, 1), (9, 7), (200, 50)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert {app.plot.render_line(y).cell_length for y in range(height)} == {width}
        app.plot.action_toggle_log()
        app.plot.action_cycle_smoothing()
        assert (app.plot.log_y, app.plot.smoothing) == (True, 0.6)
        assert "smoothed 0.6" in app.lines()[0]
        app.plot.remove_series("held out")
        assert app.plot.series_names == ["train"]


async def test_a_hundred_thousand_points_are_drawn_from_few_bins() -> None:
    app = Plot()
    async with app.run_test(size=(120, 30)):
        xs, ys = losses(100_000)
        ys[70_000] = 9.0  # one peak among a hundred thousand
        app.plot.set_series("train", xs, ys, role="train")
        assert any("8" in line[:5] for line in app.lines()), "the peak is on the axis"


class Points(list[float]):
    """A list that counts how many of its items are read."""

    read = 0

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        self.read += len(found) if isinstance(index, slice) else 1
        return found

    def __iter__(self) -> Iterator[float]:
        self.read += len(self)
        return super().__iter__()


async def test_of_a_run_that_grows_only_what_is_new_is_read() -> None:
    app = Plot()
    async with app.run_test(size=(80, 20)):
        steps, ys = Points(range(1000)), Points(5.0 for _ in range(1000))
        app.plot.follow("train", steps, ys, "train", source="a")
        assert (steps.read, ys.read) == (1000, 1000)
        for step in range(1000, 1010):
            steps.append(step)
            ys.append(2.5)
            app.plot.follow("train", steps, ys, "train", source="a")
        steps.append(1010)  # its loss is still being written
        app.plot.follow("train", steps, ys, "train", source="a")
        assert (steps.read, ys.read) == (1010, 1010)
        assert "train 2.50" in app.lines()[0]
        app.plot.follow("train", [1], [9.0], "train", source="b")
        assert "train 9.00" in app.lines()[0], "another run starts the line over"
        app.plot.follow("train", [1, 2], [8.0, 7.0], "train", source="c")
        assert app.plot.values_at(1) == {"train": 8.0}
        app.plot.follow("train", [1], [8.0], "train", source="c")
        assert app.plot.values_at(2) == {"train": 8.0}, "what was taken back is gone"
