"""The running job, seen from every section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.safe_text import printable
from tui.widgets.cells import cell_len, cut

JobState = Literal["starting", "running", "stopping", "finished", "stopped", "failed"]

_SIGNS: dict[str, str] = {
    "starting": "◌",
    "running": "●",
    "stopping": "◌",
    "finished": "✓",
    "stopped": "■",
    "failed": "✗",
}
_VERBS: dict[str, str] = {
    "starting": "starting",
    "running": "training",
    "stopping": "stopping",
    "finished": "trained",
    "stopped": "stopped",
    "failed": "failed",
}

# Cells that a cut name needs at least.
_SHORTEST_NAME = 5


class JobStatus(Widget, can_focus=True):
    """``● training keeper  63 %  2.1k tok/s``; gone when there is no run.

    Example::

        status.show("keeper", "running", fraction=0.63, detail="2.1k tok/s")
        status.hide()

    Messages: ``Pressed`` on a click or enter.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "press", "Go to the run", show=False, id="job.press"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"job-status--sign", "job-status--detail"}

    DEFAULT_CSS = """
    JobStatus {
        width: auto;
        max-width: 60%;
        height: 1;
        padding: 0 1;
        background: transparent;
        pointer: pointer;
        display: none;
        &.-shown { display: block; }
        & > .job-status--sign { color: $primary; text-style: bold; }
        & > .job-status--detail { color: $text-muted; }
        &.-finished > .job-status--sign { color: $text-success; }
        &.-stopped > .job-status--sign { color: $text-muted; }
        &.-stopping > .job-status--sign { color: $text-warning; }
        &.-failed > .job-status--sign { color: $text-error; }
        &:hover { background: $foreground 8%; }
        &:focus { text-style: reverse; }
        &:ansi > .job-status--detail { color: ansi_default; text-style: dim; }
        &:ansi:hover { background: ansi_default; text-style: underline; }
    }
    """

    @dataclass
    class Pressed(Message):
        """A person wants to see the run."""

        status: JobStatus

        @property
        def control(self) -> JobStatus:
            return self.status

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._run = ""
        self._state: JobState = "starting"
        self._fraction: float | None = None
        self._detail = ""
        self._verb = ""

    def show(
        self,
        run: str,
        state: JobState = "running",
        *,
        fraction: float | None = None,
        detail: str = "",
        verb: str = "",
    ) -> None:
        """Show a run. ``fraction`` is done work in [0, 1]; ``detail`` a rate, a loss, a reason.

        ``verb``: what is done with it, where that is not to train it.
        """
        before = self._parts()
        self._verb = verb
        self._run, self._state, self._fraction, self._detail = run, state, fraction, detail
        if not self.has_class("-shown", f"-{state}"):
            for name in _SIGNS:
                self.set_class(name == state, f"-{name}")
            self.add_class("-shown")
            self.tooltip = "Go there (enter)"
        parts = self._parts()
        if parts != before:
            self.refresh(layout=_size(parts) != _size(before))

    def hide(self) -> None:
        """There is no run to show."""
        self.remove_class("-shown")

    def _parts(self, room: int | None = None) -> list[tuple[str, str]]:
        """(text, style name). Where ``room`` cells are too few, first the detail goes, then the
        verb, and then the name is cut: how far it is stays longest.
        """
        sign, verb = (f"{_SIGNS[self._state]} ", "sign"), (_VERBS[self._state], "")
        name = printable(self._run)
        if self._verb:  # what is no training says so in any room
            verb, name = ("", ""), f"{self._verb} {name}"
        percent = ""
        if self._fraction is not None and self._state in ("running", "stopping"):
            # Never 100 % before it is true: what goes on has not ended.
            percent = f"  {min(99, int(max(0.0, self._fraction) * 100))} %"
        detail = f"  {printable(self._detail)}" if self._detail else ""
        gap = " " if name and verb[0] else ""
        told = [sign, verb, (gap + name, ""), (percent, "")]
        for parts in ([*told, (detail, "detail")], told, [sign, (name, ""), (percent, "")]):
            if room is None or _size(parts) <= room:
                return [part for part in parts if part[0]]
        left = max(0, room or 0) - cell_len(percent) - cell_len(sign[0])
        if left < _SHORTEST_NAME:  # a lone ellipsis says nothing
            return [sign, (percent.lstrip() or verb[0], "")]
        return [sign, (cut(name, left), ""), (percent, "")]

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return _size(self._parts())

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        base = self.rich_style
        segments: list[Segment] = []
        left = width
        parts = self._parts(width) if y == 0 else []
        for text, name in parts:
            size = cell_len(text)
            if size > left:
                break
            style = self.get_visual_style(f"job-status--{name}").rich_style if name else base
            segments.append(Segment(text, style))
            left -= size
        return Strip(segments).adjust_cell_length(width, base)

    def action_press(self) -> None:
        self.post_message(self.Pressed(self))

    def on_click(self, event: events.Click) -> None:
        self.action_press()


def _size(parts: list[tuple[str, str]]) -> int:
    return sum(cell_len(text) for text, _ in parts)
