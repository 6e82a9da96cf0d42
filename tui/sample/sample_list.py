"""A list of generated texts as they arrive, each marked as generated."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip

from core.safe_text import printable
from tui.sample.sample_text import Line, Sample, sample_lines
from tui.widgets.cells import cell_len, fit
from tui.widgets.cursor_list import CursorList

__all__ = ["Sample", "SampleList"]

_BAR, _BAR_ON = "▌", "▎"  # of the first line of a text, and of the others
_VERDICT_SIGNS = {"near": "≈", "verbatim": "≡"}
_GAP = 2  # cells between two columns


class SampleList(CursorList):
    """A list of generated texts that grow while one reads.

    ::

        ✦  ▌ My dream is to be haunted by someone with better manners.        no copy
         ≈ ▌ My dream is the same every winter: the lamp, the stair,
           ▎ the fog.                                               near copy, 7 words
           ▌ My dream is▌

    Example::

        samples = SampleList(empty="No samples yet. Press g to generate.")
        samples.begin(10, prompt="My dream is")
        samples.append({0: " a quiet", 3: " the"})      # one batch of deltas, drawn once
        samples.finish(0, stopped="eos", verdict="new", note="no copy")
        samples.text(0)

    The list follows its end only while it already stands there.

    With two ``columns`` the texts stand in pairs, side by side: 0 beside 1, 2 beside 3.

    Messages: ``Highlighted`` and ``Chosen``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "aside(-1)", "Left", show=False, id="rows.left"),
        Binding("right", "aside(1)", "Right", show=False, id="rows.right"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "sample-list--text",
        "sample-list--shared",
        "sample-list--prompt",
        "sample-list--bar",
        "sample-list--caret",
        "sample-list--label",
        "sample-list--note",
        "sample-list--warn",
        "sample-list--error",
        "sample-list--favourite",
        "sample-list--cursor",
        "sample-list--sign",
    }
    DEFAULT_CSS = """
    SampleList {
        scrollbar-gutter: stable;
        & > .sample-list--text { text-style: italic; }
        & > .sample-list--shared { text-style: italic underline; }
        & > .sample-list--prompt { color: $text-muted; }
        & > .sample-list--bar { color: $text-secondary; }
        & > .sample-list--caret { color: $text-secondary; }
        & > .sample-list--label { color: $text-muted; }
        & > .sample-list--note { color: $text-muted; }
        & > .sample-list--warn { color: $text-warning; }
        & > .sample-list--error { color: $text-error; text-style: bold; }
        & > .sample-list--favourite { color: $text-success; text-style: bold; }
        & > .sample-list--sign { color: $primary; text-style: bold; }
        & > .sample-list--cursor { background: $foreground 6%; }
        &:focus > .sample-list--cursor { background: $primary 22%; }
        &:ansi > .sample-list--prompt { text-style: dim; }
        &:ansi > .sample-list--label { text-style: dim; }
        &:ansi > .sample-list--note { text-style: dim; }
        &:ansi > .sample-list--cursor { background: ansi_default; }
        &:ansi:focus > .sample-list--cursor { background: ansi_default; text-style: bold; }
    }
    """

    def __init__(
        self,
        *,
        empty: str = "No samples yet.",
        gap: int = 0,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(empty=empty, name=name, id=id, classes=classes, disabled=disabled)
        self.gap = gap
        self.columns = 1
        self._samples: list[Sample] = []
        self._laid: list[list[Line] | None] = []
        self._starts: list[int] = [0]

    # --- what the owner calls ------------------------------------------------------------------

    def begin(self, count: int, *, prompt: str = "") -> None:
        """Throw away what is there and wait for ``count`` texts that continue ``prompt``."""
        self.set_samples([Sample(prompt, prompt, live=True) for _ in range(count)])

    def set_samples(self, samples: Sequence[Sample]) -> None:
        """Show these instead; the list keeps and changes them."""
        self._samples = list(samples)
        self._laid = [None] * len(samples)
        self._starts = [0]
        self.set_reactive(SampleList.cursor, 0)
        self._lay_out()
        self.scroll_to(y=0, animate=False, force=True)

    def add(self, sample: Sample, *, first: bool = False) -> int:
        """Put one more at the end (or first) and give its index."""
        position = 0 if first else len(self._samples)
        self._samples.insert(position, sample)
        self._laid.insert(position, None)
        if first and len(self._samples) > 1 and self.cursor:
            self.set_reactive(SampleList.cursor, self.cursor + 1)
        self._lay_out(follow=not first)
        return position

    def set_columns(self, columns: int) -> None:
        """Stand the texts in so many columns, 1 or 2."""
        if columns != self.columns:
            self.columns, self.gap = columns, columns - 1
            self._laid = [None] * len(self._samples)
            self._lay_out()
            self.refresh()

    def take_out(self, position: int) -> None:
        """Take one out; the cursor stays where it is, on the next one."""
        del self._samples[position]
        del self._laid[position]
        cursor = self._bounded(self.cursor - (position < self.cursor))
        self.set_reactive(SampleList.cursor, cursor)
        self._lay_out()
        self.refresh()

    def append(self, deltas: Mapping[int, str]) -> None:
        """Add text to the ends of several at once; only those are laid out again."""
        for index, delta in deltas.items():
            if 0 <= index < len(self._samples):
                self._samples[index].text += delta
                self._laid[index] = None
        self._lay_out(follow=True)

    def update(self, index: int, **changes: object) -> None:
        """Change fields of one: ``update(3, favourite=True, note="kept")``."""
        sample = self._samples[index]
        for name, value in changes.items():
            if not hasattr(sample, name):
                raise TypeError(f"a sample has no {name!r}")
            setattr(sample, name, value)
        self._laid[index] = None
        self._lay_out(follow=True)

    def finish(
        self,
        index: int,
        *,
        stopped: str = "eos",
        verdict: str = "",
        note: str = "",
        shared: tuple[tuple[int, int], ...] = (),
    ) -> None:
        """This one is complete."""
        self.update(index, live=False, stopped=stopped, verdict=verdict, note=note, shared=shared)

    def finish_all(self, stopped: str = "stopped") -> None:
        """Nothing more will come: what is still live stays as it is, without its caret."""
        for index, sample in enumerate(self._samples):
            if sample.live:
                sample.live, sample.stopped = False, stopped
                self._laid[index] = None
        self._lay_out()

    def clear(self) -> None:
        self.set_samples([])

    def text(self, index: int) -> str:
        """The text of one, as it was given (not as it is drawn)."""
        return self._samples[index].text

    @property
    def samples(self) -> list[Sample]:
        return list(self._samples)

    def __len__(self) -> int:
        return len(self._samples)

    def __bool__(self) -> bool:
        return True  # a widget is never "nothing", also when it has no texts

    # --- layout --------------------------------------------------------------------------------

    def _label_width(self) -> int:
        widest = max((cell_len(printable(s.label)) for s in self._samples), default=0)
        return min(widest, 16) + 1 if widest else 0

    def _column_width(self) -> int:
        width = self.scrollable_content_region.width
        return width if self.columns == 1 else (width - _GAP) // self.columns

    def _text_width(self) -> int:
        return max(8, self._column_width() - 7 - self._label_width())

    def _lay_out(self, follow: bool = False) -> None:
        """Wrap what changed and redraw as little as that asks for."""
        if not self.is_attached or not self.size.width:
            return
        # Before the first layout there is no end to stand at.
        at_end = self._starts[-1] > 0 and self.scroll_offset.y >= self.max_scroll_y
        width = self._text_width()
        starts = [0]
        changed: list[int] = []
        height = 0
        for index, sample in enumerate(self._samples):
            laid = self._laid[index]
            if laid is None:
                laid = self._laid[index] = sample_lines(sample, width)
                changed.append(index // self.columns)
            height = max(height, len(laid))
            if (index + 1) % self.columns == 0 or index + 1 == len(self._samples):
                starts.append(starts[-1] + height + self.gap)
                height = 0
        same_places = starts == self._starts
        self._starts = starts
        if not same_places:
            self.virtual_size = Size(0, starts[-1])
            self.refresh()
            if follow and at_end:
                self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
            return
        for row in changed:
            self.refresh_lines(starts[row], starts[row + 1] - starts[row])

    def on_resize(self, event: events.Resize) -> None:
        self._laid = [None] * len(self._samples)
        self._lay_out(follow=True)
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    # --- cursor --------------------------------------------------------------------------------

    def _count(self) -> int:
        return len(self._samples)

    def watch_cursor(self, old: int, new: int) -> None:
        if not self._samples:
            return
        self.refresh()
        self.show_cursor()
        self.post_message(self.Highlighted(self, new))

    def show_cursor(self) -> None:
        """Scroll so far that the sample under the cursor is in view."""
        row = self.cursor // self.columns
        if len(self._starts) <= row + 1:
            return
        start, stop = self._starts[row], self._starts[row + 1] - self.gap
        top, height = self.scroll_offset.y, self.size.height
        if start < top or stop - start > height:
            self.scroll_to(y=start, animate=False, force=True)
        elif stop > top + height:
            self.scroll_to(y=stop - height, animate=False, force=True)

    def action_cursor(self, step: int) -> None:
        to = self.cursor + step * self.columns
        if 0 <= to < len(self._samples):
            self.cursor = to

    def action_aside(self, step: int) -> None:
        """To the text beside this one."""
        if self.columns > 1 and 0 <= self.cursor % self.columns + step < self.columns:
            self.cursor += step

    def action_page(self, direction: int) -> None:
        line = self._starts[self.cursor // self.columns] if self._samples else 0
        row = self._row_at(line + direction * max(1, self.size.height - 1))
        if row is None:
            self.action_edge(direction)
        elif row == self.cursor // self.columns:
            self.action_cursor(direction)
        else:
            self.cursor = row * self.columns + self.cursor % self.columns

    def _item_at(self, x: int, y: int) -> int | None:
        row = self._row_at(y + self.scroll_offset.y)
        if row is None:
            return None
        column = min(x // (self._column_width() + _GAP), self.columns - 1)
        return self._bounded(row * self.columns + column)

    def _row_at(self, line: int) -> int | None:
        row = bisect_right(self._starts, line) - 1
        return row if 0 <= row < len(self._starts) - 1 and line >= 0 else None

    # --- drawing -------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.rich_style
        if not self._samples:
            return self._empty_line(y, width)
        at = y + self.scroll_offset.y
        row = self._row_at(at)
        if row is None:
            return Strip.blank(width, base)
        inner = at - self._starts[row]
        own = self._column_width()
        strips: list[Strip] = []
        first = row * self.columns
        for index in range(first, first + self.columns):
            if strips:
                strips.append(Strip.blank(_GAP, base))
            laid = self._laid[index] if index < len(self._samples) else None
            if laid is None or inner >= len(laid):
                strips.append(Strip.blank(own, base))
            else:
                strips.append(self._sample_line(index, inner, laid[inner], own))
        return Strip.join(strips).adjust_cell_length(width, base)

    def _sample_line(self, index: int, inner: int, line: Line, width: int) -> Strip:
        sample = self._samples[index]
        is_cursor = index == self.cursor
        extra = ("sample-list--cursor",) if is_cursor else ()
        base = self.get_visual_style(*extra).rich_style
        segments: list[Segment] = []

        def put(text: str, name: str = "") -> None:
            style = (
                self.get_visual_style(f"sample-list--{name}", *extra).rich_style if name else base
            )
            segments.append(Segment(text, style))

        first = inner == 0
        put("▸" if is_cursor and first else " ", "sign")
        put("✦" if sample.favourite and first else " ", "favourite")
        sign = _VERDICT_SIGNS.get(sample.verdict, " ") if first else " "
        put(sign, "error" if sample.verdict == "verbatim" else "warn")
        put(" ")
        label_width = self._label_width()
        if label_width:
            put(fit(printable(sample.label) if first else "", label_width - 1) + " ", "label")
        put(_BAR if first else _BAR_ON, "bar")
        put(" ")
        for text, name in line:
            put(text, name)
        return Strip(segments).adjust_cell_length(width, base)
