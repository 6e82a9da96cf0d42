"""One line for long work: what, how far, how fast, how long still, and how to stop it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from core.safe_text import printable
from tui.text.numbers import clock, short_count
from tui.widgets.cells import cell_len, cut

State = Literal["idle", "running", "stopping", "done", "failed"]

_WINDOW = 10.0  # seconds of the past that make the rate
_BAR = (8, 24)  # least and most cells of the bar


class ProgressLine(Widget):
    """``Reading tweets.js  ━━━━━╌╌╌  4,120 of 9,815  2.1k/s  0:04 left        esc stops``

    The rate is measured over the last seconds; nothing is shown before it can be. Without a total
    the bar only says that work goes on. After the end the last sentence stays until ``clear``.

    Example::

        line.start("Reading tweets.js", total=9_815, unit="tweets")
        line.advance_to(4_120)
        line.stopping()                      # "stopping…" until it is true
        line.finish("9,815 tweets, 12 new")  # or line.fail("Stopped after 4,120 tweets")
        line.clear()

    Messages: ``StopRequested`` when "esc stops" is clicked (the key itself belongs to the screen).
    """

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "progress-line--bar",
        "progress-line--rest",
        "progress-line--note",
        "progress-line--stop",
        "progress-line--done",
        "progress-line--failed",
    }

    DEFAULT_CSS = """
    ProgressLine {
        height: 1;
        background: transparent;
        &.-idle { display: none; }
        & > .progress-line--bar { color: $primary; }
        & > .progress-line--rest { color: $foreground 25%; }
        & > .progress-line--note { color: $text-muted; }
        & > .progress-line--stop { color: $text-muted; }
        & > .progress-line--done { color: $text-success; }
        & > .progress-line--failed { color: $text-error; }
        &.-stopping > .progress-line--stop { color: $text-warning; text-style: bold; }
        &:hover > .progress-line--stop { text-style: underline; }
        &:ansi > .progress-line--rest { color: ansi_bright_black; }
        &:ansi > .progress-line--note { color: ansi_default; text-style: dim; }
        &:ansi > .progress-line--stop { color: ansi_default; text-style: dim; }
    }
    """

    @dataclass
    class StopRequested(Message):
        """A person asked this work to stop."""

        progress_line: ProgressLine

        @property
        def control(self) -> ProgressLine:
            return self.progress_line

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._now = clock
        self._state: State = "idle"
        self._what = ""
        self._unit = ""
        self._stop_key = ""
        self._done = 0
        self._total: int | None = None
        self._rate: float | None = None
        self._marks: deque[tuple[float, int]] = deque()
        self._phase = 0
        self._timer: Timer | None = None
        self.add_class("-idle")

    def on_mount(self) -> None:
        self._timer = self.set_interval(1 / 5, self._tick, pause=True)
        self._set_state(self._state)

    # --- what the owner calls ------------------------------------------------------------------

    def start(
        self, what: str, *, total: int | None = None, unit: str = "", stop_key: str = "esc"
    ) -> None:
        """Begin. ``stop_key`` "" for work that cannot be stopped."""
        self._what, self._unit, self._stop_key = what, unit, stop_key
        self._done, self._total, self._rate = 0, total, None
        self._marks.clear()
        self._marks.append((self._now(), 0))
        self._set_state("running")

    def advance_to(
        self,
        done: int,
        total: int | None = None,
        *,
        what: str | None = None,
        rate: float | None = None,
    ) -> None:
        """Say how far it is. ``rate`` (per second) when the work measures it better than this."""
        now = self._now()
        self._done = done
        self._total = self._total if total is None else total
        self._what = self._what if what is None else what
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > _WINDOW:
            self._marks.popleft()
        began, before = self._marks[0]
        measured = (done - before) / (now - began) if now > began + 0.5 and done > before else None
        self._rate = rate if rate is not None else measured
        self._pace_timer()
        self.refresh()

    def stopping(self) -> None:
        """Stop was asked for and is not true yet."""
        if self._state == "running":
            self._set_state("stopping")

    def finish(self, sentence: str) -> None:
        """It is done; the sentence stays."""
        self._what = sentence
        self._set_state("done")

    def fail(self, sentence: str) -> None:
        """It ended early; the sentence (what, and what stays) stays."""
        self._what = sentence
        self._set_state("failed")

    def clear(self) -> None:
        """Nothing to say: the line goes away."""
        self._set_state("idle")

    @property
    def state(self) -> State:
        return self._state

    @property
    def is_busy(self) -> bool:
        return self._state in ("running", "stopping")

    # --- drawing -------------------------------------------------------------------------------

    def _set_state(self, state: State) -> None:
        self._state = state
        self.set_class(state == "idle", "-idle")
        self.set_class(state == "stopping", "-stopping")
        self._pace_timer()
        self.refresh()

    def _pace_timer(self) -> None:
        if self._timer is None:
            return
        if self.is_busy and not self._total and self.app.animation_level != "none":
            self._timer.resume()
        else:
            self._timer.pause()

    def _tick(self) -> None:
        self._phase += 1
        self.refresh()

    def _facts(self) -> list[str]:
        """Count, rate and time left, the most wanted first."""
        unit = f" {self._unit}" if self._unit else ""
        if self._total:
            facts = [f"{self._done:,} of {self._total:,}{unit}"]
        else:
            facts = [f"{self._done:,}{unit}"] if self._done else []
        if self._rate:
            if self._total and self._total > self._done:
                facts.append(f"{clock((self._total - self._done) / self._rate)} left")
            facts.append(f"{short_count(self._rate)}/s")
        return facts

    def _bar(self, width: int) -> tuple[str, str, str]:
        """The bar as rest, done, rest."""
        if self._total:
            full = min(width, self._done * width // self._total)
            return "", "━" * full, "╌" * (width - full)
        size = max(2, width // 5)
        track = width - size
        place = abs(self._phase % (2 * track) - track) if track else 0
        return "╌" * (track - place), "━" * size, "╌" * place

    def _stop_text(self) -> str:
        if self._state == "stopping":
            return "stopping…"
        return f"{self._stop_key} stops" if self._stop_key else ""

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        base = self.rich_style
        if y or self._state == "idle":
            return Strip.blank(width, base)
        if not self.is_busy:
            sign, name = ("✓", "done") if self._state == "done" else ("▲", "failed")
            sign_style = self.get_visual_style(f"progress-line--{name}").rich_style
            text = cut(printable(self._what), width - 2)
            return Strip([Segment(f"{sign} ", sign_style), Segment(text, base)]).adjust_cell_length(
                width, base
            )
        style = {
            name: self.get_visual_style(f"progress-line--{name}").rich_style
            for name in ("bar", "rest", "note", "stop")
        }
        what, stop = printable(self._what), self._stop_text()
        facts = self._facts()
        tail = cell_len(stop) + 2 if stop else 0

        def taken(chosen: list[str]) -> int:
            return sum(cell_len(fact) + 2 for fact in chosen)

        # What gives way when it is narrow: the bar, then the rate, then the time left.
        while len(facts) > 1 and cell_len(what) + taken(facts) + tail > width:
            facts.pop()
        what = cut(what, max(8, width - taken(facts) - tail))
        room = width - cell_len(what) - taken(facts) - tail - 2
        segments = [Segment(what, base)]
        if room >= _BAR[0]:
            before, full, after = self._bar(min(room, _BAR[1]))
            segments += [
                Segment("  ", base),
                Segment(before, style["rest"]),
                Segment(full, style["bar"]),
                Segment(after, style["rest"]),
            ]
        segments += [
            Segment("  " + fact, base if index == 0 else style["note"])
            for index, fact in enumerate(facts)
        ]
        strip = Strip([segment for segment in segments if segment.text])
        if not stop:
            return strip.adjust_cell_length(width, base)
        return Strip.join(
            [
                strip.adjust_cell_length(max(0, width - cell_len(stop)), base),
                Strip([Segment(stop, style["stop"])]),
            ]
        ).adjust_cell_length(width, base)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        stop = self._stop_text()
        at_stop = offset is not None and offset.x >= self.content_size.width - cell_len(stop)
        if self._state == "running" and stop and at_stop:
            self.post_message(self.StopRequested(self))
