"""The base of lists that draw only their visible rows: the cursor, its keys, scrolling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.safe_text import printable
from tui.widgets.cells import cut, fit, wrap


class CursorList(ScrollView, can_focus=True):
    """A cursor over numbered items; a subclass lays them out and draws them.

    Messages: ``Highlighted(index)`` when the cursor moved (a newer one replaces an older one that
    was not handled yet), ``Chosen(index)`` on enter or a click on the item under the cursor.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"list--empty"}
    DEFAULT_CSS = """
    CursorList {
        background: transparent;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .list--empty { color: $text-muted; }
        &:ansi > .list--empty { text-style: dim; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False, id="rows.up", tooltip="One row up."),
        Binding("down,j", "cursor(1)", "Down", show=False, id="rows.down", tooltip="One row down."),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="rows.page_up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="rows.page_down"),
        Binding("home", "edge(-1)", "First row", show=False, id="rows.first"),
        Binding("end,G", "edge(1)", "Last row", show=False, id="rows.last"),
        Binding("enter", "choose", "Choose", show=False, id="rows.choose"),
    ]

    cursor: reactive[int] = reactive(0)
    """Index of the item under the cursor (0 when there are none)."""

    @dataclass
    class Highlighted(Message):
        """The cursor is on another item, or the items under it are new."""

        list: CursorList
        index: int

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, CursorList.Highlighted) and message.list is self.list

        @property
        def control(self) -> CursorList:
            return self.list

    @dataclass
    class Chosen(Message):
        """Enter on an item, or a click on the one that already had the cursor."""

        list: CursorList
        index: int

        @property
        def control(self) -> CursorList:
            return self.list

    def __init__(
        self,
        *,
        empty: str,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.empty = empty

    def _count(self) -> int:
        """How many items there are."""
        raise NotImplementedError

    def _item_at(self, x: int, y: int) -> int | None:
        """The item in the cell ``x`` of the line ``y`` of the window."""
        raise NotImplementedError

    def set_empty(self, sentence: str) -> None:
        """The sentence shown when there are no items."""
        if sentence != self.empty:
            self.empty = sentence
            self.refresh()

    def _bounded(self, index: int) -> int:
        return max(0, min(index, self._count() - 1))

    def validate_cursor(self, cursor: int) -> int:
        return self._bounded(cursor)

    def action_cursor(self, step: int) -> None:
        self.cursor += step

    def action_edge(self, direction: int) -> None:
        self.cursor = 0 if direction < 0 else self._count() - 1

    def action_choose(self) -> None:
        if self._count():
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        index = None if offset is None else self._item_at(offset.x, offset.y)
        if index is not None and offset is not None:
            self._clicked(index, offset.x)

    def _clicked(self, index: int, x: int) -> None:
        if index == self.cursor:
            self.action_choose()
        else:
            self.cursor = index

    def _empty_line(self, y: int, width: int) -> Strip:
        style = self.get_visual_style("list--empty").rich_style
        lines = wrap(printable(self.empty), max(8, width - 4))
        line = y - min(1, max(0, self.size.height - len(lines)))
        text = "  " + cut(lines[line].rstrip(), width - 2) if 0 <= line < len(lines) else ""
        return Strip([Segment(fit(text, width), style)])
