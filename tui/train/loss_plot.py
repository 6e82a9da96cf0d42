"""The loss of a run as it happens, in braille, at a cost that does not grow with the run."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from core.safe_text import printable
from tui.train.plot_legend import OTHER_COLOURS, View
from tui.train.plot_picture import picture, x_limits
from tui.train.plot_series import Role, Series
from tui.widgets.cells import fit, wrap
from tui.widgets.changed_lines import ChangedLines

SMOOTHINGS = (0.0, 0.6, 0.9, 0.97)


class LossPlot(ChangedLines, can_focus=True):
    """Named lines over steps (or seconds) with axes, a legend and a cursor.

    The train line is a plain stroke, the held-out line has a ``●`` on its points, lines of other
    runs are dashed: the legend can be read without colour. Under six lines of height the axes go
    and a sparkline stays. NaN and None are gaps.

    Example::

        plot = LossPlot(empty="No loss yet. It starts with the first step.")
        plot.set_series("train", steps, losses, role="train")
        plot.extend("held out", [(50, 3.71)], role="valid")
        plot.follow("train", history.train_steps, history.train_losses, source=run.run)
        plot.x_end = 340          # the planned last step keeps the axis still
        plot.log_y = True
        plot.smoothing = 0.9

    Messages: ``CursorMoved(x, values)``; x is None when the cursor is put away.
    """

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor(-1)", "Back", show=False, id="plot.left",
                tooltip="Move the cursor back."),
        Binding("right", "cursor(1)", "On", show=False, id="plot.right",
                tooltip="Move the cursor on."),
        Binding("shift+left", "cursor(-10)", "Far back", show=False, id="plot.far_left"),
        Binding("shift+right", "cursor(10)", "Far on", show=False, id="plot.far_right"),
        Binding("home", "cursor_edge(-1)", "First", show=False, id="plot.first"),
        Binding("end", "cursor_edge(1)", "Last", show=False, id="plot.last"),
        Binding("escape", "cursor_off", "No cursor", show=False, id="plot.cursor_off"),
    ]  # fmt: skip

    _STYLES = (
        "train", "valid", *(f"other{n + 1}" for n in range(OTHER_COLOURS)),
        "raw", "axis", "cursor", "label",
    )  # fmt: skip
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"loss-plot--{name}" for name in _STYLES),
        "loss-plot--strong",
        "loss-plot--empty",
    }

    DEFAULT_CSS = """
    LossPlot {
        height: 1fr;
        background: transparent;
        & > .loss-plot--train { color: $primary; }
        & > .loss-plot--valid { color: $success; }
        & > .loss-plot--other1 { color: $text-warning; }
        & > .loss-plot--other2 { color: $text-secondary; }
        & > .loss-plot--other3 { color: $text-error; }
        & > .loss-plot--other4 { color: $text-accent; }
        & > .loss-plot--other5 { color: $foreground; }
        & > .loss-plot--other6 { color: $text-success; }
        & > .loss-plot--raw { color: $primary 35%; }
        & > .loss-plot--axis { color: $foreground 45%; }
        & > .loss-plot--cursor { color: $foreground 60%; }
        & > .loss-plot--label { color: $text-muted; }
        & > .loss-plot--strong { text-style: bold; }
        & > .loss-plot--empty { color: $text-muted; }
        &:ansi > .loss-plot--raw { color: ansi_bright_black; }
        &:ansi > .loss-plot--axis { color: ansi_bright_black; }
        &:ansi > .loss-plot--cursor { color: ansi_default; }
        &:ansi > .loss-plot--label { text-style: dim; }
        &:ansi > .loss-plot--empty { text-style: dim; }
    }
    """

    # not reactive: that would repaint every line, however few have changed
    log_y: var[bool] = var(False)
    smoothing: var[float] = var(0.0)
    """Weight of the moving average of train and other lines, in [0, 1); 0 is off."""
    show_raw: var[bool] = var(True)
    """Whether the unsmoothed train line stays faintly behind the smoothed one."""
    x_label: var[str] = var("step")
    y_label: var[str] = var("loss")
    x_is_time: var[bool] = var(False)
    """Whether x counts seconds: ticks then read 0:30, 1:00, …"""
    x_log: var[bool] = var(False)
    """Whether each x is a logarithm to the base 10 of what the axis shows."""
    x_end: var[float | None] = var(None)
    """Where the x axis ends at least, for instance the planned last step."""
    x_span: var[tuple[float, float] | None] = var(None)
    """The stretch of the x axis in view; None: all of it."""
    cursor: var[float | None] = var(None)
    empty: var[str] = var("")
    """What stands here while there are no points."""

    @dataclass
    class CursorMoved(Message):
        """The cursor stands on ``x``; ``values`` has each line's value there (NaN for none)."""

        plot: LossPlot
        x: float | None
        values: dict[str, float]

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LossPlot.CursorMoved) and message.plot is self.plot

        @property
        def control(self) -> LossPlot:
            return self.plot

    def __init__(
        self,
        *,
        empty: str = "No loss yet. The line starts with the first step.",
        margin: int = 0,
        name_others: bool = True,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.set_reactive(LossPlot.empty, empty)
        self.margin = margin
        self.name_others = name_others
        self._series: dict[str, Series] = {}
        self._sources: dict[str, tuple[Hashable, int]] = {}  # followed: of what, points read

    # --- the lines -----------------------------------------------------------------------------

    def set_series(
        self,
        name: str,
        xs: Iterable[float],
        ys: Iterable[float | None],
        role: Role = "other",
    ) -> None:
        """Give a line all its points (it is made when it is not there yet)."""
        series = Series(name, role)
        series.set(xs, ys)
        self._series[name] = series
        self._sources.pop(name, None)
        self.draw_again()

    def extend(
        self, name: str, points: Iterable[tuple[float, float | None]], role: Role = "other"
    ) -> None:
        """Add points to a line and draw once; ``role`` counts when this makes the line."""
        self._series.setdefault(name, Series(name, role)).extend(points)
        self.draw_again()

    def follow(
        self,
        name: str,
        xs: Sequence[float],
        ys: Sequence[float | None],
        role: Role = "other",
        *,
        source: Hashable,
        label: str = "",
        number: int | None = None,
        noisy: bool = True,
    ) -> None:
        """A line that grows at the end of ``xs`` and ``ys``: only what is new there is read.

        Another ``source`` than the last time, or fewer points, start the line over. ``label`` is
        its name in the legend, where that is another; ``number`` gives its colour and letter. A
        line that is not ``noisy`` is not smoothed.
        """
        count = min(len(xs), len(ys))  # whoever reads the run may be between the two
        before, read = self._sources.get(name, (None, 0))
        if before != source or read > count or name not in self._series:
            self._series[name] = Series(name, role, label)
            self._series[name].noisy &= noisy
            read = 0
            self.draw_again()
        self._sources[name] = (source, count)
        series = self._series[name]
        if (series.label, series.number) != (label or name, number):
            series.label, series.number = label or name, number
            self.draw_again()
        if read < count:
            self.extend(name, zip(xs[read:count], ys[read:count], strict=True))

    def remove_series(self, name: str) -> None:
        self._series.pop(name, None)
        self._sources.pop(name, None)
        self.draw_again()

    def clear(self) -> None:
        """No lines, no cursor."""
        self._series.clear()
        self._sources.clear()
        self.cursor = None
        self.draw_again()

    def x_limits(self) -> tuple[float, float] | None:
        """Ends of the x axis as it is drawn; None without points."""
        return self._limits(self._view())

    def x_whole(self) -> tuple[float, float] | None:
        """Ends of the x axis with all points in view and no room kept for those to come."""
        return self._limits(replace(self._view(), x_span=None, x_end=None))

    def _limits(self, view: View) -> tuple[float, float] | None:
        filled = [series for series in self._series.values() if len(series)]
        return x_limits(filled, view) if filled else None

    @property
    def series_names(self) -> list[str]:
        return list(self._series)

    # --- the cursor ----------------------------------------------------------------------------

    def _main(self) -> Series | None:
        """The line whose points the cursor steps on: train, else the longest."""
        filled = [series for series in self._series.values() if len(series)]
        own = [series for series in filled if series.role == "train"]
        return own[0] if own else max(filled, key=len, default=None)

    def action_cursor(self, columns: int) -> None:
        main = self._main()
        if main is None:
            return
        left, right = self.x_limits() or (0.0, 1.0)
        if self.cursor is None:
            self.cursor = main.xs[max(0, bisect_right(main.xs, right) - 1)]
            return
        target = self.cursor + columns * (right - left) / max(1, self.size.width - 6)
        # On to a point at least that far away: with few points one key press is one point.
        if columns > 0:
            index = min(bisect_left(main.xs, target), len(main) - 1)
        else:
            index = max(bisect_right(main.xs, target) - 1, 0)
        self.cursor = main.xs[index]

    def action_cursor_edge(self, direction: int) -> None:
        main = self._main()
        if main is not None:
            self.cursor = main.xs[0] if direction < 0 else main.xs[-1]

    def action_cursor_off(self) -> None:
        self.cursor = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cursor_off":
            return self.cursor is not None  # else escape is free for the screen
        return True

    def action_toggle_log(self) -> None:
        self.log_y = not self.log_y

    def action_cycle_smoothing(self) -> None:
        """The next of 0, 0.6, 0.9, 0.97."""
        later = [value for value in SMOOTHINGS if value > self.smoothing]
        self.smoothing = later[0] if later else SMOOTHINGS[0]

    def values_at(self, x: float) -> dict[str, float]:
        """Each line's value at ``x`` as it is drawn: of the last point at or before it."""
        return {
            name: series.at(x, series.weight(self.smoothing))
            for name, series in self._series.items()
        }

    def watch_cursor(self, x: float | None) -> None:
        self.draw_again()
        values = {} if x is None else self.values_at(x)
        self.post_message(self.CursorMoved(self, x, values))

    def on_click(self, event: events.Click) -> None:
        main = self._main()
        offset = event.get_content_offset(self)
        if main is None or offset is None:
            return
        left, right = self.x_limits() or (0.0, 1.0)
        margin = self._margin()
        target = left + (right - left) * (offset.x - margin + 0.5) / max(
            1, self.size.width - margin
        )
        index = bisect_left(main.xs, target)
        near = main.xs[max(0, index - 1) : index + 1] or main.xs[-1:]
        self.cursor = min(near, key=lambda x: abs(x - target))

    def _margin(self) -> int:
        """Cells left of the plot: where the axis stands in the last picture."""
        for strip in self.lines:
            origin = strip.text.find("└")
            if origin >= 0:
                return origin + 1
        return self.margin

    # --- drawing -------------------------------------------------------------------------------

    def _watch_view(self) -> None:
        self.draw_again()

    watch_log_y = watch_show_raw = watch_x_label = watch_y_label = _watch_view
    watch_smoothing = watch_x_is_time = watch_x_end = watch_x_log = watch_x_span = _watch_view
    watch_empty = _watch_view

    def validate_smoothing(self, smoothing: float) -> float:
        return min(max(0.0, smoothing), 0.999)

    def _view(self) -> View:
        return View(
            width=self.content_size.width,
            height=self.content_size.height,
            log_y=self.log_y,
            smoothing=self.smoothing,
            show_raw=self.show_raw,
            cursor=self.cursor,
            x_label=printable(self.x_label),
            y_label=printable(self.y_label),
            x_is_time=self.x_is_time,
            x_log=self.x_log,
            x_end=self.x_end,
            x_span=self.x_span,
            margin=self.margin,
            name_others=self.name_others,
        )

    def draw(self) -> list[Strip]:
        view = self._view()
        if view.width < 4 or view.height < 1:
            return []
        if not any(len(series) for series in self._series.values()):
            style = self.get_visual_style("loss-plot--empty").rich_style
            lines = wrap(printable(self.empty), view.width)
            above = max(0, (view.height - len(lines)) // 2)
            texts = [""] * above + [line.strip() for line in lines]
            return [Strip([Segment(fit(text, view.width, "center"), style)]) for text in texts]
        styles = {
            name: self.get_visual_style(f"loss-plot--{name}").rich_style
            for name in (*self._STYLES, "strong")
        }
        styles[""] = self.rich_style
        return [
            Strip([Segment(text, styles[name]) for text, name in line if text]).adjust_cell_length(
                view.width, self.rich_style
            )
            for line in picture(list(self._series.values()), view)
        ]
