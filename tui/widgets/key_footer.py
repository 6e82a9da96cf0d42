"""The keys that matter now, at most seven, in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.safe_text import printable
from tui.widgets.cells import cell_len

MOST_KEYS = 7


@dataclass(frozen=True)
class FooterKey:
    """A key as a person reads it, what it does in a word or two, and what a click runs.

    ``action`` is a callable, or a Textual action (``"app.help"``, ``"add_tweets"``); one without a
    namespace is looked for on the focused widget and its ancestors, as a key press would be.
    """

    key: str
    label: str
    action: str | Callable[[], object]
    tooltip: str = ""


class KeyFooter(Widget):
    """``a Add tweets   / Search   enter Open   … ? Help``

    The help key always stays and stands last; when the line is too short the later of the others
    go, and a ``…`` says so.

    Example::

        footer.set_keys([FooterKey("a", "Add tweets", "add_tweets")],
                        help_key=FooterKey("?", "Help", "app.help"))

    Messages: ``Pressed(key)`` for each click, besides running the action.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "key-footer--key",
        "key-footer--label",
        "key-footer--hover",
    }
    DEFAULT_CSS = """
    KeyFooter {
        height: 1;
        padding: 0 1;
        background: transparent;
        & > .key-footer--key { color: $primary; text-style: bold; }
        & > .key-footer--label { color: $text-muted; }
        & > .key-footer--hover { color: $foreground; text-style: underline; }
        &:ansi > .key-footer--label { color: ansi_default; text-style: dim; }
        &:ansi > .key-footer--hover { color: ansi_default; text-style: underline; }
    }
    """

    @dataclass
    class Pressed(Message):
        """A key of the footer was clicked."""

        footer: KeyFooter
        key: FooterKey

        @property
        def control(self) -> KeyFooter:
            return self.footer

    def __init__(
        self,
        keys: Sequence[FooterKey] = (),
        help_key: FooterKey | None = None,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._keys = tuple(keys)
        self._help = help_key
        self._hover: FooterKey | None = None

    def set_keys(self, keys: Sequence[FooterKey], help_key: FooterKey | None = None) -> None:
        """Show other keys; without ``help_key`` the one before stays."""
        self._keys = tuple(keys)
        self._help = help_key or self._help
        self._hover = None
        self.refresh()

    def layout_keys(self, width: int) -> tuple[list[tuple[int, FooterKey]], int | None]:
        """(cell where it starts, key) for each key that fits, and where the ``…`` stands."""
        help_size = _size(self._help) if self._help else 0
        keys = self._keys[: MOST_KEYS - (self._help is not None)]
        cut_short = len(keys) < len(self._keys)
        placed: list[tuple[int, FooterKey]] = []
        x = 0
        for index, key in enumerate(keys):
            is_last = index == len(keys) - 1 and not cut_short
            # Behind this one: the help key, and the sign if more follow.
            behind = (3 + help_size if help_size else 0) + (0 if is_last else 4)
            if x + _size(key) + behind > width:
                cut_short = True
                break
            placed.append((x, key))
            x += _size(key) + 3
        dots = None
        if cut_short and x + 1 + (3 + help_size if help_size else 0) <= width:
            dots = x
            x += 4
        if self._help is not None:
            placed.append((x, self._help))
        return placed, dots

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        base = self.rich_style
        if y:
            return Strip.blank(width, base)
        key_style = self.get_visual_style("key-footer--key").rich_style
        label_style = self.get_visual_style("key-footer--label").rich_style
        hover_style = self.get_visual_style("key-footer--hover").rich_style
        placed, dots = self.layout_keys(width)
        marks: list[tuple[int, FooterKey | None]] = list(placed)
        if dots is not None:
            marks.append((dots, None))
        segments: list[Segment] = []
        at = 0
        for x, key in sorted(marks, key=lambda mark: mark[0]):
            if x > at:
                segments.append(Segment(" " * (x - at), base))
            if key is None:
                segments.append(Segment("…", label_style))
                at = x + 1
                continue
            segments.append(Segment(printable(key.key), key_style))
            label = " " + printable(key.label)
            segments.append(Segment(" ", base))
            segments.append(Segment(label[1:], hover_style if key == self._hover else label_style))
            at = x + _size(key)
        return Strip(segments).adjust_cell_length(width, base)

    def _key_at(self, x: int) -> FooterKey | None:
        for start, key in self.layout_keys(self.content_size.width)[0]:
            if start <= x < start + _size(key):
                return key
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._set_hover(self._key_at(event.x - self.gutter.left))

    def on_leave(self, event: events.Leave) -> None:
        self._set_hover(None)

    def _set_hover(self, key: FooterKey | None) -> None:
        if key == self._hover:
            return
        self._hover = key
        self.tooltip = (key.tooltip or None) if key else None
        self.styles.pointer = "pointer" if key else "default"
        self.refresh()

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        key = None if offset is None else self._key_at(offset.x)
        if key is None:
            return
        event.stop()
        self.post_message(self.Pressed(self, key))
        if not isinstance(key.action, str):
            key.action()
            return
        name = key.action.partition("(")[0]
        start = self.app.focused or self.screen
        for node in start.ancestors_with_self:
            if "." in name or hasattr(node, f"action_{name}"):
                await self.app.run_action(key.action, None if "." in name else node)
                return


def _size(key: FooterKey) -> int:
    return cell_len(printable(key.key)) + 1 + cell_len(printable(key.label))
