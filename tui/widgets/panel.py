"""A titled box: a noun at the left of its top border, a count or a state at the right; what scrolls
in it; and a dialog, a page above the boxes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import RenderResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.style import Style
from textual.widget import Widget

from core.safe_text import printable
from tui.widgets.cells import cell_len, cut

_CORNERS = 6  # both corners, one cell of edge beside each, one space on each side of the label


class Panel(Vertical):
    """A container with a quiet border, a title at the left and a status at the right of it.

    The panel that holds the focus has the accent border; nothing else in the app uses the accent.
    When the border is too short for both, the status is cut first, then the title, each with ``…``.

    Example::

        yield Panel(RowList(columns), title="Tweets", status="3,245 · newest first", id="tweets")
        self.query_one("#tweets", Panel).status = "12 found"

    Messages: none of its own.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"panel--title", "panel--status"}

    DEFAULT_CSS = """
    Panel {
        border: round $foreground 25%;
        padding: 0 1;
        background: transparent;
        & > .panel--title { color: $foreground; text-style: bold; }
        & > .panel--status { color: $text-muted; }
        &:focus-within { border: round $accent; }
        &:ansi { border: round ansi_bright_black; }
        &:ansi > .panel--status { color: ansi_default; text-style: dim; }
        &:ansi:focus-within { border: round $accent; }
    }
    """

    title: reactive[str] = reactive("")
    """The noun at the left. Text from outside is harmless here: it is never read as markup."""
    status: reactive[str] = reactive("")
    """The count or the state at the right."""

    def __init__(
        self,
        *children: Widget,
        title: str = "",
        status: str = "",
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own name)
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(*children, name=name, id=id, classes=classes, disabled=disabled)
        self.set_reactive(Panel.title, title)
        self.set_reactive(Panel.status, status)

    def render(self) -> RenderResult:
        return ""

    def on_mount(self) -> None:
        # the title's styles are resolved into the border, so a new theme has to draw it anew
        self.app.theme_changed_signal.subscribe(
            self, lambda _: self.call_after_refresh(self._draw_border, anew=True)
        )

    def on_resize(self, event: events.Resize) -> None:
        self._draw_border()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._draw_border()

    def watch_title(self) -> None:
        self._draw_border()

    def watch_status(self) -> None:
        self._draw_border()

    def _draw_border(self, *, anew: bool = False) -> None:
        if not self.is_attached or not self.size.width:
            return
        if anew:
            # Textual asks for the styles while a theme is still being applied, and keeps them
            self._visual_style_cache.clear()
            self.border_title = None  # equal words in other colours would count as no change
        label = self.border_label(self.outer_size.width)
        if self._border_title is None or not label.is_same(self._border_title):
            self.border_title = label

    def border_label(self, width: int) -> Content:
        """The whole text of the top border for a panel ``width`` cells wide."""
        room = width - _CORNERS
        title, status = printable(self.title), printable(self.status)
        if room <= 0:
            return Content("")
        # The gap holds two spaces and at least one cell of edge.
        left = cut(title, room)
        right = cut(status, room - cell_len(left) - 3) if left else cut(status, room)
        if len(right) < 2 and right != status:  # a lone ellipsis says nothing
            right = ""
        title_style = self._ink("panel--title")
        parts = [Content.styled(left, title_style)] if left else []
        if right:
            gap = room - cell_len(left) - cell_len(right)
            edge = "─" * (gap - 2 if left else gap - 1)
            parts.append(Content(f" {edge} " if left else f"{edge} " if gap else ""))
            parts.append(Content.styled(right, self._ink("panel--status")))
        return Content("").join(parts)

    def _ink(self, component: str) -> Style:
        """A component's style without its background: the border is drawn on the parent's."""
        return replace(self.get_visual_style(component), background=None)


class ScrollPane(VerticalScroll):
    """Text that may be longer than its panel: tab reaches it while there is more than it shows, and
    nobody has to step over it else.
    """

    DEFAULT_CSS = """
    ScrollPane { scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", "Up", show=False),
        Binding("j", "scroll_down", "Down", show=False),
    ]

    def allow_focus(self) -> bool:
        return self.can_focus and (self.has_focus or self.max_scroll_y > 0)


class ClosesOnce(Screen[ScreenResultType]):
    """A page that a second enter, on its way when the first one closes it, does not close again.

    Textual would give the answer again, and close what is below, too. Name it behind the base whose
    looks count: Textual takes those of the first.
    """

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        if self.is_active:
            return super().dismiss(result)
        closed: AwaitComplete = AwaitComplete.nothing()  # type: ignore[no-untyped-call]
        return closed


class Dialog(ModalScreen[ScreenResultType], ClosesOnce[ScreenResultType]):
    """A page above a section, which is left with an answer."""
